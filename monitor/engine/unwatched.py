"""Models whose versions may have acted, or are answered for, and that no file names any more."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from monitor.governance.standing import Standing, State

_AT_REST = frozenset({State.REGISTERED, State.RETIRED})


class Standings(Protocol):
    """Where versions stand."""

    def known_models(self) -> frozenset[str]:
        """Return every model that a version is known of, whether or not a file names it still."""
        ...

    def standings(self, model: str) -> Mapping[str, Standing]:
        """Return where each known version of a model stands."""
        ...


def unwatched(
    store: Standings, named: Collection[str]
) -> Iterator[tuple[str, Mapping[str, State]]]:
    """Yield models that no file names, with their versions that are neither new nor retired.

    Args:
        store: Where versions stand.
        named: The models that files name.

    Raises:
        StoreError: The store cannot be read.
    """
    for model in sorted(store.known_models() - frozenset(named)):
        found = {name: each.state for name, each in sorted(store.standings(model).items())}
        left = {name: state for name, state in found.items() if state not in _AT_REST}
        if left:
            yield model, left
