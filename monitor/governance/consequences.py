"""What follows by itself: from alerts that fire, deadlines that pass, approvals that are over.

Looking again changes nothing, and whoever looks comes to the same: all of it follows from what is
stored and from the clock. The system takes authority away and gives none back. Its one step up is
from *watch*, which took none.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.alert import Alert, AlertState
from monitor.domain.approval import ApprovalKind
from monitor.domain.finding import Verdict
from monitor.domain.governance import Governance, RiskLimit, Rung
from monitor.domain.policy import Policy
from monitor.domain.role import Role
from monitor.governance.approvals import Request, RequestState, state_of
from monitor.governance.cases import Case, Cause, Disposition, climbed, closed, deadline_after
from monitor.governance.deferral import write_waiver
from monitor.governance.events import EventType
from monitor.governance.ledger import Book, Change, Ledger
from monitor.governance.record import DAEMON, Json
from monitor.governance.standing import Event, Move, Standing, State, edge_of, moved
from monitor.governance.waivers import Waiver, no_longer

STANDING = "standing"
"""What a request for a release is bound to: how often the version was moved when it was asked."""


GRACE = timedelta(hours=24)
"""How long a file may be gone before what was approved is void: a share that is not mounted comes back."""


class Present(Struct, frozen=True):
    """What is there now.

    Attributes:
        policy: The policy in force.
        alerts: The newest episode of each finding.
        now: When.
        baselines: Version to the digest of its current baseline.
        observed: Version to digests that were found when somebody looked last, by name: ``model``,
            ``report``, ``registry``; "" of what is gone. What nobody looks for is taken to be as it
            was approved.
        seen: Versions that are known to exist.
        gone: Version to the files that are gone, and since when: ``model``, ``report``.
    """

    policy: Policy
    alerts: Sequence[Alert]
    now: datetime
    baselines: Mapping[str, str] = field(default_factory=dict)
    observed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    gone: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)

    @property
    def governance(self) -> Governance:
        """Return what the policy answers."""
        return self.policy.governance

    def found(self, request: Request, ledger: Ledger) -> Mapping[str, str]:
        """Return what is there of all that a request is bound to, name to digest.

        A file that is gone for less than the grace is taken to be as it was: it is another only
        when it comes back as another.
        """
        version = request.version
        gone = self.gone.get(version, {})
        away = {name for name, since in gone.items() if self.now < since + GRACE}
        observed = self.observed.get(version, {})
        found = dict(request.bound_to)
        found |= {name: digest for name, digest in observed.items() if name not in away}
        found["policy"] = self.policy.digest
        if "baseline" in request.bound_to:
            found["baseline"] = self.baselines.get(version, "")
        if STANDING in request.bound_to:
            standing = ledger.standings.get(version)
            found[STANDING] = "" if standing is None else str(standing.sequence)
        return found


class Broken(Struct, frozen=True):
    """Why a version should have less authority.

    Attributes:
        cause: Id of the limit, or a `Cause`.
        rung: How far its consequence goes.
        event: What moves the version.
        since: When it came into effect.
        reason: Why, in words.
        findings: Fingerprints of the alerts that fire.
    """

    cause: str
    rung: Rung
    event: Event
    since: datetime
    reason: str
    findings: tuple[str, ...] = ()


BREACHED = {
    Rung.WATCH: Event.WATCH_BREACHED,
    Rung.RESTRICT: Event.RESTRICT_BREACHED,
    Rung.HOLD: Event.HOLD_BREACHED,
    Rung.STOP: Event.STOP_BREACHED,
}
"""The event of a broken limit, by the rung of its consequence."""

_WORSE = {Verdict.WARNING: 1, Verdict.CRITICAL: 2}

_ANSWERED = frozenset({State.APPROVED, State.WATCH, State.RESTRICTED, State.HELD})
"""States in which a broken limit opens a case: there is, or was, authority to take away."""


def settled(ledger: Ledger, present: Present) -> Sequence[Change]:
    """Return what follows by itself from what is there, in the order in which it follows.

    Args:
        ledger: What was known.
        present: What is there.
    """
    book = Book(ledger, present.now)
    for version in sorted(present.seen | set(present.baselines)):
        if version not in ledger.standings:
            register(book, version)
    _end_waivers(book, present.governance)
    _end_requests(book, present)
    for version in sorted(book.ledger.standings):
        _climb(book, present.governance, version)
        _apply(book, present, version)
    return book.changes


def register(book: Book, version: str) -> None:
    """Write that a version exists; it may do nothing yet."""
    by = book.actor.id
    standing = Standing(book.ledger.model, version, State.REGISTERED, 0, book.now, by)
    book.write(EventType.MODEL_REGISTERED, version, standing)


def move(book: Book, version: str, event: Event, reason: str) -> bool:
    """Move a version by the system, where its state has a way; return whether it has."""
    standing = book.ledger.standings[version]
    edge = edge_of(standing.state, event)
    if edge is None or Role.SYSTEM not in edge.by:
        return False
    after = moved(standing, Move(event, book.now, DAEMON.id, Role.SYSTEM, reason))
    book.write(EventType.STATE_CHANGED, version, after, before=standing.state.value)
    return True


def broken_now(ledger: Ledger, present: Present, version: str) -> list[Broken]:
    """Return why a version should have less authority: broken limits, and a review not made."""
    limits = broken_limits(ledger, present, version)
    return [*limits, *_lapsed(ledger, present, version)]


def broken_limits(
    ledger: Ledger, present: Present, version: str, *, waived: bool = False
) -> list[Broken]:
    """Return the limits that are broken for a version and not waived, or those that are waived."""
    found = []
    for limit in present.governance.limits:
        firing = [alert for alert in present.alerts if alert.firing and fits(limit, alert, version)]
        is_waived = ledger.waived(limit.id, version, present.now)
        if firing and is_waived is waived:
            found.append(_broken(limit, firing, ledger, version))
    return found


def fits(limit: RiskLimit, alert: Alert, version: str) -> bool:
    """Return whether an alert is about a limit and a version, and severe enough."""
    about = alert.subject.version in {"", version}
    return about and limit.covers(alert.measure, alert.subject, alert.severity)


def waives(waiver: Waiver, governance: Governance, alert: Alert) -> bool:
    """Return whether an alert that fires is one whose consequence a waiver takes away."""
    version = waiver.version or alert.subject.version
    about = alert.subject.version in {"", version}
    return (
        alert.firing
        and about
        and any(fits(item, alert, version) for item in governance.limits if item.id == waiver.limit)
    )


ANSWERED_ANEW = frozenset({Cause.REVIEW.value, Cause.APPROVAL.value})
"""Causes that a new approval mends: it is the review that was not made, and takes the place of the
approval that is over."""


def obstacles(
    ledger: Ledger,
    present: Present,
    version: str,
    least: Rung = Rung.RESTRICT,
    *,
    answered: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Return why authority that is given back now would be taken away again at once.

    Args:
        ledger: What is known.
        present: What is there.
        version: The version.
        least: From which rung on a consequence is in the way.
        answered: Causes that what is asked for mends by itself.
    """
    reasons = [
        f"{item.reason}; its consequence is to {item.rung}: {_WAYS.get(item.cause, _MEND)}"
        for item in broken_now(ledger, present, version)
        if item.rung >= least and item.cause not in answered
    ]
    reasons += [
        f"case {case.number} ({case.cause}) is open: close it first"
        for case in ledger.open_cases(version)
        if case.rung >= least
        and case.cause not in answered
        and not ledger.waived(case.cause, version, present.now)
    ]
    return tuple(reasons)


