"""Whether what was found in several windows is an alarm."""

from collections.abc import Iterable, Mapping, Sequence

from monitor.domain.alarm import Alarm, AlarmRule, AlarmState
from monitor.domain.finding import Finding, Verdict

_BEYOND = frozenset({Verdict.WARNING, Verdict.CRITICAL})

Verdicts = Mapping[str, Verdict]
"""The verdicts of one window, by fingerprint."""

Reach = Mapping[str, int]
"""How many of the last windows a verdict of one window rests on, by fingerprint; 1 if absent."""


def verdicts_of(findings: Iterable[Finding]) -> Verdicts:
    """Return the verdicts of a window's findings by fingerprint."""
    return {finding.fingerprint: finding.verdict for finding in findings}


def alarm_of(verdicts: Iterable[Verdict], rule: AlarmRule) -> Alarm:
    """Return what the verdicts on one fingerprint amount to.

    Unknown windows are passed over: they neither count nor clear. A critical verdict is an alarm
    at once; warnings are one when enough of the last judged windows were beyond a limit.

    Args:
        verdicts: In the order of the windows, the last one last.
        rule: How many of how many.
    """
    judged = [verdict for verdict in verdicts if verdict is not Verdict.UNKNOWN][-rule.of :]
    beyond = sum(verdict in _BEYOND for verdict in judged)
    if not judged:
        state = AlarmState.UNKNOWN
    elif judged[-1] is Verdict.CRITICAL:
        state = AlarmState.CRITICAL
    elif beyond >= rule.needed:
        state = AlarmState.WARNING
    elif judged[-1] is Verdict.WARNING:
        state = AlarmState.PENDING
    else:
        state = AlarmState.NONE
    return Alarm(state, beyond, len(judged), rule.needed)


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
    past: dict[str, list[_Judged]] = {}
    alarms: list[dict[str, Alarm]] = []
    for place, verdicts in enumerate(windows):
        longer = reach[place] if reach else {}
        for fingerprint, verdict in verdicts.items():
            judged = past.setdefault(fingerprint, [])
            if verdict is not Verdict.UNKNOWN:
                judged.append((place - longer.get(fingerprint, 1) + 1, place, verdict))
        alarms.append({name: alarm_of(_apart(past[name], rule.of), rule) for name in verdicts})
    return tuple(alarms)


_Judged = tuple[int, int, Verdict]
"""The first and the last window that a verdict rests on, by their places, and the verdict."""


def _apart(judged: Sequence[_Judged], most: int) -> list[Verdict]:
    """Return the last verdicts that have no window in common, in the order of the windows."""
    found: list[Verdict] = []
    first: float = float("inf")
    for begin, place, verdict in reversed(judged):
        if place < first:
            found.append(verdict)
            first = begin
        if len(found) == most:
            break
    return found[::-1]
