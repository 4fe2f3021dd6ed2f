"""Files that could not be used: when they are tried again, and what becomes of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.manifest import UnreadableFile

FIRST_WAIT = timedelta(minutes=1)
"""How long a file is left alone after it was found to be unusable."""

LONGEST_WAIT = timedelta(hours=6)
"""Waits double up to this: the next try of a file that nobody mends is at most so far away."""


class QuarantineState(StrEnum):
    """What has become of a file that could not be used."""

    WAITING = "waiting"
    """It is tried again at ``next_try``, or as soon as it changes."""
    DROPPED = "dropped"
    """A person decided that it is never tried again."""
    RELEASED = "released"
    """It can be used, and the windows that had been run without it have been run with it."""
    GONE = "gone"
    """It is no longer in the log."""


class Sight(StrEnum):
    """How a quarantined file was found, when it was not found to be unusable."""

    WHOLE = "whole"
    GONE = "gone"


class QuarantinedFile(Struct, frozen=True):
    """A file that could not be used, with its reason, its tries and what has become of it.

    Attributes:
        model: Name of the model whose log or labels it belongs to.
        path: As the manifest names it.
        size: Bytes when it was last tried; 0 when it could not even be listed.
        modified: Modification time (or etag) when it was last tried; "" when it has none.
        reason: Why it could not be used, as one word.
        explanation: Why, as a sentence.
        placed: Whether its footer said which windows it has rows of.
        state: What has become of it.
        first_seen: When it was quarantined.
        last_tried: When it was last found to be unusable, or whole.
        attempts: Tries as it is now: since it last changed, or since a person asked for one.
        next_try: When it is tried again though it has not changed; None when it is not.
        times: How often it has been quarantined: a file may break again.
        by: Who last decided on it; "" while nobody has.
        why: The reason they gave.
        change: Number of this state among the states of the file, from 1.
    """

    model: str
    path: str
    size: int
    modified: str
    reason: str
    explanation: str
    placed: bool
    state: QuarantineState
    first_seen: datetime
    last_tried: datetime
    attempts: int
    next_try: datetime | None
    times: int = 1
    by: str = ""
    why: str = ""
    change: int = 1

    @property
    def inside(self) -> bool:
        """Return whether the file is in quarantine now."""
        return self.state in {QuarantineState.WAITING, QuarantineState.DROPPED}

    def held(self, size: int, modified: str, at: datetime) -> bool:
        """Return whether the file, as it is listed at an instant, is not to be tried then."""
        if self.state is QuarantineState.DROPPED:
            return True
        unchanged = (size, modified) == (self.size, self.modified)
        return unchanged and self.next_try is not None and at < self.next_try

    @property
    def unreadable(self) -> UnreadableFile:
        """Return how a manifest names the file while it is not tried."""
        reason, explanation = self.reason, self.explanation
        if self.state is QuarantineState.DROPPED:
            reason = self.state.value
            explanation = f"dropped by {self.by}: {self.why} ({self.reason}: {self.explanation})"
        return UnreadableFile(
            self.path, reason, explanation, self.size, self.modified, placed=self.placed
        )


def wait_after(attempts: int) -> timedelta:
    """Return how long a file is left alone after so many tries: doubled each time, up to a cap."""
    doublings = min(max(attempts - 1, 0), 30)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def advance(
    model: str, previous: QuarantinedFile | None, seen: UnreadableFile | Sight, at: datetime
) -> QuarantinedFile | None:
    """Return what a sight of a file makes of what is known of it.

    | before       | unusable, not tried | unusable, tried | whole    | gone    |
    |--------------|---------------------|-----------------|----------|---------|
    | not known    | waiting             | waiting         | –        | –       |
    | waiting      | the same            | waiting longer  | released | gone    |
    | dropped      | the same            | the same        | the same | the same|
    | released     | waiting             | waiting         | the same | the same|
    | gone         | waiting             | waiting         | the same | the same|

    Args:
        model: Name of the model.
        previous: What is known of the file; None for nothing.
        seen: How it was found.
        at: When.
    """
    if isinstance(seen, Sight):
        if previous is None or previous.state is not QuarantineState.WAITING:
            return previous
        state = QuarantineState.RELEASED if seen is Sight.WHOLE else QuarantineState.GONE
        tried = at if seen is Sight.WHOLE else previous.last_tried
        return _changed(previous, state=state, last_tried=tried, next_try=None)
    if previous is None:
        return _admitted(model, seen, at)
    if not previous.inside:
        again = _admitted(model, seen, at)
        return replace(again, times=previous.times + 1, change=previous.change + 1)
    if previous.held(seen.size, seen.modified, at):
        return previous
    unchanged = (seen.size, seen.modified) == (previous.size, previous.modified)
    attempts = previous.attempts + 1 if unchanged else 1
    return _changed(
        previous,
        size=seen.size,
        modified=seen.modified,
        reason=seen.reason,
        explanation=seen.explanation,
        placed=seen.placed,
        last_tried=at,
        attempts=attempts,
        next_try=at + wait_after(attempts),
    )


def drop(previous: QuarantinedFile, by: str, why: str) -> QuarantinedFile:
    """Return the file as one that is never tried again, whatever becomes of it.

    Raises:
        ValueError: It is not in quarantine.
    """
    _require_inside(previous)
    return _changed(previous, state=QuarantineState.DROPPED, next_try=None, by=by, why=why)


def retry(previous: QuarantinedFile, by: str, why: str, at: datetime) -> QuarantinedFile:
    """Return the file as one that is tried at the next check; waits begin anew.

    Raises:
        ValueError: It is not in quarantine.
    """
    _require_inside(previous)
    return _changed(
        previous, state=QuarantineState.WAITING, next_try=at, attempts=0, by=by, why=why
    )


class Quarantine(Struct, frozen=True):
    """What is known, at one instant, of the files of a model that could not be used.

    Attributes:
        model: Name of the model.
        at: The instant; a check has one, so that all of its windows see the same files.
        files: By path.
    """

    model: str
    at: datetime
    files: Mapping[str, QuarantinedFile]

    def held(self, path: str, size: int, modified: str) -> UnreadableFile | None:
        """Return how a file is named that is not to be tried now; None for one that may be."""
        known = self.files.get(path)
        if known is None or not known.held(size, modified, self.at):
            return None
        return known.unreadable

    def changes(
        self, sights: Iterable[tuple[str, UnreadableFile | Sight]]
    ) -> tuple[QuarantinedFile, ...]:
        """Return the files of which sights, by path, change what is known."""
        changed: dict[str, QuarantinedFile] = {}
        for path, seen in sights:
            previous = self.files.get(path)
            found = advance(self.model, previous, seen, self.at)
            if found is not None and found != previous:
                changed[path] = found
        return tuple(changed.values())

    def after(self, changed: Iterable[QuarantinedFile]) -> "Quarantine":
        """Return what is known after some files changed."""
        return replace(self, files={**self.files, **{file.path: file for file in changed}})


def _admitted(model: str, seen: UnreadableFile, at: datetime) -> QuarantinedFile:
    return QuarantinedFile(
        model=model,
        path=seen.path,
        size=seen.size,
        modified=seen.modified,
        reason=seen.reason,
        explanation=seen.explanation,
        placed=seen.placed,
        state=QuarantineState.WAITING,
        first_seen=at,
        last_tried=at,
        attempts=1,
        next_try=at + wait_after(1),
    )


def _changed(previous: QuarantinedFile, **parts: object) -> QuarantinedFile:
    return replace(previous, change=previous.change + 1, **parts)


def _require_inside(file: QuarantinedFile) -> None:
    if not file.inside:
        raise ValueError(f"{file.path} is not in quarantine: it is {file.state}")
