"""Small files that are read one by one and counted as one batch."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from msgspec import Struct

from monitor.engine.counting import Counted, Task
from monitor.sources.reader import BATCH_BYTES, Batch, Chunk, Selection


class Columns(Protocol):
    """What columns are read from."""

    def column(self, chunk: Chunk, name: str) -> Any:
        """Return a column of a chunk, None when there is none of the name."""
        ...


class Piece(Struct, frozen=True):
    """One batch of a file, read.

    Attributes:
        logged: The rows that are meant.
        batch: Those that are counted: without the rows that another one stands for.
        columns: What is counted of them, by column; None where the file does not have it.
        label: The labels that were joined to them; None when the log has them itself.
        size: About how many bytes of memory what was read takes.
    """

    logged: Batch
    batch: Batch
    columns: Mapping[str, Any]
    label: Any
    size: int

    @property
    def form(self) -> tuple[Any, ...]:
        """Return what is alike of pieces that can be counted as one."""
        label = None if self.label is None else self.label.type
        return (label, *((name, _type(column)) for name, column in self.columns.items()))


class WholeFile(Struct, frozen=True, dict=True):
    """All that is counted of a file, read.

    Attributes:
        task: The file.
        pieces: Its batches.
        told: What can be told of it without counting: rows read and rejected, its columns.
        profiled: Rows that are counted.
    """

    task: Task
    pieces: Sequence[Piece]
    told: Counted
    profiled: int

    @cached_property
    def form(self) -> tuple[Any, ...] | None:
        """Return the form of its first piece; None without pieces."""
        return self.pieces[0].form if self.pieces else None

    @property
    def uniform(self) -> bool:
        """Return whether all pieces are of one form."""
        return all(piece.form == self.form for piece in self.pieces[1:])


def pools(files: Iterable[WholeFile]) -> Iterator[Sequence[WholeFile]]:
    """Yield runs of neighbours that are of one form and fit into memory."""
    run: list[WholeFile] = []
    form: tuple[Any, ...] | None = None
    size = 0
    for file in files:
        more = sum(piece.size for piece in file.pieces)
        other = form is not None and file.form is not None and file.form != form
        if run and (other or size + more > BATCH_BYTES):
            yield run
            run, size, form = [], 0, None
        run.append(file)
        form, size = form or file.form, size + more
    if run:
        yield run


class Pool:
    """The rows of several pieces as those of one batch of one file."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        rows = [piece.batch.chunk.rows for piece in pieces]
        versions = dict.fromkeys(name for piece in pieces for name in piece.batch.versions)
        self.batch = Batch(
            chunk=Chunk((), sum(rows)),
            inside=None,
            micros=np.concatenate([piece.batch.micros for piece in pieces]),
            versions={name: self._selection(name) for name in versions},
            rejected=Counter(),
        )
        self.label = None
        if pieces[0].label is not None:
            self.label = _joined([piece.label for piece in pieces])

    def column(self, chunk: Chunk, name: str) -> Any:  # noqa: ARG002  # as of an open file
        """Return a column; None when the files do not have it."""
        columns = [piece.columns[name] for piece in self._pieces]
        return None if columns[0] is None else _joined(columns)

    def _selection(self, version: str) -> Selection:
        chosen, masks = [], []
        for piece in self._pieces:
            selection = piece.batch.versions.get(version)
            if selection is None:
                masks.append(np.zeros(piece.batch.chunk.rows, np.bool_))
                continue
            chosen.append(selection)
            mask = selection.mask
            masks.append(np.ones(selection.rows, np.bool_) if mask is None else mask)
        joined = np.concatenate(masks)
        return Selection(
            sum(selection.rows for selection in chosen),
            None if joined.all() else joined,
            min(selection.first for selection in chosen),
            max(selection.last for selection in chosen),
        )


def _joined(columns: Sequence[Any]) -> Any:
    chunks: list[Any] = []
    for column in columns:
        chunks += column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return pa.chunked_array(chunks)


def _type(column: Any) -> Any:
    return None if column is None else column.type
