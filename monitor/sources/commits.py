"""The commits of a table that keeps a log of them, and what they tell of its rows."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from itertools import islice

from msgspec import Struct

_COMMITS = 20
"""Newest commits among which the last one with rows is looked for: each is a file to read."""

_LOOKED_BACK = 500
"""Commits through which it is followed where rows went; after more the window is read again."""


class Changed(Struct, frozen=True):
    """What a commit did to the files of a table.

    Attributes:
        added: Paths of the data files that came.
        removed: Paths of those that went.
        anywhere: Whether rows went of files that it does not name.
    """

    added: frozenset[str]
    removed: frozenset[str]
    anywhere: bool = False


class Commit(Struct, frozen=True):
    """One change of a table.

    Attributes:
        id: The version or snapshot that it made.
        at: When, by the clock of who made it.
        brings_rows: Whether it is a writer's: rows came, or it says that there were none.
        changes_rows: False when the same rows are in other files now, as after compaction.
        changed: Says which files it is about.
    """

    id: str
    at: datetime
    brings_rows: bool
    changes_rows: bool
    changed: Callable[[], Changed]


Commits = Callable[[], Iterator[Commit]]
"""Returns the commits of a table, newest first, as far as its log still has them."""


def no_commits() -> Iterator[Commit]:
    """Return nothing: the log is out of reach."""
    return iter(())


def rows_committed(commits: Iterable[Commit]) -> datetime | None:
    """Return when rows were last committed; None where the newest commits do not say.

    Args:
        commits: Newest first.
    """
    newest = islice(commits, _COMMITS)
    return next((commit.at for commit in newest if commit.brings_rows), None)


def same_rows(
    commits: Iterable[Commit], since: str, before: Collection[str], now: Collection[str]
) -> bool:
    """Return whether files hold the rows that others held, as a table's log tells.

    They do when nothing but compaction and the like has touched them. A file that was made of one
    that came since counts as new, though what came may be of another time.

    Args:
        commits: Those of the table, newest first.
        since: Which state of it the former files are of.
        before: Paths of the former files.
        now: Paths of the files.
    """
    gone = set(before).difference(now)
    if not gone:
        return False  # nothing was put elsewhere
    later: list[Commit] = []
    for commit in islice(commits, _LOOKED_BACK):
        if commit.id == since:
            return _only_moved(reversed(later), before, now)
        later.append(commit)
    return False  # the log no longer goes back that far


def _only_moved(later: Iterable[Commit], before: Collection[str], now: Collection[str]) -> bool:
    held, new = set(before), set[str]()
    for commit in later:
        files = commit.changed()
        if not commit.changes_rows:
            held |= files.added if files.removed & held else set()
            new |= files.added if files.removed & new else set()
        elif files.anywhere or files.removed & held:
            return False
        else:
            new |= files.added
    return new.isdisjoint(now)
