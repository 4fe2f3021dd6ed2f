"""Labels that come in a later table, joined to the rows of a window by id.

The ids of the window are read first, so memory is proportional to them and not to the label
table, which is streamed past. What a worker gets is one small code for each row of its file.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from monitor.domain.manifest import NOT_JOINED, LabelJoin, UnreadableFile
from monitor.domain.policy import LabelTable
from monitor.engine.counting import Task
from monitor.profile.buffers import integers, of_numbers, of_texts, of_truths, truths
from monitor.profile.grid import IntArray
from monitor.profile.instants import instants
from monitor.profile.values import canonical_text, encoded
from monitor.sources.ids import id_texts
from monitor.sources.location import READ_ERRORS, Fault, FoundFile, Location, fault
from monitor.sources.reader import Batch, Chunk, LogView, OpenFile, batches, opened

_NO_TIME = np.iinfo(np.int64).min  # a label without a time yields to any that has one
_NEVER = np.iinfo(np.int64).max


class JoinedLabels(Struct, frozen=True):
    """The label of each row of a window.

    Attributes:
        values: Canonical texts of the distinct labels.
        codes: Path of a log file to one code for each of its rows in the window, in the order of
            the file: a place in ``values``, or -1 where the row has no label. A file whose ids
            could not be read is not in it. None while there are no label files at all.
        join: What the joining came to, in numbers.
        unreadable: Label files that broke while they were read; none of their labels is used.
    """

    values: tuple[str, ...] = ()
    codes: Mapping[str, IntArray] | None = None
    join: LabelJoin = NOT_JOINED
    unreadable: tuple[UnreadableFile, ...] = ()

    def covers(self, path: str) -> bool:
        """Return whether the rows of a file are known to have labels or not to."""
        return self.codes is None or path in self.codes

    def reader(self, path: str) -> "LabelReader":
        """Return the labels of one file, to be taken batch by batch in order."""
        return LabelReader(self.values, None if self.codes is None else self.codes[path])


class LabelReader:
    """Hands out the labels of a file's rows in step with its batches."""

    def __init__(self, values: Sequence[str], codes: IntArray | None) -> None:
        self._values = of_texts(values)
        self._codes = codes
        self._taken = 0

    def column(self, batch: Batch) -> Any:
        """Return the label column of the next batch; null where a row has no label."""
        if self._codes is None:
            return pa.nulls(batch.chunk.rows)
        codes = np.full(batch.chunk.rows, -1, np.int64)
        until = self._taken + batch.selected
        codes[slice(None) if batch.inside is None else batch.inside] = self._codes[
            self._taken : until
        ]
        self._taken = until
        return pa.DictionaryArray.from_arrays(of_numbers(codes, codes < 0), self._values)


class LabelFiles(Struct, frozen=True):
    """The files of a label table that may matter to a window.

    Attributes:
        location: Where they are.
        files: The files, in the order of their paths.
        spec: The table's id and time columns.
        column: Its label column.
        zone: Zone that naive times are local to.
    """

    location: Location
    files: tuple[FoundFile, ...]
    spec: LabelTable
    column: str
    zone: str


def joined(
    log: LogView,
    tasks: Iterable[tuple[Task, FoundFile]],
    table: "LabelFiles",
    ids: "WindowIds | None" = None,
) -> JoinedLabels:
    """Return the labels of a scan's rows.

    Ids are compared by their canonical text, so that 7 and ``"7"`` are one id. Of several labels
    for one id the latest by the table's time column counts, without one the last in the order of
    the files. A null label is none. A label that was known before the prediction was made counts,
    and is counted as such.

    Args:
        log: The log.
        tasks: The tasks of the scan, with their files.
        table: The label files.
        ids: The ids of the rows, where they are known.
    """
    ids = WindowIds.of(log, tasks) if ids is None else ids
    known = _KnownLabels(len(ids.distinct), timed=bool(table.spec.time))
    unreadable = []
    for file in table.files:
        try:
            parts = list(_matching(log, table, file, ids.distinct))
            of_one = table.location.read_of_one(file)
        except READ_ERRORS as error:
            broken = fault(f"{table.spec.path}/{file.path}", error, Fault.CORRUPT)
            unreadable.append(file.broken(broken, placed=True))
            continue
        if not of_one:
            path, told = f"{table.spec.path}/{file.path}", "it changed after the scan listed it"
            unreadable.append(file.broken(UnreadableFile(path, Fault.CHANGED, told), placed=True))
            continue
        for part in parts:
            known.add(part)
    codes = np.concatenate([known.codes, [-1]])  # the last is for null ids
    return JoinedLabels(
        tuple(known.values),
        {path: codes[places] for path, places in ids.rows.items()},
        known.join(ids),
        tuple(unreadable),
    )


