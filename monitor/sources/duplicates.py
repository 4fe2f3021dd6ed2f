"""Rows that were logged more than once: found by id before anything is counted.

A first look keeps eight bytes for each row of the window. Only where those repeat are the ids
themselves compared, so that memory is proportional to the window's rows and not to its texts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field
from numpy.typing import NDArray

from monitor.domain.manifest import UnreadableFile
from monitor.engine.counting import Task
from monitor.profile.counts import value_hash
from monitor.profile.grid import IntArray
from monitor.sources.ids import id_texts
from monitor.sources.location import READ_ERRORS, Fault, FoundFile, fault
from monitor.sources.reader import LogView, Selection, batches, opened

_Words = NDArray[np.uint64]

_LONGEST_ID = 256
"""Longer ids are hashed one by one: no table is made as wide as the longest text."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio, made odd
_SHIFT = np.uint64(32)


class Duplicates(Struct, frozen=True):
    """What the ids of a window say.

    Attributes:
        rows: Path of a log file to the rows that another row stands for: places in the order in
            which the file's task is read, sorted.
        without_id: Path of a log file to its rows in the window that have no id.
        unreadable: Path of a log file whose ids cannot be read to why: nobody knows which of its rows
            would count twice.
    """

    rows: Mapping[str, IntArray] = field(default_factory=dict)
    without_id: Mapping[str, int] = field(default_factory=dict)
    unreadable: Mapping[str, UnreadableFile] = field(default_factory=dict)

    def within(self, path: str, begin: int, rows: int) -> IntArray:
        """Return the rows of a file to be left out of those from ``begin`` on, counted from it."""
        places = self.rows.get(path)
        if places is None:
            return np.zeros(0, np.int64)
        low, high = np.searchsorted(places, [begin, begin + rows])
        return places[low:high] - begin


def duplicates(
    view: LogView,
    files: Sequence[tuple[Task, FoundFile]],
    sound: Callable[[Task, FoundFile], bool],
) -> Duplicates:
    """Return which rows of a window repeat the id of another row of the same version.

    The last row by event time stands for all; of equal times the first in the order of the files.
    Ids are compared by their text, within the window. A row without an id repeats nothing.

    Args:
        view: The window of the log; its ``spec.id`` is the column of ids.
        files: The tasks of a scan with their files, in the order of their paths.
        sound: Whether a file can be read whole: a row of a broken file stands for no other.
    """
    hashes: list[_Words] = []
    read: list[tuple[Task, FoundFile]] = []
    without_id: dict[str, int] = {}
    broken: dict[str, UnreadableFile] = {}
    for task, file in files:
        try:
            parts = list(_hashes(view, task, file))
        except READ_ERRORS as error:
            broken[file.path] = _broken(file, error)
            continue
        hashes.append(np.concatenate([part for part, _ in parts] or [np.zeros(0, np.uint64)]))
        without_id[file.path] = sum(missing for _, missing in parts)
        read.append((task, file))
    repeated = _repeated(hashes)
    if not len(repeated):
        return Duplicates({}, without_id, broken)
    suspects = [
        pair
        for pair, own in zip(read, hashes, strict=True)
        if np.isin(own, repeated, kind="sort").any()  # hashes are too far apart for a table
    ]
    del hashes
    usable = [pair for pair in suspects if len(suspects) == 1 or sound(*pair)]
    return Duplicates(_losers(view, usable, repeated, broken), without_id, broken)


def _broken(file: FoundFile, error: Exception) -> UnreadableFile:
    return file.broken(fault(file.path, error, Fault.CORRUPT), placed=True)


def _repeated(hashes: Sequence[_Words]) -> _Words:
    if not hashes:
        return np.zeros(0, np.uint64)
    every = np.sort(np.concatenate(hashes))
    return np.unique(every[1:][every[1:] == every[:-1]])


class _Ids(Struct, frozen=True):
    """Rows with an id of one version in a batch.

    Attributes:
        version: The version.
        texts: A pyarrow array of the ids.
        places: shape (ids,), where the rows are in the chunk.
        missing: Rows without an id.
    """

    version: str
    texts: Any
    places: IntArray
    missing: int

    @property
    def hashes(self) -> _Words:
        """Return 64 bits for each id; equal ids of one version have equal ones."""
        return _hashed(self.texts) ^ np.uint64(value_hash(self.version))


class _IdBatch(Struct, frozen=True):
    """The ids of a batch by version, its times, and where it is in its file."""

    begin: int
    micros: IntArray
    ids: Sequence[_Ids]


