"""The first thing a person reads: what was found, counts before per cents, in at most eight sentences."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf

from monitor.domain.field import Effect
from monitor.domain.finding import Reason
from monitor.reports.bias.comparisons import ALARMS, WITHHELD
from monitor.reports.bias.document import (
    Comparison,
    Figure,
    Identity,
    MetricTable,
    PolicyPart,
    PopulationPart,
    Role,
    VersionPart,
    WindowRow,
)
from monitor.reports.bias.governed import span_text
from monitor.reports.bias.history import Since
from monitor.reports.bias.looks import percent

MOST = 8
"""Sentences."""

_TOO_FEW = frozenset({Reason.INSUFFICIENT_DATA.value, Reason.NO_DATA.value, WITHHELD})

_Found = tuple[PopulationPart, MetricTable, Comparison]


def summary(
    identity: Identity,
    versions: Sequence[VersionPart],
    windows: Sequence[WindowRow],
    policy: PolicyPart,
    since: Since | None,
) -> tuple[str, ...]:
    """Return what a reader in a hurry has to know."""
    if not versions:
        return (
            (
                f"{span_text(identity.span)}: nothing can be said of {identity.model}. No window has rows "
                "of a version with a registered baseline."
            ),
        )
    sentences = [_scope(identity, versions, windows), _meaning(versions, policy)]
    found = [item for version in versions for item in every_comparison(version)]
    if found:
        sentences += [_answers(found), *_worst(found, policy), *_course(found, since)]
    else:
        sentences.append(
            "No population is declared, or none could be compared: nothing was judged."
        )
    sentences += [_data(versions, windows), _needed(found, policy)]
    return tuple(sentences[:MOST])


def every_comparison(version: VersionPart) -> Iterator[_Found]:
    """Yield the groups of a version that are held against another, on each metric."""
    for population in version.populations:
        for table in population.metrics:
            for item in table.comparisons:
                if item.role is Role.COMPARED:
                    yield population, table, item


def rate_text(figure: Figure | None) -> str:
    """Return a rate: the counts, and then the per cent."""
    if figure is None or figure.rows is None:
        return "a rate that is not shown"
    return f"{figure.events:,} of {figure.rows:,} ({percent(figure.value)})"


def _scope(
    identity: Identity, versions: Sequence[VersionPart], windows: Sequence[WindowRow]
) -> str:
    rows = sum(version.decided.known for version in versions)
    parts = [part for version in versions for part in version.populations]
    single = {part.population for part in parts if not part.crossing}
    crossed = {part.population for part in parts if part.crossing}
    groups = {
        (part.population, item.group)
        for part in parts
        for item in part.presences
        if item.role is not Role.UNASSIGNED
    }
    classes = {
        part.class_name for version in versions for part in version.populations if part.class_name
    }
    of_classes = (
        f"; single classes against the rest: {', '.join(sorted(classes))}" if classes else ""
    )
    count = len(windows)
    return (
        f"{span_text(identity.span)}, {_many(count, 'window')}: {rows:,} decisions of "
        f"{identity.model} were checked over {_many(len(single), 'attribute')} and "
        f"{_many(len(crossed), 'crossing')}, {_many(len(groups), 'group')} in all{of_classes}."
    )


def _meaning(versions: Sequence[VersionPart], policy: PolicyPart) -> str:
    counted = [version.decided.positive for version in versions]
    if None in counted:
        return (
            f"It chooses one of several classes; being given one of these is read as a positive decision: "
            f"{policy.decision}."
        )
    positive = sum(count for count in counted if count is not None)
    decided = sum(version.decided.known for version in versions)
    share = f" ({percent(positive / decided)})" if decided else ""
    told = f"{positive:,} of {decided:,} decisions{share} were positive ({policy.decision})."
    rates = (version.decided.rate_then for version in versions)
    then = [rate for rate in rates if rate is not None]
    if len(then) == 1:
        told += f" In the baseline it was {percent(then[0])}."
    effect = "harms" if policy.effect == Effect.HARMFUL.value else "helps"
    return f"{told} By the policy, a positive decision {effect} the person it is about."


def _answers(found: Sequence[_Found]) -> str:
    counted = Counter(item.answer for _, _, item in found)
    few = sum(counted[answer] for answer in _TOO_FEW)
    named = [(counted[answer], text) for answer, text in _SAID.items()]
    rest = len(found) - sum(count for count, _ in named) - few
    named += [(few, "with too little data"), (rest, "not judged for another reason")]
    said = _listed([f"{count:,} {text}" for count, text in named if count])
    metrics = {table.metric for _, table, _ in found}
    on = f" on {len(metrics)} metrics" if len(metrics) > 1 else ""
    return f"Of {_many(len(found), 'comparison')} of a group with its reference group{on}: {said}."


_SAID = {
    "breach": "in breach of the limit",
    "suspected": "suspected",
    "review": "for review",
    "within": "within the limit",
    "inconclusive": "inconclusive",
}


def _worst(found: Sequence[_Found], policy: PolicyPart) -> list[str]:
    """Return the group that is farthest from its reference, of the attributes and of the crossings."""
    sentences = []
    for crossing, name in ((False, "attributes"), (True, "crossings")):
        alarming = [
            item
            for item in found
            if item[0].crossing is crossing
            and item[2].answer in ALARMS
            and item[2].ratio is not None
        ]
        if alarming:
            worst = max(alarming, key=_distance)
            sentences.append(f"Farthest apart among the {name}: {told(worst, policy)}.")
    return sentences


def _distance(found: _Found) -> float:
    """Return how far a ratio is from 1, as many times as it is larger or smaller."""
    ratio = found[2].ratio
    if ratio is None:
        return 1.0
    return max(ratio.value, 1 / ratio.value) if ratio.value else inf


def told(found: _Found, policy: PolicyPart) -> str:
    """Return one comparison in words: the group, its counts, the other group's, and how sure it is."""
    population, table, item = found
    of = {one.group: one.rate for one in table.comparisons}.get(population.reference)
    against = f", {rate_text(of)}" if of is not None else ""
    ratio = item.ratio
    assert ratio is not None  # noqa: S101  # by the caller
    interval = ""
    if ratio.low is not None:
        high = "open" if ratio.high is None else f"{ratio.high:.2f}"
        interval = f" (95 % interval {ratio.low:.2f} to {high})"
    missing = item.detail.get("shortfall")
    more = ""
    if missing is not None:
        kind = "fewer" if missing > 0 else "more"
        more = f"; that is {abs(missing):,.0f} {kind} than at equal rates"
    counted = rate_text(item.rate)
    if table.metric in SPOKEN:
        counted += " of the " + SPOKEN[table.metric].format(outcome=policy.label)
    elif table.metric != _USUAL:
        counted = f"{table.title} {counted}"
    return (
        f"{population.name} {item.group}, {counted}, {ratio.value:.2f} times the rate of "
        f"{population.reference}{against}{interval}{more}"
    )


