"""What the engine needs of a model registry, and of the memory of what it was told."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct, field

from monitor.domain.policy import Policy
from monitor.domain.registry import (
    Errand,
    ErrandKind,
    Lineage,
    MirroredState,
    Origin,
    RegisteredModel,
)
from monitor.governance.log import Happened


class MonitoringRun(Struct, frozen=True):
    """What a window has found, for the monitoring run of the version and month.

    Attributes:
        model: The watched model.
        version: The version.
        month: The month of the window's end, as ``2026-09``.
        at: The window's end.
        window: The window, in words.
        manifest: Digest of the files that were read.
        metrics: Name and value, in order.
        files: Path to content of what is kept with it.
    """

    model: str
    version: str
    month: str
    at: datetime
    window: str
    manifest: str
    metrics: Sequence[tuple[str, float]] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


class Authority(Protocol):
    """Who decides whether a version may act. A registry only mirrors that."""

    def states(self, policy: Policy) -> Sequence[MirroredState]:
        """Return how every version of a model stands."""
        ...

    def hold(self, policy: Policy, version: str, why: str) -> None:
        """Take a version's authority: what was approved is not what is there any more.

        A version that does not act stays as it is.
        """
        ...

    def look(self, policy: Policy, found: RegisteredModel, registry: "Registry") -> None:
        """Look again at what approvals rest on in a registry, and have done what follows.

        Raises:
            RegistryError: The registry could not be asked.
        """
        ...


class Registry(Protocol):
    """Where models are registered. It is asked what there is, and told what was decided elsewhere.

    Telling it the same twice leaves it as telling it once. Everything raises RegistryError when the
    registry cannot be asked, or does not do what it is told.
    """

    @property
    def shown(self) -> str:
        """Return where it is, without credentials."""
        ...

    def snapshot(self, name: str, looked_at: Collection[str]) -> RegisteredModel | None:
        """Return all that it has of a model; None when it has no such model.

        Args:
            name: The model's name there.
            looked_at: Versions whose runs are looked at, besides those that an alias names.
        """
        ...

    def lineage(self, name: str, version: str) -> Lineage:
        """Return what a version was made from, as far as it says."""
        ...

    def model_file(self, name: str, version: str) -> str:
        """Return sha256 of the file that describes a version; "" where it does not hand it out."""
        ...

    def set_state(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Write tags of a version, and make sure that they are there; an empty one is removed."""
        ...

    def demote(self, name: str, alias: str, version: str, to: str) -> str:
        """Take an alias from a version, and return what the alias names then; "" for none.

        An alias that names another version by now is left as it is.

        Args:
            name: The model's name there.
            alias: The alias.
            version: The version that it is taken from.
            to: The version that it is to name instead; "" for none.
        """
        ...

    def record(self, run: MonitoringRun) -> str:
        """Write what a window has found into the monitoring run of its month; return its id."""
        ...


class Look(Struct, frozen=True):
    """What was found when a registry was last asked for a model.

    Attributes:
        at: When.
        found: What was there; None when the model was not.
        digest: sha256 of it; "" when the model was not there.
    """

    at: datetime
    found: RegisteredModel | None
    digest: str


class Observed(Struct, frozen=True):
    """A new look at a registry, and what follows from it; written together.

    Attributes:
        model: The watched model.
        before: Digest of the look that it was compared with; None when it was the first one.
        look: What was found.
        happened: What the audit log is to say.
        origins: Where versions came from that are new.
        errands: What the registry is to be told.
    """

    model: str
    before: str | None
    look: Look
    happened: Sequence[Happened] = ()
    origins: Sequence[Origin] = ()
    errands: Sequence[Errand] = ()


class Backlog(Struct, frozen=True):
    """How much a registry has not taken yet.

    Attributes:
        waiting: Number of errands.
        oldest: When the oldest of them was asked for; None when there is none.
    """

    waiting: int
    oldest: datetime | None


class RegistryMemory(Protocol):
    """What is remembered of a registry: the last look, where versions came from, errands."""

    def look(self, model: str) -> Look | None:
        """Return what was found when the registry was last asked for a model; None before."""
        ...

    def observe(self, observed: Observed) -> bool:
        """Store a look with all that follows from it, or nothing.

        Returns False, having changed nothing, when somebody else has looked in between: what would
        follow from this look follows from theirs already.
        """
        ...

    def origins(self, model: str) -> Mapping[str, Origin]:
        """Return where the versions of a model came from, by version; those that were seen."""
        ...

    def every_origin(self, model: str) -> Sequence[Origin]:
        """Return the same of each time that a number named something new, oldest first."""
        ...

    def send(self, errands: Sequence[Errand]) -> int:
        """Store what the registry is to be told; return how many of them were not stored yet."""
        ...

    def errands(self, model: str, kinds: Collection[ErrandKind]) -> Sequence[Errand]:
        """Return everything of some kinds that the registry was to be told of a model, oldest first."""
        ...

    def waiting(self, kinds: Collection[ErrandKind], most: int | None = None) -> Sequence[Errand]:
        """Return what the registry has not taken yet of some kinds, of all models, oldest first.

        Args:
            kinds: What about.
            most: How many at the most; None for all.
        """
        ...

    def backlog(self) -> Backlog:
        """Return how much the registry has not taken yet."""
        ...

    def outage(self, registry: str) -> datetime | None:
        """Return since when a registry cannot be looked at, as the audit log says; None if it can.

        Args:
            registry: Where it is.
        """
        ...

    def note_outage(self, registry: str, at: datetime, told: str) -> bool:
        """Record that a registry cannot be looked at, or that it can again; once an outage.

        Args:
            registry: Where it is.
            at: When it was tried.
            told: Why it cannot; "" when it can.

        Returns:
            Whether that was news.
        """
        ...

    def newest_checkpoint(self) -> str:
        """Return the audit log's newest signed checkpoint; "" where nothing is signed."""
        ...

    def settle(self, errand: Errand, happened: Sequence[Happened]) -> None:
        """Store how a try has ended, with what the audit log is to say of it."""
        ...
