from datetime import UTC, datetime
from uuid import UUID

import pyarrow as pa
import pytest

from monitor.compute.local import LocalCompute
from monitor.domain.field import Label
from monitor.domain.policy import LabelTable
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.sources.ids import id_texts
from monitor.sources.location import Fault
from monitor.sources.parquet import ParquetSource

TABLE = {"source": {"labels": LabelTable("labels", "id", "known")}}


def day(number, month=7):
    return datetime(2005, month, number, tzinfo=UTC)


def labels(ids, values, known=None):
    known = known or [day(1)] * len(ids)
    return {"id": ids, "late": values, "known": pa.array(known, pa.timestamp("us", "UTC"))}


@pytest.fixture
def run(policy, june, progress):
    """Return joined labels, the number of rows by label, and files left out."""

    def go(**options):
        source = ParquetSource(policy(**(options or TABLE)))
        scan = source.scan(june)
        count = source.counter(scan, {"1": source.draft(scan, "1")})
        total = LocalCompute().count(scan.tasks, count, progress)
        rows = total.profiles["1"].outcomes.margin().sum(axis=0)
        return count.labels, {code: int(rows[code]) for code in (NEGATIVE, POSITIVE, UNKNOWN)}, scan

    return go


def test_labels_are_joined_by_id_whatever_order_they_come_in(run, rows, write):
    write("log/a.parquet", rows(4, id=["a", "b", "c", None], late=None))
    write("log/b.parquet", rows(3, id=["d", "e", "f"], late=None), row_group_size=2)
    write("labels/x.parquet", labels(["f", "zz", "b", None], [1, 1, 0, 1]))
    write("labels/y.parquet", labels(["d", "a"], [None, 1]))
    joined, found, scan = run()
    assert found == {NEGATIVE: 1, POSITIVE: 2, UNKNOWN: 4}
    assert (joined.join.labelled, joined.join.repeated, joined.join.conflicting) == (3, 0, 0)
    assert [file.path for file in scan.manifest.labels] == ["x.parquet", "y.parquet"]


def test_labels_stay_with_their_rows_when_only_some_lie_in_the_window(run, rows, write, june):
    at = pa.array([june.end, june.start, june.end, june.start], pa.timestamp("us", "UTC"))
    write("log/a.parquet", rows(4, id=["a", "b", "c", "d"], at=at, sex=list("fmfm"), late=None))
    write("labels/x.parquet", labels(["a", "b", "c", "d"], [0, 1, 0, 0]))
    joined, found, _ = run()
    assert found == {NEGATIVE: 1, POSITIVE: 1, UNKNOWN: 0}
    assert [joined.values[code] for code in joined.codes["a.parquet"]] == ["1", "0"]


@pytest.mark.parametrize("log_type", [pa.string(), pa.int64(), pa.float64(), pa.large_string()])
@pytest.mark.parametrize("label_type", [pa.string(), pa.int32(), pa.float32()])
def test_ids_are_compared_by_their_text(run, rows, write, log_type, label_type):
    ids = pa.array([7, 8]).cast(pa.string())
    write("log/a.parquet", rows(2, id=ids.cast(log_type), late=None))
    write("labels/x.parquet", labels(ids.cast(label_type), [1, 0]))
    assert run()[1] == {NEGATIVE: 1, POSITIVE: 1, UNKNOWN: 0}


@pytest.mark.parametrize("turned", [False, True])
def test_ids_of_the_type_for_uuids_meet_their_texts(run, rows, write, turned):
    known = [UUID(int=7**40 + row) for row in range(2)]
    stored = pa.array([item.bytes for item in known], pa.binary(16))
    sides = [pa.ExtensionArray.from_storage(pa.uuid(), stored), list(map(str, known))]
    of_log, of_labels = reversed(sides) if turned else sides
    write("log/a.parquet", rows(2, id=of_log, late=None), store_schema=False)
    write("labels/x.parquet", labels(of_labels, [1, 0]), store_schema=False)
    assert run()[1] == {NEGATIVE: 1, POSITIVE: 1, UNKNOWN: 0}