class WindowIds(Struct, frozen=True):
    """The ids of a window.

    Attributes:
        distinct: A pyarrow string array of the distinct ids.
        earliest: shape (ids,), the first event time of each, microseconds.
        rows: Path of a log file to the place in ``distinct`` of each of its rows in the window;
            -1 for null.
    """

    distinct: Any
    earliest: IntArray
    rows: Mapping[str, IntArray]

    @classmethod
    def of(
        cls, log: LogView, tasks: Iterable[tuple[Task, FoundFile]], key: str = ""
    ) -> "WindowIds":
        """Return the ids of a scan's rows: of the predictions, or those in another column."""
        column = key or log.spec.id
        found: dict[str, tuple[Any, IntArray]] = {}
        for task, file in tasks:
            try:
                found[file.path] = _ids_of_file(log, task, file, column)
            except READ_ERRORS:
                continue  # it breaks for the worker as well, which reports it
        texts = [part for part, _ in found.values()]
        coded = pa.chunked_array(texts, pa.large_string()).combine_chunks().dictionary_encode()
        places = integers(coded.indices, -1)
        earliest = np.full(len(coded.dictionary), _NEVER, np.int64)
        ends = np.cumsum([len(part) for part in texts])
        rows = dict(zip(found, np.split(places, ends[:-1]), strict=True)) if found else {}
        for path, own in rows.items():
            np.minimum.at(earliest, own[own >= 0], found[path][1][own >= 0])
        return cls(coded.dictionary, earliest, rows)

    @property
    def without(self) -> int:
        """Return the rows without an id."""
        return sum(int((places < 0).sum()) for places in self.rows.values())

    @property
    def shared(self) -> int:
        """Return the rows whose id an earlier row has."""
        rows = sum(len(places) for places in self.rows.values())
        return rows - self.without - len(self.distinct)


class _Matching(Struct, frozen=True):
    """Labels of the ids of a window, and how many others there were beside them.

    Attributes:
        places: shape (labels,), places of their ids.
        times: shape (labels,), when they became known, microseconds.
        texts: What they say: an Arrow column.
        orphan: Labels without such an id.
    """

    places: IntArray
    times: IntArray
    texts: Any
    orphan: int


