"""What people do about the authority of a version, wherever they say it.

The command line and the HTTP interface both call this, so that a rule holds on both. Each verb
returns what has changed, in order; it raises NotAllowedError with every reason why not, having
recorded the refusal, and StoreError when it cannot be written.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from monitor.domain.errors import RefusedError
from monitor.domain.policy import Policy
from monitor.engine.authority import Authorities
from monitor.engine.decisions import MOST_WORDS, Said
from monitor.engine.governing import Act, decide
from monitor.governance import acts
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import APPROVING, Action
from monitor.governance.cases import Disposition
from monitor.governance.ledger import Change
from monitor.governance.standing import Event

Changes = Sequence[Change]

_TAKING = {
    Action.HOLD: Event.HELD,
    Action.STOP: Event.STOPPED,
    Action.RETIRE: Event.RETIRED,
}

_VOTING = {kind: action for action, kind in APPROVING.items() if kind is not None}


def submit(
    policy: Policy, store: Authorities, said: Said, version: str, digests: Mapping[str, str]
) -> Changes:
    """Ask that a version may act; of one that acts, that it may go on.

    Args:
        policy: The policy in force.
        store: What is remembered.
        said: Who asks, when and why.
        version: The version.
        digests: What the request rests on besides policy and baseline: ``model``, ``report``.
    """
    return _done(
        policy,
        store,
        said,
        Action.SUBMIT,
        lambda book, there, by: acts.submit(book, there, by, version, digests, said.why),
        digests.values(),
    )


def vote(
    policy: Policy,
    store: Authorities,
    said: Said,
    number: int,
    seen: Mapping[str, str] | None = None,
    *,
    granted: bool,
) -> Changes:
    """Say yes or no to a request; with the last yes it takes effect.

    Args:
        policy: The policy in force.
        store: What is remembered.
        said: Who says so, when and why.
        number: The request.
        seen: Digests of what they looked at: it must be what was asked for.
        granted: Yes or no.
    """
    kinds = {item.number: item.kind for item in store.requests(policy.model)}
    if number not in kinds:
        raise NotAllowedError((f"there is no request {number} about {policy.model}",))
    return _done(
        policy,
        store,
        said,
        _VOTING[kinds[number]],
        lambda book, there, by: acts.vote(
            book, there, by, number, said.why, granted=granted, seen=seen
        ),
    )


def withdraw(policy: Policy, store: Authorities, said: Said, number: int) -> Changes:
    """Take back what one has asked for."""
    return _done(
        policy,
        store,
        said,
        Action.WITHDRAW,
        lambda book, _, by: acts.withdraw(book, by, number, said.why),
    )


def take_away(
    policy: Policy, store: Authorities, said: Said, action: Action, version: str
) -> Changes:
    """Hold, stop or retire a version: one person suffices.

    Args:
        policy: The policy in force.
        store: What is remembered.
        said: Who says so, when and why.
        action: HOLD, STOP or RETIRE.
        version: The version.
    """
    event = _TAKING[action]
    return _done(
        policy,
        store,
        said,
        action,
        lambda book, there, by: acts.take_away(book, there, by, version, event, said.why),
    )


def release(policy: Policy, store: Authorities, said: Said, version: str) -> Changes:
    """Ask that a version that is held or restricted gets its authority back."""
    return _done(
        policy,
        store,
        said,
        Action.ASK_RELEASE,
        lambda book, there, by: acts.ask_release(book, there, by, version, said.why),
    )


def waive(  # noqa: PLR0917  # seven nouns, each of another type
    policy: Policy,
    store: Authorities,
    said: Said,
    limit: str,
    version: str,
    ends: datetime,
    control: str,
) -> Changes:
    """Ask that a limit have no consequence until an instant.

    Args:
        policy: The policy in force.
        store: What is remembered.
        said: Who asks, when and why.
        limit: Id of the limit.
        version: The version; "" for all.
        ends: Until when.
        control: What guards meanwhile, in words.
    """
    return _done(
        policy,
        store,
        said,
        Action.ASK_WAIVER,
        lambda book, there, by: acts.ask_waiver(
            book, there, by, limit, version, ends, said.why, control
        ),
        [control],
    )


def revoke_waiver(policy: Policy, store: Authorities, said: Said, number: int) -> Changes:
    """End a waiver before its time: its limit has its consequence again at once."""
    return _done(
        policy,
        store,
        said,
        Action.REVOKE_WAIVER,
        lambda book, _, by: acts.revoke(book, by, number, said.why),
    )


def close_case(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy,
    store: Authorities,
    said: Said,
    number: int,
    disposition: Disposition,
    evidence: str,
) -> Changes:
    """Say what has become of a case.

    Args:
        policy: The policy in force.
        store: What is remembered.
        said: Who says so, when, and what was done.
        number: The case.
        disposition: What became of it.
        evidence: Digest of what shows it.
    """
    return _done(
        policy,
        store,
        said,
        Action.CLOSE_CASE,
        lambda book, there, by: acts.close_case(
            book, there, by, number, disposition, said.why, evidence
        ),
        [evidence],
    )


def _done(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy,
    store: Authorities,
    said: Said,
    action: Action,
    act: Act,
    words: Iterable[str] = (),
) -> Changes:
    for text in (said.why, *words):
        if len(text) > MOST_WORDS:
            told = f"a text has {len(text):,} characters; {MOST_WORDS:,} are the most"
            raise RefusedError((told,))
    return decide(policy, store, said.who, action, act, said.at)
