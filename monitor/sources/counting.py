"""The function that is mapped over the files of a scan."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.manifest import FileAccount, LabelJoin, Rejection, UnreadableFile
from monitor.domain.policy import SourceSpec
from monitor.domain.schema import SchemaChange, joined
from monitor.domain.timetable import Timetable
from monitor.engine.counting import Counted, Task
from monitor.profile.grid import Grid
from monitor.profile.instants import from_micros
from monitor.profile.kernel import ProfileBuilder
from monitor.sources.duplicates import Duplicates, duplicates
from monitor.sources.filling import (
    Builders,
    Chosen,
    Joined,
    bring_scores,
    count_pairs,
    divide,
    fill_fields,
    fill_outcomes,
)
from monitor.sources.labels import JoinedLabels
from monitor.sources.location import READ_ERRORS, Fault, FoundFile, fault
from monitor.sources.meeting import Meeting, Shared
from monitor.sources.members import Members
from monitor.sources.reader import Batch, LogView, OpenFile, batches, opened
from monitor.sources.spells import count_spells
from monitor.sources.together import Piece, Pool, WholeFile, pools

CHECKED_WHOLE = 2**20
"""Bytes up to which a file is decoded whole before any of its rows count."""

_WRITTEN_OVER = "it was written over while it was read"


class CountFile(Struct, frozen=True):
    """Counts the rows of one file; pure but for reading it, and travels to worker processes.

    A file that breaks half-way, or is no longer the one the manifest names, contributes nothing
    but its name: half of a file would be a biased sample that looks like data.

    Attributes:
        view: The log.
        files: Path to the file as the manifest has it.
        grids: Version to the grid its rows are counted on.
        labels: What the label table says of the window's rows; None when the log has the labels.
        tasks: The tasks of the scan.
        duplicates: Rows that another row stands for; they are rejected.
        members: What the protected table says of the window's rows.
        timetable: What each version was allowed when; None: rows are not counted by it.
    """

    view: LogView
    files: Mapping[str, FoundFile]
    grids: Mapping[str, Grid]
    labels: JoinedLabels | None
    tasks: tuple[Task, ...] = ()
    duplicates: Duplicates = field(default_factory=Duplicates)
    members: Members = field(default_factory=Members)
    timetable: Timetable | None = None

    @property
    def joined(self) -> LabelJoin | None:
        """Return how the label table was joined; None when there is none."""
        return None if self.labels is None else self.labels.join

    def complete(self) -> "CountFile":
        """Return the function that knows which rows repeat the id of another one."""
        if not self.view.spec.id:
            return self
        pairs = [(task, self.files[task.path]) for task in self.tasks]
        found = duplicates(self.view, pairs, self._is_sound)
        return replace(self, tasks=(), duplicates=found)

    def _is_sound(self, task: Task, file: FoundFile) -> bool:
        """Return whether all that is read of a file can be read."""
        only = {file.path: file}
        alone = CountFile(self.view, only, self.grids, None, timetable=self.timetable)
        return not alone(task).unreadable

    def __call__(self, task: Task) -> Counted:
        """Return the counts of one file; what is joined to all of them is told with the first.

        Small files that are counted together are read one after the other, and what they hold is
        counted at once: a file costs more than a thousand rows. One of which something has to be
        told that concerns it alone is counted alone, and so are all of a log whose rows' members
        are in a table of their own.
        """
        counted = self._together(task) if task.others else self._attempted(task)
        if task.path == next(iter(self.files)):
            counted.unreadable.extend(() if self.labels is None else self.labels.unreadable)
            counted.unreadable.extend(self.members.unreadable)
            counted.memberships = self.members.joins
        return counted

    def _together(self, task: Task) -> Counted:
        counted, plan = Counted(), Builders(self.grids)
        for pool in pools(self._whole_files(task, plan, counted)):
            counted.merge(self._pooled(pool))
        return counted

    def _whole_files(self, task: Task, plan: Builders, counted: Counted) -> Iterator[WholeFile]:
        """Yield the files of a task that can be counted together, having counted the others."""
        for one in (replace(task, others=()), *task.others):
            file = self._whole(one, plan)
            if file is None:
                counted.merge(self._attempted(one))
            else:
                yield file

    def _whole(self, task: Task, plan: Builders) -> WholeFile | None:
        """Return what is counted of a small file; None when there is something to tell of it."""
        file = self.files[task.path]
        if self.members.columns or file.size > CHECKED_WHOLE or not self._is_usable(file):
            return None
        try:
            found = self._read(file, task, plan)
            of_one = self.view.location.read_of_one(file)
        except READ_ERRORS:
            return None
        return found if of_one and found.uniform else None

    def _is_usable(self, file: FoundFile) -> bool:
        try:
            unchanged = self.view.location.unchanged(file)
        except READ_ERRORS:
            return False
        known = self.labels is None or self.labels.covers(file.path)
        return unchanged and known and file.path not in self.duplicates.unreadable

    def _read(self, file: FoundFile, task: Task, plan: Builders) -> WholeFile:
        told = Counted()
        labels = None if self.labels is None else self.labels.reader(task.path)
        together = {*self.view.bookkeeping, *plan.all_columns}
        pieces, versions, profiled, begin = [], set(), 0, 0
        with opened(self.view.location, file, None, together) as log:
            for logged in batches(self.view, log, task.row_groups):
                repeated = self.duplicates.within(task.path, begin, logged.chunk.rows)
                begin += logged.chunk.rows
                batch = logged.without(repeated, Rejection.DUPLICATE_ID)
                _account(told, batch, self.grids)
                count_spells(told.allowance, self.timetable, log, batch)
                versions |= self.grids.keys() & logged.versions.keys()
                counted = self.grids.keys() & batch.versions.keys()
                profiled += sum(batch.versions[version].rows for version in counted)
                columns = {name: log.column(batch.chunk, name) for name in plan.columns_of(counted)}
                outcome = None if labels is None else labels.column(logged)
                pieces.append(Piece(logged, batch, columns, outcome, log.size(batch.chunk)))
            log.check_rest()
            told.schema_changes = self._all_changes(log, sorted(versions), task.path)
        return WholeFile(task, pieces, told, profiled)

    def _pooled(self, files: Sequence[WholeFile]) -> Counted:
        """Return the counts of read files of one form."""
        try:
            counted, builders = self._counted_at_once(files)
        except READ_ERRORS:  # a value cannot be read; of which of them?
            counted, builders = Counted(), Builders(self.grids)
            for file in files:
                counted.merge(self._attempted(file.task))
            return counted
        if len(files) == 1:
            counted.merge(files[0].told)
            counted.files = [self._file_account(files[0].task.path, counted, builders.made)]
            return counted
        if builders.any_invalid:
            counted = Counted()
            for file in files:
                counted.merge(self._pooled([file]))
            return counted
        for file in files:
            counted.merge(file.told)
            counted.files.append(
                FileAccount(
                    path=file.task.path,
                    read=file.told.read,
                    profiled=file.profiled,
                    rejected=dict(sorted(file.told.rejected.items())),
                    without_id=self.duplicates.without_id.get(file.task.path, 0),
                )
            )
        return counted

    def _counted_at_once(self, files: Sequence[WholeFile]) -> tuple[Counted, "Builders"]:
        counted, builders = Counted(), Builders(self.grids)
        pieces = [piece for file in files for piece in file.pieces]
        for piece in pieces:
            builders.add_duplicates(piece.logged, piece.batch)
        if pieces:
            pool = Pool(pieces)
            chosen = builders.chosen(pool.batch)
            held = divide(pool, pool.batch, chosen)
            brought = Joined(pool.label, {})
            outcomes = fill_outcomes(counted, pool, pool.batch, chosen, brought)
            fill_fields(pool, pool.batch, chosen, {**held, **outcomes}, builders.columns)
            meeting = Meeting(1)
            bring_scores(chosen, meeting, 0)
            count_pairs({0: chosen}, meeting)
        counted.profiles = {version: builder.profile for version, builder in builders.made.items()}
        return counted, builders

    def _attempted(self, task: Task) -> Counted:
        file = self.files[task.path]
        try:
            if not self.view.location.unchanged(file):
                return _left_out(file, Fault.CHANGED, "it changed after the scan listed it")
            if file.path in self.duplicates.unreadable:
                return Counted(unreadable=[self.duplicates.unreadable[file.path]])
            known = self.labels is None or self.labels.covers(file.path)
            if not (known and self.members.covers(file.path)):
                return _left_out(file, Fault.UNREADABLE, "its ids could not be read")
            counted = self._counted(file, task)
            of_one = self.view.location.read_of_one(file)
        except READ_ERRORS as error:
            return self._broken(file, error)
        if not of_one:
            return _left_out(file, Fault.CHANGED, _WRITTEN_OVER)
        return counted

    def _broken(self, file: FoundFile, error: Exception) -> Counted:
        """Return why nothing is counted of a file; half of one that is being written tells nothing."""
        with suppress(*READ_ERRORS):
            there = self.view.location.local and not isinstance(error, FileNotFoundError)
            if there and not self.view.location.unchanged(file):
                return _left_out(file, Fault.CHANGED, _WRITTEN_OVER)
        broken = file.broken(fault(file.path, error, Fault.CORRUPT), placed=True)
        return Counted(unreadable=[broken])

    def _counted(self, file: FoundFile, task: Task) -> Counted:
        counted, builders = Counted(), Builders(self.grids)
        if task.threads == 1:
            alone = _Share(0, builders.columns, Meeting(1))
            self._count_part(counted, builders, file, task, alone)
        else:
            self._count_parts(counted, builders, file, task)
        counted.profiles = {version: builder.profile for version, builder in builders.made.items()}
        counted.files = [self._file_account(task.path, counted, builders.made)]
        return counted

    def _count_parts(
        self, counted: Counted, builders: "Builders", file: FoundFile, task: Task
    ) -> None:
        """Divide the columns among threads, each with a reader of its own.

        Nothing is counted twice: what is added to the profiles of the first part are the fields
        that it left out.
        """
        others = [Builders(self.grids) for _ in range(1, task.threads)]
        meeting = Meeting(task.threads)
        bookkeeping = self.view.bookkeeping
        with (
            opened(self.view.location, file, bookkeeping, bookkeeping) as log,
            ThreadPoolExecutor(len(others)) as threads,
        ):
            found = Shared(batches(self.view, log, task.row_groups), task.threads)
            first, *rest = (
                _Share(part, columns, meeting, found)
                for part, columns in enumerate(builders.shares(task.threads))
            )
            under_way = [
                threads.submit(self._count_part, Counted(), other, file, task, share)
                for other, share in zip(others, rest, strict=True)
            ]
            self._count_part(counted, builders, file, task, first)
            for item in under_way:
                item.result()
        for other in others:
            for version, builder in other.made.items():
                builders.made[version].profile.merge(builder.profile)

    def _count_part(
        self, counted: Counted, builders: "Builders", file: FoundFile, task: Task, share: "_Share"
    ) -> None:
        """Count a share of the columns; who has the first counts rows, outcomes and pairs too."""
        labels = None if self.labels is None or not share.first else self.labels.reader(task.path)
        members = self.members.reader(task.path)
        small = file.size <= CHECKED_WHOLE
        texts = None if small else _texts(self.view.spec, self.grids)
        together = {*share.columns} | builders.dividing_columns
        if share.found is None:
            together.update(self.view.bookkeeping)
        if share.first:
            together |= builders.outcome_columns
        begin, number = 0, -1
        waiting: dict[int, list[Chosen]] = {}
        reading = None if small else self.view.shelf.give
        log_of = opened(self.view.location, file, texts, together, reading)
        with share.meeting, log_of as log:
            for number, logged in enumerate(share.batches(self.view, log, task.row_groups)):
                repeated = self.duplicates.within(task.path, begin, logged.chunk.rows)
                begin += logged.chunk.rows
                batch = logged.without(repeated, Rejection.DUPLICATE_ID)
                waiting[number] = chosen = builders.chosen(batch)
                held = divide(log, batch, chosen)
                if share.first:
                    _account(counted, batch, self.grids)
                    count_spells(counted.allowance, self.timetable, log, batch)
                    builders.add_duplicates(logged, batch)
                    outcome = None if labels is None else labels.column(logged)
                    brought = Joined(outcome, members.columns(logged))
                    held = {**held, **fill_outcomes(counted, log, batch, chosen, brought)}
                fill_fields(log, batch, chosen, held, share.columns)
                bring_scores(chosen, share.meeting, number)
                share.count_pairs(waiting)
            share.count_pairs(waiting, number + 1)
            if share.first:
                if small:
                    log.check_rest()
                counted.schema_changes = self._all_changes(log, builders.made, task.path)

    def _all_changes(
        self, log: OpenFile, versions: Iterable[str], path: str
    ) -> tuple[SchemaChange, ...]:
        return joined(
            change for version in versions for change in self._changes(log, version, path)
        )

    def _changes(self, log: OpenFile, version: str, path: str) -> Iterator[SchemaChange]:
        grid, spec = self.grids[version], self.view.spec
        watched = {*grid.read_columns, spec.event_time, spec.id, spec.version}
        for kind, column, was, now in grid.schema.differences(log.fields, log.keys):
            yield SchemaChange(version, kind, column, was, now, column in watched, 1, path)

    def _file_account(
        self, path: str, counted: Counted, builders: Mapping[str, ProfileBuilder]
    ) -> FileAccount:
        invalid: Counter[str] = Counter()
        for version, builder in builders.items():
            here = builder.unread.copy()
            for name, counts in builder.profile.fields.items():
                column = self.grids[version].columns[name]
                here[column] = max(here[column], counts.invalid)  # a decision may be a field too
            invalid.update(here)
        return FileAccount(
            path=path,
            read=counted.read,
            profiled=sum(builder.profile.rows for builder in builders.values()),
            rejected=dict(sorted(counted.rejected.items())),
            invalid={column: rows for column, rows in sorted(invalid.items()) if rows},
            without_id=self.duplicates.without_id.get(path, 0),
        )


class _Share(Struct, frozen=True):
    """What one thread counts of a file.

    Attributes:
        part: Its number.
        columns: The columns whose fields it counts.
        meeting: Where it brings what is counted of several fields together.
        found: The batches that all threads find together; None where there is one thread.
    """

    part: int
    columns: Sequence[str]
    meeting: Meeting
    found: Shared[Batch] | None = None

    @property
    def first(self) -> bool:
        """Return whether it is the first thread, which counts what only one can."""
        return self.part == 0

    def batches(self, view: LogView, log: OpenFile, row_groups: Collection[int]) -> Iterator[Batch]:
        """Yield the batches of a file."""
        if self.found is None:
            return batches(view, log, row_groups)
        return self.found.part(self.part)

    def count_pairs(self, waiting: dict[int, list[Chosen]], whole: int = 0) -> None:
        """Count batches in pairs, or leave that to the first thread."""
        if self.first:
            count_pairs(waiting, self.meeting, whole)
        else:
            waiting.clear()


def _account(counted: Counted, batch: Batch, grids: Mapping[str, Grid]) -> None:
    counted.read += batch.selected + batch.rejected.total()
    counted.rejected.update(batch.rejected)
    for version, selection in batch.versions.items():
        if version not in grids:
            counted.rejected[Rejection.NO_BASELINE] += selection.rows
            counted.unregistered[version] += selection.rows
    if batch.versions:
        last = from_micros(max(selection.last for selection in batch.versions.values()))
        counted.last_event = max(counted.last_event or last, last)


def _texts(spec: SourceSpec, grids: Mapping[str, Grid]) -> set[str]:
    """Return the columns that are read as codes into a dictionary where they hold text.

    Numeric fields are among them: if one holds text after all, it is none the cheaper written out.
    """
    texts = {spec.event_time, spec.version}
    for grid in grids.values():
        texts |= grid.read_columns
    return texts


def _left_out(file: FoundFile, reason: Fault, explanation: str) -> Counted:
    left_out = file.broken(UnreadableFile(file.path, reason, explanation), placed=True)
    return Counted(unreadable=[left_out])
