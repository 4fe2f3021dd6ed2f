"""Rates of groups in several classes before labels are there: beside NannyML, and beside the labels."""

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitor.domain.estimate import Absence, Estimate
from monitor.domain.field import Attribute, Classes, Decision, Effect, Label, Population
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_all
from monitor.profile.classes import ClassColumns
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder
from monitor.profile.profile import merged

pytestmark = pytest.mark.oracle

DATA = Path(__file__).parent / "data"
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
NAMES = np.array(["prepaid", "highstreet", "upmarket"])
STATED = json.loads((DATA / "products_channels_nannyml.json").read_text(encoding="utf-8"))
CHANNELS = np.array(STATED["channels"])
METRICS = "true_positive_rate", "false_positive_rate", "positive_predictive_value", "error_rate"
GOOD = "highstreet", "upmarket"
POLICY = Policy(
    model="cards",
    source=SourceSpec("log", "at"),
    fields=(),
    attributes={"channel": Attribute("channel", "channel")},
    populations=(Population(("channel",)),),
    schedule=Schedule(CalendarUnit.DAY),
    limits={},
    band=Band(),
    disparity_metrics=METRICS,
    decision=Decision("said", GOOD, effect=Effect.FAVOURABLE),
    label=Label("came", GOOD),
    classes=Classes("said", tuple(NAMES), ("p0", "p1", "p2")),
    one_against_rest=dict.fromkeys(NAMES.tolist()),
)


def grid_of(groups):
    draft = GridDraft((), POLICY.attributes, POLICY.decision, POLICY.label, classes=POLICY.classes)
    draft.add_attribute("channel", pa.array(groups))
    return draft.grid()


GRID = grid_of(CHANNELS)


def profiled(grid, groups, chances, said, came=None):
    builder, rows = ProfileBuilder(grid), len(said)
    builder.add_rows(rows, WINDOW.start, WINDOW.start)
    label = None if came is None else pa.array(NAMES[came])
    builder.add_outcomes(
        rows,
        {"channel": pa.array(groups)},
        pa.array(NAMES[said]),
        label,
        classes=ClassColumns(pa.array(NAMES[said]), [pa.array(column) for column in chances.T]),
    )
    return builder.profile


@cache
def customers(chunk):
    """Return channel, probabilities, predicted and true class of a chunk; 0 is the reference."""
    with np.load(DATA / "products_channels_counts.npz") as stored:
        table = stored["rows"].astype(np.int64)
    *columns, rows = table[table[:, 1] == chunk].T
    channel, _, first, second, said, came = (np.repeat(column, rows) for column in columns)
    chances = np.column_stack([first, second, 100 - first - second]) / 100
    return CHANNELS[channel], chances, said, came


@cache
def reference():
    return profiled(GRID, *customers(0))


def measured(reference, current, grid=GRID):
    """Return results by class ("" for the favourable ones), group and measure."""
    readings = measure_all("cards", "1", POLICY, ProfilePair(grid, reference, current, WINDOW, 1.0))
    return {
        (item.subject.class_name, item.subject.group, item.measure): item.result
        for item in readings
        if item.subject.group
    }


def estimated(found, metric, group, name=""):
    return found[name, group, f"estimated_{metric}"]


@pytest.mark.slow
@pytest.mark.parametrize("chunk", [1, 2])
def test_means_over_the_classes_lie_beside_those_of_nannyml_on_the_rows_of_each_group(chunk):
    """Not on them: it makes each row's calibrated probabilities add up to 1, and keeps the rows."""
    found = measured(reference(), profiled(GRID, *customers(chunk)[:3]))
    for code, group in enumerate(CHANNELS):
        values = {
            metric: [estimated(found, metric, group, name).value for name in NAMES]
            for metric in METRICS
        }
        ours = {
            "recall": np.mean(values["true_positive_rate"]),
            "precision": np.mean(values["positive_predictive_value"]),
            "accuracy": 1 - sum(values["error_rate"]) / 2,  # each wrong row is wrong of two classes
        }
        for name, value in ours.items():
            assert value == pytest.approx(STATED["estimated"][name][code][chunk - 1], abs=0.008)


@pytest.mark.slow
def test_of_the_baseline_itself_the_estimates_are_what_its_labels_say():
    groups, chances, said, came = customers(0)
    found = measured(reference(), profiled(GRID, groups, chances, said))
    for group in CHANNELS:
        mine = groups == group
        for code, name in enumerate(NAMES):
            of_class, positive = came[mine] == code, said[mine] == code
            shown = {
                "true_positive_rate": positive[of_class].mean(),
                "false_positive_rate": positive[~of_class].mean(),
                "positive_predictive_value": of_class[positive].mean(),
                "error_rate": (of_class != positive).mean(),
            }
            for metric, value in shown.items():
                result = estimated(found, metric, group, name)
                assert result.value == pytest.approx(value, abs=1e-12), (group, name, metric)
                assert result.then == pytest.approx(value, abs=1e-12)
                assert result.detail["flattery"] == pytest.approx(0.0, abs=1e-12)


