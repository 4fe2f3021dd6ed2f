"""What the page leaves out of small groups, read as somebody would who wants to know them."""

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from monitor.domain.field import Attribute, Effect, Population
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import Band, HeldAgainst
from monitor.domain.manifest import Accounting, LabelJoin
from monitor.domain.naming import CROSS
from monitor.engine.alias import group_alias
from monitor.engine.withheld import Withheld
from monitor.exposition.joins import add_memberships
from monitor.exposition.render import render
from monitor.exposition.sheet import Sheet
from monitor.measures.disparity import (
    false_positive_rate,
    group_label_coverage,
    representation,
    selection_rate,
    true_positive_rate,
    unknown_share,
)
from monitor.measures.measure import Family, GroupPair

SEXES, AREAS = ("f", "m", "x"), ("north", "south")
POPULATIONS = (
    Population(("sex",)),
    Population(("area",)),
    Population(("sex", "area")),
)
RATES = (selection_rate.RATE, true_positive_rate.RATE, false_positive_rate.RATE)
MEASURES = (
    *selection_rate.MEASURES,
    *true_positive_rate.MEASURES,
    *false_positive_rate.MEASURES,
    group_label_coverage.MEASURE,
    *representation.MEASURES,
)
FAMILIES = {item.about.id: Family.DISPARITY for item in (*MEASURES, *unknown_share.MEASURES)}
ALL = frozenset((decision, label) for decision in range(3) for label in range(3))
LABELLED = frozenset(cell for cell in ALL if cell[1] != 2)


def names(population):
    return {
        "sex": SEXES,
        "area": AREAS,
        f"sex{CROSS}area": tuple(f"{sex}{CROSS}{area}" for sex in SEXES for area in AREAS),
    }[population]


def by_group(population, table):
    """Return a table of sexes × areas × 3 × 3 by the groups of one population."""
    return {
        "sex": table.sum(axis=1),
        "area": table.sum(axis=0),
        f"sex{CROSS}area": table.reshape(-1, *table.shape[2:]),
    }[population]


def readings_of(make, table, then, measures=MEASURES, against=HeldAgainst.LARGEST):
    found = []
    for population in POPULATIONS:
        now, before = by_group(population.name, table), by_group(population.name, then)
        largest = int(now.sum(axis=(1, 2)).argmax())
        pair = GroupPair(
            population.name,
            names(population.name),
            before,
            now,
            largest,
            Effect.FAVOURABLE,
            Band(),
            against,
            np.zeros((3, 3), np.int64),
            unassigned_then=np.zeros((3, 3), np.int64),
        )
        reference = "(best off)" if against is HeldAgainst.BEST_OFF else pair.groups[largest]
        found += [
            make.reading(
                item.about.id,
                result,
                population=population.name,
                group=group,
                reference_group=reference,
            )
            for item in measures
            for group, result in item.measure(pair).items()
        ]
    return found


