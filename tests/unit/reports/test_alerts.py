from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from monitor.domain.alert import Alert, AlertState, Condition
from monitor.domain.finding import Verdict
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.reading import Subject
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.engine.snapshot import ModelSnapshot, RunCounts
from monitor.reports.alerts import Shown, alert_line, alert_table, open_alerts
from tests.stored import a_window

POLICY = Policy(
    "credit",
    SourceSpec("log", "at"),
    (),
    None,
    None,
    {},
    (),
    Schedule(CalendarUnit.DAY),
    {},
    Band(),
)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def shown(subject, policy=POLICY):
    alert = Alert(
        "ab" * 8,
        "psi",
        subject,
        AlertState.FIRING,
        Verdict.CRITICAL,
        Condition.JUDGED,
        since=a_window(0),
        began=None,
        judged=a_window(0),
        beyond=1,
        within=0,
    )
    return Shown(policy, alert, None, NOW)


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({}, "income"),
        ({"segment": "channel", "segment_value": "web"}, "income of channel: web"),
        ({"segment": "channel", "segment_value": ""}, "income of channel: (empty)"),
        (
            {"segment": "channel", "segment_value": "web", "reference": "branch"},
            "income of channel: web (against branch)",
        ),
    ],
)
def test_alerts_of_slices_and_of_versions_are_told_apart(parts, what):
    item = shown(Subject("credit", "2", "income", **parts))
    ((_, told, *_),) = alert_table([item]).rows
    assert (told, alert_line(item).what) == (what, what)
    with_versions = replace(POLICY, source=SourceSpec("log", "at", version="model_version"))
    item = shown(item.alert.subject, with_versions)
    assert alert_line(item).what == f"{what} (version 2)"


def test_the_most_urgent_alerts_come_first_wherever_they_are_listed():
    """A page has so many lines: a critical alert of a slice must not follow what may wait."""
    whole = shown(Subject("credit", "", "income"))
    slice_ = shown(Subject("credit", "", "income", segment="channel", segment_value="web"))
    ordered = [
        of(item, state, severity)
        for state in (AlertState.FIRING, AlertState.PENDING)
        for severity in (Verdict.CRITICAL, Verdict.WARNING)
        for item in (whole, slice_)
    ] + [of(slice_, AlertState.RESOLVED, Verdict.CRITICAL)]
    expected = [(item.what, item.alert.state.value) for item in ordered]
    for listed in (ordered, ordered[::-1]):
        rows = alert_table(listed).rows
        assert [(row[1], row[3]) for row in rows] == expected
        assert [row[4] for row in rows] == [
            *("critical", "critical", "warning", "warning") * 2,
            "–",
        ]
    shot = ModelSnapshot(
        POLICY,
        {},
        None,
        RunCounts(0, 0, {}, None, None),
        alerts=tuple(item.alert for item in ordered[::-1]),
    )
    assert [item.alert for item in open_alerts(shot, NOW)] == [item.alert for item in ordered[:-1]]


def of(item, state, severity):
    return replace(item, alert=replace(item.alert, state=state, severity=severity))
