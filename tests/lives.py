"""Runs whose verdicts are told by letters, for tests of the life of alerts."""

from datetime import timedelta

from msgspec.structs import replace

from monitor.domain.disparity import STRETCH_DAYS, STRETCH_WINDOWS
from monitor.domain.finding import Verdict
from tests.stored import a_policy, a_run, an_empty_run

VERDICTS = {"o": Verdict.OK, "w": Verdict.WARNING, "c": Verdict.CRITICAL, "u": Verdict.UNKNOWN}
_PSI, _RATIO = a_run(versions=("1",)).results[0].findings[1:3]
PSI, RATIO = _PSI.fingerprint, _RATIO.fingerprint
NO_ROWS = ""
"""What a window without rows says."""

NO_VERSION = "?"
"""What a window says in which another version had all the rows."""


def told(day, letters, *, policy="policy-1", days=1, at=None, number=0):
    """Return a day's run that says on psi and on a disparity what two letters say.

    Args:
        day: The day.
        letters: Of each the verdict; "-" for one that was not judged.
        policy: Digest of the policy.
        days: How many days the verdict on the disparity rests on.
        at: When the run ended, in days after the last window that the tests have.
        number: Tells this run from others that say the same.
    """
    run = an_empty_run(day) if letters == NO_ROWS else a_run(day, versions=("1",))
    results = () if letters in {NO_ROWS, NO_VERSION} else (_result(run.results[0], letters, days),)
    identity = f"{day} {letters} {policy} {days} {number}"
    finished = run.finished if at is None else run.window.end + timedelta(days=100 + at)
    return replace(run, results=results, identity=identity, policy=policy, finished=finished)


def policy_of(run, **parts):
    """Return the policy that a run was made under."""
    return replace(a_policy(run.policy), **parts)


def known(alert):
    """Return an alert without the instants at which it became known."""
    return replace(alert, known_at=None, started_at=None, ended_at=None)


def _result(result, letters, days):
    detail = {} if days == 1 else {STRETCH_WINDOWS: float(days), STRETCH_DAYS: float(days)}
    stretched = replace(_RATIO.reading, result=replace(_RATIO.reading.result, detail=detail))
    findings = [_PSI, replace(_RATIO, reading=stretched)]
    readings = [stretched if item == _RATIO.reading else item for item in result.readings]
    judged = [
        replace(finding, verdict=VERDICTS[letter])
        for finding, letter in zip(findings, letters, strict=True)
        if letter != "-"
    ]
    return replace(result, readings=tuple(readings), findings=tuple(judged))
