"""What the report says of strata, of what was before, of proxies, alarms, laws and baselines."""

import html
import re
from datetime import timedelta
from itertools import product

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.config.regulation import controls, profiles
from monitor.domain.alert import Mute
from monitor.domain.field import Attribute, Stratum
from monitor.engine.alarms import alarms_since
from monitor.engine.disclosure import Sum
from monitor.reports.bias import looks
from monitor.reports.bias.build import Earlier, report_of
from monitor.reports.bias.html import as_html
from monitor.reports.bias.ledger import WHOLE, Place
from monitor.reports.bias.summary import every_comparison
from monitor.reports.bias.tables import tables_of
from monitor.uncertainty.ratio import koopman
from tests.held import day
from tests.people import POLICY_TEXT, deployment, write
from tests.reported import EVERY, SMALL, comparison, part, period, report, stored, sums_of, verified


@pytest.fixture(scope="module")
def plenty(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("plenty"))


@pytest.fixture(scope="module")
def page(plenty):
    return as_html(report(plenty))


FACTOR = Stratum(Attribute("product", "product"), "head of credit", "sold to other people")


@pytest.fixture(scope="module", params=[{}, SMALL], ids=["all shown", "small groups left out"])
def divided(request, tmp_path_factory):
    """People whose product is known: three of the days have few people of d in either product."""
    made = deployment(tmp_path_factory.mktemp("divided"), strata={"product": FACTOR})
    for place in range(5):
        write(made, place, products=True, **request.param)
    made.register()
    made.check(5)
    return made


@pytest.mark.slow
def test_counts_by_stratum_are_those_of_the_integer_table(divided):
    found = report(divided, unsuppressed=True)
    (stretch,) = period(divided).stretches
    table = stretch.whole.pair.current.outcomes.margin("area", "product")
    (told,) = part(found, "area").strata
    assert (told.factor, told.approved_by, told.strata) == (
        "product",
        "head of credit",
        ("card", "loan"),
    )
    for index, (group, counts) in enumerate(told.groups[:3]):
        assert group == "abc"[index]
        assert [item.rows for item in counts] == table[index, :2].sum(axis=(1, 2)).tolist()
        assert [item.positive for item in counts] == table[index, :2, 1].sum(axis=1).tolist()
    assert told.groups[-1][0] == ""
    everybody = [item.rows for item in told.groups[-1][1]]
    assert everybody == [sum(line[1][at].rows for line in told.groups[:-1]) for at in (0, 1)]
    assert part(found, "sex × area").strata == ()


@pytest.mark.slow
def test_counts_by_stratum_do_not_determine_what_is_not_shown(divided):
    """Rank test on all tables of the report together, those by stratum among them."""
    (stretch,) = period(divided).stretches
    tables = tables_of(stretch, divided.policy, below=60)
    assert tables.strata
    order = sorted(tables.hidden, key=str)
    assert any(place.factor for place in order)
    sums = [*sums_of(tables, stretch), *_sums_by_stratum(tables)]
    rows = np.array(
        [[(item.total == cell) - float(item.parts.count(cell)) for cell in order] for item in sums]
    )
    _, sizes, directions = np.linalg.svd(rows)
    free = directions[int((sizes > 1e-9).sum()) :]
    assert (np.abs(free).max(axis=0) > 1e-9).all()


def _sums_by_stratum(tables):
    for (name, factor), pair in tables.strata.items():
        strata = pair.strata.names
        for group, decision in product((*pair.groups, ""), EVERY):
            line = Place(WHOLE, name if group else "", group, decision)
            parts = tuple(replace(line, factor=factor, stratum=one) for one in strata)
            yield Sum(line, parts)
        for stratum, group in product(strata, (*pair.groups, "")):
            cell = Place(WHOLE, name if group else "", group, factor=factor, stratum=stratum)
            yield Sum(cell, tuple(replace(cell, decision=one) for one in EVERY[1:]))
        for stratum, decision in product(strata, EVERY):
            total = Place(WHOLE, "", "", decision, factor=factor, stratum=stratum)
            yield Sum(
                total, tuple(replace(total, population=name, group=one) for one in pair.groups)
            )


