"""A model whose log and labels are on S3, from the command line, against a real server."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor import app
from monitor.compute.local import LocalCompute
from monitor.domain.errors import SourceError
from monitor.domain.quarantine import Quarantine
from monitor.domain.window import Window
from tests import commands
from tests.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("s3")]

ROOT = Path(__file__).parents[2]
FIRST = datetime(2005, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ROWS = 500
FIELDS = 30


class Silent:
    def advance(self, rows):
        pass


def rows_of(day, rows=ROWS, columns=FIELDS):
    random = np.random.default_rng(day)
    begin = int((FIRST + day * DAY).timestamp())
    seconds = np.sort(random.integers(0, 86_400, rows))
    return pa.table(
        {
            "id": [f"{day}-{row}" for row in range(rows)],
            "at": pa.array(begin + seconds, pa.timestamp("s", "UTC")).cast(
                pa.timestamp("ms", "UTC")
            ),
            "flag": random.random(rows) < 0.3,
            "sex": random.choice(["f", "m"], rows),
            **{f"f{number}": random.normal(size=rows) for number in range(columns)},
        }
    )


def parquet(table, **options):
    buffer = BytesIO()
    pq.write_table(table, buffer, **options)
    return buffer.getvalue()


@pytest.fixture
def prefix(tmp_path):
    return tmp_path.name


@pytest.fixture
def model(tmp_path, s3, prefix):
    """The model's file; ``model(path)`` writes it for another place."""

    def write(path=None, *, labels=True):
        lines = [
            "model: m",
            "source:",
            f"  path: {path or s3.uri(f'{prefix}/log')}",
            "  event_time: at",
            "  id: id",
            *([f"  labels: {{path: '{s3.uri(f'{prefix}/labels')}', id: id}}"] if labels else []),
            f"fields: {{{', '.join(f'f{number}: numeric' for number in range(FIELDS))}}}",
            "decision: {column: flag, positive: [true], positive_is: harmful}",
            *(["label: {column: late, positive: [1]}"] if labels else []),
            "populations: [sex]",
            "schedule: {window: day}",
        ]
        models = tmp_path / "config" / "models"
        models.mkdir(parents=True, exist_ok=True)
        (models / "m.yaml").write_text("\n".join(lines) + "\n")
        (tmp_path / "config" / "modelmon.yaml").write_text("store: {url: 'sqlite:///../m.db'}\n")
        return models / "m.yaml"

    return write


@pytest.fixture
def modelmon(tmp_path):
    def run(*arguments):
        return commands.modelmon(*arguments, cwd=tmp_path, timeout=300)

    return run


def put_days(s3, prefix, days):
    for day in days:
        table = rows_of(day)
        s3.put(f"{prefix}/log/day={day}/deep/part.parquet", parquet(table))
        labels = pa.table({"id": table["id"], "late": pa.array(np.arange(ROWS) % 2)})
        s3.put(f"{prefix}/labels/{day}.parquet", parquet(labels))


def window(day):
    return Window(FIRST + day * DAY, FIRST + (day + 1) * DAY)


def source(model_file):
    return app.source_of(app.read_policy(model_file))


def counted(log, day, version="1"):
    scan = log.scan(window(day))
    grids = {version: log.draft(scan, version)}
    return scan, LocalCompute().count(scan.tasks, log.counter(scan, grids), Silent())


