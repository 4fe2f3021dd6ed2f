"""``/v1/models/{model}/versions``, ``requests``, ``waivers`` and ``cases``: which version may act."""

from collections.abc import Sequence
from re import fullmatch

from monitor.engine.evidence import look_at_files
from monitor.engine.governing import Act, decide
from monitor.governance import acts
from monitor.governance.approvals import Request
from monitor.governance.authorisation import APPROVING, Action
from monitor.governance.cases import Disposition
from monitor.governance.events import EventType
from monitor.governance.ledger import Change
from monitor.governance.standing import Event, Standing
from monitor.web.api.authority_forms import (
    CaseKnown,
    CasesKnown,
    ClosingWanted,
    RequestKnown,
    RequestsKnown,
    SubmissionWanted,
    VersionKnown,
    VersionsKnown,
    WaiverKnown,
    WaiversKnown,
    WaiverWanted,
    YesWanted,
    case_known,
    request_known,
    version_known,
    waiver_known,
)
from monitor.web.api.endpoint import Asked, Endpoint, MissingError, Reason

_BALLOTS = {kind: action for action, kind in APPROVING.items() if kind is not None}


def _versions(asked: Asked) -> VersionsKnown:
    known = asked.desk.store.standings(asked.policy.model)
    return VersionsKnown(versions=[version_known(known[name]) for name in sorted(known)])


def _requests(asked: Asked) -> RequestsKnown:
    known = asked.desk.store.requests(asked.policy.model)
    return RequestsKnown(requests=[request_known(item) for item in known])


def _waivers(asked: Asked) -> WaiversKnown:
    known = asked.desk.store.waivers(asked.policy.model)
    return WaiversKnown(waivers=[waiver_known(item, asked.at) for item in known])


def _cases(asked: Asked) -> CasesKnown:
    return CasesKnown(
        cases=[case_known(item) for item in asked.desk.store.cases(asked.policy.model)]
    )


def _submitted(asked: Asked) -> RequestKnown:
    body: SubmissionWanted = asked.body
    version = _named(asked).version
    _look(asked)
    return _asked_for(
        asked,
        Action.SUBMIT,
        lambda book, there, who: acts.submit(book, there, who, version, body.digests, body.why),
    )


def _release_asked(asked: Asked) -> RequestKnown:
    body: Reason = asked.body
    version = _named(asked).version
    return _asked_for(
        asked,
        Action.ASK_RELEASE,
        lambda book, there, who: acts.ask_release(book, there, who, version, body.why),
    )


def _waiver_asked(asked: Asked) -> RequestKnown:
    body: WaiverWanted = asked.body
    return _asked_for(
        asked,
        Action.ASK_WAIVER,
        lambda book, there, who: acts.ask_waiver(
            book, there, who, body.limit, body.version, body.ends, body.why, body.control
        ),
    )


def _granted(asked: Asked) -> RequestKnown:
    body: YesWanted = asked.body
    _look(asked)
    return _voted(asked, body.why, granted=True, seen=body.seen)


def _rejected(asked: Asked) -> RequestKnown:
    body: Reason = asked.body
    return _voted(asked, body.why, granted=False, seen={})


def _withdrawn(asked: Asked) -> RequestKnown:
    body: Reason = asked.body
    number = _wanted(asked).number
    _decide(asked, Action.WITHDRAW, lambda book, _, who: acts.withdraw(book, who, number, body.why))
    return request_known(_wanted(asked))


def _held(asked: Asked) -> VersionKnown:
    return _taken_away(asked, Action.HOLD, Event.HELD)


def _stopped(asked: Asked) -> VersionKnown:
    return _taken_away(asked, Action.STOP, Event.STOPPED)


def _retired(asked: Asked) -> VersionKnown:
    return _taken_away(asked, Action.RETIRE, Event.RETIRED)


def _revoked(asked: Asked) -> WaiverKnown:
    body: Reason = asked.body
    number = _number(asked, [item.number for item in asked.desk.store.waivers(asked.policy.model)])
    _decide(
        asked, Action.REVOKE_WAIVER, lambda book, _, who: acts.revoke(book, who, number, body.why)
    )
    known = asked.desk.store.waivers(asked.policy.model)
    return next(waiver_known(item, asked.at) for item in known if item.number == number)


def _closed(asked: Asked) -> CaseKnown:
    body: ClosingWanted = asked.body
    number = _number(asked, [item.number for item in asked.desk.store.cases(asked.policy.model)])
    _decide(
        asked,
        Action.CLOSE_CASE,
        lambda book, there, who: acts.close_case(
            book, there, who, number, Disposition(body.disposition), body.why, body.evidence
        ),
    )
    known = asked.desk.store.cases(asked.policy.model)
    return next(case_known(item) for item in known if item.number == number)


def _asked_for(asked: Asked, action: Action, act: Act) -> RequestKnown:
    # Not the newest request of all: somebody else may ask at the same time.
    made = [
        change.after
        for change in _decide(asked, action, act)
        if isinstance(change.after, Request) and change.type is EventType.APPROVAL_REQUESTED
    ]
    return request_known(made[-1])


