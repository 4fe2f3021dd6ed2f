"""What the page shows of single classes, and what somebody could work out from it."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from monitor.alerts.findings import findings_of
from monitor.domain.estimate import Estimate
from monitor.domain.field import Attribute, Classes, Decision, Effect, Label, Population
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.reading import Reading, Subject
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.withheld import withheld
from monitor.exposition.render import render
from monitor.measures.measure import Family, ProfilePair
from monitor.measures.measuring import measure_all
from monitor.measures.names import MEASURE_NAMES
from monitor.profile.classes import ClassColumns
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
NAMES, GROUPS = ("card", "loan", "mortgage"), ("f", "m", "x")
FAMILIES = {name: Family(item.family) for name, item in MEASURE_NAMES.items()}
PLAIN = Policy(
    model="products",
    source=SourceSpec("log", "at"),
    fields=(),
    decision=None,
    label=Label("came"),
    attributes={"sex": Attribute("sex", "sex", reference="m")},
    populations=(Population(("sex",)),),
    schedule=Schedule(CalendarUnit.DAY),
    limits={},
    band=Band(),
    disparity_metrics=("selection_rate", "true_positive_rate"),
    classes=Classes("said", NAMES),
    one_against_rest=dict.fromkeys(NAMES, Effect.FAVOURABLE),
)
WITH_A_SET = {
    "decision": Decision("said", ("loan", "mortgage"), ("card",), effect=Effect.FAVOURABLE),
    "label": Label("came", ("loan", "mortgage"), ("card",)),
}
COUNTS = np.array([[400, 90, 4], [500, 300, 90], [300, 120, 80]])


def readings_of(policy, counts):
    """Return the readings of a window in which each group was given each class so often, rightly."""
    draft = GridDraft((), policy.attributes, policy.decision, policy.label, classes=policy.classes)
    draft.add_attribute("sex", pa.array(GROUPS))
    grid = draft.grid()

    def profiled(rows):
        sex = np.repeat(np.repeat(GROUPS, 3), rows.ravel())
        said = np.repeat(np.tile(NAMES, 3), rows.ravel())
        builder = ProfileBuilder(grid)
        builder.add_rows(len(sex), None, None)
        column = pa.array(said)
        decided = column if policy.decision else None
        builder.add_outcomes(
            len(sex), {"sex": pa.array(sex)}, decided, column, classes=ClassColumns(column, [])
        )
        return builder.profile

    pair = ProfilePair(grid, profiled(10 * COUNTS), profiled(counts), WINDOW, 1.0)
    return measure_all("products", "1", policy, pair)


def shown_shares(policy, counts):
    """Return group and class (or the set: "") to the rows given it, as far as the page tells them."""
    readings = readings_of(policy, counts)
    small = withheld(readings, policy)
    return {
        (item.subject.group, item.subject.class_name): round(item.result.value * item.result.n)
        for item in readings
        if item.measure == "selection_rate"
        and isinstance(item.result, Estimate)
        and small.tells(item)
    }


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, WITH_A_SET], ids=["classes", "classes and a set"])
@pytest.mark.parametrize("place", [(0, 2), (2, 1), (1, 0)])
def test_where_a_count_of_a_class_is_small_no_class_of_the_population_is_shown(changes, place):
    policy = replace(PLAIN, **changes)
    counts = COUNTS.copy()
    counts[0, 2] = 60
    counts[place] = 4
    shown = shown_shares(policy, counts)
    assert not {name for _, name in shown} - {""}
    assert shown_shares(replace(policy, suppress_in_metrics=False), counts).keys() >= {
        (group, name) for group in GROUPS for name in NAMES
    }


def test_what_is_left_out_of_the_decision_takes_the_classes_with_it():
    """A group of seven who were all given a card has no small count but its size."""
    counts = np.array([[400, 90, 60], [500, 300, 90], [7, 0, 0]])
    assert not {name for _, name in shown_shares(replace(PLAIN, **WITH_A_SET), counts)} - {""}


def test_many_classes_and_groups_are_looked_at_at_once():
    names = tuple(f"class {place}" for place in range(20))
    readings = [
        Reading(
            "selection_rate",
            Subject("m", "1", population=of, group=f"g{group}", class_name=name),
            Estimate(0.05, 1000),
        )
        for of in ("a", "b")
        for group in range(50)
        for name in names
    ]
    policy = replace(PLAIN, classes=Classes("said", names), one_against_rest=dict.fromkeys(names))
    assert withheld(readings, policy).classes == frozenset()
    rare = replace(readings[-1], result=Estimate(0.003, 1000))
    assert withheld([*readings, rare], policy).classes == {("1", "b")}


def test_nothing_is_left_out_where_no_count_is_small():
    counts = COUNTS.copy()
    counts[0, 2] = 40
    shown = shown_shares(PLAIN, counts)
    assert shown == {
        (group, name): counts[row, code]
        for row, group in enumerate(GROUPS)
        for code, name in enumerate(NAMES)
    }


def test_series_say_which_class_they_are_of(make):
    counts = COUNTS.copy()
    counts[0, 2] = 40
    readings = readings_of(PLAIN, counts)
    found = findings_of(readings, PLAIN)
    shot = make.snapshot(make.run(readings, found))
    text = render((replace(shot, policy=PLAIN),), make.build, FAMILIES).text().decode()
    page = {
        (sample.name.removeprefix("modelmon_"), *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    of = {"model": "products", "model_version": "1", "attribute": "sex", "group": "f"}

    def series(name, **labels):
        return page[(name, *sorted({**of, **labels}.items()))]

    for code, name in enumerate(NAMES):
        of_class = {"class": name}
        share = counts[0, code] / counts[0].sum()
        assert series("group_outcome_ratio", **of_class) == share
        ratio = series("disparity_ratio", check="selection_rate_ratio", **of_class)
        assert ratio == pytest.approx(share / (counts[1, code] / counts[1].sum()))
        assert series("group_level", check="true_positive_rate", **of_class) == 1.0
        of_check = {"check": "selection_rate_ratio", **of_class}
        (verdict,) = (
            item.verdict
            for item in found
            if item.reading.subject.class_name == name
            and item.reading.subject.group == "f"
            and item.reading.measure == "selection_rate_ratio"
        )
        assert series("finding_state", verdict=verdict.value, **of_check) == 1.0
    assert series("group_records") == counts[0].sum()
