"""What holds for every case: good rows count, what is refused is named, nothing else breaks."""

import math

import pytest

from monitor.domain.finding import Verdict
from tests.hostile.make_nasty import CASES

pytestmark = pytest.mark.slow

SLOW = {"h02-3000-files"}
ALL = [
    pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])
    for name in sorted(CASES)
    if name != "x06-permission-denied"  # by another user: test_file_systems.py
]
ROWS = {
    "f14-empty-row-groups": 100,
    "f16-codecs-and-encodings": 350,
    "f17-whole-folder-empty": 0,
    "g02-group-of-one": 51,
    "g05-300-groups": 3000,
    "h02-3000-files": 3000,
    "s12-dictionary-100k": 100_000,
    "t01-units-and-zones": 450,
    "t02-string-and-epoch-times": 100,
    "t04-null-timestamps": 90,
    "t06-late-arrival": 100,
    "t08-dst-ambiguous-local": 0,  # in October: test_times.py
    "v03-hostile-categories": 73,
    "v05-huge-strings": 53,
    "v12-single-row": 1,
    "x02-directory-named-parquet": 100,
    "x08-odd-file-names": 350,
    "x10-hive-type-and-date-trouble": 250,
    "x12-mixed-depth": 150,
    **dict.fromkeys(
        (
            "s01-missing-feature-column",
            "s02-missing-score-column",
            "s04-int-becomes-string",
            "s05-numeric-becomes-text",
            "s06-all-null-typed-null",
            "s09-case-variants",
            "s13-decimal",
            "s16-id-type-change",
            "v01-nan-inf-mix",
            "v06-whitespace-and-case-variants",
            "v07-score-out-of-range",
            "v08-score-as-text",
            "v09-decision-as-float",
            "v10-decision-as-yes-no",
            "v14-null-ids",
        ),
        100,
    ),
}
"""Rows profiled where they are not fifty."""

NOT_PARQUET = (
    "f01-zero-byte",
    "f02-wrong-magic",
    "f03-truncated-tail",
    "f04-footer-length-lies",
    "f06-only-magic",
    "f07-trailing-garbage",
    "f08-csv-named-parquet",
    "f09-gzipped-parquet",
    "f10-arrow-ipc-named-parquet",
)
REPORTED = {
    **{name: {"bad.parquet": "not_parquet"} for name in NOT_PARQUET},
    "f05-flipped-bytes-in-data": {"bad.parquet": "corrupt"},
    "f11-encrypted-footer": {"bad.parquet": "encrypted"},
    "f12-encrypted-columns-plain-footer": {"bad.parquet": "encrypted"},
    "f15-no-columns": {"bad.parquet": "no_event_time_column"},
    "s03-missing-timestamp-column": {"second.parquet": "no_event_time_column"},
    "x04-dangling-symlink": {"gone.parquet": "not_found"},
}
"""Files left out, with the reason; none in all other cases."""

REJECTED = {
    "f18-duplicate-file": {"duplicate_id": 50},
    "t02-string-and-epoch-times": {"bad_event_time": 150},
    "t04-null-timestamps": {"no_event_time": 10},
}


@pytest.mark.parametrize("name", ALL)
def test_good_rows_count_and_what_is_refused_is_named_and_counted(nasty, name):
    watched = nasty(name)
    assert watched.rows == ROWS.get(name, 50)
    assert watched.reported == REPORTED.get(name, {})
    assert watched.rejected == REJECTED.get(name, {})
    accounting = watched.run.accounting
    assert accounting.balances
    assert accounting.read == sum(file.read for file in accounting.files) or (
        len(watched.run.manifest.files) > len(accounting.files)
    )
    assert watched.metric("window_files_unreadable") == len(watched.reported)
    for reason, rows in watched.rejected.items():
        assert watched.metric("window_rejected_records", reason=reason) == rows
    again = watched.run_again()
    assert (again.committed.revision, again.committed.new) == (1, False)


@pytest.mark.parametrize("name", ALL)
def test_the_page_is_bounded_and_without_numbers_that_are_none(nasty, name):
    watched = nasty(name)
    assert watched.rows == ROWS.get(name, 50)
    samples = [sample for family in watched.page.values() for sample in family]
    assert len(samples) < 4000
    assert not any(math.isnan(sample.value) for sample in samples)
    assert max(len(text) for sample in samples for text in sample.labels.values()) <= 256
    assert all(len(cell) < 4000 for row in watched.told.items() for cell in (*row[0], row[1]))


@pytest.mark.parametrize("name", ALL)
def test_every_number_is_finite_and_unknown_is_never_ok(nasty, name):
    watched = nasty(name)
    assert watched.findings
    for estimate in watched.estimates:
        assert math.isfinite(estimate.value)
    absent = [item for item in watched.findings if item.reading.result not in watched.estimates]
    assert {item.verdict for item in absent} <= {Verdict.UNKNOWN}