def test_the_latest_of_conflicting_labels_counts_and_equal_ones_count_once(run, rows, write):
    write("log/a.parquet", rows(4, id=["a", "b", "c", "d"], late=None))
    early, late = day(2), day(9)
    write(
        "labels/x.parquet",
        labels(["a", "a", "b", "c", "d"], [1, 0, 1, 1, 1], [late, early, late, early, None]),
    )
    write("labels/y.parquet", labels(["b", "c", "d"], [0, 1, 0], [early, late, early]))
    joined, found, _ = run()
    assert found == {NEGATIVE: 1, POSITIVE: 3, UNKNOWN: 0}  # a and b keep the late 1, d gets 0
    assert (joined.join.labelled, joined.join.repeated, joined.join.conflicting) == (4, 1, 3)


def test_labels_whose_time_cannot_be_read_are_counted_and_yield_to_others(run, rows, write):
    write("log/a.parquet", rows(4, id=["a", "b", "c", "d"], late=None))
    write("labels/w.parquet", labels(["a", "d"], [1, None], [day(2), None]))
    write("labels/x.parquet", {**labels(["a", "b"], [0, 0]), "known": [1_120_219_200] * 2})
    write("labels/y.parquet", {"id": ["b", "zz"], "late": [1, 1]})
    write("labels/z.parquet", {**labels(["c"], [1]), "known": ["01.07.2005"]})
    joined, found, _ = run()
    assert found == {NEGATIVE: 0, POSITIVE: 3, UNKNOWN: 1}  # of b the last in the order of files
    assert (joined.join.without_time, joined.join.conflicting, joined.join.null) == (4, 2, 1)
    untimed, _, _ = run(source={"labels": LabelTable("labels", "id")})
    assert untimed.join.without_time == 0  # nobody said where times would be


def test_without_times_the_last_in_the_order_of_files_counts(run, rows, write):
    write("log/a.parquet", rows(2, id=["a", "b"], late=None))
    write("labels/x.parquet", {"id": ["a", "b", "b"], "late": [0, 0, 1]})
    write("labels/y.parquet", {"id": ["a"], "late": [1]})
    joined, found, _ = run(source={"labels": LabelTable("labels", "id")})
    assert found == {NEGATIVE: 0, POSITIVE: 2, UNKNOWN: 0}
    assert joined.join.conflicting == 2


def test_label_files_from_before_the_window_are_not_read(run, rows, write):
    write("log/a.parquet", rows(1, id=["a"], late=None))
    write("labels/may.parquet", labels(["a"], [0], [day(1, 5)]))
    write("labels/june.parquet", labels(["a"], [1], [day(1, 6)]))
    _, found, scan = run()
    assert [file.path for file in scan.manifest.labels] == ["june.parquet"]
    assert found[POSITIVE] == 1


def test_before_labels_arrive_every_row_is_unlabelled(run, rows, write, tmp_path):
    write("log/a.parquet", rows(3))  # even where the log has a column of that name
    _, found, scan = run()
    assert found == {NEGATIVE: 0, POSITIVE: 0, UNKNOWN: 3}
    assert [(file.path, file.reason) for file in scan.manifest.unreadable] == [
        ("labels", Fault.NOT_FOUND)
    ]
    (tmp_path / "labels").mkdir()
    assert not run()[2].manifest.unreadable


def test_bad_label_files_are_named_and_stop_nothing(run, rows, write, tmp_path):
    write("log/a.parquet", rows(2, id=["a", "b"], late=None))
    write("labels/ok.parquet", labels(["a"], [1]))
    write("labels/nameless.parquet", {"late": [1]})
    write("labels/silent.parquet", {"id": ["a"]})
    (tmp_path / "labels/bad.parquet").write_text("no")
    _, found, scan = run()
    assert found[POSITIVE] == 1
    assert {file.path: file.reason for file in scan.manifest.unreadable} == {
        "labels/bad.parquet": Fault.NOT_PARQUET,
        "labels/nameless.parquet": Fault.NO_ID_COLUMN,
        "labels/silent.parquet": Fault.NO_LABEL_COLUMN,
    }


def test_labels_of_a_file_without_times_yield_to_those_that_have_one(run, rows, write):
    write("log/a.parquet", rows(2, id=["a", "b"], late=None))
    write("labels/1.parquet", labels(["a"], [1]))
    write("labels/2.parquet", {"id": ["a", "b"], "late": [0, 0]})
    _, found, _ = run()
    assert (found[POSITIVE], found[NEGATIVE]) == (1, 1)


