"""What an approval rests on, looked at again: files that the policy names, and the registry's entry.

An approval is given for what was there. Whoever looks remembers what they found, and whatever is
decided or follows by itself is held against what was found last. Digests are compared, never times.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.errors import SourceError
from monitor.domain.governance import RegistryEntry
from monitor.domain.policy import Policy
from monitor.domain.registry import RegisteredModel
from monitor.engine.registry import Registry
from monitor.governance.registry_changes import identity_of
from monitor.governance.standing import Standing, State

_log = logging.getLogger("modelmon")

REGISTRY, MODEL_FILE = "registry", "model_file"
"""What a version is in the registry, and the file there that describes it."""


class Found(Struct, frozen=True):
    """What was found of one thing that approvals of a version rest on.

    Attributes:
        version: The version.
        name: What it is: ``model``, ``report`` or ``registry``.
        digest: Digest of what is there; "" when nothing is; None when it was never seen.
        since: When that was first found.
        trouble: Why it could not be looked at; "" when it could. ``digest`` is older then.
    """

    version: str
    name: str
    digest: str | None
    since: datetime
    trouble: str = ""

    @property
    def seen(self) -> bool:
        """Return whether there was something to look at the last time."""
        return not self.trouble and self.digest != ""


class Files(Protocol):
    """Where files are that approvals rest on."""

    def digest(self, directory: str, path: str) -> str:
        """Return the digest of a file, or of a folder with all that is in it; "" for nothing.

        Args:
            directory: Folder that a relative path starts from.
            path: The file or folder.

        Raises:
            SourceError: It cannot be looked at.
        """
        ...


class EvidenceMemory(Protocol):
    """Where it is remembered what was found."""

    def found(self, model: str) -> Sequence[Found]:
        """Return what was found last of everything that approvals of a model rest on."""
        ...

    def note_found(self, model: str, found: Sequence[Found]) -> None:
        """Remember what was found, in the place of what was found before.

        Raises:
            StoreError: It could not be written; nothing was.
        """
        ...


class Remembered(EvidenceMemory, Protocol):
    """What is remembered of versions, and of what their approvals rest on."""

    def standings(self, model: str) -> Mapping[str, Standing]:
        """Return where each known version of a model stands."""
        ...


def look_at_files(policy: Policy, store: Remembered, files: Files, now: datetime) -> None:
    """Look at every file that an approval of a model rests on, and remember what was found.

    What cannot be looked at is said, once; what was found of it before is left as it is. What is
    not there is said once as well. Where nothing has changed, nothing is written.

    Args:
        policy: The policy in force.
        store: What is remembered.
        files: Where the files are.
        now: When.

    Raises:
        StoreError: It could not be written.
    """
    places = policy.governance.rests_on
    if not places:
        return
    versions = [
        item.version
        for item in store.standings(policy.model).values()
        if item.state is not State.RETIRED
    ]
    looks = [
        _look(policy, files, now, version, name, place)
        for version in sorted(versions)
        for name, place in sorted(places.items())
    ]
    for each in note(policy.model, store, looks):
        if not each.seen:
            _log.warning(
                "the %s of version %s cannot be looked at: %s",
                each.name,
                each.version,
                each.trouble or f"{places[each.name]} is not there",
                extra={"model": policy.model},
            )


def look_at_registry(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy,
    entry: RegistryEntry,
    store: Remembered,
    there: RegisteredModel,
    registry: Registry,
    now: datetime,
) -> Sequence[Found]:
    """Look at what a registry has of each version, remember it, and return what is another now.

    The file that describes a version is asked for where the version may act or may come to; of
    others once.

    Args:
        policy: The policy in force.
        entry: The model in the registry.
        store: What is remembered.
        there: What the registry has.
        registry: The registry.
        now: When.

    Raises:
        RegistryError: The registry could not be asked.
        StoreError: It could not be written.
    """
    described = {each.version for each in store.found(policy.model) if each.name == MODEL_FILE}
    looks = []
    for version, standing in sorted(store.standings(policy.model).items()):
        if standing.state is State.RETIRED:
            continue
        known = there.version(version)
        if known is None:
            looks.append(Found(version, REGISTRY, "", now))
            continue
        identity = sha256(identity_of(known).encode("utf-8", "backslashreplace"))
        looks.append(Found(version, REGISTRY, f"sha256:{identity.hexdigest()}", now))
        if standing.state not in _FAR or version not in described:
            file = registry.model_file(entry.name, version)
            digest, trouble = (f"sha256:{file}", "") if file else (None, _NOT_HANDED_OUT)
            looks.append(Found(version, MODEL_FILE, digest, now, trouble))
    return note(policy.model, store, looks)


_FAR = frozenset({State.REGISTERED, State.STOPPED})
"""States from which a version comes to act by a new request alone."""

_NOT_HANDED_OUT = "the registry does not hand it out"


def note(model: str, store: EvidenceMemory, looks: Sequence[Found]) -> Sequence[Found]:
    """Remember what was found where it is another than before; return that.

    Raises:
        StoreError: It could not be written.
    """
    before = {(each.version, each.name): each for each in store.found(model)}
    merged = [_merged(before.get((each.version, each.name)), each) for each in looks]
    changed = [each for each in merged if before.get((each.version, each.name)) != each]
    if changed:
        store.note_found(model, changed)
    return changed


def unseen(policy: Policy, found: Sequence[Found]) -> tuple[Found, ...]:
    """Return what the policy names and nobody could look at the last time, or ever."""
    named = policy.governance.rests_on
    return tuple(each for each in found if not each.seen and each.name in named)


def _merged(before: Found | None, now: Found) -> Found:
    if before is None:
        return now
    if now.digest is None:
        return replace(before, trouble=now.trouble)
    same = now.digest == before.digest
    return replace(now, since=before.since if same else now.since)


def _look(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy, files: Files, now: datetime, version: str, name: str, place: str
) -> Found:
    if "{version}" in place and (version in {".", ".."} or set(version) & {"/", "\0"}):
        return Found(version, name, None, now, "its version cannot be a part of a file's name")
    try:
        digest = files.digest(policy.directory, place.replace("{version}", version))
    except SourceError as error:
        return Found(version, name, None, now, str(error))
    return Found(version, name, digest, now)