def _ids(view: LogView, task: Task, file: FoundFile) -> Iterator[_IdBatch]:
    begin = 0
    together = (*view.bookkeeping, view.spec.id)
    with opened(view.location, file, together=together) as log:
        for batch in batches(view, log, task.row_groups):
            column = log.column(batch.chunk, view.spec.id) if batch.versions else None
            texts = pa.nulls(batch.chunk.rows, pa.large_string())
            if column is not None:
                texts = id_texts(column)
            found = [
                _of_version(version, texts, selection)
                for version, selection in batch.versions.items()
            ]
            yield _IdBatch(begin, batch.micros, found)
            begin += batch.chunk.rows


def _of_version(version: str, texts: Any, selection: Selection) -> _Ids:
    there = texts.is_valid().to_numpy(zero_copy_only=False)
    if selection.mask is not None:
        there = there & selection.mask
    places = np.flatnonzero(there)
    chosen = texts if len(places) == len(texts) else texts.take(pa.array(places))
    return _Ids(version, chosen, places, selection.rows - len(places))


def _hashes(view: LogView, task: Task, file: FoundFile) -> Iterator[tuple[_Words, int]]:
    for batch in _ids(view, task, file):
        for ids in batch.ids:
            yield ids.hashes, ids.missing


def _losers(
    view: LogView,
    files: Sequence[tuple[Task, FoundFile]],
    repeated: _Words,
    broken: dict[str, UnreadableFile],
) -> dict[str, IntArray]:
    """Return the rows that another stands for; the ids themselves decide.

    A file that has broken since it was first looked at is put to those that are broken.
    """
    found: list[tuple[Any, IntArray, IntArray]] = []
    owners: list[IntArray] = []
    for number, (task, file) in enumerate(files):
        try:
            parts = list(_repeating(view, task, file, repeated))
        except READ_ERRORS as error:
            broken[file.path] = _broken(file, error)
            continue
        found += parts
        owners += [np.full(len(places), number) for _, _, places in parts]
    if not found:
        return {}
    texts = pa.chunked_array([part for part, _, _ in found])
    keys = texts.combine_chunks().dictionary_encode().indices.to_numpy()
    owner = np.concatenate(owners)
    time = np.concatenate([times for _, times, _ in found])
    place = np.concatenate([places for _, _, places in found])
    # The last of each key: by time, then the first in the order of the files.
    order = np.lexsort((-np.arange(len(keys)), time, keys))
    lost = order[:-1][keys[order][:-1] == keys[order][1:]]
    return {
        file.path: np.sort(place[lost[owner[lost] == number]])
        for number, (_, file) in enumerate(files)
    }


def _repeating(
    view: LogView, task: Task, file: FoundFile, repeated: _Words
) -> Iterator[tuple[Any, IntArray, IntArray]]:
    """Yield ids that may repeat, with the times of their rows and their places in the file."""
    for batch in _ids(view, task, file):
        for ids in batch.ids:
            chosen = np.isin(ids.hashes, repeated, kind="sort")
            here = ids.places[chosen]
            texts = _keyed(ids.texts.filter(pa.array(chosen)), ids.version)
            yield texts, batch.micros[here], here + batch.begin


def _keyed(texts: Any, version: str) -> Any:
    """Return ids with their version before them: the same id may be scored by two versions."""
    return pc.binary_join_element_wise(
        pa.scalar(f"{len(version)}\x1f{version}", pa.large_string()),
        texts,
        pa.scalar("\x1f", pa.large_string()),
    )


def _hashed(texts: Any) -> _Words:
    """Return 64 bits for each text of an array without nulls."""
    _, offsets, data = texts.buffers()
    if not len(texts) or data is None:
        return np.zeros(len(texts), np.uint64)
    bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, np.uint8)
    lengths = np.diff(bounds)
    hashes = np.zeros(len(texts), np.uint64)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        if length > _LONGEST_ID:
            found = [value_hash(text) for text in texts.take(pa.array(rows)).to_pylist()]
            hashes[rows] = np.array(found, np.uint64)
        elif length:
            hashes[rows] = _mixed(letters, bounds[rows], int(length))
    return hashes


def _mixed(letters: NDArray[np.uint8], starts: IntArray, length: int) -> _Words:
    """Return 64 bits for each text of one length."""
    words = -(-length // 8)
    block = np.zeros((len(starts), 8 * words), np.uint8)
    block[:, :length] = letters[starts[:, None] + np.arange(length)]
    hashes = np.full(len(starts), length, np.uint64) * _MULTIPLIER  # no short text reaches so high
    for column in block.view(np.uint64).T:
        hashes = (hashes ^ column) * _MULTIPLIER
        hashes ^= hashes >> _SHIFT
    return hashes
