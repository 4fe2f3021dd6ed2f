from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, Population
from monitor.domain.limit import Band, HeldAgainst
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_all
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
FIELDS = (Field("amount", "amt", FieldKind.NUMERIC), Field("channel", "ch", FieldKind.CATEGORICAL))


def policy(**changes):
    plain = Policy(
        model="credit",
        source=SourceSpec("log", "time"),
        fields=FIELDS,
        decision=Decision("d", ("1",), effect=Effect.FAVOURABLE),
        label=None,
        attributes={
            "sex": Attribute("sex", "sex", unknown=("?",)),
            "age": Attribute("age", "age", bins=(40.0,), reference="40+"),
        },
        populations=(Population(("sex",)), Population(("age",)), Population(("sex", "age"))),
        schedule=Schedule(CalendarUnit.DAY),
        limits={},
        band=Band(),
    )
    return replace(plain, **changes)


def table(rows=600, seed=0, **columns):
    rng = np.random.default_rng(seed)
    plain = {
        "amt": rng.normal(size=rows),
        "ch": rng.choice(["a", "b"], rows),
        "sex": rng.choice(["f", "m"], rows, p=[0.4, 0.6]),
        "age": rng.integers(18, 70, rows),
        "d": rng.integers(0, 2, rows),
    }
    return plain | columns


def pair(reference, current, given=None):
    given = given or policy()
    draft = GridDraft(given.fields, given.attributes, given.decision, given.label)
    for field in given.fields:
        draft.add_field(field.name, pa.array(reference[field.column]))
    for attribute in given.attributes.values():
        draft.add_attribute(attribute.name, pa.array(reference[attribute.column]))
    grid = draft.grid()
    profiles = []
    for side in (reference, current):
        builder, rows = ProfileBuilder(grid), len(side["d"])
        builder.add_rows(rows, WINDOW.start, WINDOW.start)
        for field in given.fields:
            builder.add_field(field.name, pa.array(side[field.column]), rows)
        groups = {
            name: pa.array(side[attribute.column]) for name, attribute in given.attributes.items()
        }
        builder.add_outcomes(rows, groups, pa.array(side["d"]), None)
        builder.add_pairs([builder.take_scores()], rows)
        profiles.append(builder.profile)
    return ProfilePair(grid, *profiles, WINDOW, 1.0)


def found(readings, measure, **subject):
    return [
        reading
        for reading in readings
        if reading.measure == measure
        and all(getattr(reading.subject, name) == value for name, value in subject.items())
    ]


def test_readings_come_in_the_order_of_the_policy_and_the_catalogue():
    readings = measure_all("credit", "7", policy(), pair(table(), table(seed=1)))
    first = ["decision_rate", "undecided_rate", "rows"]
    assert [reading.measure for reading in readings[: len(first)]] == first
    assert [reading.measure for reading in readings if reading.subject.field == "channel"] == [
        "psi",
        "js_distance",
        "hellinger",
        "l_infinity",
        "cramers_v",
        "missing_rate",
        "absent_rate",
        "mistyped_rate",
        "unseen_rate",
    ]
    names = [reading.subject.field for reading in readings if reading.subject.field]
    assert list(dict.fromkeys(names)) == ["amount", "channel"]
    assert {(reading.subject.model, reading.subject.version) for reading in readings} == {
        ("credit", "7")
    }


def test_what_the_model_has_not_is_not_measured():
    readings = measure_all("credit", "1", policy(), pair(table(), table()))
    measures = {reading.measure for reading in readings}
    assert measures.isdisjoint({"score_mean", "label_rate", "auc_drop"})
    assert not found(readings, "unseen_rate", field="amount")


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (Field("later", "later", FieldKind.NUMERIC), "was not a field then"),
        (Field("amount", "amt", FieldKind.CATEGORICAL), "was numeric then, and is categorical now"),
        (Field("amount", "total", FieldKind.NUMERIC), "was read from amt, and is from total"),
    ],
)
def test_a_field_that_the_baseline_does_not_know_so_has_no_baseline(field, told):
    readings = measure_all("credit", "1", policy(fields=(field,)), pair(table(), table()))
    results = [reading.result for reading in found(readings, "psi", field=field.name)]
    assert [result.reason for result in results] == [Absence.NO_BASELINE]
    assert told in results[0].explanation


def test_the_reference_group_is_the_declared_one_or_the_largest_of_the_baseline():
    readings = measure_all("credit", "1", policy(), pair(table(), table(seed=1)))
    ratios = found(readings, "selection_rate_ratio")
    assert {(r.subject.population, r.subject.group, r.subject.reference_group) for r in ratios} == {
        ("sex", "f", "m"),
        ("age", "<40", "40+"),
        ("sex × age", "f × <40", "m × 40+"),
        ("sex × age", "f × 40+", "m × 40+"),
        ("sex × age", "m × <40", "m × 40+"),
    }


def test_the_largest_group_is_that_of_the_baseline_not_of_the_window():
    current = table(sex=np.where(np.arange(600) < 500, "f", "m"))
    ratios = found(
        measure_all("credit", "1", policy(), pair(table(), current)), "selection_rate_ratio"
    )
    assert {
        ratio.subject.reference_group for ratio in ratios if ratio.subject.population == "sex"
    } == {"m"}