@pytest.mark.slow
def test_a_hidden_count_by_stratum_hides_the_number_that_would_give_it_away(divided):
    found = report_of(with_least(period(divided), 60), "test", controls())
    area = part(found, "area")
    hidden = {
        group
        for group, counts in (area.strata[0].groups if area.strata else ())
        if any(item.rows is None for item in counts)
    }
    assert hidden
    for item in area.conditional:
        if item.metric.startswith("selection_rate") and hidden & {item.group, item.reference}:
            assert item.figure is None
            assert item.explanation.startswith("not shown")
    open_to_all = report_of(with_least(period(divided), 60), "test", controls(), unsuppressed=True)
    assert [item.figure for item in part(open_to_all, "area").conditional if item.group == "b"]


def with_least(found, below):
    return replace(found, policy=replace(found.policy, suppress_below=below))


@pytest.mark.slow
def test_strata_never_cost_a_group_its_own_line(divided):
    (stretch,) = period(divided).stretches
    without = replace(divided.policy, strata={})
    for below in (10, 60):
        hidden = tables_of(stretch, without, below=below).hidden
        also = tables_of(stretch, divided.policy, below=below).hidden
        assert {place for place in also if not place.factor} == hidden


@pytest.mark.slow
def test_what_is_not_counted_with_an_attribute_is_called_not_measured(plenty):
    (version,) = report(plenty).versions
    assert version.proxies == ()
    assert version.not_screened == ("amount",)
    assert "Not measured: amount." in as_html(report(plenty))


@pytest.mark.slow
def test_what_tells_of_an_attribute_is_listed_the_strongest_first(divided):
    (version,) = report(divided, unsuppressed=True).versions
    strongest = version.proxies[0]
    assert (strongest.population, strongest.name, strongest.column) == (
        "area",
        "product",
        "product",
    )
    assert strongest.now == pytest.approx(0.78, abs=0.05)
    assert strongest.then == pytest.approx(strongest.now, abs=0.05)
    assert {item.population for item in version.proxies} == {"area", "sex"}
    assert version.proxies[-1].now < 0.05


@pytest.mark.slow
def test_an_association_of_counts_that_are_left_out_is_not_shown(divided):
    found = report_of(with_least(period(divided), 60), "test", controls())
    (area,) = [item for item in found.versions[0].proxies if item.population == "area"]
    hidden = any(
        item.rows is None for _, counts in part(found, "area").strata[0].groups for item in counts
    )
    assert hidden
    assert area.now is None  # of two products none is left once they are one together
    assert found.versions[0].proxies[-1] == area
    assert '<td class="n">not shown</td>' in as_html(found)


def test_the_alarms_are_those_that_the_windows_come_to(plenty):
    found = report(plenty)
    opened = {(item.population, item.group, item.state) for item in found.alarms}
    assert ("area", "b", "critical") in opened
    assert {item.since for item in found.alarms if item.group == "b"} == {"2024-01-03"}
    whole = alarms_since(plenty.policy, plenty.store, day(2).start).found[day(4)]
    firing = {name[:8] for name, alarm in whole.items() if alarm.firing}
    assert {item.finding for item in found.alarms} == firing


def test_no_alarm_is_said_to_be_none(plenty):
    found = replace(report(plenty), alarms=())
    assert "No alarm about groups is open at the end of the period." in as_html(found)


def earlier(made, digest=""):
    return Earlier(period(made, 2, 3), digest)


