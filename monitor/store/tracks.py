"""What must be known of alerts to go on after a window, as bytes."""

import json
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import asdict

from monitor.alerts.life import Judged, LifeRules, Track, Tracks
from monitor.domain.alarm import AlarmRule
from monitor.domain.alert import Alert, AlertState, Condition
from monitor.domain.finding import Verdict
from monitor.domain.reading import Subject
from monitor.domain.window import Window

_Document = dict[str, Any]


def tracks_to_bytes(tracks: Tracks) -> bytes:
    """Return tracks as compressed JSON, without the instants at which something became known."""
    document = {name: _track_document(track) for name, track in sorted(tracks.items())}
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"))


def tracks_from_bytes(data: bytes) -> Tracks:
    """Return what `tracks_to_bytes` was given."""
    document: Mapping[str, _Document] = json.loads(zlib.decompress(data))
    return {name: _track(name, item) for name, item in document.items()}


def rules_document(rules: LifeRules) -> _Document:
    """Return rules as JSON."""
    return {
        "usual": _rule_document(rules.usual),
        "of_disparities": _rule_document(rules.of_disparities),
        "longest": rules.longest.total_seconds(),
    }


def rules_of(document: _Document) -> LifeRules:
    """Return what `rules_document` was given."""
    return LifeRules(
        AlarmRule(**document["usual"]),
        AlarmRule(**document["of_disparities"]),
        timedelta(seconds=document["longest"]),
    )


def _rule_document(rule: AlarmRule) -> _Document:
    return {"needed": rule.needed, "of": rule.of, "keep": rule.keep}


def _track_document(track: Track) -> _Document:
    return {
        "judged": [
            [item.begin.isoformat(), _pair(item.window), item.verdict.value]
            for item in track.judged
        ],
        "terms": track.terms,
        "alert": None if track.alert is None else _alert_document(track.alert),
    }


def _track(name: str, document: _Document) -> Track:
    return Track(
        judged=tuple(
            Judged(datetime.fromisoformat(begin), _window(pair), Verdict(verdict))
            for begin, pair, verdict in document["judged"]
        ),
        terms=document["terms"],
        alert=None if document["alert"] is None else _alert(name, document["alert"]),
    )


def _alert_document(alert: Alert) -> _Document:
    return {
        "measure": alert.measure,
        "subject": {name: text for name, text in asdict(alert.subject).items() if text},
        "state": alert.state.value,
        "severity": alert.severity.value,
        "condition": alert.condition.value,
        "since": _pair(alert.since),
        "began": None if alert.began is None else _pair(alert.began),
        "judged": _pair(alert.judged),
        "beyond": alert.beyond,
        "within": alert.within,
    }


def _alert(name: str, document: _Document) -> Alert:
    return Alert(
        fingerprint=name,
        measure=document["measure"],
        subject=Subject(**document["subject"]),
        state=AlertState(document["state"]),
        severity=Verdict(document["severity"]),
        condition=Condition(document["condition"]),
        since=_window(document["since"]),
        began=None if document["began"] is None else _window(document["began"]),
        judged=_window(document["judged"]),
        beyond=document["beyond"],
        within=document["within"],
    )


def _pair(window: Window) -> list[str]:
    return [window.start.isoformat(), window.end.isoformat()]


def _window(pair: list[str]) -> Window:
    start, end = map(datetime.fromisoformat, pair)
    return Window(start, end)