def test_a_label_file_that_breaks_while_it_is_read_gives_no_labels(
    policy, rows, write, june, progress
):
    write("log/a.parquet", rows(2, id=["a", "b"], late=None))
    write("labels/ok.parquet", labels(["a"], [1]))
    path = write("labels/torn.parquet", labels(["a", "b"] * 100, [0, 1] * 100))
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(255 - byte for byte in content[4:200]) + content[200:])
    source = ParquetSource(policy(**TABLE))
    scan = source.scan(june)
    count = source.counter(scan, {"1": source.draft(scan, "1")})
    total = LocalCompute().count(scan.tasks, count, progress)
    assert total.profiles["1"].outcomes.margin()[:, POSITIVE].sum() == 1
    assert [(file.path, file.reason) for file in total.unreadable] == [
        ("labels/torn.parquet", Fault.CORRUPT)
    ]


def test_a_log_without_the_id_column_has_no_labels(run, rows, write):
    write("log/a.parquet", rows(2, id=None))
    write("labels/x.parquet", labels(["a"], [1]))
    assert run()[1][UNKNOWN] == 2


def test_texts_of_ids():
    for column in (
        pa.array([7, None]),
        pa.array([7.0, None]),
        pa.array(["7", None]),
        pa.chunked_array([pa.array(["7", None]).dictionary_encode()]),
        pa.array([b"7", None]),
    ):
        assert id_texts(column).to_pylist() == ["7", None]


def test_uuids_are_the_texts_that_other_systems_write_of_them():
    known = [UUID(int=7**40 + row) for row in range(5)]
    stored = pa.array([None, *(item.bytes for item in known), None], pa.binary(16))
    column = pa.ExtensionArray.from_storage(pa.uuid(), stored)
    expected = [None, *map(str, known), None]
    assert id_texts(column).to_pylist() == expected
    assert id_texts(column.slice(2, 3)).to_pylist() == expected[2:5]
    assert id_texts(pa.chunked_array([column.slice(1, 2)])).to_pylist() == expected[1:3]
    assert id_texts(column.slice(0, 0)).to_pylist() == []
    assert id_texts(stored.slice(1, 1)).to_pylist() != expected[1:2]  # of no type that says so


def test_orphans_nulls_and_labels_before_the_prediction_are_counted(run, rows, write):
    write("log/a.parquet", rows(4, id=["a", "b", "c", None], late=None))
    june = day(1, 6)  # the prediction of a is of that very instant, that of b an hour later
    write(
        "labels/x.parquet",
        labels(["a", "b", "c", "zz", "yy", None], [1, 1, None, 1, 0, 1], [june] * 6),
    )
    joined, found, _ = run()
    assert found == {NEGATIVE: 0, POSITIVE: 2, UNKNOWN: 2}
    join = joined.join
    assert (join.labelled, join.orphan, join.null) == (2, 3, 1)
    assert join.before_prediction == 1  # it counts all the same: b is labelled
    assert (join.without_id, join.shared_id) == (1, 0)


def test_rows_that_share_an_id_share_its_label(run, rows, write):
    write("log/a.parquet", rows(4, id=["a", "b", "a", "a"], late=None))
    write("labels/x.parquet", labels(["a"], [1]))
    joined, found, _ = run()
    assert found == {NEGATIVE: 0, POSITIVE: 3, UNKNOWN: 1}
    assert (joined.join.labelled, joined.join.shared_id) == (1, 2)


def test_with_event_times_orphans_are_those_of_the_window_only(run, rows, write):
    write("log/a.parquet", rows(2, id=["a", "b"], late=None))
    made = pa.array([day(1, 6), day(2, 6), day(2, 7)], pa.timestamp("us", "UTC"))
    write("labels/x.parquet", {**labels(["a", "nobody", "later"], [1, 1, 1]), "made": made})
    joined, _, _ = run(source={"labels": LabelTable("labels", "id", "known", "made")})
    assert (joined.join.labelled, joined.join.orphan) == (1, 1)
    joined, _, _ = run(source={"labels": LabelTable("labels", "id", "known")})
    assert (joined.join.labelled, joined.join.orphan) == (1, 2)


