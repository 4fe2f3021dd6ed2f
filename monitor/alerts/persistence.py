"""Whether what was found in several windows is an alarm."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from monitor.domain.alarm import Alarm, AlarmRule, AlarmState
from monitor.domain.finding import Finding, Verdict

BEYOND = frozenset({Verdict.WARNING, Verdict.CRITICAL})
"""Verdicts that say that a limit is exceeded."""

CALLING = frozenset({AlarmState.WARNING, AlarmState.CRITICAL})
"""States in which somebody is called."""

_Place = TypeVar("_Place", int, datetime)

Verdicts = Mapping[str, Verdict]
"""The verdicts of one window, by fingerprint."""

Reach = Mapping[str, int]
"""How many of the last windows a verdict of one window rests on, by fingerprint; 1 if absent."""


def verdicts_of(findings: Iterable[Finding]) -> Verdicts:
    """Return the verdicts of a window's findings by fingerprint."""
    return {finding.fingerprint: finding.verdict for finding in findings}


def alarm_of(
    verdicts: Iterable[Verdict], rule: AlarmRule, before: AlarmState = AlarmState.NONE
) -> Alarm:
    """Return what the verdicts on one fingerprint amount to.

    Unknown windows are passed over: they neither count nor clear. A critical verdict is an alarm
    at once; warnings are one when enough of the last judged windows were beyond a limit. What
    was an alarm stays one until as many of the last judged windows as the rule says, without a
    break, were within their limit.

    Args:
        verdicts: In the order of the windows, the last one last.
        rule: How many of how many, and how long an alarm is kept.
        before: What they amounted to as of the judged window before the last one.
    """
    known = [verdict for verdict in verdicts if verdict is not Verdict.UNKNOWN]
    judged = known[-rule.of :]
    beyond = sum(verdict in BEYOND for verdict in judged)
    return Alarm(_state(known, beyond, rule, before), beyond, len(judged), rule.needed)


def _state(
    known: Sequence[Verdict], beyond: int, rule: AlarmRule, before: AlarmState
) -> AlarmState:
    if not known:
        return AlarmState.UNKNOWN
    if known[-1] is Verdict.CRITICAL:
        return AlarmState.CRITICAL
    if beyond >= rule.needed:
        return AlarmState.WARNING
    if before in CALLING and not _clear(known, rule.keep):
        return before if known[-1] is Verdict.OK else AlarmState.WARNING
    return AlarmState.PENDING if known[-1] is Verdict.WARNING else AlarmState.NONE


def _clear(known: Sequence[Verdict], keep: int) -> bool:
    """Return whether the last so many windows were within their limit; fewer are not enough."""
    last = known[-keep:]
    return len(last) == keep and all(verdict is Verdict.OK for verdict in last)


def alarms_over(
    windows: Sequence[Verdicts], rule: AlarmRule, reach: Sequence[Reach] = ()
) -> tuple[Mapping[str, Alarm], ...]:
    """Return the alarms as of each window, for the fingerprints that were found in it.

    A verdict that rests on several windows counts once for all of them: back from each window, the
    next verdict that counts is the last one that shares no window with it. So it depends on the
    windows before and not on the first one that is looked at.

    Args:
        windows: The verdicts of each window, in the order of the windows.
        rule: When findings become alarms.
        reach: For each window, the verdicts that rest on more windows than it.
    """
    past: dict[str, list[tuple[int, int, Verdict]]] = {}
    before: dict[str, AlarmState] = {}
    alarms: list[dict[str, Alarm]] = []
    for place, verdicts in enumerate(windows):
        longer = reach[place] if reach else {}
        found: dict[str, Alarm] = {}
        for name, verdict in verdicts.items():
            judged = past.setdefault(name, [])
            if verdict is not Verdict.UNKNOWN:
                judged.append((place - longer.get(name, 1) + 1, place + 1, verdict))
            counted = apart(judged, max(rule.of, rule.keep))
            found[name] = alarm_of(counted, rule, before.get(name, AlarmState.NONE))
            before[name] = found[name].state
        alarms.append(found)
    return tuple(alarms)


def apart(judged: Sequence[tuple[_Place, _Place, Verdict]], most: int) -> list[Verdict]:
    """Return the last verdicts that share no window, in the order of the windows.

    Args:
        judged: Begin and end of what each verdict rests on, and the verdict; by their ends.
        most: How many at the most.
    """
    found: list[Verdict] = []
    first: _Place | None = None
    for begin, end, verdict in reversed(judged):
        if first is None or end <= first:
            found.append(verdict)
            first = begin
        if len(found) == most:
            break
    return found[::-1]
