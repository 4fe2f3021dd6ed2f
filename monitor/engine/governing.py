"""Who may act, kept up to date: what follows by itself, and what people decide.

Every decision is made on what is known in the transaction that writes it, after what follows from
the clock, and what follows from the decision is written with it. A refusal is recorded as well.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from monitor.domain.policy import Policy
from monitor.engine.authority import Authorities
from monitor.governance.acts import Speaker
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action, Who, authorise
from monitor.governance.consequences import Present, lose_identity, settled
from monitor.governance.events import EventType
from monitor.governance.ledger import Book, Change, Ledger
from monitor.governance.record import Actor

Act = Callable[[Book, Present, Speaker], object]
"""What somebody does: it writes in the book, or raises NotAllowedError."""


def settle(policy: Policy, store: Authorities, now: datetime) -> Sequence[Change]:
    """Write what follows by itself from alerts, deadlines, approvals and waivers, and return it.

    Where nothing follows, nothing is written.

    Args:
        policy: The policy in force.
        store: What is remembered.
        now: When.

    Raises:
        StoreError: It could not be written.
    """
    if not settled(*store.authority(policy, now)):
        return ()
    return store.govern(policy, now, settled)


def decide(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy,
    store: Authorities,
    who: Who,
    action: Action,
    act: Act,
    now: datetime,
) -> Sequence[Change]:
    """Do what somebody wants, if they may, and return what has changed.

    Args:
        policy: The policy in force.
        store: What is remembered.
        who: Who wants it.
        action: What, for the one table of who may.
        act: What it does.
        now: When.

    Raises:
        NotAllowedError: With every reason why not; that is recorded, and nothing else has changed.
        StoreError: It could not be written.
    """
    refused: list[NotAllowedError] = []
    by = Actor(_plain(who.named), who.method.value)
    person = policy.governance.accountability.person(who.account)

    def decided(ledger: Ledger, present: Present) -> Sequence[Change]:
        refused.clear()
        before = settled(ledger, present)
        book = Book(ledger.after(before), now, by)
        try:
            roles = authorise(who, action, policy, now)
            act(book, present, Speaker(who.account, person, roles, frozenset(who.groups)))
        except NotAllowedError as error:
            refused.append(error)
            book = Book(ledger.after(before), now, by)
            reasons = [_plain(reason) for reason in error.reasons]
            book.write(EventType.ACCESS_DENIED, "", None, action=action.value, reasons=[*reasons])
        return [*before, *book.changes, *settled(book.ledger, present)]

    changes = store.govern(policy, now, decided)
    if refused:
        raise refused[0]
    return changes


def identity_changed(
    policy: Policy, store: Authorities, version: str, why: str, now: datetime
) -> Sequence[Change]:
    """Hold a version because what was approved is not what decides; return what has changed.

    Nothing changes where the version may not act.

    Args:
        policy: The policy in force.
        store: What is remembered.
        version: The version.
        why: What is another now, in words.
        now: When.

    Raises:
        StoreError: It could not be written.
    """

    def held(ledger: Ledger, present: Present) -> Sequence[Change]:
        before = settled(ledger, present)
        book = Book(ledger.after(before), now)
        standing = book.ledger.standings.get(version)
        if standing is not None and standing.acts:
            lose_identity(book, present, version, why)
        return [*before, *book.changes]

    return store.govern(policy, now, held)


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
