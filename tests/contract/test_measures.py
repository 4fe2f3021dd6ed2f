"""What every measure of the catalogue keeps, whoever adds it: no edit here for a new one."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from importlib import import_module

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import (
    Attribute,
    Classes,
    Decision,
    Effect,
    Field,
    FieldKind,
    FieldRole,
    Label,
    Population,
    Stratum,
)
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import Family, ProfilePair
from monitor.measures.measuring import measure_all
from monitor.measures.names import MEASURED_AS, METRIC_NAMES, WITHIN_STRATA
from monitor.profile.classes import ClassColumns
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

FIELDS = (
    Field("amount", "amount", FieldKind.NUMERIC, minimum=0.0),
    Field("code", "code", FieldKind.NUMERIC),
    Field("channel", "channel", FieldKind.CATEGORICAL),
    Field("known", "known", FieldKind.BOOLEAN),
    Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
    *Field("vector", "vector", FieldKind.EMBEDDING).in_parts(),
)
ATTRIBUTES = {"sex": Attribute("sex", "sex"), "age": Attribute("age", "age", bins=(40.0,))}
STRATA = {"tier": Stratum(Attribute("tier", "channel"), "r.lee", "set before the model")}
DECISION = Decision("decision", ("1",), (), None, Effect.FAVOURABLE)
LABEL = Label("label", ("1",))
NUMBER = Label("number")
NUMBERED = "{}, label a number"
CLASSES = Classes("choice", ("a", "b", "c"), ("p_a", "p_b", "p_c"))
CLASS = Label("kind")
CLASSED = "{}, label a class"
POLICY = Policy(
    model="credit",
    source=SourceSpec("log", "time"),
    fields=FIELDS,
    decision=DECISION,
    label=LABEL,
    attributes=ATTRIBUTES,
    populations=(Population(("sex",)), Population(("age",)), Population(("sex", "age"))),
    strata=STRATA,
    schedule=Schedule(CalendarUnit.DAY),
    limits={},
    band=Band(),
    disparity_metrics=tuple(METRIC_NAMES),
)
NO_TIMES = np.zeros(0, np.int64)  # an embedding's parts do not ask for them
START, NOON, END = (
    datetime(2026, 3, day, hour, tzinfo=UTC) for day, hour in ((1, 0), (1, 12), (2, 0))
)


def log(rows, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    score = rng.beta(2, 3 - shift, rows)
    return {
        "amount": rng.lognormal(shift, 1, rows),
        "code": rng.integers(0, 6, rows),
        "channel": rng.choice(
            ["web", "shop", "phone"], rows, p=[0.6 - shift / 2, 0.3 + shift / 2, 0.1]
        ),
        "known": rng.random(rows) < 0.4 + shift / 3,
        "score": score,
        "vector": list(rng.normal(shift, 1 + shift, (rows, 8))),
        "sex": rng.choice(["f", "m", None], rows, p=[0.4, 0.5, 0.1]),
        "age": rng.integers(18, 80, rows),
        "decision": (score > 0.5).astype(int),
        "label": (rng.random(rows) < score).astype(int),
        "number": score + rng.normal(shift, 0.1, rows),
        **choices(rows, seed, shift),
    }


def choices(rows, seed, shift):
    """Return the columns of a model of several classes, whose probabilities are right."""
    rng = np.random.default_rng([seed, 1])
    chances = rng.dirichlet([2 + shift, 2, 1], rows)
    names = np.array(CLASSES.values)
    return {
        "choice": names[chances.argmax(axis=1)],
        "kind": names[(chances.cumsum(axis=1) < rng.random(rows)[:, None]).sum(axis=1).clip(max=2)],
        **dict(zip(CLASSES.probabilities, chances.T, strict=True)),
    }


def drafted(table, label=LABEL):
    classes = CLASSES if label.column == CLASS.column else None
    draft = GridDraft(
        FIELDS,
        ATTRIBUTES,
        DECISION,
        label,
        identified=True,
        classes=classes,
        strata={name: item.factor for name, item in STRATA.items()},
    )
    for field in FIELDS:
        if field.part:
            draft.add_parts(field.declared, column(table, field.column), NO_TIMES)
        else:
            draft.add_field(field.name, column(table, field.column))
    for attribute in POLICY.axes.values():
        draft.add_attribute(attribute.name, column(table, attribute.column))
    return draft.grid()


def column(table, name):
    if name not in table:
        return None
    rows = table[name]
    vectors = isinstance(rows, np.ndarray) and rows.ndim > 1
    return pa.array(list(rows) if vectors else rows, from_pandas=False)


def profiled(grid, table):
    builder = ProfileBuilder(grid)
    rows = len(next(iter(table.values())))
    builder.add_rows(rows, START if rows else None, NOON if rows else None)
    for field in FIELDS:
        if field.part:
            builder.add_parts([field.name], column(table, field.column), rows, NO_TIMES)
        else:
            builder.add_field(field.name, column(table, field.column), rows)
    groups = {name: column(table, one.column) for name, one in POLICY.axes.items()}
    outcome = (column(table, name) for name in ("decision", grid.label.column, "score"))
    told = [column(table, name) for name in (CLASSES.column, *CLASSES.probabilities)]
    classes = ClassColumns(told[0], told[1:]) if grid.classes else None
    builder.add_outcomes(rows, groups, *outcome, classes=classes)
    builder.add_pairs([builder.take_scores()], rows)
    return builder.profile


def held_against(reference, current, grid):
    return ProfilePair(
        grid, profiled(grid, reference), profiled(grid, current), Window(START, END), 1.0
    )


def only(table, **columns):
    return table | {name: values for name, values in columns.items() if values is not None}


BASELINE = log(4000, 1)
SHIFTED = log(1500, 2, shift=0.6)


class Made(Mapping):
    """Things by name, each made when it is first asked for."""

    def __init__(self, makers):
        self._makers, self._made = dict(makers), {}

    def __getitem__(self, name):
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self):
        return iter(self._makers)

    def __len__(self):
        return len(self._makers)


def scenarios(label):
    """Yield names, and what makes the pair."""

    def pair_of(reference, current, before=None):
        return lambda: held_against(reference, current, drafted(before or reference, label))

    def exchanged():
        drift = pair_of(BASELINE, SHIFTED)()
        return replace(drift, reference=drift.current, current=drift.reference)

    rows = 1500
    nothing = {name: values[:0] for name, values in BASELINE.items()}
    null = [None] * rows
    yield "identical", pair_of(BASELINE, BASELINE)
    yield "no drift", pair_of(BASELINE, log(rows, 3))
    yield "drift", pair_of(BASELINE, SHIFTED)
    yield "empty window", pair_of(BASELINE, nothing)
    yield "empty baseline", pair_of(nothing, SHIFTED, BASELINE)
    yield "empty both", pair_of(nothing, nothing)
    yield "one row", pair_of(BASELINE, log(1, 4))
    yield "twenty rows", pair_of(BASELINE, log(20, 4))
    yield "baseline of one row", pair_of(log(1, 4), SHIFTED)
    yield "all null", pair_of(BASELINE, {name: pa.array(null, pa.float64()) for name in BASELINE})
    yield (
        "baseline all null",
        pair_of({name: pa.array(null, pa.float64()) for name in BASELINE}, SHIFTED),
    )
    yield "columns gone", pair_of(BASELINE, {"other": SHIFTED["amount"]})
    yield (
        "constant",
        pair_of(
            only(BASELINE, amount=np.full(4000, 7.0), score=np.full(4000, 0.5)),
            only(SHIFTED, amount=np.full(rows, 7.0), score=np.full(rows, 0.5)),
        ),
    )
    infinite = np.where(np.arange(rows) % 3 == 0, np.inf, -np.inf)
    yield "all infinite", pair_of(BASELINE, only(SHIFTED, amount=infinite, score=infinite))
    huge = np.full(rows, 1.7e308)
    yield "huge", pair_of(BASELINE, only(SHIFTED, amount=huge, score=-huge))
    yield (
        "huge baseline",
        pair_of(only(BASELINE, amount=np.tile([1.7e308, -1.7e308], 2000)), SHIFTED),
    )
    yield "tiny", pair_of(only(BASELINE, amount=BASELINE["amount"] * 1e-300), SHIFTED)
    yield "other type", pair_of(BASELINE, only(SHIFTED, amount=["text"] * rows))
    yield "one label class", pair_of(BASELINE, only(SHIFTED, label=np.ones(rows, np.int64)))
    yield "nobody chosen", pair_of(BASELINE, only(SHIFTED, decision=np.zeros(rows, np.int64)))
    yield "everybody chosen", pair_of(BASELINE, only(SHIFTED, decision=np.ones(rows, np.int64)))
    yield "one group", pair_of(BASELINE, only(SHIFTED, sex=["m"] * rows))
    yield "new groups", pair_of(BASELINE, only(SHIFTED, sex=["x"] * rows))
    yield "alike", pair_of(ALIKE, ALIKE)
    yield "exchanged", exchanged
    for case, factor in (("small unit", 2.0**-30), ("large unit", 2.0**40)):
        yield (
            case,
            pair_of(
                *(
                    only(table, **{name: table[name] * factor for name in UNITS})
                    for table in (BASELINE, SHIFTED)
                )
            ),
        )


UNITS = ("amount", "score", "number")
OF_CHANCES = {"log_loss", "brier", "calibration_error", "calibration_ratio"}
IN_THE_LABELS_UNIT = {
    "mae",
    "rmse",
    "mean_error",
    "group_mean_score",
    "group_mean_error",
    "group_mae",
}
ABOUT_ROWS = {"rows", "freshness", "duplicate_rate"}
OF_RATES = {
    f"{metric}{suffix}": metric for metric in METRIC_NAMES for suffix in MEASURED_AS[metric]
}
OF_RATES |= {
    f"{metric}{suffix}": "conditional"
    for metric, suffixes in WITHIN_STRATA.items()
    for suffix in suffixes
}
ABOUT = {measure.about.id: measure.about for measure in CATALOGUE}


# Groups of one baseline need not be alike: a ratio is 1 where they are made so.
ALIKE = only(
    BASELINE,
    sex=["f", "m"] * 2000,
    age=[20, 60, 60, 20] * 1000,
    channel=np.array(["web", "shop", "phone"])[np.arange(4000) // 16 % 3],
    decision=np.arange(4000) // 4 % 2,
    label=np.arange(4000) // 8 % 2,
    score=np.repeat(BASELINE["score"][:1000], 4),
    number=np.repeat(BASELINE["number"][:1000], 4),
)


SCENARIOS = Made(
    (told.format(case), maker)
    for told, label in (("{}", LABEL), (NUMBERED, NUMBER), (CLASSED, CLASS))
    for case, maker in scenarios(label)
)


def readings(pair):
    policy = replace(POLICY, label=pair.grid.label, classes=pair.grid.classes)
    return measure_all("credit", "1", policy, pair)


@cache
def measured(case):
    return readings(SCENARIOS[case])


def of(identifier, case):
    """Return the readings of a measure, of the first kind of label that it has any of."""
    for told in (case, NUMBERED.format(case), CLASSED.format(case)):
        if found := [reading for reading in measured(told) if reading.measure == identifier]:
            return found
    return []


@pytest.mark.parametrize("case", SCENARIOS)
def test_every_reading_is_a_number_in_range_or_a_reason(case):
    for reading in measured(case):
        about = ABOUT[reading.measure]
        match reading.result:
            case Estimate() as found:
                assert about.lower is None or found.value >= about.lower, reading
                assert about.upper is None or found.value <= about.upper, reading
                assert found.n >= 0 and found.n_reference >= 0
                assert found.low is None or found.low <= found.value, reading
                assert found.high is None or found.low is None or found.low <= found.high, reading
                assert found.p_value is None or 0 <= found.p_value <= 1, reading
                assert found.p_adjusted is None or found.p_value <= found.p_adjusted <= 1, reading
                assert found.method
            case Unmeasurable() as absent:
                assert absent.reason in Absence
                assert len(absent.explanation) > 10


@pytest.mark.parametrize("case", SCENARIOS)
def test_measuring_changes_nothing_and_answers_alike_twice(case):
    pair = SCENARIOS[case]
    before = deepcopy(pair)
    assert readings(pair) == measured(case)
    assert pair.reference.rows == before.reference.rows
    for name, counts in pair.current.fields.items():
        assert repr(counts) == repr(before.current.fields[name])
    assert repr(pair.current.vectors) == repr(before.current.vectors)


@pytest.mark.parametrize("identifier", ABOUT)
def test_a_measure_gives_numbers_where_there_are_rows(identifier):
    found = of(identifier, "drift")
    assert any(isinstance(reading.result, Estimate) for reading in found)


@pytest.mark.parametrize("identifier", ABOUT)
def test_a_measure_has_its_stated_value_when_nothing_changed(identifier):
    about = ABOUT[identifier]
    for reading in of(identifier, "alike"):
        if about.unchanged is not None:
            assert isinstance(reading.result, Estimate), reading
            assert reading.result.value == pytest.approx(about.unchanged, abs=1e-12), reading
            if reading.result.low is not None:
                assert reading.result.low <= about.unchanged, reading


@pytest.mark.parametrize("identifier", ABOUT)
def test_no_rows_give_a_reason_and_never_the_value_of_no_change(identifier):
    about = ABOUT[identifier]
    for case in ("empty window", "empty baseline", "empty both", "all null", "columns gone"):
        for reading in of(identifier, case):
            if reading.measure in ABOUT_ROWS and case in {"all null", "columns gone"}:
                continue  # there are rows, and that is all that these are about
            if reading.measure == "absent_rate" and case == "all null":
                continue  # the column is there
            if isinstance(reading.result, Estimate):
                assert reading.result.value != about.unchanged, (case, reading)


@pytest.mark.parametrize("identifier", ABOUT)
def test_exchanging_the_sides_leaves_a_symmetric_measure_as_it_is(identifier):
    if not ABOUT[identifier].symmetric:
        return
    for one, other in zip(of(identifier, "drift"), of(identifier, "exchanged"), strict=True):
        assert one.result.value == pytest.approx(other.result.value, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("case", ["small unit", "large unit"])
@pytest.mark.parametrize("identifier", ABOUT)
def test_the_unit_of_a_field_does_not_matter(identifier, case):
    level = OF_RATES.get(identifier, identifier.removesuffix("_rise").removesuffix("_change"))
    if level in OF_CHANCES:  # a chance has no unit, and in another one is none
        return
    unit = (2.0**40 if case == "large unit" else 2.0**-30) if level in IN_THE_LABELS_UNIT else 1.0
    for one, two in zip(of(identifier, "drift"), of(identifier, case), strict=True):
        assert one.subject == two.subject
        assert type(one.result) is type(two.result)
        if isinstance(one.result, Estimate):
            assert one.result.value == pytest.approx(two.result.value / unit, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("identifier", ABOUT)
def test_a_measure_says_what_it_is(identifier):
    about = ABOUT[identifier]
    assert identifier.replace("_", "").isalnum() and identifier.islower()
    for text in (about.title, about.unit, about.source):
        assert text == text.strip() and text
    if about.lower is not None and about.unchanged is not None:
        assert about.lower <= about.unchanged


def test_ids_are_unique_and_are_the_names_of_the_files():
    assert len(ABOUT) == len(CATALOGUE)
    for measure in CATALOGUE:
        about = measure.about
        level = about.id
        if about.family is Family.PERFORMANCE:  # the change of a level stands beside it
            for change in ("_drop", "_rise", "_change"):
                level = level.removesuffix(change)
        if about.id in OF_RATES:
            level = OF_RATES[about.id]
        module = import_module(f"monitor.measures.{about.family.value}.{level}")
        assert any(
            value is measure or (isinstance(value, tuple) and measure in value)
            for value in vars(module).values()
        )


def test_every_row_is_in_one_group_of_every_population():
    for case in ("drift", "new groups", "one group", "all null"):
        known = int(SCENARIOS[case].current.outcomes.margin()[:2].sum())
        for population in POLICY.populations:
            listed = [
                reading.result.n
                for reading in of("selection_rate", case)
                if reading.subject.population == population.name
            ]
            assert sum(listed) == known
