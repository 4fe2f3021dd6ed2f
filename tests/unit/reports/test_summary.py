from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.manifest import Accounting, Manifest, UnreadableFile
from monitor.domain.window import Window
from monitor.reports.summary import summarise, worst
from monitor.reports.wording import window_name
from tests.stored import a_policy, an_empty_run


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def table(runs, title):
    found = [item for item in summarise(a_policy(), runs) if title in item.title]
    return found[0].rows if found else ()


def finding(verdict):
    reading = an_empty_run().readings[0]
    return Finding(reading, Limit(None, None), verdict, Reason.WITHIN, "")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.UNKNOWN),
        ([Verdict.OK], Verdict.OK),
        ([Verdict.OK, Verdict.UNKNOWN], Verdict.UNKNOWN),
        ([Verdict.UNKNOWN, Verdict.WARNING], Verdict.WARNING),
        ([Verdict.CRITICAL, Verdict.WARNING], Verdict.CRITICAL),
    ],
)
def test_unknown_is_graver_than_ok_and_no_findings_are_unknown(verdicts, expected):
    assert worst([finding(verdict) for verdict in verdicts]) is expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(utc(2005, 12, 1), utc(2006, 1, 1)), "2005-12"),
        (Window(utc(2005, 12, 1), utc(2005, 12, 2)), "2005-12-01"),
        (Window(utc(2005, 12, 1, 6), utc(2005, 12, 1, 7)), "2005-12-01 06:00"),
    ],
)
def test_a_window_is_named_as_people_name_it(window, expected):
    assert window_name(window) == expected


def test_a_window_without_data_has_its_row_and_its_reason():
    runs = [an_empty_run()]
    (row,) = table(runs, "window by window")
    assert "no_data" in row
    assert any("no_data" in row for row in table(runs, "could not be judged"))
    (sentence,) = table(runs, "in short")[-1]
    assert "could not be judged" in sentence


def test_files_left_out_and_rows_rejected_are_told():
    run = replace(
        an_empty_run(),
        manifest=Manifest(unreadable=(UnreadableFile("torn.parquet", "not_parquet", "no footer"),)),
        accounting=Accounting(read=7, rejected={"no_event_time": 7}),
    )
    rows = table([run], "could not be judged")
    assert any(row[0] == "torn.parquet" and row[-1] == "no footer" for row in rows)
    assert any("7 rows read and not profiled" in row[-1] for row in rows)
