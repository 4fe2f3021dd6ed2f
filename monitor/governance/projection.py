"""A ledger in the audit log: each change with the whole of what it made, and the way back.

The stored state of versions, requests, cases and waivers is what the records of the log add up to.
Whoever changes the state past the log is found by adding them up again.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from monitor.domain.governance import Rung
from monitor.governance.approvals import Request
from monitor.governance.cases import Case
from monitor.governance.ledger import Change, Entry
from monitor.governance.log import Happened
from monitor.governance.record import AuditEvent, AuditRecord, Json
from monitor.governance.standing import Standing
from monitor.governance.waivers import Waiver


class Noun(StrEnum):
    """What an entry of a ledger is called in the log."""

    STANDING = "standing"
    REQUEST = "request"
    CASE = "case"
    WAIVER = "waiver"


NOUNS: Mapping[type[Entry], Noun] = {
    Standing: Noun.STANDING,
    Request: Noun.REQUEST,
    Case: Noun.CASE,
    Waiver: Noun.WAIVER,
}

Key = tuple[Noun, str, str]
"""Noun, model, and the version or number of an entry."""

Document = Mapping[str, Json]


_NAMES: Mapping[str, frozenset[str]] = {
    noun.value: frozenset({"model", "version" if noun is Noun.STANDING else "number"})
    for noun in Noun
}
"""What the document of each noun is told apart by."""


def key_of(noun: Noun, document: Document) -> Key:
    """Return what tells an entry from all others."""
    which = document["version"] if noun is Noun.STANDING else document["number"]
    return noun, str(document["model"]), str(which)


def document_of(entry: Entry) -> Document:
    """Return an entry as it is written in the log: instants and enumerations as text."""
    return {name: _json(value) for name, value in asdict(entry).items()}


def happened(model: str, policy: str, change: Change) -> Happened:
    """Return the event of a change of a model's ledger.

    Args:
        model: Name of the model.
        policy: Digest of the policy in force; "" where none was asked.
        change: The change.
    """
    data = dict(change.data)
    if change.after is not None:
        data["entry"] = NOUNS[type(change.after)].value
        data["after"] = dict(document_of(change.after))
    subject = subject_of(model, change.version)
    return Happened(change.at, AuditEvent(change.type, subject, change.actor, policy, data))


def subject_of(model: str, version: str) -> str:
    """Return what a change of a model, or of one of its versions, is recorded of."""
    of = f"/version/{_plain(version)}" if version else ""
    return f"model/{_plain(model)}{of}"


def entry_of(record: AuditRecord) -> tuple[Key, Document] | None:
    """Return what a record made of an entry; None for a record that made none that is known here."""
    noun, after = record.event.data.get("entry"), record.event.data.get("after")
    if not isinstance(noun, str) or not isinstance(after, dict):
        return None
    if noun not in _NAMES or not _NAMES[noun] <= after.keys():
        return None
    return key_of(Noun(noun), after), after


def replayed(records: Iterable[AuditRecord]) -> Mapping[Key, Document]:
    """Return what the records of a store's logs add up to, the oldest log first."""
    return dict(made for record in records if (made := entry_of(record)) is not None)


def differences(
    recorded: Mapping[Key, Document], stored: Mapping[Key, Document]
) -> Mapping[Key, tuple[str, ...]]:
    """Return each entry that is not stored as the log adds it up, with where they differ, in words."""
    keys = sorted(recorded.keys() | stored.keys())
    found = {key: _difference(key, recorded.get(key), stored.get(key)) for key in keys}
    return {key: told for key, told in found.items() if told}


def _difference(key: Key, said: Document | None, is_now: Document | None) -> tuple[str, ...]:
    noun, model, which = key
    about = f"{noun} {which} of {model}"
    if is_now is None:
        return (f"{about}: the log has it, and the store does not",)
    if said is None:
        return (f"{about}: the store has it, and the log never recorded it",)
    return tuple(
        f"{about}: {name} is {is_now.get(name)!r}, and the log says {said.get(name)!r}"
        for name in sorted(said.keys() | is_now.keys())
        if said.get(name) != is_now.get(name)
    )


def _json(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {_plain(str(name)): _json(item) for name, item in sorted(value.items())}
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    if isinstance(value, Struct):
        return {name: _json(item) for name, item in asdict(value).items()}
    return _scalar(value)


def _scalar(value: Any) -> Json:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case Rung() | str():
            return _plain(str(value))
        case None | bool() | int():
            return value
        case _:
            raise TypeError(f"no entry of a ledger holds a {type(value).__name__}")


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
