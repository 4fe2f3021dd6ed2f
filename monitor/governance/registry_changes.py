"""How a model in a registry has changed, and which of it nobody had decided.

A registry is an input and a mirror. What is in it is compared whole with what was in it: registries
do not say when an alias or a tag was changed, nor by whom. What is approved is never read from it.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from msgspec import Struct, field

from monitor.domain.registry import RegisteredModel, RegisteredVersion, RunStage


class ChangeKind(StrEnum):
    """What has changed in a registry."""

    MODEL_SEEN = "model_seen"
    MODEL_GONE = "model_gone"
    VERSION_SEEN = "version_seen"
    VERSION_DELETED = "version_deleted"
    SOURCE_CHANGED = "source_changed"
    """The same number names something else: other files, another run, or it was made anew."""
    RUN_DELETED = "run_deleted"
    ALIAS_MOVED = "alias_moved"
    """Set, moved or removed as the workflow allows it, or an alias that nothing hangs on."""
    ALIAS_MOVED_OUTSIDE = "alias_moved_outside"
    """The alias that is served names a version that may not act, and it was not us."""
    TAG_TAMPERED = "tag_tampered"
    """A tag of ours says something that we have not said."""


class RegistryChange(Struct, frozen=True):
    """One thing that differs between two looks at a registry.

    Attributes:
        kind: What.
        version: The version it is about; "" for the model, and for an alias that is gone.
        name: The alias or tag; "" otherwise.
        before: What it was; "" for nothing.
        after: What it is; "" for nothing.
    """

    kind: ChangeKind
    version: str = ""
    name: str = ""
    before: str = ""
    after: str = ""


class Told(Struct, frozen=True):
    """What we have told a registry, and may find there therefore.

    Attributes:
        tags: Version to the tags that it was told last.
        waiting: Versions whose tags are about to be told: until then they may be anything.
        fresh: Versions whose tags were told since the last look.
        aliases: Alias to the versions that we have had it name since the last look, or are having
            it name; "" for none.
        moved: Aliases that we have moved since the last look; what is yet to be moved is none.
    """

    tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    waiting: Collection[str] = ()
    fresh: Collection[str] = ()
    aliases: Mapping[str, frozenset[str]] = field(default_factory=dict)
    moved: Collection[str] = ()


class Workflow(Struct, frozen=True):
    """What decides whether a move of the served alias was decided.

    Attributes:
        alias: The alias that is served; "" for none.
        acting: Versions that may act.
        governed: Whether anybody decides that: of an ungoverned model, no version was ever approved,
            and no move is past a workflow.
    """

    alias: str = ""
    acting: Collection[str] = ()
    governed: bool = False

    def refuses(self, version: str) -> bool:
        """Return whether the served alias must not name a version."""
        return self.governed and bool(version) and version not in self.acting


def registry_changes(
    before: RegisteredModel | None, after: RegisteredModel | None, told: Told, workflow: Workflow
) -> tuple[RegistryChange, ...]:
    """Return what differs between two looks at a model in its registry, in an order of its own.

    Args:
        before: The last look; None when there was none, or the model was not there.
        after: This look; None when the model is not there.
        told: What we have told the registry.
        workflow: What decides whether a move of the alias was decided.
    """
    if after is None:
        return (
            () if before is None else (RegistryChange(ChangeKind.MODEL_GONE, before=before.name),)
        )
    found: list[RegistryChange] = []
    if before is None:
        found.append(RegistryChange(ChangeKind.MODEL_SEEN, after=after.name))
    earlier = before or RegisteredModel(after.name)
    found += _versions(earlier, after)
    found += _aliases(earlier, after, told, workflow)
    found += _tags(earlier, after, told)
    return tuple(found)


def _versions(before: RegisteredModel, after: RegisteredModel) -> Iterator[RegistryChange]:
    for old in before.versions:
        if after.version(old.version) is None:
            yield RegistryChange(ChangeKind.VERSION_DELETED, old.version, before=old.source)
    for new in after.versions:
        was = before.version(new.version)
        if was is None:
            yield RegistryChange(ChangeKind.VERSION_SEEN, new.version, after=new.source)
        elif identity_of(was) != identity_of(new):
            yield RegistryChange(
                ChangeKind.SOURCE_CHANGED, new.version, "", identity_of(was), identity_of(new)
            )
        if _is_gone(new.stage) and not (was is not None and _is_gone(was.stage)):
            yield RegistryChange(
                ChangeKind.RUN_DELETED, new.version, "", new.run, str(new.stage or "")
            )


def _is_gone(stage: RunStage | None) -> bool:
    return stage in (RunStage.DELETED, RunStage.MISSING)


def identity_of(version: RegisteredVersion) -> str:
    """Return what a version is in words: its files, the run that made them, and when."""
    return f"{version.source} of run {version.run}, {version.created_at.isoformat()}"


def _aliases(
    before: RegisteredModel, after: RegisteredModel, told: Told, workflow: Workflow
) -> Iterator[RegistryChange]:
    for alias in sorted({*before.aliases, *after.aliases}):
        was, now = before.aliases.get(alias, ""), after.aliases.get(alias, "")
        ours = told.aliases.get(alias, frozenset())
        outside = alias == workflow.alias and now not in ours and workflow.refuses(now)
        # What we have moved away and finds itself where it was, somebody has moved back.
        if was != now or (alias in told.moved and outside):
            kind = ChangeKind.ALIAS_MOVED_OUTSIDE if outside else ChangeKind.ALIAS_MOVED
            yield RegistryChange(kind, now, alias, was, now)


def _tags(before: RegisteredModel, after: RegisteredModel, told: Told) -> Iterator[RegistryChange]:
    for new in after.versions:
        if new.version in told.waiting:
            continue
        was = before.version(new.version)
        earlier = {} if was is None else was.tags
        ours = told.tags.get(new.version, {})
        for name in sorted({*earlier, *new.tags, *ours}):
            old, now = earlier.get(name, ""), new.tags.get(name, "")
            if now != ours.get(name, "") and (old != now or new.version in told.fresh):
                yield RegistryChange(ChangeKind.TAG_TAMPERED, new.version, name, old, now)


def document_of(model: RegisteredModel) -> dict[str, Any]:
    """Return a model in a registry as a JSON document, the same for the same content."""
    return {
        "name": model.name,
        "aliases": dict(model.aliases),
        "versions": [
            {
                "version": each.version,
                "source": each.source,
                "run": each.run,
                "created_at": each.created_at.isoformat(),
                "tags": dict(each.tags),
                "stage": None if each.stage is None else each.stage.value,
            }
            for each in model.versions
        ],
    }


def model_of(document: Mapping[str, Any]) -> RegisteredModel:
    """Return the model that a document says."""
    versions = tuple(
        RegisteredVersion(
            version=each["version"],
            source=each["source"],
            run=each["run"],
            created_at=datetime.fromisoformat(each["created_at"]).astimezone(UTC),
            tags=each["tags"],
            stage=None if each["stage"] is None else RunStage(each["stage"]),
        )
        for each in document["versions"]
    )
    return RegisteredModel(document["name"], versions, document["aliases"])


def json_digest(document: Mapping[str, Any]) -> str:
    """Return sha256 of a JSON document, in hexadecimal; of any text, as others may write any."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode("ascii")).hexdigest()


def digest_of(model: RegisteredModel | None) -> str:
    """Return sha256 of all that a registry had of a model, in hexadecimal; "" for no model."""
    return "" if model is None else json_digest(document_of(model))