class _KnownLabels:
    """The label of each id of a window so far."""

    def __init__(self, ids: int, *, timed: bool) -> None:
        self.values: dict[str, int] = {}
        self.codes = np.full(ids, -1, np.int64)
        self._timed = timed
        self._times = np.full(ids, _NO_TIME, np.int64)
        self._conflicting = np.zeros(ids, np.bool_)
        self._repeated = self._orphan = self._null = self._without_time = 0

    def add(self, labels: _Matching) -> None:
        """Take in labels."""
        places, times = labels.places, labels.times
        self._orphan += labels.orphan
        indices, values = encoded(labels.texts)
        texts = [canonical_text(value) for value in values]
        written = [
            -1 if text is None else self.values.setdefault(text, len(self.values)) for text in texts
        ]
        codes = np.array([*written, -1], np.int64)[indices]
        self._null += int((codes < 0).sum())
        order = np.argsort(times, kind="stable")
        order = order[codes[order] >= 0]
        places, times, codes = places[order], times[order], codes[order]
        if self._timed:
            self._without_time += int((times == _NO_TIME).sum())
        self._compare(places, codes)
        newer = times >= self._times[places]
        self.codes[places[newer]] = codes[newer]  # of several for one id the last is kept
        self._times[places[newer]] = times[newer]

    def join(self, ids: WindowIds) -> LabelJoin:
        """Return what all that was taken in comes to."""
        labelled = self.codes >= 0
        early = labelled & (self._times != _NO_TIME) & (self._times < ids.earliest)
        return LabelJoin(
            digest=self._digest() if labelled.any() else "",
            labelled=int(labelled.sum()),
            orphan=self._orphan,
            repeated=self._repeated,
            conflicting=int(self._conflicting.sum()),
            null=self._null,
            before_prediction=int(early.sum()),
            without_id=ids.without,
            shared_id=ids.shared,
            without_time=self._without_time,
        )

    def _digest(self) -> str:
        """Return the same for the same labels of the same ids, whatever files they came in."""
        used = np.unique(self.codes[self.codes >= 0]).tolist()
        texts = list(self.values)
        ordered = sorted(used, key=texts.__getitem__)
        written = np.full(len(texts) + 1, -1, np.int64)  # the last is for no label
        written[ordered] = np.arange(len(ordered))
        digest = sha256(json.dumps([texts[code] for code in ordered]).encode())
        digest.update(written[self.codes].astype("<i8").tobytes())
        return digest.hexdigest()

    def _compare(self, places: IntArray, codes: IntArray) -> None:
        """Note which ids have had a label before, and whether it was another one."""
        by_id = np.argsort(places, kind="stable")
        ids, said = places[by_id], codes[by_id]
        first = np.ones(len(ids), np.bool_)
        first[1:] = ids[1:] != ids[:-1]
        before = np.where(first, self.codes[ids], np.concatenate([[-1], said[:-1]])[: len(said)])
        self._conflicting[ids[(before >= 0) & (before != said)]] = True
        self._repeated += int(((before >= 0) & (before == said)).sum())


def _ids_of_file(view: LogView, task: Task, file: FoundFile, column: str) -> tuple[Any, IntArray]:
    """Return the ids of a file's rows in the window, and their event times."""
    together = (*view.bookkeeping, column)
    with opened(view.location, file, {view.spec.version}, together) as log:
        parts = [ids_of_batch(log, batch, column) for batch in batches(view, log, task.row_groups)]
    texts = pa.chunked_array([ids for ids, _ in parts], pa.large_string()).combine_chunks()
    return texts, np.concatenate([micros for _, micros in parts] or [np.zeros(0, np.int64)])


def ids_of_batch(log: OpenFile, batch: Batch, column: str) -> tuple[Any, IntArray]:
    """Return the ids of a batch's rows in the window as texts, and their event times."""
    micros = batch.micros if batch.inside is None else batch.micros[batch.inside]
    values = log.column(batch.chunk, column)
    if values is None:
        return pa.nulls(batch.selected, pa.large_string()), micros
    texts = id_texts(values)
    return texts if batch.inside is None else texts.filter(of_truths(batch.inside)), micros


def _matching(log: LogView, table: LabelFiles, file: FoundFile, ids: Any) -> Iterable[_Matching]:
    """Yield those rows of a label file that matter, chunk by chunk."""
    times = filter(None, [table.spec.time, table.spec.event_time])
    together = (table.spec.id, table.column, *times)
    with opened(table.location, file, (table.column,), together) as labels:
        for chunk in labels.chunks():
            found = pc.index_in(id_texts(labels.column(chunk, table.spec.id)), value_set=ids)
            mask = found.is_valid()
            chosen = truths(mask)
            places = integers(found.filter(mask), 0)
            known = _times(table.spec.time, labels, chunk, table.zone)[chosen]
            ours = ~chosen
            if table.spec.event_time:
                made = _times(table.spec.event_time, labels, chunk, table.zone)
                ours &= (log.start <= made) & (made < log.end)
            texts = labels.column(chunk, table.column).filter(mask)
            yield _Matching(places, known, texts, int(ours.sum()))


def _times(name: str, labels: OpenFile, chunk: Chunk, zone: str) -> IntArray:
    """Return a column of times in microseconds, `_NO_TIME` where there is none."""
    column = labels.column(chunk, name) if name else None
    if column is None:
        return np.full(chunk.rows, _NO_TIME, np.int64)
    known = instants(column, zone)
    return np.where(known.usable, known.micros, _NO_TIME)
