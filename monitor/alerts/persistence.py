"""Whether what was found in several windows is an alarm."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from monitor.domain.alarm import Alarm, AlarmRule, AlarmState
from monitor.domain.finding import Finding, Verdict

_BEYOND = frozenset({Verdict.WARNING, Verdict.CRITICAL})

Verdicts = Mapping[str, Verdict]
"""The verdicts of one window, by fingerprint."""


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
    return Alarm(state, beyond, len(judged))


def alarms_over(windows: Sequence[Verdicts], rule: AlarmRule) -> tuple[Mapping[str, Alarm], ...]:
    """Return the alarms as of each window, for the fingerprints that were found in it.

    Args:
        windows: The verdicts of each window, in the order of the windows.
        rule: When findings become alarms.
    """
    past: dict[str, deque[Verdict]] = {}
    alarms: list[dict[str, Alarm]] = []
    for verdicts in windows:
        for fingerprint, verdict in verdicts.items():
            judged = past.setdefault(fingerprint, deque(maxlen=rule.of))
            if verdict is not Verdict.UNKNOWN:
                judged.append(verdict)
        alarms.append({name: alarm_of(past[name], rule) for name in verdicts})
    return tuple(alarms)