_MEND = "mend the cause, or ask for a waiver"
_WAYS = {Cause.REVIEW.value: "submit it anew: a new approval is the review"}


def answer_anew(book: Book, version: str, why: str) -> None:
    """Close the cases of a version that its new approval answers."""
    for case in book.ledger.open_cases(version):
        if case.cause in ANSWERED_ANEW:
            after = closed(case, Disposition.FIX, DAEMON.id, book.now, why)
            book.write(EventType.CASE_CLOSED, version, after)


def activation(ledger: Ledger, version: str) -> Request | None:
    """Return the request by which a version may act: the newest that was granted; None without."""
    granted = [
        item
        for item in ledger.requests.values()
        if item.kind is ApprovalKind.ACTIVATE_VERSION
        and item.version == version
        and item.recorded is RequestState.GRANTED
    ]
    return max(granted, key=lambda item: item.number, default=None)


def lose_identity(book: Book, present: Present, version: str, why: str) -> None:
    """Hold a version because what was approved is not what is there, and open its case."""
    _hold(book, present.governance, version, Cause.IDENTITY, Event.IDENTITY_CHANGED, why)


def answered(ledger: Ledger, version: str, broken: Broken) -> bool:
    """Return whether there is a case of it, or was one that was closed since it began."""
    return any(
        case.closed_at is None or case.closed_at >= broken.since
        for case in ledger.cases.values()
        if (case.version, case.cause) == (version, broken.cause)
    )