def _look(asked: Asked) -> None:
    """Look at what an approval rests on, so that what is there now is asked for and approved."""
    look_at_files(asked.policy, asked.desk.store, asked.desk.files, asked.at)


def _voted(asked: Asked, why: str, *, granted: bool, seen: dict[str, str]) -> RequestKnown:
    request = _wanted(asked)
    action = _BALLOTS[request.kind]
    asked.may(action)
    _decide(
        asked,
        action,
        lambda book, there, who: acts.vote(
            book, there, who, request.number, why, granted=granted, seen=seen
        ),
    )
    return request_known(_wanted(asked))


def _taken_away(asked: Asked, action: Action, event: Event) -> VersionKnown:
    body: Reason = asked.body
    version = _named(asked).version
    _decide(
        asked,
        action,
        lambda book, there, who: acts.take_away(book, there, who, version, event, body.why),
    )
    return version_known(_named(asked))


def _decide(asked: Asked, action: Action, act: Act) -> Sequence[Change]:
    return decide(asked.policy, asked.desk.store, asked.who, action, act, asked.at)


def _named(asked: Asked) -> Standing:
    found = asked.desk.store.standings(asked.policy.model).get(asked.parts["version"])
    if found is None:
        raise MissingError("this model has no such version; GET the list")
    return found


def _wanted(asked: Asked) -> Request:
    known = {item.number: item for item in asked.desk.store.requests(asked.policy.model)}
    return known[_number(asked, list(known))]


def _number(asked: Asked, known: list[int]) -> int:
    text = asked.parts["number"]
    number = int(text) if fullmatch("[1-9][0-9]{0,8}", text) else 0
    if number not in known:
        raise MissingError("there is nothing of this number; GET the list")
    return number


_MODEL = "/v1/models/{model}"
_VERSION = f"{_MODEL}/versions/{{version}}"

_READS = (
    ("versions", "Where each known version of a model stands.", VersionsKnown, _versions),
    ("requests", "Every request about a model, and what was said to it.", RequestsKnown, _requests),
    ("waivers", "Every waiver of a model.", WaiversKnown, _waivers),
    ("cases", "Every case of a model: what somebody must answer for.", CasesKnown, _cases),
)

ENDPOINTS = (
    *(
        Endpoint("GET", f"{_MODEL}/{name}", Action.READ_RESTRICTED, summary, answer, handle)
        for name, summary, answer, handle in _READS
    ),
    Endpoint(
        "POST",
        f"{_VERSION}/submit",
        Action.SUBMIT,
        "Ask that a version may act.",
        RequestKnown,
        _submitted,
        SubmissionWanted,
    ),
    Endpoint(
        "POST",
        f"{_VERSION}/hold",
        Action.HOLD,
        "Take a version's authority away until it is released.",
        VersionKnown,
        _held,
        Reason,
    ),
    Endpoint(
        "POST",
        f"{_VERSION}/stop",
        Action.STOP,
        "Take a version's authority away until it is approved anew.",
        VersionKnown,
        _stopped,
        Reason,
    ),
    Endpoint(
        "POST",
        f"{_VERSION}/retire",
        Action.RETIRE,
        "Take a version's authority away for good.",
        VersionKnown,
        _retired,
        Reason,
    ),
    Endpoint(
        "POST",
        f"{_VERSION}/release",
        Action.ASK_RELEASE,
        "Ask that a version that is held or restricted gets its authority back.",
        RequestKnown,
        _release_asked,
        Reason,
    ),
    Endpoint(
        "POST",
        f"{_MODEL}/requests/{{number}}/approve",
        None,
        "Say yes to a request, by who may for its kind; with the last yes it takes effect.",
        RequestKnown,
        _granted,
        YesWanted,
    ),
    Endpoint(
        "POST",
        f"{_MODEL}/requests/{{number}}/reject",
        None,
        "Say no to a request, by who may for its kind.",
        RequestKnown,
        _rejected,
        Reason,
    ),
    Endpoint(
        "POST",
        f"{_MODEL}/requests/{{number}}/withdraw",
        Action.WITHDRAW,
        "Take back what one has asked for.",
        RequestKnown,
        _withdrawn,
        Reason,
    ),
    Endpoint(
        "POST",
        f"{_MODEL}/waivers",
        Action.ASK_WAIVER,
        "Ask that a limit have no consequence for a while.",
        RequestKnown,
        _waiver_asked,
        WaiverWanted,
    ),
    Endpoint(
        "POST",
        f"{_MODEL}/waivers/{{number}}/revoke",
        Action.REVOKE_WAIVER,
        "End a waiver before its time: its limit has its consequence again at once.",
        WaiverKnown,
        _revoked,
        Reason,
    ),
    Endpoint(
        "POST",
        f"{_MODEL}/cases/{{number}}/close",
        Action.CLOSE_CASE,
        "Say what has become of a case.",
        CaseKnown,
        _closed,
        ClosingWanted,
    ),
)