def test_what_labels_say_has_one_digest_whatever_files_say_it(run, rows, write, tmp_path):
    write("log/a.parquet", rows(3, id=["a", "b", "c"], late=None))

    def digest(*files):
        for number, file in enumerate(files):
            write(f"labels/{number}.parquet", file)
        found = run()[0].join.digest
        for number in range(len(files)):
            (tmp_path / f"labels/{number}.parquet").unlink()
        return found

    one = digest(labels(["a", "b", "zz"], [1, 0, 1]))
    assert digest(labels(["b"], [0]), labels(["xx", "a"], [0, 1])) == one
    assert digest(labels(["a", "b"], [1.0, 0.0])) == one
    assert digest(labels(["a", "b"], [0, 1])) != one
    assert digest(labels(["a", "b", "c"], [1, 0, 1])) != one
    assert digest(labels(["zz"], [1])) == digest(labels(["a"], [None])) == ""


@pytest.mark.parametrize(
    ("label", "values", "negative", "positive", "unmapped"),
    [
        (Label("late", ("1",)), ["1", "0", "1", None], 1, 2, {}),
        (Label("late", ("1",)), [1.0, 0.0, float("nan"), None], 1, 1, {}),
        (Label("late", ("true",)), [True, False, True, None], 1, 2, {}),
        (Label("late", ("true",)), ["1", "False", "perhaps", None], 1, 1, {"perhaps": 1}),
        (Label("late", ("Yes",), ("No",)), ["Yes", "no ", "1", None], 0, 1, {"no ": 1, "1": 1}),
    ],
)
def test_labels_of_any_form_mean_what_the_policy_says(
    policy, rows, write, june, progress, label, values, negative, positive, unmapped
):
    write("log/a.parquet", rows(4, id=list("abcd"), late=None))
    write("labels/x.parquet", labels(list("abcd"), values))
    source = ParquetSource(policy(**TABLE, label=label))
    scan = source.scan(june)
    count = source.counter(scan, {"1": source.draft(scan, "1")})
    total = LocalCompute().count(scan.tasks, count, progress)
    found = total.profiles["1"].outcomes.margin().sum(axis=0)
    assert (found[NEGATIVE], found[POSITIVE]) == (negative, positive)
    assert total.accounting(count.joined).unmapped_labels == unmapped


@pytest.mark.parametrize(
    ("values", "known", "unmapped"),
    [
        ([1.5, 0.0, float("nan"), None], 2, {}),
        (["1.5", "-2e3", "7", None], 3, {}),
        (["1,5", "1.5", "about 2", None], 1, {"1,5": 1, "about 2": 1}),
        (["", "1.5", "nan", None], 1, {"": 1, "nan": 1}),
        (pa.array(["1,5", "1.5", "1,5", None]).dictionary_encode(), 1, {"1,5": 2}),
        ([datetime(2005, 7, 1, tzinfo=UTC)] * 4, 0, {"2005-07-01T00:00:00+00:00": 4}),
    ],
)
def test_labels_that_are_no_numbers_are_named_where_numbers_are_expected(
    policy, rows, write, june, progress, values, known, unmapped
):
    write("log/a.parquet", rows(4, id=list("abcd"), late=None))
    write("labels/x.parquet", labels(list("abcd"), values))
    source = ParquetSource(policy(**TABLE, label=Label("late")))
    scan = source.scan(june)
    count = source.counter(scan, {"1": source.draft(scan, "1")})
    total = LocalCompute().count(scan.tasks, count, progress)
    assert total.profiles["1"].errors.labelled == known
    assert total.accounting(count.joined).unmapped_labels == unmapped


def test_unmapped_labels_are_counted_in_a_log_that_has_labels_itself_and_few_are_named(
    policy, rows, write, june, progress
):
    write("log/a.parquet", rows(40, late=[f"state {row % 30:02}" for row in range(40)]))
    source = ParquetSource(policy(label=Label("late", ("state 00",), ("state 01",))))
    scan = source.scan(june)
    count = source.counter(scan, {"1": source.draft(scan, "1")})
    accounting = LocalCompute().count(scan.tasks, count, progress).accounting(count.joined)
    assert accounting.labels is None
    assert sum(accounting.unmapped_labels.values()) == 36
    assert len(accounting.unmapped_labels) == 21
    assert accounting.unmapped_labels["(others)"] == 8
    assert accounting.unmapped_labels["state 02"] == 2
