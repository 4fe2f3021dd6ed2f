"""Which policies are in force, and what waits to take their place."""

from collections.abc import Sequence

from monitor.domain.approval import ApprovalRule
from monitor.domain.change import change_of
from monitor.engine.policies import InForce
from monitor.engine.used import UsedPolicy
from monitor.governance.approvals import Request, RequestState, open_seats
from monitor.reports.table import Table


def policy_table(found: InForce, used: Sequence[UsedPolicy]) -> Table:
    """Return every policy of a model: those that runs were made under, and what its file says."""
    known = {item.digest for item in used}
    rows = [
        (
            item.digest,
            "in force" if item.digest == found.policy.digest else "replaced",
            f"{item.first:%Y-%m-%d %H:%M}Z",
            f"{item.last:%Y-%m-%d %H:%M}Z",
            f"{item.runs:,}",
        )
        for item in used
    ]
    if found.file.digest not in known or found.waits:
        state = "waits for approval" if found.waits else "in force, before its first run"
        rows.append((found.file.digest, state, "", "", "0"))
    columns = ("policy", "state", "first run", "last run", "runs")
    return Table(f"{found.file.model}, policies", columns, tuple(rows), waiting_sentence(found))


def waiting_sentence(found: InForce) -> str:
    """Return whether the file of a model is in force, and what it waits for if it is not."""
    if not found.waits:
        change = change_of(found.changes)
        why = f" ({change})" if found.changes else ""
        return f"The file is in force{why}."
    if found.request is None:
        return "The file is looser and waits: nobody has asked for its approval yet."
    request = found.request
    rule = found.policy.governance.approvals[request.kind]
    return f"The file is looser and waits: request {request.number} {_lacks(request, rule)}."


def _lacks(request: Request, rule: ApprovalRule) -> str:
    if request.recorded is not RequestState.PENDING:
        return f"was {request.recorded}"
    seats = open_seats(request, rule)
    wanted = " and ".join(f"{count} of {role}" for role, count in sorted(seats.items()))
    return f"of {request.requested_by} still takes {wanted}"
