"""Alerts, what has changed of them and for which nobody is called, as rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import URL, Connection, Engine, RowMapping, insert, select

from monitor.domain.alert import Alert, AlertEvent, AlertState, Condition, Mute
from monitor.domain.finding import Verdict
from monitor.domain.reading import Subject
from monitor.domain.window import Window
from monitor.store.connection import reported
from monitor.store.tables import ALERT_EVENTS, ALERTS, MUTES


class SqlAlerts:
    """What is read of alerts."""

    _url: URL
    _engine: Engine

    def alerts(self, model: str) -> Sequence[Alert]:
        """Return the newest episode of each finding of a model, the newest first window first."""
        with reported(self._url, "reading alerts"), self._engine.connect() as connection:
            return read_alerts(connection, model)

    def episodes(self, model: str, fingerprint: str) -> Sequence[Alert]:
        """Return every episode of a finding, oldest first."""
        return self._alerts((ALERTS.c.model == model) & (ALERTS.c.fingerprint == fingerprint))

    def remembered(self, fingerprint: str) -> Alert | None:
        """Return the newest alert of a finding, which outlives it; None when it never had one."""
        found = self._alerts(ALERTS.c.fingerprint == fingerprint)
        return found[-1] if found else None

    def alert_events(self, model: str, fingerprint: str) -> Sequence[AlertEvent]:
        """Return what runs have changed in what was known of a finding's alerts, oldest first."""
        query = (
            select(ALERT_EVENTS)
            .where(ALERT_EVENTS.c.model == model, ALERT_EVENTS.c.fingerprint == fingerprint)
            .order_by(ALERT_EVENTS.c.number)
        )
        with reported(self._url, "reading alerts"), self._engine.connect() as connection:
            return [_event_of(row) for row in connection.execute(query).mappings()]

    def mutes(self, model: str) -> Mapping[str, Mute]:
        """Return the newest decision of each finding that was ever muted."""
        return {mute.fingerprint: mute for mute in self.decisions(model)}

    def decisions(self, model: str) -> Sequence[Mute]:
        """Return every decision to mute a finding of a model or to end that, oldest first."""
        query = select(MUTES).where(MUTES.c.model == model).order_by(MUTES.c.id)
        with reported(self._url, "reading mutes"), self._engine.connect() as connection:
            return [_mute_of(row) for row in connection.execute(query).mappings()]

    def _alerts(self, which: Any) -> list[Alert]:
        query = select(ALERTS).where(which).order_by(ALERTS.c.since_end, ALERTS.c.fingerprint)
        with reported(self._url, "reading alerts"), self._engine.connect() as connection:
            return [alert_of(row) for row in connection.execute(query).mappings()]


def read_alerts(connection: Connection, model: str) -> Sequence[Alert]:
    """Return the newest episode of each finding of a model, the newest first window first."""
    newest: dict[str, Alert] = {}
    query = select(ALERTS).where(ALERTS.c.model == model)
    for row in connection.execute(
        query.order_by(ALERTS.c.since_end, ALERTS.c.fingerprint)
    ).mappings():
        alert = alert_of(row)
        known = newest.get(alert.fingerprint)
        if known is None or (alert.open, alert.since.end) >= (known.open, known.since.end):
            newest[alert.fingerprint] = alert
    return sorted(newest.values(), key=lambda item: item.since.end, reverse=True)


def write_mute(connection: Connection, mute: Mute) -> None:
    """Write a decision; it takes the place of the one before, which is kept."""
    row = {
        "model": mute.model,
        "fingerprint": mute.fingerprint,
        "decided_at": mute.at,
        "until": mute.until,
        "decided_by": mute.by,
        "why": mute.why,
    }
    connection.execute(insert(MUTES), row)


def alert_row(alert: Alert, schedule: str) -> dict[str, Any]:
    """Return an alert as a row."""
    subject = alert.subject
    return {
        "model": subject.model,
        "schedule": schedule,
        "fingerprint": alert.fingerprint,
        **_bounds("since", alert.since),
        "measure": alert.measure,
        "subject": {name: text for name, text in asdict(subject).items() if text},
        "state": alert.state.value,
        "severity": alert.severity.value,
        "condition": alert.condition.value,
        **_bounds("began", alert.began),
        **_bounds("judged", alert.judged),
        "windows_beyond": alert.beyond,
        "windows_within": alert.within,
        **_bounds("over", alert.over),
        "known_at": alert.known_at,
        "started_at": alert.started_at,
        "ended_at": alert.ended_at,
    }


def alert_of(row: RowMapping) -> Alert:
    """Return the alert of a row."""
    return Alert(
        fingerprint=row["fingerprint"],
        measure=row["measure"],
        subject=Subject(**row["subject"]),
        state=AlertState(row["state"]),
        severity=Verdict(row["severity"]),
        condition=Condition(row["condition"]),
        since=_window(row, "since"),
        began=None if row["began_start"] is None else _window(row, "began"),
        judged=_window(row, "judged"),
        beyond=row["windows_beyond"],
        within=row["windows_within"],
        over=None if row["over_start"] is None else _window(row, "over"),
        known_at=row["known_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


def event_row(event: AlertEvent, model: str, number: int) -> dict[str, Any]:
    """Return what has changed, as a row with its number among all of the model."""
    return {
        "model": model,
        "number": number,
        "fingerprint": event.fingerprint,
        **_bounds("since", event.since),
        "known_at": event.at,
        **_bounds("window", event.window),
        "state_before": None if event.was is None else event.was.value,
        "state_after": None if event.now is None else event.now.value,
        "severity": event.severity.value,
        "condition": event.condition.value,
    }


def _event_of(row: RowMapping) -> AlertEvent:
    before, after = row["state_before"], row["state_after"]
    return AlertEvent(
        fingerprint=row["fingerprint"],
        since=_window(row, "since"),
        at=row["known_at"],
        window=_window(row, "window"),
        was=None if before is None else AlertState(before),
        now=None if after is None else AlertState(after),
        severity=Verdict(row["severity"]),
        condition=Condition(row["condition"]),
    )


def _mute_of(row: RowMapping) -> Mute:
    return Mute(
        model=row["model"],
        fingerprint=row["fingerprint"],
        at=row["decided_at"],
        until=row["until"],
        by=row["decided_by"],
        why=row["why"],
    )


def _bounds(name: str, window: Window | None) -> dict[str, Any]:
    start, end = (None, None) if window is None else (window.start, window.end)
    return {f"{name}_start": start, f"{name}_end": end}


def _window(row: RowMapping, name: str) -> Window:
    return Window(row[f"{name}_start"], row[f"{name}_end"])
