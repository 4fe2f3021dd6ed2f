from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.domain.alarm import Alarm, AlarmState, Detection
from monitor.domain.finding import Evidence, Finding, Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.manifest import Accounting, Manifest, UnreadableFile
from monitor.domain.window import Window
from monitor.engine.alarms import ModelAlarms
from monitor.reports.summary import summarise, worst
from monitor.reports.wording import limit_text, window_name
from tests.stored import a_policy, a_run, an_empty_run


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def table(runs, title):
    found = [item for item in summarise(a_policy(), runs) if title in item.title]
    return found[0].rows if found else ()


def unprofiled():
    run = a_run(versions=("1",))
    return replace(run, results=(replace(run.results[0], profile=b""),))


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


@pytest.mark.parametrize(
    ("alarm", "told"),
    [
        (Alarm(AlarmState.PENDING, 1, 3), "1 of 2 windows so far"),
        (Alarm(AlarmState.WARNING, 2, 3), "warning, 2 of 3"),
        (Alarm(AlarmState.CRITICAL, 1, 1), "critical"),
    ],
)
def test_a_finding_says_what_it_amounts_to(alarm, told):
    run = unprofiled()
    found = run.results[0].findings[1]
    alarms = ModelAlarms(found={run.window: {found.fingerprint: alarm}})
    tables = summarise(a_policy(), [run], alarms)
    (changes,) = [item for item in tables if "What changed" in item.title]
    assert changes.columns[-2:] == ("alarm", "finding")
    assert [row[-2:] for row in changes.rows] == [(told, found.fingerprint[:8])]


def test_limits_that_the_baseline_itself_reaches_are_told_with_what_is_tolerated():
    run = unprofiled()
    found = run.results[0].findings[1]
    raised = {Verdict.WARNING: Evidence(0.183, 0.183, 60, 0.0, 0.0, 9)}
    assert limit_text(replace(found, evidence=raised)) == "0.1 (here 0.18) / 0.25"


def test_the_detector_is_told_where_it_calls():
    run = unprofiled()
    alarms = ModelAlarms(detections={run.window: Detection(400.0, 365.2)})
    sentences = [row[0] for row in summarise(a_policy(), [run], alarms)[0].rows]
    assert any("the detector calls" in item and "400" in item for item in sentences)
