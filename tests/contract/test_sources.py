"""Whatever keeps the files of a log, the same rows give the same profile, to the byte."""

from datetime import UTC, datetime, timedelta
from itertools import count

import deltalake
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from msgspec import Struct
from msgspec.structs import asdict, replace
from pyiceberg.catalog import load_catalog
from pyiceberg.utils.config import Config

from monitor import app
from monitor.compute.isolated import IsolatedCompute
from monitor.compute.local import LocalCompute
from monitor.domain.errors import SourceError
from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, FieldRole, Label
from monitor.domain.limit import Band
from monitor.domain.policy import LabelTable, Policy, SourceSpec, TableFormat
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.schema import Schema
from monitor.domain.window import Window
from monitor.profile.codec import grid_to_bytes, profile_to_bytes
from monitor.profile.group_scores import GroupScores
from tests.s3_server import BUCKET

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("s3")]

JUNE = Window(datetime(2005, 6, 1, tzinfo=UTC), datetime(2005, 7, 1, tzinfo=UTC))
ROWS = 400


class Silent:
    def advance(self, rows):
        pass


def table(first=0, rows=ROWS, start=JUNE.start):
    """Return rows, one an hour, with everything that a policy can look at."""
    numbers = range(first, first + rows)
    begin = int(start.timestamp())
    return pa.table(
        {
            "id": [f"p{number}" for number in numbers],
            "at": pa.array(
                [begin + 3600 * number for number in numbers], pa.timestamp("s", "UTC")
            ).cast(pa.timestamp("us", "UTC")),
            "version": pa.array([f"v{number % 2}" for number in numbers]),
            "amount": [None if number % 11 == 0 else number / 4 for number in numbers],
            "kind": ["abc"[number % 3] for number in numbers],
            "score": [number % 64 / 64 for number in numbers],
            "flag": [number % 3 == 0 for number in numbers],
            "late": [number % 2 for number in numbers],
            "sex": ["fm"[number % 2] for number in numbers],
        }
    )


def parts(rows=None):
    """Return the same rows in two parts, as two writers or two days would bring them."""
    rows = table() if rows is None else rows
    return rows.slice(0, len(rows) // 3), rows.slice(len(rows) // 3)


class Folder:
    """Parquet files in a folder of this machine."""

    format = TableFormat.PARQUET

    def __init__(self, tmp_path):
        self.path = str(tmp_path / "folder")
        self._folder = tmp_path / "folder"
        self._names = count()

    def append(self, rows):
        self._folder.mkdir(exist_ok=True)
        pq.write_table(rows, self._folder / f"{next(self._names)}.parquet", row_group_size=90)


class Bucket:
    """Parquet objects of an S3 server."""

    format = TableFormat.PARQUET

    def __init__(self, s3, name):
        self.path = s3.uri(f"{name}/parquet")
        self._s3 = s3
        self._prefix = f"{BUCKET}/{name}/parquet"
        self._names = count()

    def append(self, rows):
        key = f"{self._prefix}/deep/{next(self._names)}.parquet"
        pq.write_table(rows, key, filesystem=self._s3.filesystem, row_group_size=90)


class Delta:
    """A Delta Lake table."""

    format = TableFormat.DELTA

    def __init__(self, path, options=None, partitions=()):
        self.path = path
        self._options = options
        self._partitions = list(partitions)

    def append(self, rows):
        deltalake.write_deltalake(
            self.path.partition("?")[0],
            rows,
            mode="append",
            partition_by=self._partitions or None,
            storage_options=self._options,
        )

    def delete(self, condition):
        opened = deltalake.DeltaTable(self.path.partition("?")[0], storage_options=self._options)
        opened.delete(condition)


class Iceberg:
    """An Iceberg table of a catalog in SQLite."""

    format = TableFormat.ICEBERG
    path = "lake/models.log"

    def __init__(self, tmp_path, monkeypatch):
        (tmp_path / "warehouse").mkdir()
        monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__URI", f"sqlite:///{tmp_path}/catalog.db")
        monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__WAREHOUSE", f"file://{tmp_path}/warehouse")
        monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__TYPE", "sql")
        # What a new process does when it first imports the library.
        monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())
        self.catalog = load_catalog("lake")

    def append(self, rows):
        if not self.catalog.table_exists("models.log"):
            self.catalog.create_namespace("models")
            self.catalog.create_table("models.log", schema=rows.schema)
        self.table.append(rows)

    def delete(self, condition):
        self.table.delete(condition)

    @property
    def table(self):
        return self.catalog.load_table("models.log")


KINDS = ("folder", "bucket", "delta", "delta with partitions", "delta on s3", "iceberg")


@pytest.fixture
def make(tmp_path, monkeypatch, request):
    """Make an empty log of a kind."""

    def log(kind):
        if kind == "folder":
            return Folder(tmp_path)
        if kind == "delta":
            return Delta(str(tmp_path / "a delta"))
        if kind == "delta with partitions":
            return Delta(str(tmp_path / "partitioned"), partitions=["version", "flag"])
        if kind == "iceberg":
            return Iceberg(tmp_path, monkeypatch)
        s3 = request.getfixturevalue("s3")
        if kind == "bucket":
            return Bucket(s3, tmp_path.name)
        options = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{s3.port}", "AWS_ALLOW_HTTP": "true"}
        return Delta(s3.uri(f"{tmp_path.name}/delta"), options)

    return log


