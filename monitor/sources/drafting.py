"""A grid drafted from the rows of one version."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from msgspec import Struct

from monitor.domain.errors import BaselineError
from monitor.domain.field import FieldKind
from monitor.domain.policy import Policy
from monitor.engine.counting import Task
from monitor.profile.buffers import of_numbers
from monitor.profile.draft import SAMPLE_ROWS, GridDraft, tallied
from monitor.profile.grid import Grid, IntArray
from monitor.sources.counting import CHECKED_WHOLE
from monitor.sources.location import READ_ERRORS, FoundFile
from monitor.sources.members import Members
from monitor.sources.reader import (
    Chunk,
    LogView,
    OpenFile,
    Selection,
    batch_of,
    batches,
    opened,
)
from monitor.sources.shelf import Reading

SAMPLE_BATCHES = 3
"""Fewest batches that numbers are sampled from: the first, the last, and one half-way."""

THOROUGH_BATCHES = 64
"""Fewest of a thorough draft, evenly spread over the window."""

_READ_FOR_SAMPLE = 4 * SAMPLE_ROWS
"""Rows that are read for a sample when batches are small and many."""


class _BrokenFileError(Exception):
    """A file broke while it was read; the draft begins again without it."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)


class _Part(Struct, frozen=True):
    """Rows of the version in one batch.

    Attributes:
        file: The file.
        chunk: The batch's row groups.
        rows: How many rows.
        whole: Whether that is all rows of the batch.
    """

    file: FoundFile
    chunk: Chunk
    rows: int
    whole: bool


def drafted(
    policy: Policy,
    view: LogView,
    files: Sequence[tuple[Task, FoundFile]],
    version: str,
    members: Members,
    *,
    thorough: bool = False,
) -> Grid:
    """Return the grid frozen from one version's rows in a window.

    Categorical fields and attributes are read whole; numbers are a sample of at most
    `SAMPLE_ROWS` rows, every k-th row of evenly spaced batches. Decoding a column costs as much as
    counting it, so few batches are read; who has counted all rows knows whether they were like the
    others (`monitor.profile.draft.is_coarse`), and asks for a thorough draft where they were not.

    Args:
        policy: What is watched.
        view: The window of the log.
        files: The tasks of its scan with their files, in the order of their paths.
        version: The version.
        members: What the protected table says of the rows.
        thorough: Whether numbers are sampled from `THOROUGH_BATCHES`, not `SAMPLE_BATCHES`.

    Raises:
        BaselineError: The version has no rows in the window.
    """
    fewest = THOROUGH_BATCHES if thorough else SAMPLE_BATCHES
    broken: set[str] = set()
    while True:
        whole = [(task, file) for task, file in files if file.path not in broken]
        try:
            return _Drafting(policy, view, version, members).grid(whole, fewest)
        except _BrokenFileError as error:
            broken.add(error.path)


