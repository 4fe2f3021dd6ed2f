"""What versions may do, what was asked, and what must be answered: as tables and documents."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from monitor.governance.approvals import Request
from monitor.governance.cases import Case
from monitor.governance.ledger import Change, Ledger
from monitor.governance.projection import document_of
from monitor.governance.standing import Standing, State
from monitor.governance.waivers import Waiver
from monitor.reports.table import Table


def standing_table(standings: Iterable[Standing]) -> Table:
    """Return a table of versions: what each may do, since when, by whom and why."""
    rows = tuple(
        (
            item.model,
            item.version,
            item.state.value,
            _instant(item.since),
            item.by,
            "" if item.event is None else item.event.replace("_", " "),
            item.reason,
        )
        for item in standings
    )
    return Table("Versions", ("model", "version", "state", "since", "by", "event", "reason"), rows)


def case_table(cases: Iterable[Case], now: datetime) -> Table:
    """Return a table of cases: who must answer for what, by when."""
    rows = tuple(
        (
            item.model,
            str(item.number),
            item.version,
            item.cause,
            str(item.rung),
            item.accountable,
            _due(item, now),
            item.reason,
        )
        for item in cases
    )
    columns = ("model", "case", "version", "cause", "rung", "accountable", "due", "reason")
    return Table("Cases", columns, rows)


def case_details(case: Case, now: datetime) -> Table:
    """Return everything that is known of a case."""
    rows = [
        ("version", case.version),
        ("cause", case.cause),
        ("consequence", str(case.rung)),
        ("accountable", case.accountable),
        ("opened", _instant(case.opened_at)),
        ("reason", case.reason),
        ("findings", ", ".join(case.findings) or "none"),
        ("due", _due(case, now)),
        ("deadlines missed", str(case.escalated)),
    ]
    if case.closed_at is not None and case.disposition is not None:
        rows += [
            ("closed", f"{_instant(case.closed_at)} by {case.closed_by}"),
            ("disposition", case.disposition.value.replace("_", " ")),
            ("what was done", case.closing),
            ("evidence", case.evidence or "none: the system closed it"),
        ]
    return Table(f"Case {case.number} of {case.model}", ("", "what is known"), tuple(rows))


def request_table(requests: Iterable[Request]) -> Table:
    """Return a table of requests: who asked for what, and who has said what."""
    rows = tuple(
        (
            item.model,
            str(item.number),
            item.kind.replace("_", " "),
            item.subject,
            item.recorded.value,
            f"{item.requested_by}, {_instant(item.at)}",
            ", ".join(f"{vote.person}: {_said(vote.granted)}" for vote in item.votes) or "none yet",
            item.reason,
        )
        for item in requests
    )
    columns = ("model", "request", "for", "on", "state", "asked by", "votes", "reason")
    return Table("Requests", columns, rows)


def request_details(request: Request, wanted: Sequence[str]) -> tuple[Table, ...]:
    """Return everything that is known of a request.

    Args:
        request: The request.
        wanted: Who is still to agree, in words.
    """
    rows = [
        ("for", f"{request.kind.replace('_', ' ')}: {request.subject}"),
        ("asked by", f"{request.requested_by} as {request.account}, {_instant(request.at)}"),
        ("reason", request.reason),
        *((f"{name} digest", digest) for name, digest in sorted(request.bound_to.items())),
        *sorted(request.terms.items()),
        ("state", request.recorded.value),
        ("still to agree", ", ".join(wanted) or "nobody"),
    ]
    said = tuple(
        (_instant(vote.at), vote.person, vote.role.value, _said(vote.granted), vote.reason)
        for vote in request.votes
    )
    about = f"Request {request.number} about {request.model}"
    return (
        Table(about, ("", "what is known"), tuple(rows)),
        Table("Votes", ("at", "person", "as", "said", "reason"), said),
    )


def waiver_table(waivers: Iterable[Waiver], now: datetime) -> Table:
    """Return a table of waivers: which limit has no consequence until when."""
    rows = tuple(
        (
            item.model,
            str(item.number),
            item.limit,
            item.version or "all",
            "holds" if item.holds(now) else "over",
            _instant(item.over_at),
            item.requested_by,
            ", ".join(item.approved_by),
            item.control,
        )
        for item in waivers
    )
    columns = (
        "model",
        "waiver",
        "limit",
        "version",
        "state",
        "until",
        "asked by",
        "approved by",
        "control",
    )
    note = "A waiver changes what follows from a finding, and nothing that is measured or judged."
    return Table("Waivers", columns, rows, note)


def shown_to_all(ledger: Ledger, now: datetime) -> tuple[Table, ...]:
    """Return what a page shows of who may act: no name that the policy has not, nobody's words."""
    standings = tuple(
        (item.version, item.state.value, _instant(item.since), (item.event or "").replace("_", " "))
        for item in ledger.standings.values()
        if item.state is not State.RETIRED
    )
    cases = tuple(
        (
            str(item.number),
            item.version,
            item.cause,
            str(item.rung),
            item.accountable,
            _due(item, now),
        )
        for item in ledger.cases.values()
        if item.open
    )
    waivers = tuple(
        (item.limit, item.version or "all", _instant(item.over_at))
        for item in ledger.waivers.values()
        if item.holds(now)
    )
    columns = ("case", "version", "cause", "rung", "who answers", "due")
    tables = (
        Table(
            "Versions and what each may do",
            ("version", "state", "since", "what happened"),
            standings,
        ),
        Table("Open cases: what somebody must answer for", columns, cases),
        Table("Limits without a consequence", ("limit", "version", "until"), waivers),
    )
    return tuple(table for table in tables if table.rows)


def authority_document(entry: Standing | Request | Case | Waiver) -> dict[str, Any]:
    """Return an entry as JSON has it, as the audit log does."""
    return dict(document_of(entry))


def told(changes: Iterable[Change]) -> list[str]:
    """Return what has changed, one line each."""
    return [line for change in changes if (line := _told(change))]


def _told(change: Change) -> str:
    match change.after:
        case Standing() as item:
            was = change.data.get("before")
            moved = item.state.value if was is None else f"{was} → {item.state.value}"
            return f"version {item.version} of {item.model}: {moved}: {item.reason}"
        case Request() as item:
            what = f"{item.kind.replace('_', ' ')} {item.subject}"
            by = f", by {item.votes[-1].person}" if item.votes else f", by {item.requested_by}"
            return f"request {item.number} of {item.model} ({what}): {_kind(change)}{by}"
        case Case() as item:
            due = (
                "" if item.deadline is None or not item.open else f", due {_instant(item.deadline)}"
            )
            about = f"case {item.number} of {item.model}, version {item.version} ({item.cause})"
            return f"{about}: {_kind(change)}, {item.accountable} answers{due}"
        case Waiver() as item:
            about = f"waiver {item.number} of {item.model} ({item.limit})"
            return f"{about}: {_kind(change)}, until {_instant(item.over_at)}"
        case None:
            return ""


def _kind(change: Change) -> str:
    return change.type.value.partition(".")[2]


def _said(granted: bool) -> str:  # noqa: FBT001  # the value itself, no switch
    return "yes" if granted else "no"


def _due(case: Case, now: datetime) -> str:
    if not case.open:
        return "closed"
    if case.deadline is None:
        return "overdue: it has no further deadline" if case.escalated else "no deadline"
    left = case.deadline - now
    return f"{_instant(case.deadline)}, in {_span(left)}" if left > timedelta(0) else "overdue"


def _span(left: timedelta) -> str:
    hours = left.seconds // 3600
    return f"{left.days} d {hours} h" if left.days else f"{hours} h"


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