def drawn(rng, rows):
    """Return rows of two groups; the classes of one of them are told worse by the probabilities."""
    group = rng.integers(0, 2, rows)
    true = rng.choice(3, rows, p=[0.6, 0.25, 0.15])
    sharp = np.where(group == 0, 2.5, 1.0)
    scores = rng.gumbel(size=(rows, 3)) + sharp[:, None] * np.eye(3)[true]
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    return np.array(["f", "m"])[group], chances, chances.argmax(axis=1), true


PEOPLE = grid_of(["f", "m"])


@pytest.mark.slow
def test_intervals_hold_what_the_labels_of_each_group_then_show():
    rng, inside = np.random.default_rng(11), []
    for _ in range(12):
        base, (groups, chances, said, came) = (
            profiled(PEOPLE, *drawn(rng, 6000)),
            drawn(rng, 2000),
        )
        before = measured(base, profiled(PEOPLE, groups, chances, said), PEOPLE)
        shown = measured(base, profiled(PEOPLE, groups, chances, said, came), PEOPLE)
        for (name, group, measure), result in before.items():
            if measure.startswith("estimated_"):
                then = shown[name, group, measure.removeprefix("estimated_")]
                inside.append(result.low <= then.value <= result.high)
    assert len(inside) == 12 * 4 * 2 * 4
    assert 0.93 < np.mean(inside) < 0.99


def test_a_favourable_set_is_estimated_of_the_sum_of_its_probabilities():
    rng = np.random.default_rng(1)
    base, (groups, chances, said, came) = profiled(PEOPLE, *drawn(rng, 20_000)), drawn(rng, 10_000)
    found = measured(base, profiled(PEOPLE, groups, chances, said), PEOPLE)
    shown = measured(base, profiled(PEOPLE, groups, chances, said, came), PEOPLE)
    for metric in METRICS:
        for group in ("f", "m"):
            result, then = estimated(found, metric, group), shown["", group, metric]
            assert result.value == pytest.approx(then.value, abs=0.03)
    worse = [estimated(found, "error_rate", group) for group in ("f", "m")]
    assert worse[0].high < worse[1].low


def test_a_group_is_estimated_from_its_own_rows_alone():
    rng = np.random.default_rng(4)
    base, (groups, chances, said, _) = drawn(rng, 4000), drawn(rng, 2000)
    together = measured(profiled(PEOPLE, *base), profiled(PEOPLE, groups, chances, said), PEOPLE)
    mine = base[0] == "m"
    alone = measured(
        profiled(PEOPLE, *(column[mine] for column in base)),
        profiled(PEOPLE, *(column[groups == "m"] for column in (groups, chances, said))),
        PEOPLE,
    )
    for metric in METRICS:
        for name in ("", *NAMES):
            assert estimated(alone, metric, "m", name) == estimated(together, metric, "m", name)


def test_parts_in_any_order_and_bytes_give_the_same_estimates():
    rng = np.random.default_rng(5)
    base, now = drawn(rng, 3000), drawn(rng, 3000)
    whole = profiled(PEOPLE, *now)
    cuts = [[slice(0, 700), slice(700, 3000)], [slice(1200, 3000), slice(0, 1200)]]
    for parts in cuts:
        stored = [
            profile_from_bytes(
                profile_to_bytes(profiled(PEOPLE, *(column[part] for column in now)))
            )
            for part in parts
        ]
        reference = profiled(PEOPLE, *base)
        assert measured(reference, merged(stored), PEOPLE) == measured(reference, whole, PEOPLE)


def test_what_was_stored_before_probabilities_were_counted_by_group_says_so():
    rng = np.random.default_rng(6)
    base, now = profiled(PEOPLE, *drawn(rng, 500)), profiled(PEOPLE, *drawn(rng, 500))
    base.classes.groups = base.group_scores = None
    found = measured(profile_from_bytes(profile_to_bytes(base)), now, PEOPLE)
    for name in ("", *NAMES):
        result = estimated(found, "error_rate", "f", name)
        assert result.reason is Absence.NO_BASELINE
        assert "register a new baseline" in result.explanation


def test_probabilities_that_are_none_are_told_of_the_group_that_has_them():
    rng = np.random.default_rng(7)
    base, (groups, chances, said, _) = profiled(PEOPLE, *drawn(rng, 3000)), drawn(rng, 500)
    broken = chances.copy()
    broken[np.flatnonzero(groups == "f")[:3]] = 0.9
    found = measured(base, profiled(PEOPLE, groups, broken, said), PEOPLE)
    for name in ("", *NAMES):
        told = estimated(found, "error_rate", "f", name)
        assert told.reason is Absence.UNDEFINED
        assert "3 rows of f in the window" in told.explanation
        assert isinstance(estimated(found, "error_rate", "m", name), Estimate)


def test_a_kind_of_row_without_labels_in_the_baseline_is_not_expected_of_the_other_kind():
    rng = np.random.default_rng(8)
    (groups, chances, said, came), now = drawn(rng, 3000), drawn(rng, 500)
    never = (groups == "f") & (said == 2)
    kept = [column[~never] for column in (groups, chances, said, came)]
    found = measured(profiled(PEOPLE, *kept), profiled(PEOPLE, *now[:3]), PEOPLE)
    told = estimated(found, "error_rate", "f", "upmarket")
    assert told.reason is Absence.INSUFFICIENT_DATA
    assert "predicted to be of the class" in told.explanation
    assert isinstance(estimated(found, "error_rate", "m", "upmarket"), Estimate)
