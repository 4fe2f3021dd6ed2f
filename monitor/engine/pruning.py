"""What a store can do to become smaller, and how it tells that it has."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct, field

from monitor.domain.alert import Alert
from monitor.domain.window import Window

AT_ONCE = 12
"""Windows that are pruned in one transaction: nobody who writes meanwhile waits long."""


class Pruning(Struct, frozen=True):
    """What is to go of a model.

    Attributes:
        model: Name of the model.
        before: Results of windows that end by then lose their readings and findings.
        keep: Windows before it whose profiles are needed still.
        at: When.
        by: Who wants it; "" for the daemon, by its settings.
    """

    model: str
    before: datetime
    keep: frozenset[Window]
    at: datetime
    by: str = ""


class Pruned(Struct, frozen=True):
    """What went, or would go.

    Attributes:
        windows: How many windows, of some of them only the profiles.
        results: How many results of them.
        rows: Table to the number of its rows that are deleted.
        emptied: How many profiles are emptied; their rows stay.
        size: Bytes of these profiles.
    """

    windows: int = 0
    results: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    emptied: int = 0
    size: int = 0

    def __add__(self, other: "Pruned") -> "Pruned":
        """Return both together."""
        tables = sorted({*self.rows, *other.rows})
        return Pruned(
            self.windows + other.windows,
            self.results + other.results,
            {name: self.rows.get(name, 0) + other.rows.get(name, 0) for name in tables},
            self.emptied + other.emptied,
            self.size + other.size,
        )


class Prunable(Protocol):
    """A store that can be made smaller."""

    def pruned_until(self, model: str) -> datetime | None:
        """Return the end of the last window whose results were pruned; None when none were.

        No result of a window that begins before it is taken any more.
        """
        ...

    def policies_since(self, model: str, instant: datetime) -> Sequence[str]:
        """Return the digests of the policies that results of windows after an instant name."""
        ...

    def stored_models(self) -> Sequence[str]:
        """Return the names of the models that have a result, in order."""
        ...

    def remembered(self, fingerprint: str) -> Alert | None:
        """Return the newest alert of a finding, which outlives it; None when it never had one."""
        ...

    def prunable(self, pruning: Pruning) -> Pruned:
        """Return what would go; nothing is changed."""
        ...

    def prune(self, pruning: Pruning, most: int) -> Pruned:
        """Prune some of the windows, the oldest first, in one transaction; return what went.

        Args:
            pruning: What is to go.
            most: How many windows at the most; nothing is left when none went.
        """
        ...

    def give_back(self, *, whole: bool = False) -> None:
        """Give room that is free in a file back to its disk, some of it; a server does so by itself.

        Args:
            whole: Write the file anew, and so give back all; others wait meanwhile.
        """
        ...
