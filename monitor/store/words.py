"""What people wrote, in a table of its own, and its erasure from there and everywhere it is shown."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, RowMapping, Table, func, insert, select, update

from monitor.domain.errors import RefusedError
from monitor.governance.erasable import (
    digest_of_words,
    digests_in,
    erased_words,
    with_words,
    without_words,
)
from monitor.governance.events import EventType
from monitor.governance.log import Happened
from monitor.governance.record import Actor, AuditEvent, AuditRecord, Json, record_of
from monitor.store.access_tables import ANSWERS
from monitor.store.governance_tables import CASES, REQUESTS, STANDINGS, WAIVERS
from monitor.store.tables import AUDIT_LOGS, AUDIT_RECORDS, MUTES, QUARANTINE
from monitor.store.words_table import WORDS

_SALT = 16
_SHOWN: tuple[Table, ...] = (STANDINGS, REQUESTS, CASES, WAIVERS, MUTES, QUARANTINE)
"""Where the words of people are read from, besides the answers that are kept to be given again."""


def kept_apart(connection: Connection, happened: Sequence[Happened]) -> list[Happened]:
    """Return events with digests in place of what people wrote about models, and keep the words.

    What the daemon writes itself stays where it is, unless it repeats what a person wrote.
    """
    found = []
    for each in happened:
        event = each.event
        if event.subject.startswith("model/"):
            person = event.actor.method != "system"
            data = without_words(
                event.data,
                lambda text, new=person: _digest(connection, text, new=new),  # type: ignore[misc]
            )
            each = Happened(each.at, replace(event, data=data))  # noqa: PLW2901  # the same, told
        found.append(each)
    return found


def told_of(connection: Connection) -> Mapping[str, str]:
    """Return the digest of each text to the text, or to what is left to tell of it."""
    return {row["digest"]: _told(row) for row in connection.execute(select(WORDS)).mappings()}


def exported_words(connection: Connection) -> list[dict[str, str]]:
    """Return each text with its digest and salt; of one that was erased what is left to tell."""
    query = select(WORDS).order_by(WORDS.c.digest)
    return [
        {"words": row["digest"], "salt": row["salt"], "text": row["text"]}
        if row["erased_at"] is None
        else {"words": row["digest"], "erased": erased_words(row["erased_at"], row["erased_by"])}
        for row in connection.execute(query).mappings()
    ]


def resolved(record: AuditRecord, told: Mapping[str, str]) -> AuditRecord:
    """Return a record with the words that its digests are of."""
    data = with_words(dict(record.event.data), lambda digest: told.get(digest, f"(no {digest})"))
    assert isinstance(data, dict)  # noqa: S101  # as it was
    return replace(record, event=replace(record.event, data=data))


def erase_words(  # noqa: PLR0917  # six nouns, each of another type
    connection: Connection, model: str, sequence: int, actor: Actor, why: str, at: datetime
) -> Happened:
    """Erase what a person first wrote in a record, wherever it is; return what is recorded of that.

    Args:
        connection: A transaction that writes.
        model: The model that the record is of.
        sequence: The record of the newest log.
        actor: Who erases.
        why: The reason they give.
        at: When.

    Raises:
        RefusedError: There is no such record of the model, or nothing in it to erase.
    """
    number: int | None = connection.scalar(select(func.max(AUDIT_LOGS.c.number)))
    body: str | None = connection.scalar(
        select(AUDIT_RECORDS.c.body).where(
            AUDIT_RECORDS.c.log == number, AUDIT_RECORDS.c.sequence == sequence
        )
    )
    event = None if body is None else record_of(body.encode()).event
    if event is None or not f"{event.subject}/".startswith(f"model/{model}/"):
        raise RefusedError((f"the audit log has no record {sequence} of the model {model}",))
    mine = [
        digest
        for digest in digests_in(dict(event.data))
        if not _stood_before(connection, digest, number, sequence)
    ]
    named = WORDS.c.digest.in_(mine)
    texts = connection.execute(select(WORDS).where(named, WORDS.c.text.is_not(None))).mappings()
    gone = {row["digest"]: row["text"] for row in texts}
    for text in list(gone.values()):  # a case that a person opens repeats what they wrote
        ends = WORDS.c.text.endswith(f": {text}", autoescape=True)
        repeated = connection.execute(select(WORDS.c.digest, WORDS.c.text).where(ends))
        gone.update({row.digest: row.text for row in repeated})
    if not gone:
        told = (
            f"record {sequence} holds no words of a person that are still there and were first"
            " written in it"
        )
        raise RefusedError((told,))
    instead = erased_words(at, actor.id)
    blank = {
        "salt": None,
        "text": None,
        "fingerprint": None,
        "erased_at": at,
        "erased_by": actor.id,
    }
    connection.execute(update(WORDS).where(WORDS.c.digest.in_(gone)).values(blank))
    for table in (*_SHOWN, ANSWERS):
        _replace(connection, table, frozenset(gone.values()), instead)
    data: dict[str, Json] = {"record": sequence, "erased": list[Json](gone), "why": why}
    return Happened(at, AuditEvent(EventType.WORDS_ERASED, f"model/{model}", actor, data=data))


def _stood_before(connection: Connection, digest: str, log: int | None, sequence: int) -> bool:
    """Return whether an earlier record of the log has some words: they are that one's."""
    earlier = select(func.count()).where(
        AUDIT_RECORDS.c.log == log,
        AUDIT_RECORDS.c.sequence < sequence,
        AUDIT_RECORDS.c.body.contains(digest, autoescape=True),
    )
    return bool(connection.scalar(earlier))


