"""What the audit log says of a registry: what was found there, and what it was told."""

from collections.abc import Mapping
from datetime import datetime

from monitor.domain.registry import Errand, Origin
from monitor.governance.events import EventType
from monitor.governance.log import Happened
from monitor.governance.record import DAEMON, AuditEvent, Json
from monitor.governance.registry_changes import ChangeKind, RegistryChange

_TYPES = {
    ChangeKind.VERSION_SEEN: EventType.REGISTRY_VERSION_SEEN,
    ChangeKind.VERSION_DELETED: EventType.REGISTRY_VERSION_DELETED,
    ChangeKind.SOURCE_CHANGED: EventType.REGISTRY_IDENTITY_CHANGED,
    ChangeKind.RUN_DELETED: EventType.REGISTRY_IDENTITY_CHANGED,
    ChangeKind.ALIAS_MOVED: EventType.REGISTRY_ALIAS_MOVED,
    ChangeKind.ALIAS_MOVED_OUTSIDE: EventType.REGISTRY_ALIAS_MOVED_OUTSIDE,
    ChangeKind.TAG_TAMPERED: EventType.REGISTRY_TAG_TAMPERED,
}
"""Changes that have an event of their own; the rest is told by the snapshot's."""

_LONGEST = 1000
"""Characters of a text from a registry that are kept in the log; anybody may write 100,000."""


def snapshot_taken(model: str, at: datetime, name: str, digest: str, policy: str) -> Happened:
    """Return the event of a registry that is not as it was.

    Args:
        model: The watched model.
        at: When it was found so.
        name: The model's name in the registry.
        digest: Of all that the registry has of it; "" when it is not there.
        policy: Digest of the policy in force.
    """
    data: Mapping[str, Json] = {"name": _plain(name), "snapshot": digest, "there": bool(digest)}
    subject = f"model/{_plain(model)}"
    event = AuditEvent(EventType.REGISTRY_SNAPSHOT, subject, DAEMON, policy, data)
    return Happened(at, event)


def registry_changed(  # noqa: PLR0917  # six nouns, each of another type
    model: str,
    at: datetime,
    change: RegistryChange,
    policy: str,
    consequence: str = "",
    origin: Origin | None = None,
) -> Happened | None:
    """Return the event of a change in a registry; None for what a snapshot's event tells.

    Args:
        model: The watched model.
        at: When it was found.
        change: What has changed.
        policy: Digest of the policy in force.
        consequence: What follows from it; "" for nothing.
        origin: Where the version came from, if it is new.
    """
    kind = _TYPES.get(change.kind)
    if kind is None:
        return None
    data: dict[str, Json] = {
        "what": change.kind.value,
        "before": _plain(change.before),
        "after": _plain(change.after),
    }
    if change.name:
        data["name"] = _plain(change.name)
    if consequence:
        data["consequence"] = consequence
    if origin is not None:
        data["origin"] = _origin(origin)
    return Happened(at, AuditEvent(kind, _subject(model, change.version), DAEMON, policy, data))


def registry_subject(registry: str) -> str:
    """Return what records of a registry's outages are about.

    Args:
        registry: Where it is.
    """
    return f"registry/{_plain(registry)}"


def registry_lost(registry: str, at: datetime, told: str) -> Happened:
    """Return the event of a registry that cannot be looked at any more.

    Args:
        registry: Where it is.
        at: When it was found so.
        told: Why not, in words.
    """
    data: Mapping[str, Json] = {"told": _plain(told)}
    event = AuditEvent(EventType.REGISTRY_UNREACHABLE, registry_subject(registry), data=data)
    return Happened(at, event)


def registry_found_again(registry: str, at: datetime, since: datetime, waiting: int) -> Happened:
    """Return the event of a registry that can be looked at again.

    Args:
        registry: Where it is.
        at: When it was looked at.
        since: When it was first found that it could not be.
        waiting: How much it is to be told that had to wait.
    """
    data: Mapping[str, Json] = {"unreachable_since": since.isoformat(), "waiting": waiting}
    event = AuditEvent(EventType.REGISTRY_REACHABLE, registry_subject(registry), data=data)
    return Happened(at, event)


def errand_ended(errand: Errand, at: datetime, *, taken: bool, told: str) -> Happened:
    """Return the event of an errand that the registry has taken, or at first has not.

    Args:
        errand: What it was to be told.
        at: When.
        taken: Whether it was taken.
        told: What became of it, in words.
    """
    kind = EventType.REGISTRY_WRITE_OK if taken else EventType.REGISTRY_WRITE_FAILED
    payload = {_plain(str(key)): _plain(str(value)) for key, value in errand.payload.items()}
    data: Mapping[str, Json] = {
        "errand": _plain(errand.key),
        "kind": errand.kind.value,
        "payload": {**payload},
        "told": _plain(told),
    }
    return Happened(at, AuditEvent(kind, _subject(errand.model, errand.version), data=data))


def _origin(origin: Origin) -> Json:
    lineage = origin.lineage
    return {
        "source": _plain(origin.source),
        "run": _plain(lineage.run),
        "commit": _plain(lineage.commit),
        "model_file": lineage.model_file,
        "data": [
            {"name": _plain(each.name), "digest": _plain(each.digest)} for each in lineage.data
        ],
    }


def _subject(model: str, version: str) -> str:
    whole = f"model/{_plain(model)}"
    return f"{whole}/version/{_plain(version)}" if version else whole


def _plain(text: str) -> str:
    return text[:_LONGEST].encode("utf-8", "backslashreplace").decode()
