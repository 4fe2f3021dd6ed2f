"""Reports on people of several groups, and what a reader can subtract in them."""

from itertools import product

from msgspec.structs import replace

from monitor.config.regulation import controls
from monitor.domain.field import Effect
from monitor.domain.window import Window
from monitor.engine.disclosure import Sum
from monitor.engine.period import period_of
from monitor.reports.bias.build import Earlier, report_of
from monitor.reports.bias.html import as_html
from monitor.reports.bias.ledger import WHOLE, Place
from monitor.reports.bias.plain import plain
from monitor.reports.bias.verify import discrepancies, seal_of
from tests.held import day
from tests.people import deployment, write

SMALL = {"areas": ("a", "b", "c", "d"), "weights": (0.5, 0.38, 0.115, 0.005)}
"""About six people a day live in d: too few to be shown."""


def stored(folder, days=5, **options):
    made = deployment(folder, effect=options.pop("effect", Effect.HARMFUL))
    for place in range(days):
        write(made, place, **options)
    made.register()
    made.check(days)
    return made


def period(made, first=2, last=5, revisions=None):
    span = Window(day(first).start, day(last).start)
    return period_of(made.store, "credit", span, lambda _: made.policy, revisions)


def report(made, first=2, last=5, **options):
    return report_of(period(made, first, last), "test", controls(), **options)


def part(found, name):
    return next(item for item in found.versions[0].populations if item.name == name)


def comparison(found, name, group):
    table = part(found, name).metrics[0]
    return next(item for item in table.comparisons if item.group == group)


def verified(made, text):
    """Return where a report is not what the store gives."""
    seal = seal_of(text)
    then = None
    if seal.before is not None:
        named = dict(seal.before.revisions)
        found = period_of(made.store, seal.model, seal.before.span, lambda _: made.policy, named)
        then = Earlier(found, seal.before.digest)
    again = report_of(
        period_of(
            made.store,
            seal.model,
            seal.span,
            lambda _: made.policy,
            seal.revisions,
            decided_by=seal.decided,
        ),
        "test",
        controls(),
        then,
        unsuppressed=seal.unsuppressed,
    )
    return discrepancies(text, plain(again), as_html(again), seal)


def sums_of(tables, stretch):
    """Return the sums that a reader can see, written down again from the report's layout."""
    steps = [str(index) for index in range(len(stretch.steps))]
    found = []
    for name, pair in tables.groups.items():
        for when in (WHOLE, "baseline", *steps):
            found += _of_table(when, name, pair.groups)
        for group, decision in product(pair.groups, EVERY):
            parts = tuple(Place(step, name, group, decision) for step in steps)
            found.append(Sum(Place(WHOLE, name, group, decision), parts))
    for when, decision, area in product((WHOLE, "baseline", *steps), EVERY, "abcd"):
        parts = tuple(Place(when, "sex × area", f"{sex} × {area}", decision) for sex in "fm")
        found.append(Sum(Place(when, "area", area, decision), parts))
    return found


EVERY = (-1, 0, 1, 2)


def _of_table(when, name, groups):
    labels = EVERY if when == WHOLE else (-1,)
    for group in groups:
        line = Place(when, name, group)
        yield Sum(line, tuple(replace(line, decision=one) for one in EVERY[1:]))
        for cell in (replace(line, decision=one) for one in EVERY[1:] if len(labels) > 1):
            yield Sum(cell, tuple(replace(cell, label=one) for one in EVERY[1:]))
    for decision, label in product(EVERY, labels):
        parts = tuple(Place(when, name, group, decision, label) for group in groups)
        if decision >= 0 or label < 0:
            yield Sum(Place(when, "", "", decision, label), parts)