class _Drafting:
    """One attempt to draft a grid."""

    def __init__(self, policy: Policy, view: LogView, version: str, members: Members) -> None:
        self._policy = policy
        self._view = view
        self._version = version
        self._members = members
        self._draft = GridDraft(
            policy.fields,
            policy.attributes,
            policy.decision,
            policy.label,
            policy.segments,
            strata={name: item.factor for name, item in policy.strata.items()},
            identified=bool(policy.source.id),
            classes=policy.classes,
        )

    def grid(self, files: Sequence[tuple[Task, FoundFile]], fewest: int) -> Grid:
        """Return the grid from numbers of so many batches, or say which file broke."""
        parts: list[_Part] = []
        for task, file in files:
            try:
                parts += self._take_values(task, file)
            except READ_ERRORS as error:
                raise _BrokenFileError(file.path) from error
        if not parts:
            raise BaselineError(
                f"model {self._policy.model}: version {self._version} has no rows in the period"
            )
        chosen = _spread(parts, fewest)
        step = -(-sum(part.rows for part in chosen) // SAMPLE_ROWS)
        before = 0
        for file, together in groupby(chosen, key=lambda part: part.file):
            of_file = list(together)
            try:
                self._take_numbers(of_file, before, step)
            except READ_ERRORS as error:
                raise _BrokenFileError(file.path) from error
            before += sum(part.rows for part in of_file)
        return self._draft.grid()

    def _take_values(self, task: Task, file: FoundFile) -> list[_Part]:
        """Take in the categorical columns of a file; return where the version's rows are."""
        attributes = self._policy.axes
        fields = tallied(self._policy.fields)
        texts = {item.column for item in fields}
        texts |= {item.column for item in attributes.values() if not item.protected}
        dividing = {name for segment in self._policy.segments for name in segment.columns}
        texts |= dividing
        texts.add(self._view.spec.version)
        parts = []
        members = self._members.reader(file.path)
        together = (*self._view.bookkeeping, *texts)
        with opened(self._view.location, file, texts, together, self._reading(file)) as log:
            for batch in batches(self._view, log, task.row_groups):
                people = members.columns(batch)
                selection = batch.versions.get(self._version)
                if selection is None:
                    continue
                whole = selection.mask is None
                parts.append(_Part(file, batch.chunk, selection.rows, whole))
                for item in fields:
                    column = selection.of(log.column(batch.chunk, item.column))
                    self._draft.add_field(item.name, column)
                for name, axis in attributes.items():
                    column = (
                        people.get(axis.column)
                        if axis.protected
                        else log.column(batch.chunk, axis.column)
                    )
                    self._draft.add_attribute(name, selection.of(column))
                columns = {
                    name: selection.of(log.column(batch.chunk, name)) for name in sorted(dividing)
                }
                self._draft.add_segments(columns, selection.rows)
            if parts:
                self._draft.add_columns(log.fields)
        return parts

    def _take_numbers(self, parts: Sequence[_Part], before: int, step: int) -> None:
        """Take in every ``step``-th row of some batches of one file.

        Args:
            parts: The batches.
            before: Rows of the sample's batches before these.
            step: One row in so many is taken.
        """
        fields = self._policy.fields
        numeric = [item for item in fields if item.kind is FieldKind.NUMERIC and not item.part]
        parted = {item.declared: item.column for item in fields if item.part}
        columns = {*(item.column for item in numeric), *parted.values()}
        together = (*self._view.bookkeeping, *columns)
        texts = {self._view.spec.version, *parted.values()}
        file = parts[0].file
        with opened(self._view.location, file, texts, together, self._reading(file)) as log:
            for part in parts:
                for chunk, selection, micros in self._selected(log, part, timed=bool(parted)):
                    places = np.arange(-before % step, selection.rows, step)
                    taken = of_numbers(places)
                    before += selection.rows
                    for item in numeric:
                        column = selection.of(log.column(chunk, item.column))
                        self._draft.add_field(
                            item.name, None if column is None else column.take(taken)
                        )
                    for name, column_name in parted.items():
                        column = selection.of(log.column(chunk, column_name))
                        self._draft.add_parts(
                            name,
                            None if column is None else column.take(taken),
                            selection.times(micros)[places],
                        )

    def _reading(self, file: FoundFile) -> Reading | None:
        """Return what holds columns of a file until they are counted; None where bytes are held."""
        return self._view.shelf.keep if file.size > CHECKED_WHOLE else None

    def _selected(
        self, log: OpenFile, part: _Part, *, timed: bool
    ) -> Iterator[tuple[Chunk, Selection, IntArray]]:
        """Yield the version's rows of a batch again, with their times if they are asked for."""
        # What was whole beside other columns may have to be read in pieces beside these.
        whole = part.chunk.piece is None
        for chunk in log.chunks(part.chunk.groups) if whole else (part.chunk,):
            if part.whole and not timed:  # then nothing has to be read to know them
                yield chunk, Selection(chunk.rows, None, 0, 0), np.zeros(0, np.int64)
                continue
            batch = batch_of(self._view, log, chunk)
            selection = batch.versions.get(self._version)
            if selection is not None:
                yield chunk, selection, batch.micros


def _spread(parts: Sequence[_Part], fewest: int) -> Sequence[_Part]:
    """Return all parts, or of many rows evenly spaced ones, the first and the last among them."""
    rows = sum(part.rows for part in parts)
    wanted = max(fewest, -(-len(parts) * _READ_FOR_SAMPLE // rows))
    if wanted >= len(parts):
        return parts
    places = np.linspace(0, len(parts) - 1, wanted).round().astype(int)
    return [parts[place] for place in places]
