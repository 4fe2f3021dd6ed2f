"""What a task over part of a log gives back, and how parts are added."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.manifest import (
    LISTED_FILES,
    Accounting,
    FileAccount,
    LabelJoin,
    UnreadableFile,
)
from monitor.domain.schema import SchemaChange, joined
from monitor.domain.timetable import Timetable
from monitor.engine.allowance import Allowance
from monitor.profile.counts import ValueSample
from monitor.profile.profile import Profile

NAMED_LABELS = 20
"""Unmapped labels that are kept by name: enough to see what mapping is missing."""

OTHER_LABELS = "(others)"
"""Under which the rows of all further ones are kept."""

LISTED_VERSIONS = 20
"""Versions without a baseline that a run names."""

OTHER_VERSIONS = "(other versions)"
"""The others, and versions of a batch that has more than can be told apart."""

SMALL_ROWS = 16_384
"""Rows up to which a file is counted with its neighbours: more are worth a batch of their own."""

BUNDLED_ROWS = 131_072
"""Rows of files that are counted together."""

BUNDLED_FILES = 64
"""And their number, so that there is work for every worker."""


class Task(Struct, frozen=True):
    """A part of a scan that is read on its own: a file, or some row groups of it.

    Attributes:
        path: Path within the source.
        row_groups: Indices of the row groups to read.
        rows: Rows in those groups by the footer, for progress bars.
        threads: How many threads may share its columns.
        others: Tasks of small files that are counted with it; ``rows`` has theirs as well.
    """

    path: str
    row_groups: tuple[int, ...]
    rows: int
    threads: int = 1
    others: tuple["Task", ...] = ()


def bundled(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Return tasks over files, with those of small neighbours as one."""
    bundles: list[list[Task]] = []
    rows = 0
    for task in tasks:
        rows += task.rows
        full = not bundles or len(bundles[-1]) >= BUNDLED_FILES or rows > BUNDLED_ROWS
        if full or task.rows > SMALL_ROWS or bundles[-1][-1].rows > SMALL_ROWS:
            bundles.append([])
            rows = task.rows
        bundles[-1].append(task)
    return tuple(
        replace(first, rows=sum(task.rows for task in (first, *others)), others=tuple(others))
        for first, *others in bundles
    )


class Counted(Struct):
    """Rows of some tasks: profiled by version, or rejected by reason.

    A file that breaks while it is read contributes to ``unreadable`` and to nothing else.
    """

    profiles: dict[str, Profile] = field(default_factory=dict)
    read: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    unregistered: Counter[str] = field(default_factory=Counter)
    unmapped_labels: ValueSample = field(default_factory=ValueSample)
    last_event: datetime | None = None
    unreadable: list[UnreadableFile] = field(default_factory=list)
    files: list[FileAccount] = field(default_factory=list)
    schema_changes: tuple[SchemaChange, ...] = ()
    memberships: dict[str, LabelJoin] = field(default_factory=dict)
    allowance: Allowance = field(default_factory=Allowance)

    def merge(self, other: "Counted") -> None:
        """Add another part, in place."""
        for version, profile in other.profiles.items():
            if version in self.profiles:
                self.profiles[version].merge(profile)
            else:
                self.profiles[version] = profile
        self.read += other.read
        self.rejected.update(other.rejected)
        self.unregistered.update(other.unregistered)
        self.unmapped_labels.merge(other.unmapped_labels)
        self.unreadable.extend(other.unreadable)
        self.files.extend(other.files)
        self.memberships.update(other.memberships)
        self.allowance.merge(other.allowance)
        if other.schema_changes:
            self.schema_changes = joined((*self.schema_changes, *other.schema_changes))
        if other.last_event is not None:
            self.last_event = max(self.last_event or other.last_event, other.last_event)

    def accounting(
        self, labels: LabelJoin | None = None, timetable: Timetable | None = None
    ) -> Accounting:
        """Return the rows, read = profiled + rejected, and how labels were joined to them.

        Args:
            labels: How a label table was joined; None for none.
            timetable: What decisions were counted by; None when nothing is held against it.
        """
        invalid: Counter[str] = Counter()
        for file in self.files:
            invalid.update(file.invalid)
        unregistered = _most_frequent(self.unregistered)
        named = self.profiles.keys() | unregistered.keys()
        listed = sorted(_by_path(self.files), key=lambda file: (-file.troubled, file.path))
        return Accounting(
            read=self.read,
            profiled={version: item.rows for version, item in sorted(self.profiles.items())},
            rejected=dict(sorted(self.rejected.items())),
            unregistered=unregistered,
            labels=labels,
            unmapped_labels=_most(self.unmapped_labels),
            invalid=dict(sorted(invalid.items())),
            without_id=sum(file.without_id for file in self.files),
            files=tuple(listed[:LISTED_FILES]),
            memberships=dict(sorted(self.memberships.items())),
            authority=None
            if timetable is None
            else self.allowance.tallies(timetable, named, OTHER_VERSIONS),
        )


def _most(labels: ValueSample) -> dict[str, int]:
    """Return the most frequent names, and the rows of all others under a name of their own."""
    named = dict(labels.most_frequent(NAMED_LABELS))
    others = labels.rows - sum(named.values())
    return {**named, OTHER_LABELS: others} if others else named


def _most_frequent(versions: Counter[str]) -> dict[str, int]:
    """Return the versions with most rows; a column of ids may pass for one of versions."""
    ordered = sorted(versions.items(), key=lambda item: (-item[1], item[0]))
    listed = dict(ordered[:LISTED_VERSIONS])
    rest = sum(rows for _, rows in ordered[LISTED_VERSIONS:])
    if rest:
        listed[OTHER_VERSIONS] = listed.get(OTHER_VERSIONS, 0) + rest
    return listed


def _by_path(accounts: list[FileAccount]) -> list[FileAccount]:
    """Return one account for each file, whose row groups may have been counted by several tasks."""
    found: dict[str, FileAccount] = {}
    for account in accounts:
        known = found.get(account.path)
        found[account.path] = account if known is None else known.plus(account)
    return list(found.values())
