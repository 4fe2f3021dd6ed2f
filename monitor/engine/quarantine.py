"""Files that could not be used: taken in when a check begins, released when it ends."""

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import Struct

from monitor.domain.errors import StoreError
from monitor.domain.manifest import UnreadableFile
from monitor.domain.policy import Policy
from monitor.domain.quarantine import Quarantine, QuarantinedFile, QuarantineState, Sight
from monitor.domain.schedule import Schedule
from monitor.domain.window import Window
from monitor.engine.ports import Source, Store
from monitor.engine.survey import Span, Survey
from monitor.governance.record import Actor

_ATTEMPTS = 5
"""How often a person's decision is taken to the newest state of a file: a check that writes at
the same moment does so once."""


class Intake(Struct, frozen=True):
    """What a check knows of a log's files before it reads a row.

    Attributes:
        survey: The log as a whole.
        quarantine: Its files that could not be used, this check's own sights included.
    """

    survey: Survey
    quarantine: Quarantine


def take_in(policy: Policy, source: Source, store: Store, at: datetime) -> Intake:
    """Look at a log's listing and footers, and store what that changes in the quarantine.

    Raises:
        SourceError: The log cannot be reached.
        StoreError: The quarantine cannot be read or written.
    """
    known = Quarantine(policy.model, at, store.quarantine(policy.model))
    survey = source.survey(known)
    changed = known.changes(_sights(known, survey))
    if changed:
        store.note(changed)
    return Intake(survey, known.after(changed))


def unfinished(intake: Intake, schedule: Schedule, store: Store) -> dict[str, set[Window]]:
    """Return the files that may be used now, and the windows that were run without each.

    A file that is still being mended, or whose data may be broken though its footer is in order,
    stays in quarantine until none of these windows is left. What is due is told by what is
    stored, so a process that is killed half-way goes on where it was.
    """
    whole = intake.survey.whole
    if not whole:
        return {}
    found: dict[str, set[Window]] = {path: set() for path in whole}
    for window, paths in store.gaps(intake.quarantine.model).items():
        if schedule.window_at(window.start) != window:
            continue  # of an earlier schedule: its results are history
        for path in paths & whole.keys():
            if _reaches(whole[path], window):
                found[path].add(window)
    return found


def release(intake: Intake, schedule: Schedule, store: Store) -> tuple[QuarantinedFile, ...]:
    """Release the files that no window lacks any more, and return them."""
    left = unfinished(intake, schedule, store)
    known = Quarantine(
        intake.quarantine.model,
        intake.quarantine.at,
        {path: intake.quarantine.files[path] for path, windows in left.items() if not windows},
    )
    released = known.changes((path, Sight.WHOLE) for path in known.files)
    if released:
        store.note(released)
    return released


def decide(
    model: str,
    path: str,
    decision: Callable[[QuarantinedFile], QuarantinedFile],
    store: Store,
    by: tuple[datetime, Actor],
) -> QuarantinedFile:
    """Store what a person decided about a file in quarantine, and return what it is now.

    Raises:
        StoreError: Somebody else writes to it all the time.
        ValueError: The file is not in quarantine.
    """
    for _ in range(_ATTEMPTS):
        known = store.quarantine(model).get(path)
        if known is None:
            raise ValueError(f"{path} is not in quarantine")
        decided = decision(known)
        if store.note((decided,), by):
            return decided
    raise StoreError(f"{path} is being written to by another process; nothing was decided")


def _sights(known: Quarantine, survey: Survey) -> Iterator[tuple[str, UnreadableFile | Sight]]:
    """Yield what a survey says of each file, whole ones left out: their windows are due first."""
    unreadable = {file.path: file for file in survey.unreadable}
    yield from unreadable.items()
    for path, file in known.files.items():
        listed = path in unreadable or path in survey.whole
        hidden = any(folder in unreadable for folder in _folders(path))
        if file.state is QuarantineState.WAITING and not (listed or hidden):
            yield path, Sight.GONE


def _folders(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _reaches(span: Span | None, window: Window) -> bool:
    return span is not None and span[0] < window.end and window.start <= span[1]