def open_case(book: Book, governance: Governance, version: str, broken: Broken) -> None:
    """Open a case for why a version loses authority, unless there is one."""
    if answered(book.ledger, version, broken):
        return
    case = Case(
        model=book.ledger.model,
        number=max(book.ledger.cases, default=0) + 1,
        version=version,
        cause=broken.cause,
        rung=broken.rung,
        accountable=governance.accountability.accountable,
        opened_at=book.now,
        reason=broken.reason,
        findings=broken.findings,
        deadline=deadline_after(broken.rung, book.now, governance.consequences),
    )
    book.write(EventType.CASE_OPENED, version, case)


def _broken(limit: RiskLimit, firing: Sequence[Alert], ledger: Ledger, version: str) -> Broken:
    since = [alert.started_at or alert.since.end for alert in firing]
    over = [item.over_at for item in ledger.waivers.values() if item.about(limit.id, version)]
    return Broken(
        limit.id,
        limit.consequence,
        BREACHED[limit.consequence],
        max(since + over),
        f"limit {limit.id} is broken: {_told(firing)}",
        tuple(sorted(alert.fingerprint for alert in firing)),
    )


def _told(firing: Sequence[Alert]) -> str:
    worst = max(firing, key=lambda alert: (_WORSE.get(alert.severity, 0), alert.fingerprint))
    more = "" if len(firing) == 1 else f", and {len(firing) - 1} more"
    begun = worst.since.start.date().isoformat()
    return f"{worst.measure} of {worst.subject} is {worst.severity} since {begun}{more}"


def _lapsed(ledger: Ledger, present: Present, version: str) -> tuple[Broken, ...]:
    """Return that a version was not looked at again in time, if so."""
    review, approved = present.governance.review, activation(ledger, version)
    if review is None or approved is None or approved.recorded_at is None:
        return ()
    lapse = approved.recorded_at + review.cadence + review.grace
    if present.now < lapse:
        return ()
    event = Event.REVIEW_LAPSED if review.on_lapse is Rung.RESTRICT else BREACHED[review.on_lapse]
    why = f"its review was due by {lapse.isoformat(timespec='seconds')}"
    return (Broken(Cause.REVIEW.value, review.on_lapse, event, lapse, why),)


def _end_waivers(book: Book, governance: Governance) -> None:
    for waiver in list(book.ledger.waivers.values()):
        if waiver.ended_at is not None:
            continue
        if book.now >= waiver.ends:
            after = replace(waiver, ended_at=waiver.ends, ended_by=book.actor.id)
            book.write(EventType.WAIVER_EXPIRED, waiver.version, after)
            continue
        asked = book.ledger.requests.get(waiver.number)
        if why := no_longer(waiver, governance, book.now, asked.terms if asked else {}):
            after = replace(waiver, ended_at=book.now, ended_by=book.actor.id, ending=why)
            write_waiver(book, EventType.WAIVER_REVOKED, after)


def _end_requests(book: Book, present: Present) -> None:
    for request in list(book.ledger.requests.values()):
        if request.recorded is RequestState.PENDING:
            _end_request(book, present, request)
    for version in sorted(book.ledger.standings):
        granted = activation(book.ledger, version)
        if granted is not None:
            _end_approval(book, present, granted)


def _end_request(book: Book, present: Present, request: Request) -> None:
    state = _over(book, present, request)
    asked = request.kind is ApprovalKind.ACTIVATE_VERSION
    if state is None or not asked or request.version not in book.ledger.standings:
        return
    if state is RequestState.VOIDED:
        differ = _differences(book.ledger, present, request)
        why = f"request {request.number} is void: {differ}; submit it anew"
        moves, to = Event.IDENTITY_CHANGED, why
    else:
        moves, to = Event.REQUEST_EXPIRED, f"request {request.number} waited too long"
    if book.ledger.standings[request.version].state is State.PENDING:
        move(book, request.version, moves, to)


def _end_approval(book: Book, present: Present, granted: Request) -> None:
    version, differ = granted.version, _differences(book.ledger, present, granted)
    state = _over(book, present, granted)
    if state is None:
        return
    if state is RequestState.VOIDED:
        cause, event = Cause.IDENTITY, Event.IDENTITY_CHANGED
        why = f"what was approved is no longer what is there: {differ}; {_ANEW}"
    else:
        cause, event = Cause.APPROVAL, Event.APPROVAL_EXPIRED
        why = f"approval {granted.number} is over; {_ANEW}"
    if book.ledger.standings[version].acts:
        _hold(book, present.governance, version, cause, event, why)


