"""Decisions that a log shows, made by versions that were not allowed to make them.

What a version was allowed when is what the gate recorded; how many decisions it made is what a run
counted. A permit may be used for a while after the answer has changed, so a version is held to have
been allowed until the last permit given before that had lapsed: nobody is accused for a cache.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.domain.run import Run
from monitor.domain.window import Window
from monitor.engine.answering import Answered


class Excess(StrEnum):
    """How decisions were outside what was allowed."""

    NOT_ACTING = "not_acting"
    """The version was known, and was not to act."""
    UNKNOWN_VERSION = "unknown_version"
    """Nobody had told the monitor of the version."""
    UNDECIDED = "undecided"
    """What was allowed changed within the window, so that some of them may have been allowed."""


@dataclass(frozen=True, slots=True)
class Overreach:
    """Decisions of one version in one window.

    Attributes:
        version: The version.
        excess: How they were outside what was allowed.
        rows: How many; of `Excess.UNDECIDED` as many as there can be at most.
    """

    version: str
    excess: Excess
    rows: int


def overreach_of(run: Run, answered: Sequence[Answered]) -> tuple[Overreach, ...]:
    """Return the decisions of a run's window that were outside what was allowed, by version.

    Of a window that began before anything was recorded nothing is said: what was not recorded was
    not forbidden.

    Args:
        run: The run, of a model whose policy is complete.
        answered: Everything that the gate answered for the model, in any order.
    """
    since = min((each.at for each in answered), default=None)
    if since is None or run.window.start < since:
        return ()
    rows = {**run.accounting.profiled, **run.accounting.unregistered}
    return tuple(_found(rows, run.window, answered))


def _found(
    rows: Mapping[str, int], window: Window, answered: Sequence[Answered]
) -> Iterator[Overreach]:
    for version, count in sorted(rows.items()):
        if not count:
            continue
        mine = sorted(
            (each for each in answered if each.answer.version == version), key=lambda each: each.at
        )
        allowed = _allowed(mine, window)
        if not allowed:
            known = any(each.at < window.end for each in mine)
            yield Overreach(version, Excess.NOT_ACTING if known else Excess.UNKNOWN_VERSION, count)
        elif not _covered(allowed, window):
            yield Overreach(version, Excess.UNDECIDED, count)


def _allowed(mine: Sequence[Answered], window: Window) -> list[tuple[datetime, datetime]]:
    """Return when permits could be used, as far as that is in a window, in order."""
    spans = []
    for place, each in enumerate(mine):
        if each.answer.acts:
            ends = mine[place + 1].at + each.lasts if place + 1 < len(mine) else window.end
            spans.append((max(each.at, window.start), min(ends, window.end)))
    return [(start, end) for start, end in spans if start < end]


def _covered(spans: Sequence[tuple[datetime, datetime]], window: Window) -> bool:
    """Return whether spans leave no gap in a window."""
    reached = window.start
    for start, end in spans:
        if start > reached:
            return False
        reached = max(reached, end)
    return reached >= window.end
