"""One look at a model in its registry: what has changed there, and what follows from it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.governance import OnOutsideMove, RegistryEntry
from monitor.domain.policy import Policy
from monitor.domain.registry import (
    TAG_PREFIX,
    Errand,
    ErrandKind,
    MirroredState,
    Origin,
    RegisteredModel,
)
from monitor.engine.ports import Clock
from monitor.engine.registry import Authority, Look, Observed, Registry, RegistryMemory
from monitor.governance.log import Happened
from monitor.governance.registry_changes import (
    ChangeKind,
    RegistryChange,
    Told,
    Workflow,
    digest_of,
    json_digest,
    registry_changes,
)
from monitor.governance.registry_events import registry_changed, snapshot_taken

_HOUR = timedelta(hours=1)
_REVERT = "revert:"
_RESTORE = "restore:"
_SHORT = 12

CHECKPOINT = f"{TAG_PREFIX}audit_checkpoint"
"""The tag that makes the registry a witness of the audit log."""

_LOST = (ChangeKind.SOURCE_CHANGED, ChangeKind.VERSION_DELETED)
"""Changes after which what was approved is not there any more, whatever the policy says of aliases."""


_NEW = (ChangeKind.VERSION_SEEN, ChangeKind.SOURCE_CHANGED)
"""Changes after which a version is to be asked where it came from."""


class Link(Struct, frozen=True):
    """What connects models with their registry.

    Attributes:
        registry: The registry.
        memory: What is remembered of it.
        authority: Who decides whether a version may act.
        clock: The time of day.
        reverts: How often within an hour something that others wrote is written back. After that a
            flapping bot wins nothing, and the version is held.
    """

    registry: Registry
    memory: RegistryMemory
    authority: Authority
    clock: Clock
    reverts: int = 3


class Polled(Struct, frozen=True):
    """What a look has found.

    Attributes:
        found: Whether the registry has the model.
        changes: What has changed since the look before.
        outside: The version that the served alias names and that may not act; "" for none.
    """

    found: bool
    changes: Sequence[RegistryChange]
    outside: str


class _Sight(Struct, frozen=True):
    """What one look has to work with."""

    policy: Policy
    entry: RegistryEntry
    at: datetime
    last: Look | None
    found: RegisteredModel | None
    states: Mapping[str, MirroredState]
    sent: Sequence[Errand]
    reverts: int

    @property
    def workflow(self) -> Workflow:
        acting = {state.version for state in self.states.values() if state.acts}
        return Workflow(self.entry.alias, acting, self.policy.governance.governed)

    def lately(self, begin: str) -> int:
        """Return how many errands of a kind of key were made within the last hour."""
        young = [each for each in self.sent if each.made_at > self.at - _HOUR]
        return sum(each.key.startswith(begin) for each in young)

    def errand(self, kind: ErrandKind, key: str, version: str, payload: dict[str, str]) -> Errand:
        return Errand(key, self.policy.model, kind, version, payload, self.at, self.at)


def poll(policy: Policy, entry: RegistryEntry, link: Link) -> Polled:
    """Look at a model in its registry, store what is new, and have done what follows from it.

    What is taken from a version by its standing comes first, so that a process that dies in between
    finds the same changes again. The same look twice is stored once.

    Raises:
        RegistryError: The registry could not be asked; nothing was stored.
        StoreError: The store could not be used; nothing was stored.
    """
    at = link.clock.now()
    last = link.memory.look(policy.model)
    states = {state.version: state for state in link.authority.states(policy)}
    found = link.registry.snapshot(entry.name, states)
    sent = link.memory.errands(policy.model, (ErrandKind.STATE, ErrandKind.ALIAS))
    sight = _Sight(policy, entry, at, last, found, states, sent, link.reverts)
    told = _told(sight)
    changes = registry_changes(None if last is None else last.found, found, told, sight.workflow)
    answers = [(change, _consequence(sight, change)) for change in changes]
    for change, consequence in answers:
        if consequence is OnOutsideMove.HOLD:
            _hold(sight, change, link.authority)
    if any(consequence is OnOutsideMove.HOLD for _, consequence in answers):
        states = {state.version: state for state in link.authority.states(policy)}
        sight = replace(sight, states=states)
    # Of several errands on the tags of a version the last is told: what restores says all.
    errands = [*_answers(sight, answers), *_mirrored(sight), *_restored(sight, told)]
    digest = digest_of(found)
    if last is None or digest != last.digest or changes:
        origins = _origins(sight, changes, link.registry)
        happened = tuple(_happened(sight, answers, origins, digest))
        before = None if last is None else last.digest
        look = Look(at, found, digest)
        link.memory.observe(
            Observed(policy.model, before, look, happened, tuple(origins.values()), errands)
        )
    else:
        link.memory.send(errands)
    if found is not None:
        link.authority.look(policy, found, link.registry)
    return Polled(found is not None, changes, _outside(sight))


def _outside(sight: _Sight) -> str:
    named = "" if sight.found is None else sight.found.aliases.get(sight.entry.alias, "")
    return named if sight.workflow.refuses(named) else ""


def _told(sight: _Sight) -> Told:
    since = None if sight.last is None else sight.last.at
    tags: dict[str, Mapping[str, str]] = {}
    waiting: set[str] = set()
    fresh: set[str] = set()
    aliases: dict[str, frozenset[str]] = {}
    moved: set[str] = set()
    for errand in sight.sent:
        new = errand.done_at is None or since is None or errand.done_at >= since
        if errand.kind is ErrandKind.ALIAS:
            if new:
                alias = str(errand.payload["alias"])
                aliases[alias] = aliases.get(alias, frozenset()) | {str(errand.payload["to"])}
                moved |= {alias} if errand.done_at is not None else set()
        elif errand.done_at is None:
            waiting.add(errand.version)
        else:
            tags[errand.version] = {key: str(value) for key, value in errand.payload.items()}
            fresh |= {errand.version} if new else set()
    return Told(tags, waiting, fresh, aliases, moved)


def _consequence(sight: _Sight, change: RegistryChange) -> OnOutsideMove | None:
    """Return what follows from a change; None for nothing."""
    if change.kind in _LOST:
        state = sight.states.get(change.version)
        return OnOutsideMove.HOLD if state is not None and state.acts else None
    if change.kind is ChangeKind.TAG_TAMPERED:
        again = sight.lately(_RESTORE) < sight.reverts
        return OnOutsideMove.REVERT if again else OnOutsideMove.ALERT
    if change.kind is not ChangeKind.ALIAS_MOVED_OUTSIDE:
        return None
    wanted = sight.entry.on_outside_move
    if wanted is OnOutsideMove.REVERT and sight.lately(_REVERT) >= sight.reverts:
        return OnOutsideMove.HOLD
    return wanted


def _hold(sight: _Sight, change: RegistryChange, authority: Authority) -> None:
    """Take the authority of what is not there any more, or of what was served until now.

    Where that is not known, nothing of the model is sure, and no version acts.
    """
    if change.kind in _LOST:
        why = f"the registry's version {change.version} is not what was approved: {change.kind}"
        authority.hold(sight.policy, change.version, why)
        return
    why = f"the alias {change.name} was moved past the workflow to version {change.after}"
    acting = sight.workflow.acting
    for version in [change.before] if change.before in acting else sorted(acting):
        authority.hold(sight.policy, version, why)


def _answers(
    sight: _Sight, answers: Sequence[tuple[RegistryChange, OnOutsideMove | None]]
) -> Iterator[Errand]:
    """Yield what puts back what others have written."""
    for change, consequence in answers:
        if consequence is OnOutsideMove.REVERT and change.kind is ChangeKind.ALIAS_MOVED_OUTSIDE:
            to = change.before
            if to == change.after or to not in sight.workflow.acting:
                to = ""
            payload = {"alias": change.name, "to": to}
            key = f"{_REVERT}{change.name}:{change.after}:{sight.at.isoformat()}"
            yield sight.errand(ErrandKind.ALIAS, key, change.after, payload)


def _restored(sight: _Sight, told: Told) -> Iterator[Errand]:
    """Yield what writes our tags again where others have, also of versions that we say nothing of.

    It is asked of what is there and not of what has changed: what others have won for an hour is
    written again after it.
    """
    if sight.found is None or sight.lately(_RESTORE) >= sight.reverts:
        return
    for there in sight.found.versions:
        if there.version in told.waiting:
            continue
        ours = told.tags.get(there.version, {})
        wrong = {name for name, value in there.tags.items() if value != ours.get(name, "")}
        wrong |= {name for name, value in ours.items() if value != there.tags.get(name, "")}
        if wrong:
            state = sight.states.get(there.version)
            tags = {} if state is None else tags_of(state)
            key = f"{_RESTORE}{there.version}:{sight.at.isoformat()}"
            payload = {**dict.fromkeys(sorted(wrong), ""), **tags}
            yield sight.errand(ErrandKind.STATE, key, there.version, payload)


def _mirrored(sight: _Sight) -> Iterator[Errand]:
    """Yield what the registry is to show of how versions stand, of those that are there."""
    last = {each.version: each for each in sight.sent if each.kind is ErrandKind.STATE}
    for state in sight.states.values() if sight.found is not None else ():
        if sight.found is None or sight.found.version(state.version) is None:
            continue
        tags = tags_of(state)
        # The checkpoint is newer after every errand: by itself it is no reason for another one.
        lasting = {name: value for name, value in tags.items() if name != CHECKPOINT}
        if not _says(last.get(state.version), lasting):
            digest = json_digest(lasting)[:_SHORT]
            key = f"state:{state.version}:{state.sequence}:{digest}"
            if any(each.key == key for each in sight.sent):  # as it was before something else
                key += f":{sight.at.isoformat()}"
            yield sight.errand(ErrandKind.STATE, key, state.version, tags)
        named = sight.found.aliases.get(state.demote, "") if state.demote else ""
        if not state.acts and named == state.version:
            key = f"demote:{state.demote}:{state.version}:{state.sequence}"
            payload = {"alias": state.demote, "to": _last_approved(sight)}
            yield sight.errand(ErrandKind.ALIAS, key, state.version, payload)


def _says(errand: Errand | None, lasting: Mapping[str, str]) -> bool:
    return errand is not None and all(
        errand.payload.get(name, "") == value for name, value in lasting.items()
    )


def _last_approved(sight: _Sight) -> str:
    """Return the version that came to act last, of those that act and are there; "" for none."""
    acting = [
        state
        for state in sight.states.values()
        if state.acts and sight.found is not None and sight.found.version(state.version)
    ]
    return max(acting, key=lambda state: (state.since, state.version)).version if acting else ""


def tags_of(state: MirroredState) -> dict[str, str]:
    """Return the tags that mirror how a version stands; an empty one is not there."""
    until = state.approved_until
    return {
        f"{TAG_PREFIX}state": state.state,
        f"{TAG_PREFIX}state_seq": str(state.sequence),
        f"{TAG_PREFIX}policy_digest": state.policy,
        f"{TAG_PREFIX}approved_until": "" if until is None else until.isoformat(),
        f"{TAG_PREFIX}case": state.case,
        CHECKPOINT: state.checkpoint,
    }


def _origins(
    sight: _Sight, changes: Sequence[RegistryChange], registry: Registry
) -> dict[str, Origin]:
    """Return where versions came from that are new, or name something else now."""
    found: dict[str, Origin] = {}
    for change in changes:
        version = None if sight.found is None else sight.found.version(change.version)
        if change.kind in _NEW and version is not None:
            lineage = registry.lineage(sight.entry.name, version.version)
            found[version.version] = Origin(
                sight.policy.model, version.version, version.source, lineage, sight.at
            )
    return found


def _happened(
    sight: _Sight,
    answers: Sequence[tuple[RegistryChange, OnOutsideMove | None]],
    origins: Mapping[str, Origin],
    digest: str,
) -> Iterator[Happened]:
    model, policy = sight.policy.model, sight.policy.digest
    yield snapshot_taken(model, sight.at, sight.entry.name, digest, policy)
    for change, consequence in answers:
        follows = "" if consequence is None else consequence.value
        origin = origins.get(change.version) if change.kind in _NEW else None
        event = registry_changed(model, sight.at, change, policy, follows, origin)
        if event is not None:
            yield event
