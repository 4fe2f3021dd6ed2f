"""What the audit log says of a change of the store: the change's event, with digests of what it is.

A record names what a result rests on, so that any number can be followed from the log to the files
that were read: run, policy, baselines, files. Names come from logs and files and may hold anything;
what Unicode has no character for is written as an escape.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from monitor.domain.alert import AlertEvent, Mute
from monitor.domain.baseline import Baseline
from monitor.domain.naming import number_text
from monitor.domain.policy import Policy
from monitor.domain.quarantine import QuarantinedFile
from monitor.domain.roll_up import RollUp
from monitor.domain.run import Failure, Run
from monitor.domain.window import Window
from monitor.governance.events import EventType
from monitor.governance.log import Happened
from monitor.governance.permit import Answer
from monitor.governance.record import DAEMON, Actor, AuditEvent, Json


def run_completed(run: Run, revision: int, results: str) -> Happened:
    """Return the event of a revision of a window.

    Args:
        run: The run.
        revision: Its number among those of its window.
        results: Digest of its rows in the store, as the store computes it.
    """
    data: Mapping[str, Json] = {
        "window": _window(run.window),
        "revision": revision,
        "run": run.identity,
        "outcome": run.outcome.value,
        "rows": run.accounting.placed,
        "manifest": run.manifest.digest,
        "baselines": {_plain(each.version): each.baseline for each in run.results},
        "results": results,
        "code": run.code,
    }
    event = AuditEvent(EventType.RUN_COMPLETED, subject_of(run.model), DAEMON, run.policy, data)
    return Happened(run.finished, event)


def run_failed(failure: Failure) -> Happened:
    """Return the event of a run that did not end."""
    data: Mapping[str, Json] = {
        "window": None if failure.window is None else _window(failure.window),
        "error": failure.error,
        "explanation": _plain(failure.explanation),
        "code": failure.code,
    }
    event = AuditEvent(EventType.RUN_FAILED, subject_of(failure.model), data=data)
    return Happened(failure.finished, event)


def policy_activated(policy: Policy, run: Run) -> Happened:
    """Return the event of a run under another policy than the one before."""
    event = AuditEvent(EventType.POLICY_ACTIVATED, subject_of(policy.model), DAEMON, policy.digest)
    return Happened(run.finished, event)


def baseline_registered(baseline: Baseline) -> Happened:
    """Return the event of a baseline that became the current one of its version."""
    data: Mapping[str, Json] = {
        "baseline": baseline.digest,
        "window": _window(baseline.window),
        "rows": baseline.rows,
        "manifest": baseline.manifest.digest,
        "why": _plain(baseline.why),
        "code": baseline.code,
    }
    subject = f"{subject_of(baseline.model)}/version/{_plain(baseline.version)}"
    actor = Actor(_plain(baseline.registered_by), "cli")
    return Happened(
        baseline.registered_at,
        AuditEvent(EventType.BASELINE_REGISTERED, subject, actor, data=data),
    )


def quarantine_changed(
    file: QuarantinedFile, decided: tuple[datetime, Actor] | None = None
) -> Happened:
    """Return the event of a file that came into quarantine, left it, or was decided on.

    Args:
        file: What it is now.
        decided: When and by whom, where somebody has just decided on it; None for what was seen.
    """
    data: Mapping[str, Json] = {
        "path": _plain(file.path),
        "state": file.state.value,
        "reason": file.reason,
        "change": file.change,
        "why": _plain(file.why),
    }
    at, actor = decided or (file.last_tried, DAEMON)
    event = AuditEvent(EventType.QUARANTINE_CHANGED, subject_of(file.model), actor, data=data)
    return Happened(at, event)


def alert_changed(model: str, event: AlertEvent) -> Happened:
    """Return the event of an alert that a run has made, moved on or taken away."""
    data: Mapping[str, Json] = {
        "finding": event.fingerprint,
        "since": _window(event.since),
        "window": _window(event.window),
        "was": None if event.was is None else event.was.value,
        "now": None if event.now is None else event.now.value,
        "severity": event.severity.value,
        "condition": event.condition.value,
    }
    return Happened(event.at, AuditEvent(EventType.ALERT_CHANGED, subject_of(model), data=data))


def alert_muted(mute: Mute, actor: Actor | None = None) -> Happened:
    """Return the event of a person's decision that nobody is called for a while, or is again.

    Args:
        mute: What they decided.
        actor: Who they are, and how that is known; None where a command says so.
    """
    kind = EventType.ALERT_MUTED if mute.until > mute.at else EventType.ALERT_UNMUTED
    data: Mapping[str, Json] = {
        "finding": mute.fingerprint,
        "until": mute.until.isoformat(),
        "why": _plain(mute.why),
    }
    said = actor or Actor(_plain(mute.by), "cli")
    return Happened(mute.at, AuditEvent(kind, subject_of(mute.model), said, data=data))


def answer_changed(answer: Answer, at: datetime) -> Happened:
    """Return the event of an answer of the gate that is another than before."""
    data: Mapping[str, Json] = {
        "action": answer.action.value,
        "state": None if answer.state is None else answer.state.value,
        "conditions": {
            _plain(name): number_text(bound) for name, bound in answer.conditions.items()
        },
        "reasons": [_plain(reason) for reason in answer.reasons],
        "answer": answer.digest,
    }
    subject = f"{subject_of(answer.model)}/version/{_plain(answer.version)}"
    kind = EventType.GATE_ANSWER_CHANGED
    return Happened(at, AuditEvent(kind, subject, DAEMON, answer.policy, data))


def gate_used(
    hour: datetime,
    replica: str,
    at: datetime,
    times: Mapping[str, Mapping[tuple[str, str, str], int]],
) -> Iterator[Happened]:
    """Return an event a model of how often the gate was asked in an hour.

    Args:
        hour: The hour's start.
        replica: Who was asked.
        at: When it was added up.
        times: Model to version, client and action to how often.
    """
    for model, asked in sorted(times.items()):
        found: list[Json] = [
            {"version": _plain(version), "client": _plain(client), "action": action, "times": count}
            for (version, client, action), count in sorted(asked.items())
        ]
        data: Mapping[str, Json] = {"hour": hour.isoformat(), "replica": replica, "asked": found}
        event = AuditEvent(EventType.GATE_USAGE_ROLLUP, subject_of(model), data=data)
        yield Happened(at, event)


class PrunedResult(Struct, frozen=True):
    """A stored result of which something was deleted.

    Attributes:
        window: Its window.
        revision: Its number among those of the window.
        before: Digest of its rows in the store, as `run_completed` has it.
        after: Digest of those that are left.
        kept: What is kept of the readings and findings that went; None when they had gone before.
    """

    window: Window
    revision: int
    before: str
    after: str
    kept: RollUp | None


def store_pruned(
    model: str, at: datetime, by: str, rows: Mapping[str, int], results: Sequence[PrunedResult]
) -> Happened:
    """Return the event of results that were deleted.

    Args:
        model: Whose they were.
        at: When.
        by: Who wanted it; "" for the daemon.
        rows: Table to the number of its rows that went.
        results: What was deleted.
    """
    data: Mapping[str, Json] = {"rows": dict(rows), "results": [_pruned(item) for item in results]}
    actor = Actor(_plain(by), "cli") if by else DAEMON
    return Happened(at, AuditEvent(EventType.STORE_PRUNED, subject_of(model), actor, data=data))


def _pruned(item: PrunedResult) -> Json:
    found: dict[str, Json] = {
        "window": _window(item.window),
        "revision": item.revision,
        "before": item.before,
        "after": item.after,
    }
    if item.kept is not None:
        verdicts: dict[str, Json] = {name.value: n for name, n in item.kept.verdicts.items()}
        found |= {
            "at": item.kept.at.isoformat(),
            "readings": item.kept.readings,
            "verdicts": verdicts,
        }
    return found


def authority_exceeded(  # noqa: PLR0917  # six nouns, each of another type
    run: Run,
    version: str,
    excess: str,
    rows: int,
    last: datetime,
    condition: tuple[str, float] | None = None,
) -> Happened:
    """Return the event of decisions that a version was not allowed to make.

    Args:
        run: The run that found them.
        version: The version.
        excess: How they were outside what was allowed.
        rows: How many.
        last: When the latest of them was made.
        condition: Name and bound of the condition that they were beyond; None for none.
    """
    data: dict[str, Json] = {
        "window": _window(run.window),
        "run": run.identity,
        "reason": excess,
        "decisions": rows,
        "last": last.isoformat(),
    }
    if condition is not None:
        data |= {"condition": _plain(condition[0]), "bound": f"{condition[1]:g}"}
    subject = f"{subject_of(run.model)}/version/{_plain(version)}"
    kind = EventType.AUTHORITY_EXCEEDED
    return Happened(run.finished, AuditEvent(kind, subject, DAEMON, run.policy, data))


def subject_of(name: str) -> str:
    """Return the subject of records about a model as a whole."""
    return f"model/{_plain(name)}"


def _window(window: Window) -> Json:
    return {"start": window.start.isoformat(), "end": window.end.isoformat()}


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