_USUAL = "selection_rate"
"""The metric whose rates need no name: what the decisions are."""

SPOKEN = {
    "non_selection_rate": "decisions were negative",
    "true_positive_rate": "decisions whose outcome turned out positive ({outcome}) were positive",
    "false_positive_rate": "decisions whose outcome turned out negative (not: {outcome}) were positive",
    "true_negative_rate": "decisions whose outcome turned out negative (not: {outcome}) were negative",
    "false_negative_rate": "decisions whose outcome turned out positive ({outcome}) were negative",
    "positive_predictive_value": "positive decisions turned out right ({outcome})",
    "negative_predictive_value": "negative decisions turned out right (not: {outcome})",
    "false_discovery_rate": "positive decisions turned out wrong (not: {outcome})",
    "false_omission_rate": "negative decisions turned out wrong ({outcome})",
    "error_rate": "decisions turned out wrong",
}
"""Metric to what it counts, as the end of a sentence that begins with counts."""


def _course(found: Sequence[_Found], since: Since | None) -> list[str]:
    """Return how it went window by window, since the baseline, and since the report before."""
    past = [item.past for _, _, item in found if item.past is not None and item.past.judged]
    changed = [item for _, _, item in found if item.change is not None]
    told = []
    if past:
        always = sum(item.beyond == item.judged for item in past)
        ever = sum(item.beyond > 0 for item in past)
        told.append(
            f"{ever} of the {len(found)} comparisons were in breach or suspected in at least one single "
            f"window, and {always} in every window that could judge them"
        )
    if changed:
        moved = sum(item.changed.startswith("more") for item in changed)
        told.append(
            f"since the baseline the ratio of {moved} of {len(changed)} changed by more than chance "
            "explains"
        )
    if since is not None:
        worse, better = (sum(item.worse is way for item in since.moved) for way in (True, False))
        told.append(
            f"since the report before, {worse} came to be in breach or suspected and {better} are so no "
            "more"
        )
    return ["; ".join(told) + "."] if told else []


def _data(versions: Sequence[VersionPart], windows: Sequence[WindowRow]) -> str:
    read, used = sum(item.read for item in windows), sum(item.used for item in windows)
    told = f"Of {read:,} rows read, {used:,} were used and {read - used:,} were not"
    unreadable = {path for item in windows for path in item.unreadable}
    if unreadable:
        told += f", and {_many(len(unreadable), 'file')} could not be used"
    deciding = [item for item in versions if item.decided.positive is not None]
    rows = sum(item.rows for item in deciding)
    undecided = rows - sum(item.decided.known for item in deciding)
    if undecided:
        told += (
            f"; {undecided:,} ({percent(undecided / rows)}) have no known decision and are in no rate "
            "of decisions"
        )
    labelled = [item.labelled for item in windows if item.labelled is not None]
    if labelled and used:
        told += f"; {sum(labelled):,} ({percent(sum(labelled) / used)}) have a label"
    return told + "."


def _needed(found: Sequence[_Found], policy: PolicyPart) -> str:
    alarms = sum(item.answer in ALARMS for _, _, item in found)
    owner = policy.owner or "the owner, whom the policy does not name,"
    if alarms:
        return (
            f"A decision is needed from {owner} on {_many(alarms, 'comparison')} in breach or suspected, "
            "and a signature from somebody else."
        )
    other = owner.removesuffix(",")
    return f"Nothing is in breach; a signature is needed from somebody other than {other}."


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _listed(items: Sequence[str]) -> str:
    *before, last = items
    return f"{', '.join(before)} and {last}" if before else last
