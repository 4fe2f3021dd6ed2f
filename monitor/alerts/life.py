"""The life of alerts: what each window makes of them, and what a run changes in what is known."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.alerts.persistence import BEYOND, alarm_of, apart
from monitor.domain.alarm import AlarmRule, AlarmState
from monitor.domain.alert import Alert, AlertEvent, AlertState, Condition
from monitor.domain.finding import Verdict
from monitor.domain.reading import Subject
from monitor.domain.window import Window


class LifeRules(Struct, frozen=True):
    """What was in force when a window was judged.

    Attributes:
        usual: When findings become alarms, and how long alarms are kept.
        of_disparities: The same for disparities.
        longest: The longest stretch of time that a verdict on a disparity may rest on.
    """

    usual: AlarmRule
    of_disparities: AlarmRule
    longest: timedelta


class Told(Struct, frozen=True):
    """What a window says on one fingerprint.

    Attributes:
        verdict: The verdict.
        measure: The measure.
        subject: What it was measured on.
        since: Where the rows of a verdict on a disparity begin; None for any other.
    """

    verdict: Verdict
    measure: str
    subject: Subject
    since: datetime | None = None


class WindowTold(Struct, frozen=True):
    """What a window says.

    Attributes:
        window: The window.
        found: What it says on each fingerprint that was judged in it.
        terms: Each version that had rows, and "" when the log had any, to the policy and baseline
            it was judged by.
    """

    window: Window
    found: Mapping[str, Told]
    terms: Mapping[str, str]


class Judged(Struct, frozen=True):
    """A verdict that may still count.

    Attributes:
        begin: Where its rows begin.
        window: The window it is of.
        verdict: The verdict.
    """

    begin: datetime
    window: Window
    verdict: Verdict


class Track(Struct, frozen=True):
    """What must be known of a fingerprint to go on with the next window.

    Attributes:
        judged: The last verdicts, as far back as they may count.
        terms: The policy and baseline that it was last judged by.
        alert: The open alert; None when there is none.
    """

    judged: tuple[Judged, ...] = ()
    terms: str = ""
    alert: Alert | None = None


Tracks = Mapping[str, Track]
"""What must be known to go on, by fingerprint; one of which nothing counts is left out."""


class Advanced(Struct, frozen=True):
    """Alerts as of a window.

    Attributes:
        tracks: What must be known to go on with the next window.
        over: The alerts that were open before it, or began with it, and are over.
    """

    tracks: Tracks
    over: tuple[Alert, ...] = ()


def advance(before: Tracks, told: WindowTold, rules: LifeRules) -> Advanced:
    """Return what a window makes of the alerts before it.

    | the window says             | not open         | pending   | firing                        |
    |-----------------------------|------------------|-----------|-------------------------------|
    | critical, or enough windows | fires            | fires     | the same                      |
    | warning                     | pending          | the same  | the same                      |
    | ok                          | –                | resolved  | resolved after ``keep`` of it |
    | unknown                     | –                | unknown   | unknown                       |
    | no rows                     | –                | no data   | no data                       |
    | no longer judged            | –                | ended     | ended                         |

    Unknown, and no data, are conditions beside the state and leave it as it is. No longer judged
    is what had rows to be judged by, under another policy or baseline than before, and was not.

    Args:
        before: As of the window before.
        told: What the window says.
        rules: What was in force when it was judged.
    """
    tracks: dict[str, Track] = {}
    over: list[Alert] = []
    for name in sorted({*before, *told.found}):
        track = before.get(name, Track())
        here = told.found.get(name)
        after = _silent(track, told) if here is None else _spoken(name, track, here, told, rules)
        if after.alert is not None and not after.alert.open:
            over.append(after.alert)
            after = replace(after, alert=None)
        if after.alert is not None or any(item.verdict in BEYOND for item in after.judged):
            tracks[name] = after
    return Advanced(tracks, tuple(over))


def _silent(track: Track, told: WindowTold) -> Track:
    alert, version = track.alert, "" if track.alert is None else track.alert.subject.version
    if alert is None:
        return track
    terms = told.terms.get(version)
    if terms is None or terms == track.terms:
        return replace(track, alert=replace(alert, condition=Condition.NO_DATA))
    ended = replace(alert, state=AlertState.ENDED, over=told.window)
    return Track(alert=ended)


def _spoken(name: str, track: Track, here: Told, told: WindowTold, rules: LifeRules) -> Track:
    terms = told.terms.get(here.subject.version, "")
    if here.verdict is Verdict.UNKNOWN:
        alert = track.alert and replace(track.alert, condition=Condition.UNKNOWN)
        return replace(track, terms=terms, alert=alert)
    rule = rules.usual if here.since is None else rules.of_disparities
    begin = told.window.start if here.since is None else here.since
    verdicts = (*track.judged, Judged(begin, told.window, here.verdict))
    most = max(rule.of, rule.keep)
    known = apart([(item.begin, item.window.end, item.verdict) for item in verdicts], most)
    called = track.alert is not None and track.alert.firing
    held = AlarmState(track.alert.severity.value) if track.alert and called else AlarmState.NONE
    state = alarm_of(known, rule, held).state
    alert = _judged(name, track.alert, state, here, told.window)
    longest = timedelta(0) if here.since is None else rules.longest
    return Track(_still_counting(verdicts, most, longest), terms, alert)


def _judged(
    name: str, alert: Alert | None, alarm: AlarmState, here: Told, window: Window
) -> Alert | None:
    firing = alarm in {AlarmState.WARNING, AlarmState.CRITICAL}
    if alert is None and not (firing or alarm is AlarmState.PENDING):
        return None
    beyond = here.verdict in BEYOND
    since = window if alert is None else alert.since
    began = None if alert is None else alert.began
    severity = Verdict(alarm.value) if firing else Verdict.WARNING
    state = AlertState.FIRING if firing else AlertState.PENDING
    over = None
    if alarm is AlarmState.NONE and alert is not None:
        state, severity, over = AlertState.RESOLVED, alert.severity, window
    return Alert(
        fingerprint=name,
        measure=here.measure,
        subject=here.subject,
        state=state,
        severity=severity,
        condition=Condition.JUDGED,
        since=since,
        began=(began or window) if firing else began,
        judged=window,
        beyond=(0 if alert is None else alert.beyond) + beyond,
        within=(0 if alert is None else alert.within) + (not beyond),
        over=over,
    )


def _still_counting(judged: Sequence[Judged], most: int, longest: timedelta) -> tuple[Judged, ...]:
    """Return the verdicts that may count for a later window.

    Each verdict that counts is taken to rest on as much as any may, so that none is left out which
    might be reached.
    """
    place = len(judged) - 1
    for _ in range(most - 1 if longest else 0):
        begin = judged[place].window.end - longest
        while place > 0 and judged[place].window.end > begin:
            place -= 1
    return tuple(judged[place if longest else max(0, len(judged) - most) :])


class Reconciled(Struct, frozen=True):
    """Alerts with what is known of when they became known, and what changed in what is known."""

    alerts: tuple[Alert, ...] = ()
    events: tuple[AlertEvent, ...] = field(default=())


def reconcile(
    known: Iterable[Alert], alerts: Iterable[Alert], window: Window, now: datetime
) -> Reconciled:
    """Return alerts with the instants of those that were known, and what has changed.

    An alert is one that was known when they have a window in common. So it keeps the instant at
    which it began to fire though a revision has moved its first window; if it now fires though it
    was known as over, it has never been over.

    Args:
        known: The alerts of some windows, as they were known.
        alerts: The alerts of the same windows, as they are.
        window: The window whose run it is that told.
        now: When.
    """
    before: dict[str, list[Alert]] = {}
    for alert in sorted(known, key=lambda item: item.since):
        before.setdefault(alert.fingerprint, []).append(alert)
    found: list[Alert] = []
    events: list[AlertEvent] = []
    for alert in sorted(alerts, key=lambda item: (item.fingerprint, item.since)):
        others = before.get(alert.fingerprint, [])
        same = [item for item in others if _meet(item, alert)]
        found.append(_dated(alert, same, now))
        if same:
            others.remove(same[0])
        if not same or _shown(same[0]) != _shown(alert):
            was = same[0].state if same else None
            events.append(_event(alert, now, window, was, alert.state))
    gone = [item for others in before.values() for item in others]
    events += [_event(item, now, window, item.state, None) for item in gone]
    return Reconciled(tuple(found), tuple(events))


def _event(
    alert: Alert, at: datetime, window: Window, was: AlertState | None, now: AlertState | None
) -> AlertEvent:
    severity, condition = alert.severity, alert.condition
    return AlertEvent(alert.fingerprint, alert.since, at, window, was, now, severity, condition)


def _shown(alert: Alert) -> tuple[object, ...]:
    return alert.since, alert.state, alert.severity, alert.condition


def _meet(one: Alert, other: Alert) -> bool:
    return all(
        first.over is None or second.since.start <= first.over.start
        for first, second in ((one, other), (other, one))
    )


def _dated(alert: Alert, same: Sequence[Alert], now: datetime) -> Alert:
    began = [item.started_at for item in same if item.started_at is not None]
    ended = [item.ended_at for item in same if item.over == alert.over and item.ended_at]
    return replace(
        alert,
        known_at=min((item.known_at for item in same if item.known_at), default=now),
        started_at=min(began, default=now) if alert.began else None,
        ended_at=None if alert.open else min(ended, default=now),
    )