def policy(log, labels=None):
    return Policy(
        model="m",
        source=SourceSpec(
            log.path,
            "at",
            id="id",
            version="version",
            format=log.format,
            labels=labels and LabelTable(labels.path, "id", format=labels.format),
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
    )


def counted(source, grids=None, workers=1):
    scan = source.scan(JUNE)
    if grids is None:
        grids = {version: source.draft(scan, version) for version in source.versions(scan)}
    compute = IsolatedCompute(workers) if workers > 1 else LocalCompute()
    return scan, grids, compute.count(scan.tasks, source.counter(scan, grids), Silent())


def profiles(total):
    return {version: profile_to_bytes(profile) for version, profile in total.profiles.items()}


def equal(found, wanted):
    """Return whether two states are equal: counts exactly, sums but for the order of adding."""
    if isinstance(found, GroupScores):  # rows that are held back to be counted at once
        found.settle()
        wanted.settle()
    if isinstance(found, Struct):
        return all(equal(part, getattr(wanted, name)) for name, part in asdict(found).items())
    if isinstance(found, dict):
        return found.keys() == wanted.keys() and all(
            equal(found[key], wanted[key]) for key in found
        )
    if (isinstance(found, np.ndarray) and found.dtype.kind == "f") or isinstance(found, float):
        return np.allclose(found, wanted, rtol=1e-12, atol=1e-12, equal_nan=True)
    if isinstance(found, np.ndarray):
        return np.array_equal(found, wanted)
    return found == wanted


@pytest.fixture
def expected(tmp_path):
    """What the rows in one parquet file give."""
    (tmp_path / "expected").mkdir()
    log = Folder(tmp_path / "expected")
    log.append(table())
    _, grids, total = counted(app.source_of(policy(log)))
    assert total.read == ROWS and len(total.profiles) == 2
    return grids, total


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_give_the_same_profile_to_the_byte(kind, make, expected):
    log = make(kind)
    log.append(table())
    source = app.source_of(policy(log))
    scan, _, total = counted(source, expected[0])
    assert equal(total.profiles, expected[1].profiles)
    if kind != "delta with partitions":  # there they are in four files, and sums in another order
        assert profiles(total) == profiles(expected[1])
    # Which file had which rows is another matter in each kind of log.
    accounts = [replace(counts.accounting(), files=()) for counts in (total, expected[1])]
    assert accounts[0] == accounts[1]
    assert not total.unreadable and scan.manifest.unreadable == ()
    assert source.versions(scan) == ["v0", "v1"]
    assert source.survey().span == (JUNE.start, JUNE.start + timedelta(hours=ROWS - 1))


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_came_in_parts_are_all_there(kind, make, expected):
    log = make(kind)
    for part in parts():
        log.append(part)
    _, _, total = counted(app.source_of(policy(log)), expected[0])
    assert equal(total.profiles, expected[1].profiles)


def cells_of(grids):
    """Return the bytes of grids without their schema: a folder's key is no column of a file."""
    return {
        version: grid_to_bytes(replace(grid, schema=Schema())) for version, grid in grids.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_grid_drafted_from_it_is_the_same(kind, make, expected):
    log = make(kind)
    log.append(table())
    source = app.source_of(policy(log))
    _, grids, _ = counted(source)
    assert cells_of(grids) == cells_of(expected[0])


@pytest.mark.parametrize("kind", KINDS)
def test_worker_processes_read_it(kind, make, expected):
    log = make(kind)
    for part in parts():
        log.append(part)
    _, _, total = counted(app.source_of(policy(log)), expected[0], workers=2)
    assert equal(total.profiles, expected[1].profiles)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_may_be_of_any_kind_as_well(kind, make, tmp_path, expected):
    log, labels = Folder(tmp_path), make(kind)
    if kind == "folder":
        labels._folder = tmp_path / "labels"
        labels.path = str(labels._folder)
    log.append(table().drop_columns(["late"]))
    labels.append(table())
    _, _, total = counted(app.source_of(policy(log, labels)), expected[0])
    assert equal(total.profiles, expected[1].profiles)
    assert total.profiles["v1"].outcomes.margin()[1].sum() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_identity_changes_when_rows_of_the_window_come_and_not_otherwise(kind, make):
    log = make(kind)
    first, second = parts()
    log.append(first)
    source = app.source_of(policy(log))
    before = source.scan(JUNE).manifest
    assert source.scan(JUNE).manifest == before
    log.append(table(first=0, rows=20, start=JUNE.end))
    later = source.scan(JUNE).manifest
    assert later.digest == before.digest
    log.append(second)
    assert source.scan(JUNE).manifest.digest != before.digest
    if log.format is not TableFormat.PARQUET:
        assert len({before.snapshot, later.snapshot, source.scan(JUNE).manifest.snapshot}) == 3
    else:
        assert before.snapshot == ""


@pytest.mark.parametrize("kind", ["delta", "delta with partitions", "delta on s3", "iceberg"])
def test_deleted_rows_are_not_counted(kind, make, expected):
    log = make(kind)
    log.append(table())
    source = app.source_of(policy(log))
    digest = source.scan(JUNE).manifest.digest
    log.delete("kind = 'a'")
    scan, _, total = counted(source, expected[0])
    left = table().filter(pc.not_equal(table()["kind"], "a"))
    assert total.read == len(left) == sum(profile.rows for profile in total.profiles.values())
    assert scan.manifest.digest != digest


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_that_is_not_there_is_said_so(kind, make):
    wanted = policy(make(kind))
    with pytest.raises(SourceError) as caught:
        app.source_of(wanted).scan(JUNE)
    assert caught.value.retryable
    assert "only-for-tests" not in str(caught.value)


def test_every_kind_of_table_is_in_this_suite(make):
    assert {make(kind).format for kind in KINDS} == set(TableFormat)
