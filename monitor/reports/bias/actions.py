"""What was waived and what somebody had to answer for, as the report tells it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.alert import Mute
from monitor.domain.governance import Governance
from monitor.domain.run import Run
from monitor.domain.window import Window
from monitor.engine.decided import Decided
from monitor.engine.overreach import overreach_of
from monitor.governance.cases import Case
from monitor.governance.waivers import Waiver
from monitor.reports.overreach import why_text


class CaseRow(Struct, frozen=True):
    """Something that somebody had to answer for.

    Attributes:
        number: Its number.
        version: The model version.
        cause: The limit, or what else led to it.
        accountable: Who answers.
        opened: When.
        reason: Why.
        closed: When and by whom; "" while it is open.
        disposition: What became of it; "" while it is open.
        closing: The reason given with it.
        evidence: Digest of what shows it.
    """

    number: int
    version: str
    cause: str
    accountable: str
    opened: str
    reason: str
    closed: str
    disposition: str
    closing: str
    evidence: str


class WaiverRow(Struct, frozen=True):
    """That a limit had no consequence for a while.

    Attributes:
        number: Its number.
        limit: The limit.
        version: The model version; "" for all.
        since: From when on.
        until: Until when.
        requested_by: Who asked.
        approved_by: Who agreed.
        reason: Why.
        control: What guarded meanwhile.
    """

    number: int
    limit: str
    version: str
    since: str
    until: str
    requested_by: str
    approved_by: tuple[str, ...]
    reason: str
    control: str


class OutsideRow(Struct, frozen=True):
    """Decisions of the period that were outside of what their version was allowed.

    Attributes:
        version: The model version.
        why: How they were outside.
        decisions: How many.
        windows: In how many windows.
        first: The first of these.
        last: The last of these.
    """

    version: str
    why: str
    decisions: int
    windows: int
    first: Window
    last: Window


class MuteRow(Struct, frozen=True):
    """That nobody was called for a finding for a while.

    Attributes:
        finding: The finding.
        since: From when on.
        until: Until when.
        by: Who decided it.
        reason: Why.
    """

    finding: str
    since: str
    until: str
    by: str
    reason: str


class Actions(Struct, frozen=True):
    """What people decided about a model, and what was decided without them.

    Attributes:
        cases: What somebody had to answer for.
        waivers: What had no consequence for a while.
        outside: Decisions outside of what was allowed when they were made.
        held: Windows whose decisions were held against what was allowed.
        unheld: Windows of which that was not counted.
        mutes: What nobody was called for.
    """

    cases: tuple[CaseRow, ...]
    waivers: tuple[WaiverRow, ...]
    outside: tuple[OutsideRow, ...] = ()
    held: int = 0
    unheld: int = 0
    mutes: tuple[MuteRow, ...] = ()


def actions_of(decided: Decided, runs: Sequence[Run]) -> Actions:
    """Return what was decided, as text.

    Args:
        decided: What people and the system decided.
        runs: The results of the period, oldest first.
    """
    held = [run for run in runs if run.accounting.authority is not None]
    return Actions(
        tuple(map(_case, decided.cases)),
        tuple(map(_waiver, decided.waivers)),
        _outside(held),
        len(held),
        len(runs) - len(held),
        tuple(map(_mute, decided.mutes)),
    )


def _outside(runs: Sequence[Run]) -> tuple[OutsideRow, ...]:
    found: dict[tuple[str, str], OutsideRow] = {}
    for run in runs:
        for each in overreach_of(run, ()):
            if not each.rows:
                continue
            key, window = (each.version, why_text(each)), run.window
            old = found.get(key, OutsideRow(*key, 0, 0, window, window))
            found[key] = replace(
                old, decisions=old.decisions + each.rows, windows=old.windows + 1, last=window
            )
    return tuple(found[key] for key in sorted(found))


def instant_text(at: datetime | None) -> str:
    """Return an instant to the microsecond, as the seal has it; "" for none."""
    return "" if at is None else at.isoformat()


def answers_of(governance: Governance) -> Mapping[str, str]:
    """Return what a policy answers, question to answer; what it leaves out is not in it."""
    return {question: answer for question, answer in _answers(governance) if answer}


def _answers(governance: Governance) -> Iterator[tuple[str, str]]:
    delegation, people, risk = governance.delegation, governance.accountability, governance.risk
    yield "What is delegated to the machine", delegation.statement
    since = "" if delegation.delegated_on is None else delegation.delegated_on.isoformat()
    delegated = ", ".join(filter(None, (delegation.delegated_by, since, delegation.reference)))
    yield "Delegated by", delegated
    yield "What people keep", "; ".join(delegation.not_delegated)
    yield "Who is accountable", people.accountable
    tier = "" if risk.tier is None else risk.tier.value
    yield "Risk", ": ".join(filter(None, (tier, risk.rationale)))
    review = governance.review
    if review is not None:
        yield "Reviewed every", f"{review.cadence.days} days"


def _case(case: Case) -> CaseRow:
    closed = "" if case.closed_at is None else f"{_day(case.closed_at)} by {case.closed_by}"
    return CaseRow(
        case.number,
        case.version,
        case.cause,
        case.accountable,
        _day(case.opened_at),
        case.reason,
        closed,
        "" if case.disposition is None else case.disposition.value.replace("_", " "),
        case.closing,
        case.evidence,
    )


def _waiver(waiver: Waiver) -> WaiverRow:
    return WaiverRow(
        waiver.number,
        waiver.limit,
        waiver.version,
        _day(waiver.starts),
        _day(waiver.over_at),
        waiver.requested_by,
        waiver.approved_by,
        waiver.reason,
        waiver.control,
    )


def _mute(mute: Mute) -> MuteRow:
    return MuteRow(mute.fingerprint, _day(mute.at), _day(mute.until), mute.by, mute.why)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