def test_a_declared_reference_that_nobody_belongs_to_is_unavailable():
    attributes = {"sex": Attribute("sex", "sex", reference="x")}
    given = policy(attributes=attributes, populations=(Population(("sex",)),))
    readings = measure_all("credit", "1", given, pair(table(), table(), given))
    ratios = found(readings, "selection_rate_ratio")
    assert [ratio.subject.group for ratio in ratios] == ["f", "m"]
    assert {ratio.result.reason for ratio in ratios} == {Absence.REFERENCE_UNAVAILABLE}
    assert {ratio.subject.reference_group for ratio in ratios} == {"x"}


def test_unknown_and_unmapped_rows_are_listed_and_not_compared():
    sex = np.array(["f", "m", "?", "new", None] * 120, object)
    readings = measure_all("credit", "1", policy(), pair(table(), table(sex=sex)))
    rates = found(readings, "selection_rate", population="sex")
    assert {rate.subject.group: rate.result.n for rate in rates} == {
        "f": 120,
        "m": 120,
        "(unknown)": 240,
        "(unmapped)": 120,
    }
    crossed = found(readings, "selection_rate", population="sex × age")
    assert sum(rate.result.n for rate in crossed) == 600
    assert (
        found(readings, "selection_rate", population="sex × age", group="(unknown)")[0].result.n
        == 240
    )
    for reading in found(readings, "selection_rate_ratio"):
        assert not reading.subject.group.startswith("(")


def test_a_group_named_like_the_unknown_ones_keeps_its_row():
    reference = table(sex=np.array(["(unknown)", "m"] * 300, object))
    current = table(sex=np.array(["(unknown)", "m", None] * 200, object))
    rates = found(
        measure_all("credit", "1", policy(), pair(reference, current)),
        "selection_rate",
        population="sex",
    )
    assert {rate.subject.group: rate.result.n for rate in rates} == {
        "(unknown)": 200,
        "m": 200,
        "((unknown))": 200,
    }


def test_a_group_of_the_baseline_that_is_gone_is_still_listed():
    readings = measure_all("credit", "1", policy(), pair(table(), table(sex=["m"] * 600)))
    rate, ratio = (
        found(readings, measure, population="sex", group="f")[0].result
        for measure in ("selection_rate", "selection_rate_ratio")
    )
    assert rate.reason is ratio.reason is Absence.NO_DATA


def test_a_population_the_baseline_does_not_know_says_so():
    late = policy(
        attributes=policy().attributes | {"race": Attribute("race", "race")},
        populations=(Population(("race",)),),
    )
    readings = measure_all("credit", "1", late, pair(table(), table()))
    ratios = found(readings, "selection_rate_ratio")
    assert [ratio.subject.population for ratio in ratios] == ["race"]
    assert isinstance(ratios[0].result, Unmeasurable)
    assert ratios[0].result.reason is Absence.NO_BASELINE
    assert "race" in ratios[0].result.explanation


def test_populations_without_an_effect_are_refused():
    silent = policy(decision=Decision("d", ("1",)))
    with pytest.raises(ValueError, match="no effect of a positive decision"):
        measure_all("credit", "1", silent, pair(table(), table()))


def test_the_policy_lists_what_is_compared_and_the_unknown_are_one_reading_a_population():
    listed = policy(disparity_metrics=("representation", "unknown_share"))
    sex = np.array(["f", "m", None] * 200, object)
    readings = measure_all("credit", "1", listed, pair(table(), table(sex=sex)))
    assert not found(readings, "selection_rate")
    (share,) = found(readings, "unknown_share", population="sex")
    assert (share.subject.group, share.result.value) == ("", pytest.approx(1 / 3))
    (none,) = found(readings, "unknown_share", population="age")
    assert none.result.value == 0
    shares = found(readings, "representation", population="sex")
    assert [reading.subject.group for reading in shares] == ["f", "m"]


def test_what_groups_are_held_against_has_one_name_for_ever():
    for against, name in ((HeldAgainst.REST, "(rest)"), (HeldAgainst.BEST_OFF, "(best off)")):
        given = policy(held_against=against)
        readings = measure_all("credit", "1", given, pair(table(), table(seed=1)))
        ratios = found(readings, "selection_rate_ratio", population="sex")
        assert {ratio.subject.reference_group for ratio in ratios} == {name}
        assert {ratio.subject.group for ratio in ratios} == {"f", "m"}
        # A reference that the population names wins.
        named = found(readings, "selection_rate_ratio", population="age")
        assert {ratio.subject.reference_group for ratio in named} == {"40+"}


def test_rows_of_unknown_membership_are_in_no_rest():
    sex = np.array(["f", "m", None] * 200, object)
    given = policy(held_against=HeldAgainst.REST)
    readings = measure_all("credit", "1", given, pair(table(), table(sex=sex)))
    ratios = found(readings, "selection_rate_ratio", population="sex")
    assert {ratio.subject.group: ratio.result.n_reference for ratio in ratios} == {
        "f": 200,
        "m": 200,
    }
    assert all(
        ratio.result.detail["unknown_low"]
        < ratio.result.value
        < ratio.result.detail["unknown_high"]
        for ratio in ratios
    )
