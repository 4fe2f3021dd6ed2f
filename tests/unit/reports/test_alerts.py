from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from monitor.domain.alert import Alert, AlertState, Condition
from monitor.domain.finding import Verdict
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.reading import Subject
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.reports.alerts import Shown, alert_line, alert_table
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
