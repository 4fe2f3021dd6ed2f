"""Where threads that read different columns of a file bring together what they found of its rows."""

from collections.abc import Mapping, Sequence
from threading import Condition
from types import TracebackType
from typing import Self

from monitor.profile.grid import ScoreArray

AHEAD = 1
"""Batches that a thread may have brought in before the slowest has: bounds the memory."""

Scores = Sequence[dict[str, ScoreArray]]
"""Scores of the rows of a batch, by field, for each profile that takes some of its rows."""


class Meeting:
    """Brings together, batch by batch, the scores of fields that several threads read.

    Each thread enters the meeting as a context, so that none waits for one that has failed: the
    others then leave without an error, and that of the failed one is the one that is heard.

    Args:
        threads: How many there are; each brings every batch once, in order.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._changed = Condition()
        self._pending: dict[int, list[Scores]] = {}
        self._done = 0
        self._failed = False

    def __enter__(self) -> Self:
        """Take part."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Leave; with an error, let the others go as well."""
        if kind is None:
            return False
        with self._changed:
            self._failed = True
            self._changed.notify_all()
        return isinstance(error, _Abandoned)

    def bring(self, batch: int, scores: Scores) -> list[Mapping[str, ScoreArray]] | None:
        """Bring a batch; return what all brought to the last who does, None to the others.

        Args:
            batch: Its number, counted from 0.
            scores: What this thread found, for each profile in the order of all threads.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._failed or batch <= self._done + AHEAD)
            if self._failed:
                raise _Abandoned
            brought = self._pending.setdefault(batch, [])
            brought.append(scores)
            if len(brought) < self._threads:
                return None
            del self._pending[batch]
            self._done = batch + 1
            self._changed.notify_all()
        return [_united(parts) for parts in zip(*brought, strict=True)]


class _Abandoned(Exception):  # noqa: N818  # nothing went wrong here
    """Another thread has failed."""


def _united(parts: Sequence[Mapping[str, ScoreArray]]) -> Mapping[str, ScoreArray]:
    return {name: scores for part in parts for name, scores in part.items()}
