"""Broken, unfinished, foreign and doubled files."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.domain.run import Outcome
from monitor.sources import counting
from tests.hostile.make_nasty import (
    ROWS,
    flipped,
    renamed,
    table,
    whole,
    with_column,
    write,
    write_encrypted,
)

pytestmark = pytest.mark.slow

# ---------------------------------------------------------------------- cases of make_nasty


def test_f01_a_file_that_is_written_later_is_read_by_the_next_run(copied, watch, rows):
    folder = copied("f01-zero-byte")
    watched = watch(folder)
    assert (watched.rows, list(watched.reported)) == (50, ["bad.parquet"])
    write(rows.others, folder / "bad.parquet")
    again = watched.run_again()
    assert again.committed.revision == 2
    assert again.run.accounting.profiled == {"1": 100}
    assert again.run.manifest.unreadable == ()


def test_f05_no_half_of_a_damaged_file_is_used(nasty):
    watched = nasty("f05-flipped-bytes-in-data")
    assert {counts.rows for counts in watched.counts.values()} == {50}
    assert ("bad.parquet", "file", "corrupt") in watched.told


def test_f09_only_names_that_end_in_parquet_are_data(nasty):
    assert "good2.parquet.gz" not in nasty("f09-gzipped-parquet").reported


def test_f17_no_data_is_a_state_of_its_own(nasty):
    watched = nasty("f17-whole-folder-empty")
    assert watched.run.outcome is Outcome.NO_DATA
    assert [item.verdict.value for item in watched.findings] == ["unknown"]
    assert watched.metric("window_state", state="no_data") == 1
    assert watched.metric("window_state", state="completed") == 0
    assert "modelmon_feature_drift_score" not in watched.page


def test_f18_a_copy_counts_once_and_is_reported(nasty):
    watched = nasty("f18-duplicate-file")
    assert watched.file("good.parquet").rejected == {"duplicate_id": 50}
    assert watched.file("copy.parquet").profiled == 50
    assert watched.told["nasty", "rows", "duplicate_id"].startswith("50 rows")


def test_f18_without_ids_a_copy_counts_twice(copied, tmp_path, baseline):
    import monitor
    from tests.hostile.conftest import POLICY

    text = POLICY.format(path=copied("f18-duplicate-file"), source="", fields="", more="")
    path = tmp_path / "no-ids.yaml"
    path.write_text(text.replace("  id: prediction_id\n", ""))
    model = monitor.open_model(path)
    model.register(str(baseline), start="2005-04-01", end="2005-06-01", why="calm")
    (ran,) = model.run(start="2005-07-01", end="2005-08-01")
    assert ran.run.accounting.profiled == {"1": 100}


# ---------------------------------------------------------------------- others of each kind


def test_damage_in_a_column_that_is_not_read_condemns_a_small_file(log, rows, watch):
    extra = rows.others.assign(unread=[f"text {row}" for row in range(ROWS)])
    path = write(extra, log / "second.parquet")
    chunk = pq.read_metadata(path).row_group(0).column(extra.columns.get_loc("unread"))
    begin = chunk.dictionary_page_offset
    path.write_bytes(flipped(path.read_bytes(), begin, begin + 100))
    watched = watch(log)
    assert watched.rows == 50
    assert watched.reported == {"second.parquet": "corrupt"}


def test_damage_in_a_column_that_is_not_read_is_not_looked_for_in_a_large_file(
    log, rows, watch, monkeypatch
):
    monkeypatch.setattr(counting, "CHECKED_WHOLE", 1000)
    extra = rows.others.assign(unread=[f"text {row}" for row in range(ROWS)])
    path = write(extra, log / "second.parquet")
    begin = pq.read_metadata(path).row_group(0).column(13).dictionary_page_offset
    path.write_bytes(flipped(path.read_bytes(), begin, begin + 100))
    watched = watch(log)
    assert (watched.rows, watched.reported) == (100, {})


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "lz4"])
def test_a_page_that_does_not_match_its_checksum_is_damage(log, rows, watch, compression):
    path = write(
        rows.others,
        log / "second.parquet",
        compression=compression,
        write_page_checksum=True,
        use_dictionary=False,
    )
    chunk = pq.read_metadata(path).row_group(0).column(3)  # limit_bal
    end = chunk.data_page_offset + chunk.total_compressed_size
    path.write_bytes(flipped(path.read_bytes(), end - 9, end - 8))
    watched = watch(log)
    assert (watched.rows, watched.reported) == (50, {"second.parquet": "corrupt"})


def test_a_damaged_copy_does_not_take_the_place_of_the_sound_original(log, rows, watch):
    path = write(rows.good, log / "a-copy.parquet", use_dictionary=False)
    begin = pq.read_metadata(path).row_group(0).column(11).data_page_offset  # score
    path.write_bytes(flipped(path.read_bytes(), begin, begin + 60))
    watched = watch(log)
    assert watched.reported == {"a-copy.parquet": "corrupt"}
    assert (watched.rows, watched.rejected) == (50, {})


def test_of_two_rows_with_one_id_the_later_stands(log, rows, watch):
    later = rows.good.assign(
        event_time=rows.good.event_time + pd.Timedelta(minutes=1), utilisation=0.25
    )
    write(later, log / "a-later.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (50, {"duplicate_id": 50})
    assert watched.file("good.parquet").profiled == 0
    assert watched.counts["utilisation"].low == watched.counts["utilisation"].high == 0.25


def test_one_id_scored_by_two_versions_is_two_predictions(log, rows, watch):
    write(rows.good.assign(model_version="2"), log / "shadow.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (50, {"no_baseline": 50})


def test_ids_are_told_apart_whatever_they_look_like(log, rows, watch):
    ids = ["a" * length for length in range(1, 49)] + ["long " * 1000, "long " * 1000 + "."]
    write(rows.good.assign(prediction_id=ids), log / "second.parquet")
    assert watch(log).rows == 100


def test_the_number_of_an_id_and_its_text_are_one_id(log, rows, watch):
    numbers = range(1000, 1000 + ROWS)
    write(rows.good.assign(prediction_id=list(numbers)), log / "numbers.parquet")
    write(rows.good.assign(prediction_id=[str(n) for n in numbers]), log / "texts.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (100, {"duplicate_id": 50})


@pytest.mark.parametrize("kind", [pa.decimal128(38, 0), pa.decimal256(60, 0)], ids=str)
def test_long_whole_numbers_of_a_database_are_ids_of_their_own(log, rows, watch, kind):
    numbers = [10**20 + row for row in range(ROWS)]
    ids = pa.array([Decimal(number) for number in numbers], kind)
    write(with_column(table(rows.good), "prediction_id", ids), log / "numbers.parquet")
    texts = rows.good.assign(prediction_id=[str(number) for number in numbers])
    write(texts, log / "texts.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (100, {"duplicate_id": 50})


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([float(10**18 + row) for row in range(ROWS)]),
        pa.array([float(2**24 + row) for row in range(ROWS)], pa.float32()),
        pa.array([float("inf")] * ROWS),
        pa.array([""] * ROWS),
        pa.array([b""] * ROWS),
        pa.array([""] * ROWS).dictionary_encode(),
    ],
    ids=["double", "single", "infinite", "empty", "no bytes", "empty code"],
)
def test_what_cannot_tell_rows_apart_is_no_id(log, rows, watch, ids):
    write(with_column(table(rows.good), "prediction_id", ids), log / "second.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (100, {})
    assert watched.file("second.parquet").without_id == ROWS


def test_whole_doubles_of_ids_are_the_ids(log, rows, watch):
    # pandas makes doubles of whole numbers where one is missing.
    numbers = np.arange(ROWS) + 2**53 - ROWS
    write(rows.good.assign(prediction_id=numbers), log / "numbers.parquet")
    doubles = np.where(np.arange(ROWS) == 7, np.nan, numbers.astype(float))
    write(rows.good.assign(prediction_id=doubles), log / "doubles.parquet")
    watched = watch(log)
    assert (watched.rows, watched.rejected) == (101, {"duplicate_id": 49})


def test_encrypted_times_under_a_plain_footer_do_not_end_the_process(log, rows, watch):
    # pyarrow 26 aborts when it is asked for the statistics of an encrypted column.
    write_encrypted(table(rows.others), log / "bad.parquet", ("event_time",), plaintext_footer=True)
    watched = watch(log)
    assert (watched.rows, watched.reported) == (50, {"bad.parquet": "encrypted"})


def test_an_encrypted_column_that_is_not_read_is_no_fault(log, rows, watch):
    extra = table(rows.others.assign(name=["secret"] * ROWS))
    write_encrypted(extra, log / "second.parquet", ("name",), plaintext_footer=True)
    watched = watch(log)
    assert (watched.rows, watched.reported) == (100, {})


def test_a_few_bytes_that_stand_for_gigabytes_are_not_written_out(log, rows, watch):
    # 50,000 codes for one text of a megabyte: 50 GB if it were decoded.
    many = pd.concat([rows.others] * 1000, ignore_index=True)
    many = many.assign(prediction_id=[f"b{row}" for row in range(len(many))])
    codes = pa.array([0] * len(many), pa.int32())
    bomb = pa.DictionaryArray.from_arrays(codes, pa.array(["x" * 2**20]))
    data = table(many)
    for name in ("limit_bal", "education", "flagged"):
        data = with_column(data, name, bomb)
    write(data.append_column("unread", bomb), log / "bomb.parquet")
    before = pa.default_memory_pool().max_memory()
    watched = watch(log)
    assert watched.rows == 50_050
    assert watched.run.accounting.invalid["limit_bal"] == 50_000
    assert pa.default_memory_pool().max_memory() - before < 500 * 2**20


def test_a_large_file_whose_ids_are_damaged_is_named(log, rows, watch):
    many = pd.concat([rows.others] * 800, ignore_index=True)
    many = many.assign(prediction_id=[f"damaged-{row:06}" for row in range(len(many))])
    path = write(many, log / "bad.parquet", compression="none", use_dictionary=["sex"])
    data = bytearray(path.read_bytes())
    place = data.index(b"damaged-000100") - 4  # the length that stands before the text
    data[place : place + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)
    watched = watch(log)
    assert watched.rows == 50
    assert watched.reported == {"bad.parquet": "corrupt"}


def test_a_footer_that_claims_gigabytes_is_not_read(log, rows, watch):
    with (log / "sparse.parquet").open("wb") as file:
        file.truncate(2**40)  # takes no room on the disk
        file.seek(2**40 - 8)
        file.write((2**31 - 1).to_bytes(4, "little") + b"PAR1")
    told = table(rows.others).replace_schema_metadata({"notes": "n" * 30_000_000})
    write(told, log / "told.parquet")
    watched = watch(log)
    assert watched.rows == 50
    assert watched.reported == {"sparse.parquet": "unreadable", "told.parquet": "unreadable"}
    assert "2,147,483,647 bytes" in watched.run.manifest.unreadable[0].explanation


def test_a_file_of_another_table_is_refused_for_what_it_lacks(log, watch):
    write(pd.DataFrame({"customer": [1, 2], "city": ["Taipei", "Tainan"]}), log / "wrong.parquet")
    assert watch(log).reported == {"wrong.parquet": "no_event_time_column"}


def test_a_file_whose_tail_is_of_another_file_is_refused(log, rows, watch):
    data = whole(rows, log)
    other = write(renamed(rows.good.head(7), "q"), log / "good2.parquet").read_bytes()
    (log / "bad.parquet").write_bytes(data[: len(data) // 2] + other[len(other) // 2 :])
    watched = watch(log)
    assert watched.rows == 57
    assert list(watched.reported) == ["bad.parquet"]


def test_every_file_broken_is_no_data_and_says_so(log, watch):
    (log / "good.parquet").write_bytes(b"PAR1 and then nothing")
    watched = watch(log)
    assert watched.run.outcome is Outcome.NO_DATA
    assert list(watched.reported) == ["good.parquet"]
    assert {item.verdict.value for item in watched.findings} == {"unknown"}


def test_text_that_is_not_utf8_is_named_and_stops_nothing(log, rows, watch):
    data = table(rows.others)
    latin = pa.array([b"Universit\xe9"] * ROWS).view(pa.string())
    write(with_column(data, "education", latin), log / "second.parquet")
    watched = watch(log)
    assert watched.rows == 50
    assert watched.reported == {"second.parquet": "corrupt"}
