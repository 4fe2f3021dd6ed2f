"""Which version was allowed to act at an instant, as people and programs read it."""

from collections.abc import Mapping
from typing import Any

from monitor.engine.allowed import Allowed, AuthorityAt
from monitor.reports.table import Table

_DIGITS = 12


def authority_table(found: AuthorityAt) -> Table:
    """Return what the versions of a model were allowed, a row each."""
    title = f"{found.model} at {found.at.isoformat()}"
    rows = [_row(version, allowed) for version, allowed in found.versions.items()]
    columns = ("version", "told", "since", "stood", "policy", "approved by")
    return Table(title, columns, tuple(rows), note=_note(found))


def authority_document(found: AuthorityAt) -> dict[str, Any]:
    """Return the same for programs."""
    since = found.recorded_since
    return {
        "model": found.model,
        "at": found.at.isoformat(),
        "recorded_since": None if since is None else since.isoformat(),
        "versions": {version: _document(allowed) for version, allowed in found.versions.items()},
    }


def _note(found: AuthorityAt) -> str:
    since = found.recorded_since
    if since is None:
        return "nothing was ever recorded of what its versions are allowed: no daemon kept its gate"
    if found.at < since:
        return f"nothing is known of this instant: it is recorded since {since.isoformat()}"
    return "" if found.versions else "no version was known then"


def _row(version: str, allowed: Allowed) -> tuple[str, ...]:
    answer, approval = allowed.answered.answer, allowed.approval
    within = ", ".join(f"{name} {bound:g}" for name, bound in answer.conditions.items())
    people = [] if approval is None else [f"{vote.person} ({vote.role})" for vote in approval.votes]
    return (
        version,
        f"{answer.action}: {within}" if within else answer.action.value,
        allowed.answered.at.isoformat(timespec="seconds"),
        "unknown" if answer.state is None else answer.state.value,
        answer.policy[:_DIGITS],
        ", ".join(people) or "nobody",
    )


def _document(allowed: Allowed) -> Mapping[str, Any]:
    answer, approval = allowed.answered.answer, allowed.approval
    return {
        "action": answer.action.value,
        "acts": answer.acts,
        "conditions": dict(answer.conditions),
        "since": allowed.answered.at.isoformat(),
        "state": None if answer.state is None else answer.state.value,
        "reasons": list(answer.reasons),
        "policy": answer.policy,
        "model_digest": answer.model_digest,
        "approval": None
        if approval is None
        else {
            "request": approval.number,
            "requested_by": approval.requested_by,
            "at": approval.at.isoformat(),
            "bound_to": dict(approval.bound_to),
            "votes": [
                {"person": vote.person, "role": vote.role.value, "at": vote.at.isoformat()}
                for vote in approval.votes
            ],
        },
    }
