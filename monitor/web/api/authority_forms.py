"""What is sent and answered about the authority of versions."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from monitor.governance.approvals import Request
from monitor.governance.cases import Case
from monitor.governance.standing import Standing
from monitor.governance.submission import DIGEST
from monitor.governance.waivers import Waiver
from monitor.web.api.endpoint import Answer, Body, Words

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Digest = Annotated[str, StringConstraints(pattern=f"^{DIGEST}$", max_length=200)]


class SubmissionWanted(Body):
    """That a version may act."""

    why: Words = Field(description="why it may, in words; kept, and in the audit log")
    digests: dict[Name, Digest] = Field(
        {}, description="what it rests on besides policy and baseline, such as model and report"
    )


class YesWanted(Body):
    """A yes to a request."""

    why: Words = Field(description="the reason, in words; kept, and in the audit log")
    seen: dict[Name, Digest] = Field(
        {}, description="digests of what was looked at; another than was asked for is refused"
    )


class WaiverWanted(Body):
    """That a limit has no consequence for a while."""

    limit: Name = Field(description="its id in the policy")
    version: str = Field("", max_length=200, description="the version; empty for all")
    ends: AwareDatetime = Field(description="until when")
    why: Words = Field(description="why the risk can be taken; kept, and in the audit log")
    control: Words = Field(description="what guards meanwhile")


class ClosingWanted(Body):
    """What has become of a case."""

    disposition: Literal["fix", "roll_back", "accept", "retire"] = Field(
        description="what became of it"
    )
    why: Words = Field(description="what was done, in words; kept, and in the audit log")
    evidence: Digest = Field(description="digest of what shows it")


class VersionKnown(Answer):
    """Where a version stands."""

    version: str
    state: str
    acts: bool
    sequence: int
    since: AwareDatetime
    by: str
    event: str | None
    reason: str


class VersionsKnown(Answer):
    """Where each known version of a model stands."""

    versions: list[VersionKnown]


class VoteKnown(Answer):
    """What one person said."""

    person: str
    role: str
    granted: bool
    at: AwareDatetime
    reason: str


class RequestKnown(Answer):
    """That something be allowed, and what was said to it."""

    number: int
    kind: str
    subject: str
    version: str
    state: str
    requested_by: str
    at: AwareDatetime
    reason: str
    bound_to: dict[str, str]
    terms: dict[str, str]
    votes: list[VoteKnown]


class RequestsKnown(Answer):
    """Every request about a model, oldest first."""

    requests: list[RequestKnown]


class WaiverKnown(Answer):
    """That a limit has no consequence for a while."""

    number: int
    limit: str
    version: str
    holds: bool
    reason: str
    control: str
    requested_by: str
    approved_by: list[str]
    starts: AwareDatetime
    ends: AwareDatetime
    ended_at: AwareDatetime | None
    ended_by: str
    ending: str


class WaiversKnown(Answer):
    """Every waiver of a model, oldest first."""

    waivers: list[WaiverKnown]


class CaseKnown(Answer):
    """What somebody must answer for."""

    number: int
    version: str
    cause: str
    rung: str
    accountable: str
    opened_at: AwareDatetime
    reason: str
    findings: list[str]
    deadline: AwareDatetime | None
    escalated: int
    closed_at: AwareDatetime | None
    closed_by: str
    disposition: str | None
    closing: str
    evidence: str


class CasesKnown(Answer):
    """Every case of a model, oldest first."""

    cases: list[CaseKnown]


def version_known(standing: Standing) -> VersionKnown:
    """Return a standing as it is answered."""
    return VersionKnown(
        version=standing.version,
        state=standing.state.value,
        acts=standing.acts,
        sequence=standing.sequence,
        since=standing.since,
        by=standing.by,
        event=None if standing.event is None else standing.event.value,
        reason=standing.reason,
    )


def request_known(request: Request) -> RequestKnown:
    """Return a request as it is answered."""
    votes = [
        VoteKnown(
            person=vote.person,
            role=vote.role.value,
            granted=vote.granted,
            at=vote.at,
            reason=vote.reason,
        )
        for vote in request.votes
    ]
    return RequestKnown(
        number=request.number,
        kind=request.kind.value,
        subject=request.subject,
        version=request.version,
        state=request.recorded.value,
        requested_by=request.requested_by,
        at=request.at,
        reason=request.reason,
        bound_to=dict(request.bound_to),
        terms=dict(request.terms),
        votes=votes,
    )


def waiver_known(waiver: Waiver, at: datetime) -> WaiverKnown:
    """Return a waiver as it is answered."""
    return WaiverKnown(
        number=waiver.number,
        limit=waiver.limit,
        version=waiver.version,
        holds=waiver.holds(at),
        reason=waiver.reason,
        control=waiver.control,
        requested_by=waiver.requested_by,
        approved_by=list(waiver.approved_by),
        starts=waiver.starts,
        ends=waiver.ends,
        ended_at=waiver.ended_at,
        ended_by=waiver.ended_by,
        ending=waiver.ending,
    )


def case_known(case: Case) -> CaseKnown:
    """Return a case as it is answered."""
    return CaseKnown(
        number=case.number,
        version=case.version,
        cause=case.cause,
        rung=str(case.rung),
        accountable=case.accountable,
        opened_at=case.opened_at,
        reason=case.reason,
        findings=list(case.findings),
        deadline=case.deadline,
        escalated=case.escalated,
        closed_at=case.closed_at,
        closed_by=case.closed_by,
        disposition=None if case.disposition is None else case.disposition.value,
        closing=case.closing,
        evidence=case.evidence,
    )
