"""All models looked at in their registry, one after the other, and whether that could be done."""

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from monitor.domain.errors import RegistryError
from monitor.domain.governance import RegistryEntry
from monitor.domain.policy import Policy
from monitor.engine.registry_poll import Link, Polled, poll

Entries = Mapping[str, tuple[Policy, RegistryEntry]]
"""Watched model to its policy and its entry in the registry; models without one are left out."""


class Looked(Struct, frozen=True):
    """What became of a look at all models.

    Attributes:
        polled: Model to what was found.
        missed: Model to why it could not be looked at.
        news: Whether the registry could be looked at before and cannot now, or the other way round.
        away: Whether the registry cannot be asked at all now; what was declined is no reason.
        whole: Whether every model was tried.
    """

    polled: Mapping[str, Polled] = field(default_factory=dict)
    missed: Mapping[str, RegistryError] = field(default_factory=dict)
    news: bool = False
    away: bool = False
    whole: bool = True

    @property
    def up(self) -> bool:
        """Return whether every model was looked at."""
        return self.whole and not self.missed


def look_at_all(
    entries: Entries,
    link: Link,
    stopping: Callable[[], bool] = lambda: False,
    *,
    every: bool = True,
) -> Looked:
    """Look at every model, and record once that it cannot be done, and once that it can again.

    A registry that cannot be asked is not asked for the next model; one that declines a model is.

    Args:
        entries: The models.
        link: What connects them with their registry.
        stopping: Whether to begin no further one.
        every: Whether these are all models that are in the registry: of some it is recorded
            neither that it is away nor that it is back.

    Raises:
        StoreError: The store could not be used.
    """
    polled: dict[str, Polled] = {}
    missed: dict[str, RegistryError] = {}
    away = False
    for name, (policy, entry) in entries.items():
        if away or stopping():
            break
        try:
            polled[name] = poll(policy, entry, link)
        except RegistryError as error:
            missed[name] = error
            away = error.retryable
    whole = away or len(polled) + len(missed) == len(entries)
    news = bool(entries) and every and whole and _noted(missed, link)
    return Looked(polled, missed, news, away, whole)


def _noted(missed: Mapping[str, RegistryError], link: Link) -> bool:
    told = "; ".join(f"{name}: {error}" for name, error in missed.items())
    return link.memory.note_outage(link.registry.shown, link.clock.now(), told)