@pytest.mark.slow
def test_what_is_otherwise_than_before_is_told(plenty):
    found = report(plenty, 3, 5, earlier=earlier(plenty, "a" * 64))
    assert found.identity.before.span == day(2)
    assert found.since.compared == len(
        [item for _, table, item in every_comparison(found.versions[0])]
    )
    then = {
        (population.name, item.group): item
        for population, _, item in every_comparison(report(plenty, 2, 3).versions[0])
    }
    for item in found.since.moved:
        assert item.before == then[item.population, item.group].answer != item.now
    assert found.since.lines == ()
    text = as_html(found)
    assert "a" * 64 in text
    assert "since the report before" in found.summary[-3]
    assert verified(plenty, text) == ()
    assert "nothing that this version can read is stored of the period before" in as_html(
        report(plenty)
    )


@pytest.mark.slow
def test_a_change_of_policy_since_the_report_before_is_told_line_by_line(plenty):
    then = earlier(plenty)
    tighter = replace(then.period.policy, text=POLICY_TEXT + "limits: tighter\n", digest="other")
    found = report(plenty, 3, 5, earlier=replace(then, period=replace(then.period, policy=tighter)))
    assert found.since.policy == "other"
    assert found.since.lines == ("-limits: tighter",)
    assert "-limits: tighter" in as_html(found)


@pytest.mark.slow
def test_every_instrument_in_force_is_named_with_its_day_and_none_is_said_to_be_met(page):
    text = page
    told = controls()
    assert f"As of {told.as_of}." in text
    for item in told.items:
        assert (html.escape(item.title) in text) is (item.status != "superseded")
    assert "not that anything it asks for is met" in text


@pytest.mark.slow
def test_the_sentences_of_a_regulation_profile_are_in_the_report(plenty):
    profile, _ = profiles()["ll144"]
    found = period(plenty)
    set_up = replace(found.policy.disparity, profile=profile)
    text = as_html(
        report_of(
            replace(found, policy=replace(found.policy, disparity=set_up)), "test", controls()
        )
    )
    assert profile.required
    for sentence in profile.required:
        assert html.escape(sentence) in text
    assert profile.pin in text
    assert "No profile of a rule of law" in as_html(report(plenty))


def test_a_crossing_is_drawn_as_a_table_of_cells_with_their_rows(page, plenty):
    text = page
    grid = re.search(r'<table class="grid">.*?</table>', text, flags=re.DOTALL)[0]
    item = comparison(report(plenty), "sex × area", "f × b")
    assert f"{item.rate.events:,} of {item.rate.rows:,}" in grid
    assert f"{item.ratio.value:.2f}" in grid
    assert looks.look(item.answer).word in grid


def test_the_ratio_in_the_baseline_has_its_interval(plenty):
    item = comparison(report(plenty), "area", "b")
    (stretch,) = period(plenty).stretches
    table = stretch.whole.pair.reference.outcomes.margin("area")[:, :2].sum(axis=2)
    interval = koopman(table[1, 1], table[1].sum(), table[0, 1], table[0].sum())
    assert (item.ratio_then.low, item.ratio_then.high) == (interval.low, interval.high)
    assert item.ratio_then.low < item.ratio_then.value < item.ratio_then.high


@pytest.mark.slow
def test_what_nobody_was_called_for_is_told_as_it_was_known(tmp_path):
    made = stored(tmp_path)
    finding = made.store.alerts("credit")[0].fingerprint
    decided = made.clock.now()
    mute = Mute("credit", finding, decided, decided + timedelta(days=9), "sre", "<b>known</b>")
    made.store.mute(mute)
    text = as_html(report(made))
    section = text[text.index('id="waivers"') :].partition("</section>")[0]
    assert "Findings that nobody was called for" in section
    assert f"<code>{finding}</code></th>" in section
    assert "&lt;b&gt;known&lt;/b&gt;" in section
    assert not verified(made, text)
    later = decided + timedelta(days=1)
    made.store.mute(Mute("credit", finding, later, later, "sre", "mended"))
    assert not verified(made, text)
    assert f"{later:%Y-%m-%d %H:%M} UTC" in as_html(report(made))
