"""What people do about the authority of a version: ask, agree, take away, answer, waive.

Each act is written in a book, or refused with every reason why. Whether somebody has the role for
it was asked before; who else must agree, and whose word does not count, is asked here.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.approval import ApprovalKind, Party
from monitor.domain.governance import Governance, Rung
from monitor.domain.role import Role
from monitor.governance.approvals import (
    Involved,
    NotAllowedError,
    Request,
    RequestState,
    Vote,
    granted_at,
    open_seats,
    voted,
    withdrawn,
)
from monitor.governance.cases import Cause, Disposition, closed
from monitor.governance.consequences import (
    ANSWERED_ANEW,
    STANDING,
    Broken,
    Present,
    activation,
    answer_anew,
    broken_now,
    obstacles,
    open_case,
)
from monitor.governance.deferral import write_waiver
from monitor.governance.events import EventType
from monitor.governance.ledger import Book, Ledger
from monitor.governance.standing import Event, Move, Standing, State, edge_of, moved
from monitor.governance.submission import not_submittable
from monitor.governance.waivers import COVERS, Waiver, covers, refusals

LIMIT, ENDS, CONTROL = "limit", "ends", "control"
"""What a request for a waiver says besides."""


class Speaker(Struct, frozen=True):
    """Somebody who may do this.

    Attributes:
        account: As whom they are logged in.
        person: Who that is.
        roles: The roles as any of which they may.
        groups: Groups that they are in, by which a policy may name them.
    """

    account: str
    person: str
    roles: frozenset[Role]
    groups: frozenset[str] = frozenset()


def submit(  # noqa: PLR0917  # six nouns, each of another type
    book: Book,
    present: Present,
    speaker: Speaker,
    version: str,
    digests: Mapping[str, str],
    reason: str,
) -> Request:
    """Ask that a version may act; of one that acts, that it may go on.

    Args:
        book: Where it is written.
        present: What is there.
        speaker: Who asks.
        version: The version.
        digests: What the request rests on besides policy, baseline and what the policy has looked
            at, name to digest; of what is looked at it must be the same.
        reason: Why, in words.

    Raises:
        NotAllowedError: With every reason why not.
    """
    standing = _standing(book.ledger, version)
    reasons = list(not_submittable(present, version, digests))
    reasons += _asked_already(book.ledger, ApprovalKind.ACTIVATE_VERSION, version)
    event = Event.SUBMITTED if standing.state is State.REGISTERED else Event.RESUBMITTED
    if not standing.acts and edge_of(standing.state, event) is None:
        reasons.append(f"a version that is {standing.state} cannot be submitted")
    _refuse(reasons)
    bound = {
        "policy": present.policy.digest,
        "baseline": present.baselines[version],
        **present.observed.get(version, {}),
        **digests,
    }
    request = _request(book, ApprovalKind.ACTIVATE_VERSION, speaker, version, reason, bound)
    if not standing.acts:
        _move(book, version, event, speaker, reason or f"request {request.number}")
    return request


def ask_release(
    book: Book, present: Present, speaker: Speaker, version: str, reason: str
) -> Request:
    """Ask that a version that is held or restricted gets its authority back.

    Raises:
        NotAllowedError: With every reason why not.
    """
    standing, ledger = _standing(book.ledger, version), book.ledger
    reasons = _asked_already(ledger, ApprovalKind.RELEASE_HOLD, version)
    if edge_of(standing.state, Event.RELEASED) is None:
        reasons.append(f"a version that is {standing.state} cannot be released")
    elif activation(ledger, version) is None:
        reasons.append("its approval is over or void: submit it anew")
    else:
        reasons += obstacles(ledger, present, version, _least(standing))
    reasons += _unsaid(reason, "say what was done about it")
    _refuse(reasons)
    bound = {"policy": present.policy.digest, STANDING: str(standing.sequence)}
    return _request(book, ApprovalKind.RELEASE_HOLD, speaker, version, reason, bound)


def ask_waiver(  # noqa: PLR0917  # seven nouns, each of another type
    book: Book,
    present: Present,
    speaker: Speaker,
    limit: str,
    version: str,
    ends: datetime,
    reason: str,
    control: str,
) -> Request:
    """Ask that a limit have no consequence until an instant.

    Args:
        book: Where it is written.
        present: What is there.
        speaker: Who asks.
        limit: Id of the limit.
        version: The version; "" for all.
        ends: Until when.
        reason: Why, in words.
        control: What guards meanwhile, in words.

    Raises:
        NotAllowedError: With every reason why not.
    """
    earlier = list(book.ledger.waivers.values())
    reasons = list(refusals(limit, version, ends, present.governance, earlier, book.now))
    if version and version not in book.ledger.standings:
        reasons.append(_unknown(book.ledger, version))
    reasons += _unsaid(reason, "say why the risk can be taken")
    reasons += _unsaid(control, "say what guards meanwhile", "the compensating control")
    _refuse(reasons)
    said = next(covers(item) for item in present.governance.limits if item.id == limit)
    terms = {LIMIT: limit, COVERS: said, ENDS: ends.isoformat(), CONTROL: control}
    bound = {"policy": present.policy.digest}
    return _request(
        book, ApprovalKind.WAIVER, speaker, version, reason, bound, subject=limit, terms=terms
    )


def vote(  # six nouns, each of another type
    book: Book,
    present: Present,
    speaker: Speaker,
    number: int,
    reason: str,
    *,
    granted: bool,
    seen: Mapping[str, str] | None = None,
) -> Request:
    """Say yes or no to a request; with the last yes it takes effect.

    Args:
        book: Where it is written.
        present: What is there.
        speaker: Who says so.
        number: The request.
        reason: Why; a no needs one.
        granted: Yes or no.
        seen: Digests of what they looked at: it must be what was asked for.

    Raises:
        NotAllowedError: With every reason why this vote does not count.
    """
    request = _known_request(book.ledger, number)
    rule = present.governance.approvals[request.kind]
    wanted = open_seats(request, rule)
    role = min(speaker.roles, key=lambda item: (not wanted[item], item))
    said = Vote(speaker.account, speaker.person, role, granted, book.now, reason)
    involved = _involved(present.governance, speaker)
    reasons = [
        f"the {name} that you looked at is {digest}; asked for is {request.bound_to.get(name)}"
        for name, digest in (seen or {}).items()
        if request.bound_to.get(name) != digest
    ]
    try:
        after = voted(request, said, rule, involved, present.found(request, book.ledger))
    except NotAllowedError as error:
        raise NotAllowedError((*error.reasons, *reasons)) from error
    complete = granted and granted_at(after, rule) is not None
    _refuse([*reasons, *(_in_the_way(book.ledger, present, after) if complete else ())])
    if not granted:
        _reject(book, after, speaker, reason)
    elif complete:
        _grant(book, _with_what_is_there(after, present), speaker, reason)
    else:
        book.write(EventType.APPROVAL_VOTED, after.version, after)
    return book.ledger.requests[number]


def withdraw(book: Book, speaker: Speaker, number: int, reason: str) -> Request:
    """Take back what one has asked for.

    Raises:
        NotAllowedError: Somebody else asked, or it was decided on.
    """
    request = _known_request(book.ledger, number)
    _refuse(
        []
        if request.recorded is RequestState.PENDING
        else [f"the request is {request.recorded}: there is nothing to take back"]
    )
    over = withdrawn(request, speaker.person, book.now)
    after = replace(over, recorded=RequestState.WITHDRAWN, recorded_at=book.now)
    book.write(EventType.APPROVAL_WITHDRAWN, after.version, after, reason=reason)
    if _waits(book.ledger, after):
        _move(book, after.version, Event.WITHDRAWN, speaker, reason)
    return after


def take_away(  # noqa: PLR0917  # six nouns, each of another type
    book: Book, present: Present, speaker: Speaker, version: str, event: Event, reason: str
) -> Standing:
    """Hold, stop or retire a version: one person suffices.

    Raises:
        NotAllowedError: With every reason why not.
    """
    after = _move(book, version, event, speaker, reason)
    rung = {Event.HELD: Rung.HOLD, Event.STOPPED: Rung.STOP}.get(event)
    if rung is not None:
        why = f"{event} by {speaker.person}: {reason}"
        broken = Broken(Cause.PERSON.value, rung, event, book.now, why)
        open_case(book, present.governance, version, broken)
    return after


def close_case(  # noqa: PLR0917  # seven nouns, each of another type
    book: Book,
    present: Present,
    speaker: Speaker,
    number: int,
    disposition: Disposition,
    reason: str,
    evidence: str,
) -> None:
    """Say what has become of a case.

    Args:
        book: Where it is written.
        present: What is there.
        speaker: Who says so.
        number: The case.
        disposition: What became of it.
        reason: What was done, in words.
        evidence: Digest of what shows it.

    Raises:
        NotAllowedError: With every reason why not.
    """
    case = book.ledger.cases.get(number)
    if case is None:
        raise NotAllowedError((f"there is no case {number} of {book.ledger.model}",))
    reasons = [] if case.open else [f"case {number} was closed by {case.closed_by}"]
    acts = book.ledger.standings[case.version].acts
    still = {item.cause for item in broken_now(book.ledger, present, case.version)}
    waived = book.ledger.waived(case.cause, case.version, book.now)
    match disposition:
        case Disposition.FIX if case.cause in still:
            reasons.append(f"{case.cause} is still broken: it is not mended")
        case Disposition.ACCEPT if not waived:
            reasons.append(f"no waiver of {case.cause} holds: ask for one first")
        case Disposition.ROLL_BACK | Disposition.RETIRE if acts:
            reasons.append(f"version {case.version} still may act: hold, stop or retire it first")
        case Disposition.CLEARED:
            reasons.append("the system alone says that a case is cleared")
        case _:
            pass
    reasons += _unsaid(reason, "say what was done")
    reasons += _unsaid(evidence, "give the digest of what shows it", "the evidence")
    _refuse(reasons)
    after = closed(case, disposition, speaker.person, book.now, reason, evidence)
    book.write(EventType.CASE_CLOSED, case.version, after)


def revoke(book: Book, speaker: Speaker, number: int, reason: str) -> None:
    """End a waiver before its time: its limit has its consequence again at once.

    Raises:
        NotAllowedError: There is none, it is over, or there is no reason.
    """
    waiver = book.ledger.waivers.get(number)
    if waiver is None:
        raise NotAllowedError((f"there is no waiver {number} of {book.ledger.model}",))
    over = [] if waiver.holds(book.now) else [f"waiver {number} is over"]
    _refuse(over + _unsaid(reason, "say why"))
    after = replace(waiver, ended_at=book.now, ended_by=speaker.person, ending=reason)
    write_waiver(book, EventType.WAIVER_REVOKED, after)


def _with_what_is_there(request: Request, present: Present) -> Request:
    """Return a request that is bound as well to what was first looked at since it was made."""
    if request.kind is not ApprovalKind.ACTIVATE_VERSION:
        return request
    seen = present.observed.get(request.version, {})
    found = {name: digest for name, digest in seen.items() if digest}
    return replace(request, bound_to={**found, **request.bound_to})


def _grant(book: Book, request: Request, speaker: Speaker, reason: str) -> None:
    version = request.version
    for earlier in list(book.ledger.requests.values()):
        same = (earlier.kind, earlier.version) == (ApprovalKind.ACTIVATE_VERSION, version)
        if same and earlier.kind is request.kind and earlier.recorded is RequestState.GRANTED:
            over = replace(earlier, recorded=RequestState.EXPIRED, recorded_at=book.now)
            book.write(EventType.APPROVAL_EXPIRED, version, over, replaced_by=request.number)
    after = replace(request, recorded=RequestState.GRANTED, recorded_at=book.now)
    book.write(EventType.APPROVAL_GRANTED, version, after)
    words = reason or f"request {request.number} was granted"
    if request.kind is ApprovalKind.ACTIVATE_VERSION:
        answer_anew(book, version, f"request {request.number} was granted")
    if _waits(book.ledger, request):
        _move(book, version, Event.APPROVED, speaker, words, request)
    elif request.kind is ApprovalKind.RELEASE_HOLD:
        _move(book, version, Event.RELEASED, speaker, words, request)
    elif request.kind is ApprovalKind.WAIVER:
        write_waiver(book, EventType.WAIVER_GRANTED, _waiver(request, book.now))


def _reject(book: Book, request: Request, speaker: Speaker, reason: str) -> None:
    after = replace(request, recorded=RequestState.REJECTED, recorded_at=book.now)
    book.write(EventType.APPROVAL_REJECTED, request.version, after)
    if _waits(book.ledger, request):
        _move(book, request.version, Event.REJECTED, speaker, reason)


def _waiver(request: Request, now: datetime) -> Waiver:
    return Waiver(
        model=request.model,
        number=request.number,
        limit=request.terms[LIMIT],
        version=request.version,
        reason=request.reason,
        control=request.terms[CONTROL],
        requested_by=request.requested_by,
        approved_by=tuple(item.person for item in request.votes),
        starts=now,
        ends=datetime.fromisoformat(request.terms[ENDS]),
    )


def _in_the_way(ledger: Ledger, present: Present, request: Request) -> tuple[str, ...]:
    """Return why a request cannot take effect as things are."""
    match request.kind:
        case ApprovalKind.ACTIVATE_VERSION:
            return obstacles(ledger, present, request.version, answered=ANSWERED_ANEW)
        case ApprovalKind.RELEASE_HOLD:
            least = _least(ledger.standings[request.version])
            return obstacles(ledger, present, request.version, least)
        case ApprovalKind.WAIVER:
            ends, earlier = datetime.fromisoformat(request.terms[ENDS]), ledger.waivers.values()
            limit, asked = request.terms[LIMIT], present.governance
            return refusals(limit, request.version, ends, asked, list(earlier), present.now)
        case ApprovalKind.LOOSEN_POLICY:
            return ()


def _least(standing: Standing) -> Rung:
    """Return from which rung on a consequence is in the way of a release."""
    return Rung.HOLD if standing.state is State.HELD else Rung.RESTRICT


def _waits(ledger: Ledger, request: Request) -> bool:
    """Return whether a version waits for what becomes of a request."""
    standing = ledger.standings.get(request.version)
    asked = request.kind is ApprovalKind.ACTIVATE_VERSION
    return asked and standing is not None and standing.state is State.PENDING


def _request(  # noqa: PLR0917  # six nouns, each of another type
    book: Book,
    kind: ApprovalKind,
    speaker: Speaker,
    version: str,
    reason: str,
    bound: Mapping[str, str],
    *,
    subject: str = "",
    terms: Mapping[str, str] | None = None,
) -> Request:
    request = Request(
        kind=kind,
        subject=subject or version,
        requested_by=speaker.person,
        at=book.now,
        bound_to=bound,
        reason=reason,
        model=book.ledger.model,
        version=version,
        number=max(book.ledger.requests, default=0) + 1,
        account=speaker.account,
        terms=terms or {},
    )
    book.write(EventType.APPROVAL_REQUESTED, version, request)
    return request


def _move(  # noqa: PLR0917  # six nouns, each of another type
    book: Book,
    version: str,
    event: Event,
    speaker: Speaker,
    reason: str,
    granted: Request | None = None,
) -> Standing:
    standing = _standing(book.ledger, version)
    edge = edge_of(standing.state, event)
    spoken = speaker.roles if granted is None else {item.role for item in granted.votes}
    role = min(spoken, key=lambda item: (edge is None or item not in edge.by, item))
    kind = None if granted is None else granted.kind
    after = moved(standing, Move(event, book.now, speaker.person, role, reason, kind))
    book.write(EventType.STATE_CHANGED, version, after, before=standing.state.value)
    return after


def _asked_already(ledger: Ledger, kind: ApprovalKind, version: str) -> list[str]:
    return [
        f"request {item.number} of {item.requested_by} for the same is pending"
        for item in ledger.requests.values()
        if (item.kind, item.version, item.recorded) == (kind, version, RequestState.PENDING)
    ]


def _standing(ledger: Ledger, version: str) -> Standing:
    if version not in ledger.standings:
        raise NotAllowedError((_unknown(ledger, version),))
    return ledger.standings[version]


def _unknown(ledger: Ledger, version: str) -> str:
    known = ", ".join(sorted(ledger.standings)) or "none"
    return f"{ledger.model} has no version {version!r}; known are: {known}"


def _known_request(ledger: Ledger, number: int) -> Request:
    if number not in ledger.requests:
        raise NotAllowedError((f"there is no request {number} about {ledger.model}",))
    return ledger.requests[number]


def _involved(governance: Governance, speaker: Speaker) -> Involved:
    people = governance.accountability
    parties = {Party.BUILDERS: people.builders, Party.OWNER: people.owners}
    # Of a team that is named, who speaks is one whatever they are called.
    member = {speaker.person}
    return Involved(
        {speaker.person: speaker.roles},
        {
            party: frozenset(map(people.person, named))
            | (member if speaker.groups & set(named) else set())
            for party, named in parties.items()
        },
    )


def _unsaid(text: str, wanted: str, what: str = "the reason") -> list[str]:
    return [] if text.strip() else [f"{what} is empty; {wanted}"]


def _refuse(reasons: list[str]) -> None:
    if reasons:
        raise NotAllowedError(tuple(reasons))