def test_a_log_and_labels_on_s3_are_watched(model, modelmon, s3, prefix):
    put_days(s3, prefix, range(4))
    model()
    assert modelmon("db", "upgrade").returncode == 0
    register = ("baseline", "register", "m", "--from", "2005-06-01", "--to", "2005-06-03")
    done = modelmon(*register, "--why", "a test")
    assert done.returncode == 0, done.stderr
    s3.put(f"{prefix}/log/day=2/broken.parquet", b"PAR1 and then nothing")
    s3.put(f"{prefix}/log/day=2/cut.parquet", parquet(rows_of(2))[:-100])
    s3.put(f"{prefix}/log/day=2/_unfinished.parquet", b"x")
    s3.put(f"{prefix}/log/day=2/notes.txt", b"not ours")
    done = modelmon("run", "--from", "2005-06-03", "--to", "2005-06-05", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert "2 windows, 2 with new results" in done.stderr
    assert json.loads(done.stdout)
    again = modelmon("run", "--from", "2005-06-03", "--to", "2005-06-05")
    assert "2 windows, 0 with new results" in again.stderr
    assert SECRET_KEY not in done.stdout + done.stderr


def test_a_broken_object_is_named_and_the_others_are_read(model, s3, prefix):
    put_days(s3, prefix, [0])
    s3.put(f"{prefix}/log/day=0/broken.parquet", b"PAR1 and then nothing")
    s3.put(f"{prefix}/log/day=0/cut.parquet", parquet(rows_of(0))[:-100])
    s3.put(f"{prefix}/log/day=0/empty.parquet", b"")
    scan, total = counted(source(model()), 0)
    assert total.read == ROWS
    assert [(file.path, file.reason) for file in scan.manifest.unreadable] == [
        ("day=0/broken.parquet", "not_parquet"),
        ("day=0/cut.parquet", "not_parquet"),
        ("day=0/empty.parquet", "not_parquet"),
    ]


def test_an_object_broken_in_its_data_is_held_by_its_etag(model, s3, prefix):
    put_days(s3, prefix, [0])
    whole = parquet(rows_of(0))
    footer = pq.read_metadata(BytesIO(whole)).serialized_size + 8
    broken = b"PAR1" + b"\xff" * (len(whole) - footer - 4) + whole[-footer:]
    s3.put(f"{prefix}/log/day=0/bad.parquet", broken)
    log = source(model())
    _, total = counted(log, 0)
    (bad,) = total.unreadable
    assert (bad.path, bad.placed) == ("day=0/bad.parquet", True)
    nothing = Quarantine("m", FIRST, {})
    known = nothing.after(nothing.changes([(bad.path, bad)]))
    scan = log.scan(window(0), known)
    assert scan.manifest.unreadable == (bad,)
    assert log.listings([window(0)], known) == {window(0): scan.listing}
    s3.put(f"{prefix}/log/day=0/bad.parquet", whole)
    assert log.scan(window(0), known).manifest.unreadable == ()


def test_the_manifest_has_the_etag_which_follows_the_content(model, s3, prefix):
    put_days(s3, prefix, [0])
    log = source(model())
    (before,) = log.scan(window(0)).manifest.files
    with s3.filesystem.open_input_file(f"{BUCKET}/{prefix}/log/{before.path}") as handle:
        assert before.modified == handle.metadata()["ETag"].decode().strip('"')
    other = rows_of(0).set_column(2, "flag", pa.array([True] * ROWS))
    s3.put(f"{prefix}/log/{before.path}", parquet(other))
    (after,) = log.scan(window(0)).manifest.files
    assert after.modified != before.modified


def test_an_object_of_the_same_size_written_again_at_once_is_noticed(model, s3, prefix):
    key = f"{prefix}/log/a.parquet"
    first = rows_of(0)
    other = first.set_column(4, "f0", pa.array(np.asarray(first["f0"])[::-1]))
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    contents = [parquet(table, **options) for table in (first, other)]
    assert len(contents[0]) == len(contents[1]) and contents[0] != contents[1]
    s3.put(key, contents[0])
    log = source(model(labels=False))
    scan = log.scan(window(0))
    grids = {"1": log.draft(scan, "1")}
    s3.put(key, contents[1])
    total = LocalCompute().count(scan.tasks, log.counter(scan, grids), Silent())
    assert [(file.path, file.reason) for file in total.unreadable] == [("a.parquet", "changed")]
    assert total.read == 0
    _, total = counted(log, 0)
    assert (total.read, total.unreadable) == (ROWS, [])


def test_an_object_that_goes_or_is_moved_is_named_then_found_again(model, s3, prefix):
    put_days(s3, prefix, [0])
    log = source(model(labels=False))
    scan = log.scan(window(0))
    grids = {"1": log.draft(scan, "1")}
    folder = f"{BUCKET}/{prefix}/log/day=0/deep"
    s3.filesystem.move(f"{folder}/part.parquet", f"{folder}/moved.parquet")
    total = LocalCompute().count(scan.tasks, log.counter(scan, grids), Silent())
    assert [(file.path, file.reason) for file in total.unreadable] == [
        ("day=0/deep/part.parquet", "not_found")
    ]
    scan, total = counted(log, 0)
    assert [file.path for file in scan.manifest.files] == ["day=0/deep/moved.parquet"]
    assert total.read == ROWS


def test_a_single_object_is_a_log(model, s3, prefix):
    put_days(s3, prefix, [0, 1])
    path = s3.uri(f"{prefix}/log/day=1/deep/part.parquet")
    scan, total = counted(source(model(path)), 1)
    assert (len(scan.manifest.files), total.read) == (1, ROWS)


def test_address_and_credentials_may_both_be_in_the_environment(model, s3, prefix):
    put_days(s3, prefix, [0])
    _, total = counted(source(model(f"s3://{BUCKET}/{prefix}/log", labels=False)), 0)
    assert total.read == ROWS


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"])
def test_wrong_credentials_are_an_error_that_does_not_tell_them(
    model, prefix, s3, monkeypatch, name
):
    put_days(s3, prefix, [0])
    monkeypatch.setenv(name, "wrong-but-private")
    with pytest.raises(SourceError, match=r"ACCESS_DENIED|FORBIDDEN") as caught:
        source(model()).scan(window(0))
    text = str(caught.value)
    assert "wrong-but-private" not in text and SECRET_KEY not in text and ACCESS_KEY not in text


def test_a_large_object_costs_a_request_a_row_group_and_reads_only_its_columns(model, s3, prefix):
    groups, rows = 4, 40_000
    table = rows_of(0, rows * groups, FIELDS + 40)
    options = {"row_group_size": rows, "compression": "none", "use_dictionary": False}
    content = parquet(table, **options)
    assert len(content) > 60 * 2**20
    s3.put(f"{prefix}/log/large.parquet", content)
    log = source(model(labels=False))
    scan = log.scan(window(0))
    grids = {"1": log.draft(scan, "1")}
    before = s3.requests("GET"), s3.bytes_sent()
    total = LocalCompute().count(scan.tasks, log.counter(scan, grids), Silent())
    requests, sent = s3.requests("GET") - before[0], s3.bytes_sent() - before[1]
    assert total.read == rows * groups
    # The footer (twice: its length, then it), whether the file is unchanged, and the row groups:
    # 131,072 rows are read together, so that these are two chunks.
    assert requests <= 8
    watched = (FIELDS + 3) / (FIELDS + 44)
    assert sent < 1.3 * watched * len(content)


def test_a_small_object_is_fetched_whole_and_its_footer_apart(model, s3, prefix):
    put_days(s3, prefix, [0])
    log = source(model(labels=False))
    seen = [s3.requests("GET")]
    scan = log.scan(window(0))
    seen.append(s3.requests("GET"))
    grids = {"1": log.draft(scan, "1")}
    seen.append(s3.requests("GET"))
    LocalCompute().count(scan.tasks, log.counter(scan, grids), Silent())
    seen.append(s3.requests("GET"))
    # Four or five a step; the server's counters may lag. A request a column would be thirty.
    assert max(after - before for before, after in pairwise(seen)) <= 8
