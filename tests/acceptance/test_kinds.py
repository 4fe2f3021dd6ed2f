"""Fields of every kind in a month of generated requests: what they show when something goes wrong.

The requests are complaints about accounts: when the account was opened, what was written, and a
vector of what was written. Nothing changes from one week to the next unless a test changes it.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import monitor
from monitor.domain.estimate import Absence

pytestmark = pytest.mark.slow

START = datetime(2024, 2, 5, tzinfo=UTC)  # a Monday
WEEKS, A_WEEK, DIMENSION = 4, 3000, 32
DAY = 86_400_000_000
POLICY = """\
model: complaints
source: {path: log, event_time: at, timezone: Europe/Amsterdam}
fields:
  opened: datetime
  comment: text
  vector: embedding
  channel: categorical
  amount: numeric
schedule: {window: week, timezone: UTC}
"""
WORDS = np.array(
    [
        "the",
        "card",
        "was",
        "not",
        "accepted",
        "at",
        "12",
        "shops",
        "and",
        "nobody",
        "called",
        "me",
        "back,",
        "why?",
        "please",
        "help",
    ]
)


MIXING = np.random.default_rng(0).normal(size=(DIMENSION, DIMENSION)) / 6 + np.eye(DIMENSION)


DRIFT_OR_MISSING = ("psi", "embedding_mean", "embedding_covariance", "missing_rate")


def requests(weeks, seed):
    rng = np.random.default_rng(seed)
    rows = weeks * A_WEEK
    at = int(START.timestamp()) * 1_000_000 + np.sort(rng.integers(0, weeks * 7 * DAY, rows))
    opened = (at // DAY - rng.gamma(2, 300, rows).astype(int)) * DAY
    opened += rng.integers(DAY // 3, DAY * 3 // 4, rows)
    sizes = rng.poisson(12, rows)
    words = np.split(rng.choice(WORDS, sizes.sum()), np.cumsum(sizes)[:-1])
    return pa.table(
        {
            "at": pa.array(at).cast(pa.timestamp("us", "UTC")),
            "opened": pa.array(opened // 1000).cast(pa.timestamp("ms", "UTC")),
            "comment": [" ".join(some) for some in words],
            "vector": list(rng.normal(size=(rows, DIMENSION)) @ MIXING),
            "channel": rng.choice(["web", "shop"], rows),
            "amount": rng.lognormal(3, 1, rows),
        }
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("complaints") / "complaints.yaml"
    path.write_text(POLICY)
    opened = monitor.open_model(path)
    end = START + timedelta(weeks=WEEKS)
    opened.register(requests(WEEKS, 1), start=START, end=end, why="four usual weeks")
    return opened


def alarms(model, table):
    """Return the fields that are warned of, or worse, by what is measured."""
    found = model.compare(table, start=START, end=START + timedelta(weeks=1)).findings()
    bad = found[found["verdict"].isin(["warning", "critical"])]
    return set(zip(bad["field"], bad["measure"], strict=True)), found


def changed(name, change):
    table = requests(1, 2)
    column = table.column(name)
    return table.set_column(table.column_names.index(name), name, change(column))


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_a_usual_week_alarms_nobody(model, seed):
    bad, found = alarms(model, requests(1, seed))
    assert not bad
    assert set(found["verdict"]) == {"ok"}


def later(column):
    return pc.add(column, pa.scalar(400 * 86_400_000, pa.duration("ms")))


def at_night(column):
    return pc.add(column, pa.scalar(11 * 3_600_000, pa.duration("ms")))


def in_german(column):
    return pa.array([text.replace("e", "ü") for text in column.to_pylist()])


def as_json(column):
    return pa.array([f'{{"text": "{text}"}}' for text in column.to_pylist()])


def cut(column):
    return pc.utf8_slice_codeunits(column, 0, 50)


def erased(column):
    return pa.array(["" if row % 5 == 0 else text for row, text in enumerate(column.to_pylist())])


def with_numbers(column):
    return pa.array([f"{text} 20240501" for text in column.to_pylist()])


def as_matrix(column):
    return np.array(column.to_pylist())


def longer(column):
    return pa.array((as_matrix(column) * 1.5).tolist())


def elsewhere(column):
    return pa.array((as_matrix(column) + 0.7).tolist())


def turned(column):
    return pa.array((as_matrix(column)[:, ::-1]).tolist())


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("opened", later, ("opened.age", "psi")),
        ("opened", at_night, ("opened.hour_of_week", "psi")),
        ("comment", in_german, ("comment.non_ascii", "psi")),
        ("comment", as_json, ("comment.punctuation", "psi")),
        ("comment", cut, ("comment.length", "psi")),
        ("comment", erased, ("comment.empty", "psi")),
        ("comment", with_numbers, ("comment.digits", "psi")),
        ("vector", longer, ("vector.norm", "psi")),
        ("vector", elsewhere, ("vector", "embedding_mean")),
        ("vector", turned, ("vector", "embedding_covariance")),
    ],
)
def test_what_has_changed_is_told_of_the_part_that_shows_it(model, name, change, told):
    bad, _ = alarms(model, changed(name, change))
    assert told in bad
    assert {field.split(".")[0] for field, _ in bad} <= {name, ""}  # "": how fields go together


def of_type(kind):
    return lambda column: pa.array([None] * len(column), kind)


def constant(value, kind=None):
    return lambda column: pa.array([value] * len(column), kind)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("opened", constant("soon")),
        ("opened", constant(1_700_000_000)),
        ("opened", constant([START])),
        ("opened", constant(Decimal("1.5"))),
        ("opened", of_type(pa.timestamp("ns"))),
        ("comment", constant(5)),
        ("comment", constant(Decimal(5))),
        ("comment", constant(["a list"])),
        ("comment", constant(START)),
        ("comment", of_type(pa.large_string())),
        ("vector", constant([0.5] * (DIMENSION + 1))),
        ("vector", constant([0.5] * (DIMENSION - 1) + [float("nan")])),
        ("vector", constant([0.5] * (DIMENSION - 1) + [None])),
        ("vector", constant([])),
        ("vector", constant(["0.5"] * DIMENSION)),
        ("vector", constant([[0.5]] * DIMENSION)),
        ("vector", constant("[0.5]")),
        ("vector", constant(0.5)),
        ("vector", of_type(pa.list_(pa.float32(), DIMENSION))),
    ],
)
def test_a_column_that_cannot_be_read_is_missing_and_never_well(model, name, change):
    bad, found = alarms(model, changed(name, change))
    here = found[found["field"].str.split(".").str[0] == name]
    assert "ok" not in set(here[here["measure"].isin(DRIFT_OR_MISSING)]["verdict"])
    parts = {field for field in here["field"] if field != name}
    assert {(part, "missing_rate") for part in parts} <= bad
    others = found[~found.index.isin(here.index) & (found["field"] != "")]
    assert set(others["verdict"]) == {"ok"}


@pytest.mark.parametrize("name", ["opened", "comment", "vector"])
def test_a_column_that_is_gone_is_never_well(model, name):
    bad, found = alarms(model, requests(1, 2).drop_columns([name]))
    here = found[found["field"].str.split(".").str[0] == name]
    here = here[here["measure"].isin(DRIFT_OR_MISSING)]
    assert set(here["verdict"]) == {"critical", "unknown"}
    whole = here[here["field"] == name]
    assert set(whole["reason"]) <= {str(Absence.MISSING_COLUMN)}
    assert {measure for _, measure in bad} == {"missing_rate", "absent_rate"}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("opened", lambda column: column.cast(pa.timestamp("ns", "Asia/Tokyo"), safe=False)),
        ("opened", lambda column: column.cast(pa.timestamp("us", "UTC")).dictionary_encode()),
        ("opened", lambda column: pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ")),
        ("comment", lambda column: column.cast(pa.large_string())),
        ("comment", lambda column: column.cast(pa.binary())),
        ("comment", lambda column: column.dictionary_encode()),
        ("vector", lambda column: column.cast(pa.large_list(pa.float64()))),
        ("vector", lambda column: column.cast(pa.list_(pa.float64(), DIMENSION))),
        ("vector", lambda column: column.cast(pa.list_(pa.float32()))),
    ],
)
def test_the_type_that_values_are_written_in_does_not_matter(model, name, change):
    end = START + timedelta(weeks=1)
    usual = model.compare(requests(1, 2), start=START, end=end).readings()
    found = model.compare(changed(name, change), start=START, end=end).readings()
    pd.testing.assert_series_equal(found["value"], usual["value"], rtol=1e-5)
    pd.testing.assert_series_equal(found["field"], usual["field"])
