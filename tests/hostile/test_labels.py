"""Labels that come twice, too early, of nobody, in other words, or not at all."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.window import Window
from monitor.sources.parquet import ParquetSource
from monitor.sources.reader import OpenFile
from tests.hostile.make_nasty import ROWS, labels_of, table, with_column, write

pytestmark = pytest.mark.slow


def labelled(watched):
    """Return rows by label: negative, positive, unknown."""
    return watched.outcomes.margin().sum(axis=0).tolist()


# ---------------------------------------------------------------------- cases of make_nasty


@pytest.mark.parametrize(
    "name", ["l01-labels-twice-same", "l03-labels-for-unknown-ids", "l04-labels-before-prediction"]
)
def test_each_row_has_one_label(nasty, name):
    assert labelled(nasty(name)) == [37, 13, 0]


def test_l06_labels_in_other_words_are_counted_and_not_taken_for_no(nasty):
    watched = nasty("l06-label-types")
    assert labelled(watched) == [10, 10, 30]  # "0" and "1", the others are no labels
    assert watched.run.accounting.invalid == {"late_next_month": 20}
    assert ("late_next_month", "values", "invalid") in watched.told


def test_l07_one_class_of_labels_tells_no_auc(nasty):
    watched = nasty("l07-only-one-class")
    assert labelled(watched) == [50, 0, 0]
    assert isinstance(watched.reading("auc_drop"), Unmeasurable)
    assert "modelmon_auc" not in watched.page


def test_l08_inputs_are_watched_while_labels_are_awaited(nasty):
    watched = nasty("l08-no-labels-yet")
    assert labelled(watched) == [0, 0, 50]
    assert watched.counts["score"].n == 50
    found = watched.reading("label_rate")
    assert isinstance(found, Unmeasurable)
    assert found.reason in {Absence.NO_LABELS, Absence.NO_BASELINE}


# ---------------------------------------------------------------------- others of each kind


@pytest.fixture
def with_labels(tmp_path, rows, watch):
    """Return a model whose labels are the given frames."""

    def made(*frames, log=None):
        write(rows.good if log is None else log, tmp_path / "log" / "good.parquet")
        for number, frame in enumerate(frames):
            write(frame, tmp_path / "labels" / f"l{number}.parquet")
        return watch(tmp_path)

    return made


@pytest.mark.parametrize(
    "form",
    [
        lambda values: values.astype(bool),
        lambda values: values.astype(float),
        lambda values: values.astype(str),
        lambda values: [f"{value}.0" for value in values],
        lambda values: np.where(values, "true", "false"),
    ],
    ids=["boolean", "float", "text", "text-of-floats", "words"],
)
def test_a_label_is_the_same_in_every_form(rows, with_labels, form):
    labels = labels_of(rows)
    watched = with_labels(labels.assign(late_next_month=form(labels.late_next_month)))
    assert labelled(watched) == [37, 13, 0]
    assert watched.run.accounting.invalid == {}


def test_a_broken_label_file_is_named_and_the_others_join(rows, with_labels, tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "bad.parquet").write_bytes(b"PAR1" * 100)
    watched = with_labels(labels_of(rows))
    assert watched.reported == {"labels/bad.parquet": "not_parquet"}
    assert labelled(watched) == [37, 13, 0]


def test_a_label_file_without_its_columns_is_named(rows, with_labels):
    labels = labels_of(rows)
    watched = with_labels(
        labels,
        labels.drop(columns="prediction_id"),
        labels.drop(columns="late_next_month"),
    )
    assert watched.reported == {
        "labels/l1.parquet": "no_id_column",
        "labels/l2.parquet": "no_label_column",
    }
    assert labelled(watched) == [37, 13, 0]


@pytest.mark.parametrize("column", ["late_next_month", "prediction_id"])
def test_a_label_file_that_has_one_of_its_columns_twice_is_named(rows, with_labels, column):
    labels = table(labels_of(rows))
    twice = labels.append_column(column, labels[column])
    watched = with_labels(labels.slice(0, 10), twice)
    assert watched.reported == {"labels/l1.parquet": "unreadable"}
    (named,) = watched.run.manifest.unreadable
    assert named.explanation.startswith(f"it has several columns {column!r}")
    assert sum(labelled(watched)[:2]) == 10


def test_the_folder_of_a_label_file_may_say_what_the_label_is(rows, with_labels, tmp_path):
    labels = labels_of(rows)
    for value, part in labels.drop(columns="late_next_month").groupby(labels.late_next_month):
        write(part, tmp_path / "labels" / f"late_next_month={value}" / "part.parquet")
    watched = with_labels()
    assert (watched.reported, labelled(watched)) == ({}, [37, 13, 0])


def test_labels_of_a_doubled_prediction_count_once(rows, with_labels):
    watched = with_labels(labels_of(rows), log=pd.concat([rows.good, rows.good]))
    assert watched.rejected == {"duplicate_id": 50}
    assert labelled(watched) == [37, 13, 0]


def test_a_row_that_another_stands_for_does_not_shift_the_labels_of_the_rest(rows, with_labels):
    # The second row repeats the first: the labels of all that follow must stay theirs.
    doubled = pd.concat([rows.good.head(1), rows.good], ignore_index=True)
    labels = labels_of(rows)
    only = labels.assign(late_next_month=(np.arange(ROWS) == ROWS - 1).astype("int8"))
    watched = with_labels(only, log=doubled)
    assert labelled(watched) == [49, 1, 0]
    flagged = bool(rows.good.flagged.iloc[-1])
    assert watched.outcomes.margin()[int(flagged)][1] == 1


def test_null_ids_join_no_label(rows, with_labels):
    labels = labels_of(rows)
    nameless = labels.assign(prediction_id=[None] * ROWS)
    watched = with_labels(labels, nameless)
    assert labelled(watched) == [37, 13, 0]


def test_labels_without_rows_of_their_window_are_no_data(rows, with_labels):
    watched = with_labels(labels_of(rows), log=rows.good.head(0))
    assert watched.run.outcome.value == "no_data"


def test_ids_of_another_type_join_by_their_text(rows, with_labels):
    numbers = np.arange(ROWS)
    watched = with_labels(
        labels_of(rows).assign(prediction_id=numbers),
        log=rows.good.assign(prediction_id=numbers.astype(str)),
    )
    assert labelled(watched) == [37, 13, 0]


def test_ids_that_were_rounded_bring_no_row_the_label_of_another(rows, with_labels):
    numbers = 10**18 + np.arange(ROWS)
    watched = with_labels(
        labels_of(rows).assign(prediction_id=numbers.astype(float)),
        log=rows.good.assign(prediction_id=numbers),
    )
    assert labelled(watched) == [0, 0, 50]
    assert watched.run.accounting.labels.orphan == ROWS


def test_labels_without_a_time_count_whatever_is_known_of_the_others(rows, with_labels):
    # The statistics of the times are those of ten labels of long ago.
    labels = labels_of(rows)
    old = labels.head(10).assign(
        prediction_id=[f"old {row}" for row in range(10)],
        label_time=pd.Timestamp("2004-01-01", tz="UTC"),
    )
    timeless = labels.assign(label_time=pd.Series([pd.NaT] * ROWS, dtype=old.label_time.dtype))
    assert labelled(with_labels(pd.concat([old, timeless]))) == [37, 13, 0]


def test_labels_whose_times_are_numbers_are_told(rows, with_labels):
    first, second = labels_of(rows), labels_of(rows)
    second["late_next_month"] = 1 - second.late_next_month
    first["label_time"], second["label_time"] = 1_125_532_800_000, 1_122_854_400_000
    watched = with_labels(first, second)
    assert labelled(watched) == [13, 37, 0]  # the last in the order of files: no time says better
    found = watched.run.accounting.labels
    assert (found.without_time, found.conflicting) == (2 * ROWS, ROWS)
    assert watched.metric("window_labels", kind="without_time") == 2 * ROWS
    assert watched.told["late_next_month", "labels", "without_time"].startswith("100 have no time")


def test_labels_dated_by_a_day_count_in_windows_of_hours(rows, with_labels):
    log = rows.good.assign(event_time=rows.good.event_time.dt.floor("D") + pd.Timedelta("23h30min"))
    labels = labels_of(rows).assign(label_time=log.event_time.dt.date)
    watched = with_labels(labels, log=log)
    hour = log.event_time.min().floor("h").to_pydatetime()
    source = ParquetSource(watched.model.policy)
    scan = source.scan(Window(hour, hour + timedelta(hours=1)))
    assert source.counter(scan, {}).joined.labelled == ROWS


def test_a_label_file_that_is_written_over_while_it_is_read_is_named(
    rows, with_labels, tmp_path, monkeypatch
):
    labels = labels_of(rows)
    watched = with_labels(labels)
    read = OpenFile.column

    def written_over(log, chunk, name):
        if name == "late_next_month":
            write(labels.assign(late_next_month=1), tmp_path / "labels" / "l0.parquet")
        return read(log, chunk, name)

    monkeypatch.setattr(OpenFile, "column", written_over)
    assert labelled(watched) == [0, 0, 50]
    assert watched.reported == {"labels/l0.parquet": "changed"}


def test_labels_in_a_list_are_no_labels(rows, with_labels):
    import pyarrow as pa

    nested = pa.array([[1]] * ROWS)
    watched = with_labels(with_column(table(labels_of(rows)), "late_next_month", nested))
    assert labelled(watched) == [0, 0, 50]
