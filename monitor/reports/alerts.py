"""Alerts as tables and as documents."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from monitor.domain.alert import Alert, AlertEvent, AlertState, Condition, Mute
from monitor.domain.finding import Verdict
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.engine.snapshot import ModelSnapshot
from monitor.reports.table import Table
from monitor.reports.wording import about_slice, window_name

_ORDER = (AlertState.FIRING, AlertState.PENDING, AlertState.ENDED, AlertState.RESOLVED)

_CONDITIONS = {Condition.UNKNOWN: "unknown since", Condition.NO_DATA: "no data since"}


class Shown(Struct, frozen=True):
    """An alert, with what is needed to tell of it.

    Attributes:
        policy: Of its model.
        alert: The alert.
        mute: The newest decision on its finding; None when there is none.
        now: The present.
    """

    policy: Policy
    alert: Alert
    mute: Mute | None
    now: datetime

    @property
    def what(self) -> str:
        """Return what was measured, of which slice and, where the log names versions, of which one."""
        subject = self.alert.subject
        named = self.policy.source.version and subject.version
        version = f" (version {subject.version})" if named else ""
        return f"{about_slice(self.policy, self.alert.measure, subject)}{version}"

    @property
    def muted(self) -> Mute | None:
        """Return the mute that holds now."""
        return self.mute if self.mute is not None and self.mute.holds(self.now) else None


class AlertLine(Struct, frozen=True):
    """An alert as one line of a page.

    Attributes:
        fingerprint: Of its finding.
        what: What was measured on what.
        measure: By which measure.
        state: Where it is in its life; with its severity while it is open.
        fires_since: When it began to fire.
        over_since: When it was resolved or ended.
        windows: How many windows were beyond the limit and within it, and since when nobody knows.
        first: Name of the first window beyond the limit.
        muted: Until when nobody is called, who decided it and why.
    """

    fingerprint: str
    what: str
    measure: str
    state: str
    fires_since: str
    over_since: str
    windows: str
    first: str
    muted: str


def alert_line(item: Shown) -> AlertLine:
    """Return an alert as one line of a page."""
    alert = item.alert
    state = f"{alert.state.value}, {alert.severity.value}" if alert.open else alert.state.value
    return AlertLine(
        fingerprint=alert.fingerprint,
        what=item.what,
        measure=alert.measure,
        state=state,
        fires_since=_instant(alert.started_at),
        over_since=_instant(alert.ended_at),
        windows=_course(alert),
        first=window_name(alert.since),
        muted=_muted(item.muted),
    )


def open_alerts(shot: ModelSnapshot, now: datetime) -> list[Shown]:
    """Return the open alerts of a model, the most urgent first."""
    shown = [
        Shown(shot.policy, alert, shot.mutes.get(alert.fingerprint), now)
        for alert in shot.alerts
        if alert.open
    ]
    return sorted(shown, key=_urgency)


def _urgency(item: Shown) -> tuple[int, bool, bool]:
    """Return the place of an alert: those that fire, the critical among them, and of no slice first."""
    alert = item.alert
    critical = alert.open and alert.severity is Verdict.CRITICAL
    return _ORDER.index(alert.state), not critical, alert.subject.scanned


def alert_table(shown: Iterable[Shown]) -> Table:
    """Return a table of alerts, the most urgent first."""
    rows = [
        (
            item.policy.model,
            item.what,
            item.alert.measure,
            item.alert.state.value,
            item.alert.severity.value if item.alert.open else "–",
            _course(item.alert),
            window_name(item.alert.since),
            _instant(item.alert.started_at),
            _instant(item.alert.ended_at),
            _muted(item.muted),
            item.alert.fingerprint,
        )
        for item in sorted(shown, key=_urgency)
    ]
    columns = ("model", "what", "measure", "state", "severity", "windows")
    rest = ("first window", "fires since", "over since", "muted", "finding")
    return Table("Alerts", (*columns, *rest), tuple(rows))


def event_table(events: Iterable[AlertEvent]) -> Table:
    """Return a table of what was known when."""
    rows = [
        (
            _instant(event.at),
            window_name(event.window),
            "–" if event.was is None else event.was.value,
            "taken back" if event.now is None else event.now.value,
            event.severity.value,
            event.condition.value.replace("_", " "),
            window_name(event.since),
        )
        for event in events
    ]
    columns = ("known at", "told by window", "was", "now", "severity", "window says")
    return Table("What was known when", (*columns, "first window"), tuple(rows))


def alert_document(item: Shown) -> dict[str, Any]:
    """Return an alert for machines, with the mute that holds now."""
    alert = item.alert
    return {
        "finding": alert.fingerprint,
        "measure": alert.measure,
        **{name: text for name, text in asdict(alert.subject).items() if text},
        "state": alert.state.value,
        "severity": alert.severity.value,
        "condition": alert.condition.value,
        "since": _window(alert.since),
        "began": _window(alert.began),
        "judged": _window(alert.judged),
        "over": _window(alert.over),
        "windows_beyond": alert.beyond,
        "windows_within": alert.within,
        "known_at": _iso(alert.known_at),
        "started_at": _iso(alert.started_at),
        "ended_at": _iso(alert.ended_at),
        "muted": None if item.muted is None else _mute_document(item.muted),
    }


def event_document(event: AlertEvent) -> dict[str, Any]:
    """Return what was known when, for machines."""
    return {
        "known_at": _iso(event.at),
        "window": _window(event.window),
        "was": event.was,
        "now": event.now,
        "severity": event.severity.value,
        "condition": event.condition.value,
        "since": _window(event.since),
    }


def _mute_document(mute: Mute) -> dict[str, Any]:
    return {"at": _iso(mute.at), "until": _iso(mute.until), "by": mute.by, "why": mute.why}


def _course(alert: Alert) -> str:
    told = f"{alert.beyond} beyond, {alert.within} within"
    since = _CONDITIONS.get(alert.condition)
    return f"{told}; {since} {window_name(alert.judged)}" if since and alert.open else told


def _muted(mute: Mute | None) -> str:
    return "–" if mute is None else f"until {mute.until:%Y-%m-%d %H:%M}Z, {mute.by}: {mute.why}"


def _window(window: Window | None) -> dict[str, str] | None:
    if window is None:
        return None
    return {"start": window.start.isoformat(), "end": window.end.isoformat()}


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _instant(instant: datetime | None) -> str:
    return "–" if instant is None else f"{instant:%Y-%m-%d %H:%M}Z"
