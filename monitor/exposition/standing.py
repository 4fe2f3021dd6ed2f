"""What versions may do, and what somebody must answer, as series."""

from monitor.domain.approval import ApprovalKind
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.sheet import Sheet
from monitor.governance.approvals import RequestState
from monitor.governance.cases import Case
from monitor.governance.consequences import waives
from monitor.governance.ledger import Ledger
from monitor.governance.standing import AUTHORITY, Standing, State
from monitor.governance.waivers import Waiver


def add_standings(sheet: Sheet, snapshot: ModelSnapshot) -> None:
    """Add what each version of a model may do, and what is waived, asked and to be answered."""
    ledger, model = snapshot.ledger, snapshot.policy.model
    for standing in ledger.standings.values():
        if standing.state is not State.RETIRED:
            _add_standing(sheet, standing)
    for case in ledger.cases.values():
        if case.open:
            _add_case(sheet, case)
    for waiver in ledger.waivers.values():
        if waiver.ended_at is None:
            _add_waiver(sheet, snapshot, waiver)
    for kind in ApprovalKind:
        waiting = sum(
            item.kind is kind and item.recorded is RequestState.PENDING
            for item in ledger.requests.values()
        )
        sheet.add("requests_pending", waiting, model=model, kind=kind.value)
    _add_approvals(sheet, snapshot)


def _add_standing(sheet: Sheet, standing: Standing) -> None:
    of = {"model": standing.model, "model_version": standing.version}
    for state in State:
        sheet.add("version_state", standing.state is state, **of, state=state.value)
    sheet.add("version_authority", AUTHORITY[standing.state], **of)
    sheet.add("version_state_since_timestamp_seconds", standing.since.timestamp(), **of)


def _add_approvals(sheet: Sheet, snapshot: ModelSnapshot) -> None:
    ledger, named = snapshot.ledger, snapshot.policy.governance.rests_on
    for version in ledger.standings:
        _add_approval(sheet, ledger, version)
    for found in snapshot.found:
        if found.name in named:
            of = {"model": ledger.model, "model_version": found.version, "evidence": found.name}
            sheet.add("evidence_unseen", not found.seen, **of)


def _add_approval(sheet: Sheet, ledger: Ledger, version: str) -> None:
    """Add whether the newest approval of a version is void; a retired one needs none."""
    decided = [
        item
        for item in ledger.requests.values()
        if (item.kind, item.version) == (ApprovalKind.ACTIVATE_VERSION, version)
        and item.recorded in {RequestState.GRANTED, RequestState.VOIDED}
    ]
    if decided and ledger.standings[version].state is not State.RETIRED:
        newest = max(decided, key=lambda item: item.number)
        void = newest.recorded is RequestState.VOIDED
        sheet.add("approval_void", void, model=ledger.model, model_version=version)


def _add_case(sheet: Sheet, case: Case) -> None:
    of = {
        "model": case.model,
        "model_version": case.version,
        "case": str(case.number),
        "cause": case.cause,
        "rung": str(case.rung),
    }
    sheet.add("case_deadlines_missed", case.escalated, **of)
    if case.deadline is not None:
        sheet.add("case_deadline_timestamp_seconds", case.deadline.timestamp(), **of)


def _add_waiver(sheet: Sheet, snapshot: ModelSnapshot, waiver: Waiver) -> None:
    model, until = snapshot.policy.model, waiver.ends.timestamp()
    sheet.add(
        "waiver_until_timestamp_seconds",
        until,
        model=model,
        model_version=waiver.version,
        limit=waiver.limit,
    )
    for alert in snapshot.alerts:
        if waives(waiver, snapshot.policy.governance, alert):
            sheet.add(
                "alert_waived_until_timestamp_seconds",
                until,
                model=model,
                finding=alert.fingerprint,
                limit=waiver.limit,
            )