_ANEW = "it takes a new approval: close the case, and submit it anew"


def _hold(  # noqa: PLR0917  # six nouns, each of another type
    book: Book, governance: Governance, version: str, cause: Cause, event: Event, why: str
) -> None:
    if move(book, version, event, why):
        broken = Broken(cause.value, Rung.HOLD, event, book.now, why)
        open_case(book, governance, version, broken)


_ENDS = {
    RequestState.EXPIRED: EventType.APPROVAL_EXPIRED,
    RequestState.VOIDED: EventType.APPROVAL_VOIDED,
}


def _over(book: Book, present: Present, request: Request) -> RequestState | None:
    """Write that a request or an approval is over, if it is; return how."""
    found = present.found(request, book.ledger)
    rule = present.governance.approvals.get(request.kind)
    if rule is None:
        return None
    state = state_of(request, rule, book.now, found)
    if state not in _ENDS:
        return None
    differ: dict[str, Json] = {
        name: found.get(name, "")
        for name, digest in sorted(request.bound_to.items())
        if found.get(name) != digest
    }
    after = replace(request, recorded=state, recorded_at=book.now)
    book.write(_ENDS[state], request.version, after, found=differ)
    return state


def _differences(ledger: Ledger, present: Present, request: Request) -> str:
    found = present.found(request, ledger)
    differ = [
        f"{name} is {found.get(name) or 'gone'}, {digest} was named"
        for name, digest in sorted(request.bound_to.items())
        if found.get(name) != digest
    ]
    return "; ".join(differ)


def _climb(book: Book, governance: Governance, version: str) -> None:
    """Move a version down by every deadline of its cases that has passed."""
    for case in book.ledger.open_cases(version):
        if book.ledger.waived(case.cause, version, book.now):
            continue
        now = case
        while now.late(book.now):
            late, now = now, climbed(now, governance.consequences)
            book.write(EventType.CASE_ESCALATED, version, now)
            if now.rung > late.rung:
                event = Event.DEADLINE_MISSED if now.rung is Rung.HOLD else BREACHED[now.rung]
                move(book, version, event, _missed(late))


def _missed(case: Case) -> str:
    by = "" if case.deadline is None else f" by {case.deadline.isoformat(timespec='seconds')}"
    return f"case {case.number} ({case.cause}) was not closed{by}"


def _apply(book: Book, present: Present, version: str) -> None:
    """Move a version as far down as what is broken wants it, and open the cases of it."""
    standing = book.ledger.standings[version]
    if standing.state is State.RETIRED:
        _close(book, version, Disposition.RETIRE, book.ledger.open_cases(version))
        return
    if standing.state not in _ANSWERED:
        return
    broken = broken_now(book.ledger, present, version)
    for item in sorted(broken, key=lambda item: (-item.rung, item.cause)):
        move(book, version, item.event, item.reason)
        open_case(book, present.governance, version, item)
    _close(book, version, Disposition.CLEARED, _cleared(book.ledger, present, version, broken))
    for case in book.ledger.open_cases(version):
        if not book.ledger.waived(case.cause, version, book.now):
            broken.append(_of_case(case))
            move(book, version, BREACHED[case.rung], f"case {case.number} ({case.cause}) is open")
    if not broken:
        move(book, version, Event.CLEARED, "every limit that led to watch holds again")


def _of_case(case: Case) -> Broken:
    return Broken(case.cause, case.rung, BREACHED[case.rung], case.opened_at, case.reason)


def _cleared(
    ledger: Ledger, present: Present, version: str, broken: Iterable[Broken]
) -> list[Case]:
    """Return the cases that only watched, and whose limit was shown to hold again.

    An alert that is merely no longer judged clears nothing, and decisions that were made outside of
    what was allowed stay made: somebody has to say what was done about them.
    """
    still = {item.cause for item in broken}
    over = {item.fingerprint for item in present.alerts if item.state is AlertState.RESOLVED}
    return [
        case
        for case in ledger.open_cases(version)
        if case.rung is Rung.WATCH
        and case.cause not in {Cause.OUTSIDE_AUTHORITY, *still}
        and not ledger.waived(case.cause, version, present.now)
        and over.issuperset(case.findings)
    ]


def _close(book: Book, version: str, disposition: Disposition, cases: Iterable[Case]) -> None:
    why = {
        Disposition.CLEARED: "the limit holds again",
        Disposition.RETIRE: "the version was retired",
    }[disposition]
    for case in cases:
        after = closed(case, disposition, book.actor.id, book.now, why)
        book.write(EventType.CASE_CLOSED, version, after)
