"""A small log in a folder, and the policy that reads it."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, FieldRole, Label
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window


class Silent:
    """Progress that counts what it is told."""

    def __init__(self):
        self.rows = 0

    def advance(self, rows):
        self.rows += rows


@pytest.fixture
def progress():
    return Silent()


@pytest.fixture
def policy(tmp_path):
    """A policy over ``tmp_path/log``, with parts replaced by keyword."""

    def make(*, source=(), **changes):
        base = Policy(
            model="m",
            source=replace(
                SourceSpec("log", "at", id="id", version="version"),
                **dict(source),
            ),
            fields=(
                Field("amount", "amount", FieldKind.NUMERIC),
                Field("kind", "kind", FieldKind.CATEGORICAL),
                Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
            ),
            decision=Decision("flag", ("true",), effect=Effect.HARMFUL),
            label=Label("late", ("1",)),
            attributes={"sex": Attribute("sex", "sex")},
            populations=(),
            schedule=Schedule(CalendarUnit.MONTH),
            limits={},
            band=Band(),
            directory=str(tmp_path),
        )
        return replace(base, **changes)

    return make


@pytest.fixture
def rows():
    """Columns of ``n`` rows, one an hour from 2005-06-01; others by keyword."""

    def make(n=10, start=datetime(2005, 6, 1, tzinfo=UTC), **columns):
        first = int(start.timestamp())
        table = {
            "id": [f"{first}-{row}" for row in range(n)],
            "at": pa.array([first + 3600 * row for row in range(n)], pa.timestamp("s", "UTC")),
            "version": ["1"] * n,
            "amount": [float(row) for row in range(n)],
            "kind": ["ab"[row % 2] for row in range(n)],
            "score": [row / n for row in range(n)],
            "flag": [row % 3 == 0 for row in range(n)],
            "late": [row % 2 for row in range(n)],
            "sex": ["fm"[row % 2] for row in range(n)],
        }
        table.update(columns)
        return {name: values for name, values in table.items() if values is not None}

    return make


@pytest.fixture
def write(tmp_path):
    """Write columns to a file below ``tmp_path`` and return its path."""

    def to_file(path, columns, **options):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), target, **options)
        return target

    return to_file


@pytest.fixture
def june():
    return Window(datetime(2005, 6, 1, tzinfo=UTC), datetime(2005, 7, 1, tzinfo=UTC))
