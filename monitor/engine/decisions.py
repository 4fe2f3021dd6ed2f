"""What people decide: looked at, allowed or refused, and stored, wherever they say it.

The command line and the HTTP interface both call this, so that a rule holds on both.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from monitor.domain import quarantine
from monitor.domain.alert import Mute
from monitor.domain.errors import RefusedError
from monitor.domain.policy import Policy
from monitor.domain.quarantine import QuarantinedFile
from monitor.engine.ports import Store
from monitor.engine.quarantine import decide
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action, Who, authorise
from monitor.governance.events import EventType
from monitor.governance.log import Happened
from monitor.governance.record import Actor, AuditEvent, Json

LONGEST = timedelta(days=90)
"""How long a mute may be: what nobody wants to hear for longer has a wrong limit."""

MOST_WORDS = 4_000
"""Characters that a reason may have."""

_MOST_LETTERS = 200
"""Of a name or a reason in the record of a refusal."""


class Said(Struct, frozen=True):
    """Who decides, when, and why.

    Attributes:
        who: Somebody who wants it.
        at: When.
        why: The reason they give, in words.
    """

    who: Who
    at: datetime
    why: str

    @property
    def actor(self) -> Actor:
        """Return who it was, as the audit log names them."""
        return actor_of(self.who)


def actor_of(who: Who) -> Actor:
    """Return somebody as the audit log names them; what Unicode does not have is escaped."""
    return Actor(who.named.encode("utf-8", "backslashreplace").decode(), who.method.value)


def refusal(who: Who, action: Action, model: str, error: NotAllowedError, at: datetime) -> Happened:
    """Return the event that somebody may not do something.

    Args:
        who: Who wanted it.
        action: What.
        model: The model that it is about; "" for none.
        error: Every reason why not.
        at: When.
    """
    data: dict[str, Json] = {
        "action": action.value,
        "reasons": [_plain(reason) for reason in error.reasons],
    }
    subject = f"model/{_plain(model)}" if model else "access"
    return Happened(at, AuditEvent(EventType.ACCESS_DENIED, subject, actor_of(who), data=data))


def mute(store: Store, policy: Policy, fingerprint: str, until: datetime, said: Said) -> Mute:
    """Have nobody called for a finding until an instant.

    Raises:
        NotAllowedError: They may not.
        RefusedError: It ends too late or is over already, or there is no reason; with all of it.
        StoreError: It cannot be written.
    """
    authorise(said.who, Action.MUTE, policy, said.at)
    reasons = _of_words(said.why, "say why nobody has to hear of it")
    if not said.at < until <= said.at + LONGEST:
        near = f"{until.isoformat()} is not within the next {LONGEST.days} days"
        reasons += (f"{near}; a mute that ends later asks for another limit",)
    return _muted(store, policy, fingerprint, until, said, reasons)


def unmute(store: Store, policy: Policy, fingerprint: str, said: Said) -> Mute:
    """End the mute of a finding before its time.

    Raises:
        NotAllowedError: They may not.
        RefusedError: It is not muted, or there is no reason; with all of it.
        StoreError: It cannot be written.
    """
    authorise(said.who, Action.MUTE, policy, said.at)
    reasons = _of_words(said.why, "say why somebody has to hear of it again")
    known = store.mutes(policy.model).get(fingerprint)
    if known is None or not known.holds(said.at):
        reasons += (f"{fingerprint} is not muted",)
    return _muted(store, policy, fingerprint, said.at, said, reasons)


def retry_file(store: Store, policy: Policy, path: str, said: Said) -> QuarantinedFile:
    """Have a file in quarantine tried at the next check.

    Raises:
        NotAllowedError: They may not.
        RefusedError: It is not in quarantine, or the reason is too long.
        StoreError: It cannot be written.
    """
    authorise(said.who, Action.DECIDE_QUARANTINE, policy, said.at)
    by, reasons = said.who.account, _of_words(said.why or "none given", "")
    _require_inside(store, policy, path, reasons)

    def again(file: QuarantinedFile) -> QuarantinedFile:
        return quarantine.retry(file, by, said.why, said.at)

    return decide(policy.model, path, again, store, (said.at, said.actor))


def drop_file(store: Store, policy: Policy, path: str, said: Said) -> QuarantinedFile:
    """Have a file in quarantine never tried again; it is still counted and named.

    Raises:
        NotAllowedError: They may not.
        RefusedError: It is not in quarantine, or there is no reason; with all of it.
        StoreError: It cannot be written.
    """
    authorise(said.who, Action.DECIDE_QUARANTINE, policy, said.at)
    reasons = _of_words(said.why, "say why nobody will need the rows of this file")
    _require_inside(store, policy, path, reasons)

    def dropped(file: QuarantinedFile) -> QuarantinedFile:
        return quarantine.drop(file, said.who.account, said.why)

    return decide(policy.model, path, dropped, store, (said.at, said.actor))


def _muted(  # noqa: PLR0917  # six nouns, each of another type
    store: Store,
    policy: Policy,
    fingerprint: str,
    until: datetime,
    said: Said,
    reasons: tuple[str, ...],
) -> Mute:
    if reasons:
        raise RefusedError(reasons)
    decided = Mute(policy.model, fingerprint, said.at, until, said.who.account, said.why)
    store.mute(decided, said.actor)
    return decided


def _require_inside(store: Store, policy: Policy, path: str, reasons: tuple[str, ...]) -> None:
    file = store.quarantine(policy.model).get(path)
    if file is None or not file.inside:
        reasons += (f"{path} is not in quarantine",)
    if reasons:
        raise RefusedError(reasons)


def _of_words(why: str, wanted: str) -> tuple[str, ...]:
    if not why.strip():
        return (f"the reason is empty; {wanted}",)
    if len(why) > MOST_WORDS:
        return (f"the reason has {len(why):,} characters; {MOST_WORDS:,} are the most",)
    return ()


def _plain(text: str) -> str:
    return text[:_MOST_LETTERS].encode("utf-8", "backslashreplace").decode()