def _digest(connection: Connection, text: str, *, new: bool) -> str | None:
    """Return the digest of a text that is kept, or is to be; None for one that is not."""
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    known: str | None = connection.scalar(
        select(WORDS.c.digest).where(WORDS.c.fingerprint == fingerprint).limit(1)
    )
    if known is not None or not new:
        return known
    salt = secrets.token_bytes(_SALT)
    digest = digest_of_words(salt, text)
    row = {"digest": digest, "salt": salt.hex(), "text": text, "fingerprint": fingerprint}
    connection.execute(insert(WORDS), row)
    return digest


def _told(row: RowMapping) -> str:
    if row["erased_at"] is not None:
        return erased_words(row["erased_at"], row["erased_by"])
    if digest_of_words(bytes.fromhex(row["salt"]), row["text"]) != row["digest"]:
        return f"(other words than those of {row['digest']})"
    return str(row["text"])


def _replace(connection: Connection, table: Table, texts: frozenset[str], instead: str) -> None:
    """Write something else in the place of texts, in whatever column of a table they are."""
    keys = [column.name for column in table.primary_key]
    for row in connection.execute(select(table)).mappings().all():
        changed = {
            name: found
            for name, value in row.items()
            if name not in keys and (found := _without(value, texts, instead)) != value
        }
        if changed:
            this = update(table).where(*(table.c[name] == row[name] for name in keys))
            connection.execute(this.values(changed))


def _without(value: Any, texts: frozenset[str], instead: str) -> Any:
    if isinstance(value, str):
        plain = value.encode("utf-8", "backslashreplace").decode()
        if plain in texts:
            return instead
        return _without_in_json(value, texts, instead)
    if isinstance(value, Mapping):
        return {name: _without(item, texts, instead) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without(item, texts, instead) for item in value]
    return value


def _without_in_json(value: str, texts: frozenset[str], instead: str) -> str:
    """Return the JSON of an answer without the texts; any other text as it is."""
    if not value.startswith("{"):
        return value
    try:
        document = json.loads(value)
    except ValueError:
        return value
    found = _without(document, texts, instead)
    return value if found == document else json.dumps(found, separators=(",", ":"))