def scraped(make, readings, findings=(), **changes):
    shot = make.snapshot(make.run(readings, findings))
    policy = replace(shot.policy, populations=POPULATIONS, **changes)
    text = render((replace(shot, policy=policy),), make.build, FAMILIES).text().decode()
    return {
        (sample.name.removeprefix("modelmon_"), *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def series(page, name, **labels):
    of = {"model": "credit", "model_version": "1", **labels}
    return page.get((name, *sorted(of.items())))


class Reader:
    """Somebody who knows all totals and the page, and works out what they can.

    Unknown to them are the rows of each sex × area × decision × label.
    """

    def __init__(self, page, table):
        self.shape, self.rows = table.shape, []
        for population in POPULATIONS:
            self._totals(population.name)
            for group in names(population.name):
                self._group(page, population.name, group)
            for group in names(population.name):
                self._comparisons(page, population.name, group)

    def count(self, population, group, cells):
        """Return a count as a linear form of the unknown rows."""
        form = np.zeros(self.shape)
        inside = names(population).index(group)
        for sex, area in np.ndindex(self.shape[:2]):
            place = {"sex": sex, "area": area}.get(population, sex * self.shape[1] + area)
            if place == inside:
                for decision, label in cells:
                    form[sex, area, decision, label] = 1.0
        return form.ravel()

    def knows(self, form):
        known = np.array(self.rows)
        return np.linalg.matrix_rank(np.vstack([known, form]), 1e-6) == np.linalg.matrix_rank(
            known, 1e-6
        )

    def _totals(self, population):
        for rate in RATES:
            for cells in (rate.numerator, rate.denominator):
                self.rows.append(
                    sum(self.count(population, group, cells) for group in names(population))
                )
        for cells in (ALL, LABELLED):
            self.rows.append(
                sum(self.count(population, group, cells) for group in names(population))
            )

    def _level(self, page, population, group, rate):
        of = {"attribute": population, "group": group}
        if rate.id == "selection_rate":
            return series(page, "group_outcome_ratio", **of)
        return series(page, "group_level", **of, check=rate.id)

    def _group(self, page, population, group):
        of = {"attribute": population, "group": group}
        if series(page, "group_records", **of) is not None:
            self.rows.append(self.count(population, group, selection_rate.RATE.denominator))
        for rate in RATES:
            if self._level(page, population, group, rate) is not None:
                # A share and Wilson's interval about it give both counts.
                for cells in (rate.numerator, rate.denominator):
                    self.rows.append(self.count(population, group, cells))
        if series(page, "group_label_coverage_ratio", **of) is not None:
            for cells in (ALL, LABELLED):
                self.rows.append(self.count(population, group, cells))
        if series(page, "group_level", **of, check="representation") is not None:
            self.rows.append(self.count(population, group, ALL))

    def _comparisons(self, page, population, group):
        reference = next(
            dict(key[1:])["reference_group"]
            for key in page
            if key[0] == "population_reference_info" and ("attribute", population) in key
        )
        for rate in RATES:
            of = {"attribute": population, "group": group, "check": f"{rate.id}_ratio"}
            ratio = series(page, "disparity_ratio", **of)
            own = self._level(page, population, group, rate)
            other = self._level(page, population, reference, rate)
            if ratio and own is not None:
                self._share(population, reference, rate, own / ratio)
            if ratio is not None and other is not None:
                self._share(population, group, rate, other * ratio)

    def _share(self, population, group, rate, share):
        events, rows = (
            self.count(population, group, cells) for cells in (rate.numerator, rate.denominator)
        )
        self.rows.append(events - share * rows)


COUNTS = st.one_of(st.integers(0, 12), st.integers(0, 400))
TABLES = st.lists(COUNTS, min_size=54, max_size=54).map(
    lambda cells: np.array(cells).reshape(3, 2, 3, 3)
)
FEW = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
LARGE = np.full((3, 2, 3, 3), 60)


@pytest.fixture
def small():
    """Return rows where few women of the north were decided about."""
    table = LARGE.copy()
    table[2] = 40
    table[0, 0] = [[3, 2, 0], [1, 1, 0], [0, 0, 0]]
    return table


@pytest.mark.slow
@FEW
@given(TABLES)
def test_no_small_count_of_a_group_can_be_worked_out_from_the_page(make, table):
    reader = Reader(scraped(make, readings_of(make, table, LARGE)), table)
    for population in POPULATIONS:
        tables = by_group(population.name, table)
        for place, group in enumerate(names(population.name)):
            for rate in RATES:
                for cells in (
                    rate.numerator,
                    rate.denominator,
                    rate.denominator - rate.numerator,
                ):
                    count = sum(int(tables[place][cell]) for cell in cells)
                    if 0 < count < 10 and tables[place].sum() < table.sum():
                        form = reader.count(population.name, group, cells)
                        assert not reader.knows(form), (population.name, group, sorted(cells))


@pytest.mark.slow
def test_the_reader_of_a_page_that_leaves_nothing_out_works_out_everything(make, small):
    page = scraped(make, readings_of(make, small, LARGE), suppress_in_metrics=False)
    reader = Reader(page, small)
    for population in POPULATIONS:
        for group in names(population.name):
            for rate in RATES:
                assert reader.knows(reader.count(population.name, group, rate.numerator))
            of = {"attribute": population.name, "group": group}
            assert series(page, "group_records", **of) is not None
        assert series(page, "suppressed_groups", attribute=population.name) == 0


@pytest.mark.slow
def test_a_small_group_takes_with_it_what_would_give_it_away_and_both_are_counted(make, small):
    page = scraped(make, readings_of(make, small, LARGE))
    crossing = f"sex{CROSS}area"
    gone = {
        group
        for group in names(crossing)
        if series(page, "group_records", attribute=crossing, group=group) is None
    }
    # Each of its margins needs a second group, and theirs a third: a rectangle of the smallest.
    assert gone == {f"{sex}{CROSS}{area}" for sex in ("f", "x") for area in AREAS}
    assert series(page, "suppressed_groups", attribute=crossing) == 4
    assert series(page, "suppressed_groups", attribute="sex") == 0
    numbers = ("group_", "disparity_ratio", "disparity_difference")
    for key in page:
        of = dict(key[1:])
        if of.get("attribute") == crossing and key[0].startswith(numbers):
            assert of["group"] not in gone, key


def test_nothing_is_left_out_where_no_group_is_small(make):
    page = scraped(make, readings_of(make, LARGE, LARGE))
    for population in POPULATIONS:
        assert series(page, "suppressed_groups", attribute=population.name) == 0
        for group in names(population.name):
            of = {"attribute": population.name, "group": group}
            assert series(page, "group_outcome_ratio", **of) is not None


def test_the_verdict_on_a_group_that_is_left_out_is_shown(make, small):
    readings = readings_of(make, small, LARGE)
    crossing = f"sex{CROSS}area"
    (ratio,) = (
        item
        for item in readings
        if item.measure == "selection_rate_ratio" and item.subject.group == f"f{CROSS}north"
    )
    found = make.finding(ratio, Verdict.CRITICAL, Reason.BREACH, Band())
    page = scraped(make, readings, [found])
    of = {"attribute": crossing, "group": f"f{CROSS}north", "check": "selection_rate_ratio"}
    assert series(page, "finding_state", **of, verdict="critical") == 1
    assert series(page, "disparity_ratio", **of) is None


def test_how_a_group_changed_is_left_out_where_its_baseline_is_small(make, small):
    page = scraped(make, readings_of(make, LARGE, small))
    crossing = f"sex{CROSS}area"
    for group in names(crossing):
        of = {"attribute": crossing, "group": group}
        assert series(page, "group_records", **of) is not None
    changed = [dict(key[1:]) for key in page if key[0] == "disparity_ratio_change"]
    assert f"f{CROSS}north" not in {of["group"] for of in changed if of["attribute"] == crossing}
    assert {of["group"] for of in changed if of["attribute"] == "sex"}
    shares = [
        dict(key[1:])
        for key in page
        if key[0] == "disparity_difference"
        and ("check", "representation_difference") in key
        and ("attribute", crossing) in key
    ]
    assert f"f{CROSS}north" not in {of["group"] for of in shares}
    assert len(shares) == 2


def test_comparisons_with_whoever_is_best_off_need_all_groups(make, small):
    page = scraped(make, readings_of(make, small, LARGE, against=HeldAgainst.BEST_OFF))
    compared = {dict(key[1:])["attribute"] for key in page if key[0] == "disparity_difference"}
    held = {
        dict(key[1:])["attribute"]
        for key in page
        if key[0] == "disparity_ratio" and "check" in dict(key[1:])
    }
    assert compared >= {"sex", "area"}
    assert f"sex{CROSS}area" not in held


def test_the_share_of_unknown_membership_is_left_out_beside_a_group_that_is(make, small):
    page = scraped(make, readings_of(make, small, LARGE, (*MEASURES, *unknown_share.MEASURES)))
    shown = {dict(key[1:])["attribute"] for key in page if ("check", "unknown_share") in key}
    assert shown == {"sex", "area"}


def test_the_same_results_leave_out_the_same(make, small):
    readings = readings_of(make, small, LARGE)
    assert scraped(make, readings) == scraped(make, readings)


@pytest.mark.parametrize(
    ("hidden", "told"), [("", 2), ("sex", 1), ("area", 1), (f"sex{CROSS}area", 0)]
)
def test_how_many_a_protected_table_knows_is_left_out_beside_a_group_that_is(make, hidden, told):
    joined = {column: LabelJoin(labelled=97, null=3) for column in ("gender", "postcode")}
    policy = replace(
        make.snapshot(None).policy,
        populations=POPULATIONS,
        attributes={
            "sex": Attribute("sex", "gender", protected=True),
            "area": Attribute("area", "postcode", protected=True),
        },
    )
    small = Withheld(groups={("1", item.name): int(item.name == hidden) for item in POPULATIONS})
    sheet, every = Sheet(), Sheet()
    add_memberships(sheet, Accounting(memberships=joined), policy, small)
    add_memberships(every, Accounting(memberships=joined), policy, Withheld())
    assert len(sheet) * 2 == len(every) * told


@pytest.mark.slow
def test_aliases_stand_for_names_and_change_nothing_else(make):
    named = scraped(make, readings_of(make, LARGE, LARGE))
    aliased = scraped(make, readings_of(make, LARGE, LARGE), alias_groups=True)
    assert len(aliased) == len(named)
    told = {(label, text) for _, *labels in aliased for label, text in labels}
    groups = {text for label, text in told if label in {"group", "reference_group"}}
    assert groups
    assert all(re.fullmatch("g[0-9a-f]{6}", text) for text in groups)
    for population in POPULATIONS:
        for group in names(population.name):
            alias = group_alias("credit", population.name, group)
            assert alias in groups
            for name, value in (
                (name, series(named, name, attribute=population.name, group=group))
                for name in ("group_records", "group_outcome_ratio")
            ):
                assert value is not None
                assert series(aliased, name, attribute=population.name, group=alias) == value


def test_what_is_no_group_of_people_keeps_its_name():
    assert group_alias("credit", "sex", "(unknown)") == "(unknown)"
    assert group_alias("credit", "sex", "f") != group_alias("credit", "area", "f")
