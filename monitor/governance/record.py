"""One entry of the audit log, and the bytes that are hashed.

The body of a record is canonical JSON: keys sorted, no blanks, UTF-8, no NaN. It is written once
and never again made from its parts, so that what is verified is what was hashed. It names the log,
its own place and the record before it; whoever changes one record changes every later one.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field

from monitor.governance.events import EventType
from monitor.governance.merkle import leaf_hash

FORM = 1
"""Version of the form of a body."""

FIRST = bytes(32)
"""What the first record of a log names as the record before it."""

_KEYS = frozenset({"v", "log", "seq", "prev", "ts", "type", "actor", "subject", "policy", "data"})

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class RecordError(ValueError):
    """A body is no audit record."""


class Actor(Struct, frozen=True):
    """Who did it, as far as the daemon knows.

    Attributes:
        id: A person's issuer and subject, a token's name, or ``daemon``.
        method: How that is known: ``system``, ``cli``, ``token``, ``oidc``, ``header``.
    """

    id: str
    method: str


DAEMON = Actor("daemon", "system")
"""What nobody asked for: schedules, limits, deadlines."""


class AuditEvent(Struct, frozen=True):
    """Something that happened, before it has a place in a log.

    Attributes:
        type: What.
        subject: On what: ``model/credit``, ``model/credit/version/3``, ``log``.
        actor: Who.
        policy: Digest of the policy in force; "" where none was.
        data: The rest: JSON of strings, whole numbers, booleans, lists and objects. Measured
            numbers are written as text, so that no reader rounds them. Free text of people is not
            in here but its salted digest, so that it can be erased.
    """

    type: EventType
    subject: str
    actor: Actor = DAEMON
    policy: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)


class AuditRecord(Struct, frozen=True):
    """An event at its place in a log.

    Attributes:
        log: The log's origin.
        sequence: Its place, from 0.
        previous: Leaf hash of the record before it; `FIRST` at place 0.
        at: When, by the daemon's clock.
        event: What happened.
        body: The bytes that were hashed.
    """

    log: str
    sequence: int
    previous: bytes
    at: datetime
    event: AuditEvent
    body: bytes

    @property
    def leaf(self) -> bytes:
        """Return the record's leaf hash."""
        return leaf_hash(self.body)


def record_at(
    log: str, sequence: int, previous: bytes, at: datetime, event: AuditEvent
) -> AuditRecord:
    """Return an event with its place in a log.

    Raises:
        RecordError: The event holds something that JSON has no one form for.
    """
    body = {
        "v": FORM,
        "log": log,
        "seq": sequence,
        "prev": previous.hex(),
        "ts": _instant(at),
        "type": event.type.value,
        "actor": {"id": event.actor.id, "method": event.actor.method},
        "subject": event.subject,
        "policy": event.policy,
        "data": dict(event.data),
    }
    return AuditRecord(log, sequence, previous, at, event, canonical(body))


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the one form of a JSON document.

    Raises:
        RecordError: It holds NaN, an infinity, a fraction, or text that is not Unicode.
    """
    _refuse_fractions(document, "")
    try:
        text = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        return text.encode()
    except (TypeError, ValueError) as error:
        raise RecordError(f"not canonical JSON: {error}") from error


def record_of(body: bytes) -> AuditRecord:
    """Return the record that a body holds.

    Raises:
        RecordError: It is none: not JSON, a key twice, keys missing or unknown, another form, not
            canonical.
    """
    try:
        document = json.loads(body, object_pairs_hook=_once, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not a JSON document: {error}") from error
    if not isinstance(document, dict) or set(document) != _KEYS:
        raise RecordError(f"a record has exactly the keys {', '.join(sorted(_KEYS))}")
    if document["v"] != FORM:
        raise RecordError(f"a record of form {document['v']!r}; this code reads form {FORM}")
    if canonical(document) != body:
        raise RecordError("not in canonical form: it was not written by a log")
    return _read(document, body)


def _read(document: Mapping[str, Any], body: bytes) -> AuditRecord:
    try:
        event = AuditEvent(
            EventType(document["type"]),
            str(document["subject"]),
            Actor(**document["actor"]),
            str(document["policy"]),
            dict(document["data"]),
        )
        previous = bytes.fromhex(document["prev"])
        at = datetime.fromisoformat(document["ts"])
        return AuditRecord(document["log"], int(document["seq"]), previous, at, event, body)
    except (TypeError, ValueError) as error:
        raise RecordError(f"not a record: {error}") from error


def _instant(at: datetime) -> str:
    if at.utcoffset() is None:
        raise RecordError(f"an instant carries a time zone: {at}")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _refuse_fractions(value: object, where: str) -> None:
    if isinstance(value, float):
        raise RecordError(f"{where or 'the record'}: a fraction; write measured numbers as text")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_fractions(item, f"{where}.{key}" if where else str(key))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            _refuse_fractions(item, f"{where}[{place}]")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
