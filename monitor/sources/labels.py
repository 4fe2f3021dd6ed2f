"""Labels that come in a later table, joined to the rows of a window by id.

The ids of the window are read first, so memory is proportional to them and not to the label
table, which is streamed past. What a worker gets is one small code for each row of its file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitor.domain.manifest import UnreadableFile
from monitor.domain.policy import LabelTable
from monitor.engine.counting import Task
from monitor.profile.grid import IntArray
from monitor.profile.values import canonical_text, encoded
from monitor.sources.event_time import instants
from monitor.sources.location import READ_ERRORS, Fault, FoundFile, Location, fault
from monitor.sources.reader import Batch, LogView, OpenFile, batches, opened

_NO_TIME = np.iinfo(np.int64).min  # a label without a time yields to any that has one


@dataclass(frozen=True)
class JoinedLabels:
    """The label of each row of a window.

    Attributes:
        values: Canonical texts of the distinct labels.
        codes: Path of a log file to one code for each of its rows in the window, in the order of
            the file: a place in ``values``, or -1 where the row has no label. A file whose ids
            could not be read is not in it. None while there are no label files at all.
        labelled: Distinct ids of the window that have a label.
        repeated: Labels that came for an id that had one already, and said the same.
        conflicting: Ids for which different labels came; the latest one counts.
        unreadable: Label files that broke while they were read; none of their labels is used.
    """

    values: tuple[str, ...] = ()
    codes: Mapping[str, IntArray] | None = None
    labelled: int = 0
    repeated: int = 0
    conflicting: int = 0
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
        self._values = pa.array(values, pa.string())
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
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), self._values)


@dataclass(frozen=True)
class LabelFiles:
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
) -> JoinedLabels:
    """Return the labels of a scan's rows.

    Ids are compared by their canonical text, so that 7 and ``"7"`` are one id. Of several labels
    for one id the latest by the table's time column counts, without one the last in the order of
    the files. A null label is none.

    Args:
        log: The log.
        tasks: The tasks of the scan, with their files.
        table: The label files.
    """
    ids = _WindowIds.of(log, tasks)
    known = _KnownLabels(len(ids.distinct))
    unreadable = []
    for file in table.files:
        try:
            parts = list(_matching(table, file, ids.distinct))
        except READ_ERRORS as error:
            unreadable.append(fault(f"{table.spec.path}/{file.path}", error, Fault.CORRUPT))
            continue
        for places, times, texts in parts:
            known.add(places, times, texts)
    codes = np.concatenate([known.codes, [-1]])  # the last is for null ids
    return JoinedLabels(
        tuple(known.values),
        {path: codes[places] for path, places in ids.rows.items()},
        int((known.codes >= 0).sum()),
        known.repeated,
        int(known.conflicting.sum()),
        tuple(unreadable),
    )


@dataclass(frozen=True)
class _WindowIds:
    """The ids of a window.

    Attributes:
        distinct: A pyarrow string array of the distinct ids.
        rows: Path of a log file to the place in ``distinct`` of each of its rows in the window;
            -1 for null.
    """

    distinct: Any
    rows: Mapping[str, IntArray]

    @classmethod
    def of(cls, log: LogView, tasks: Iterable[tuple[Task, FoundFile]]) -> "_WindowIds":
        texts: dict[str, Any] = {}
        for task, file in tasks:
            try:
                texts[file.path] = _ids_of_file(log, task, file)
            except READ_ERRORS:
                continue  # it breaks for the worker as well, which reports it
        every = pa.chunked_array(list(texts.values()), pa.large_string()).combine_chunks()
        coded = every.dictionary_encode()
        places = coded.indices.cast(pa.int64()).fill_null(-1).to_numpy()
        ends = np.cumsum([len(part) for part in texts.values()])
        rows = dict(zip(texts, np.split(places, ends[:-1]), strict=True)) if texts else {}
        return cls(coded.dictionary, rows)


@dataclass
class _KnownLabels:
    """The label of each id of a window so far."""

    ids: int
    values: dict[str, int] = field(default_factory=dict)
    repeated: int = 0

    def __post_init__(self) -> None:
        self.codes = np.full(self.ids, -1, np.int64)
        self.conflicting = np.zeros(self.ids, np.bool_)
        self._times = np.full(self.ids, _NO_TIME, np.int64)

    def add(self, places: IntArray, times: IntArray, column: Any) -> None:
        """Take in labels: places of their ids, when they became known, and what they say."""
        indices, values = encoded(column)
        texts = [canonical_text(value) for value in values]
        written = [
            -1 if text is None else self.values.setdefault(text, len(self.values)) for text in texts
        ]
        codes = np.array([*written, -1], np.int64)[indices]
        order = np.argsort(times, kind="stable")
        order = order[codes[order] >= 0]
        places, times, codes = places[order], times[order], codes[order]
        self._compare(places, codes)
        newer = times >= self._times[places]
        self.codes[places[newer]] = codes[newer]  # of several for one id the last is kept
        self._times[places[newer]] = times[newer]

    def _compare(self, places: IntArray, codes: IntArray) -> None:
        """Note which ids have had a label before, and whether it was another one."""
        by_id = np.argsort(places, kind="stable")
        ids, said = places[by_id], codes[by_id]
        first = np.ones(len(ids), np.bool_)
        first[1:] = ids[1:] != ids[:-1]
        before = np.where(first, self.codes[ids], np.concatenate([[-1], said[:-1]])[: len(said)])
        self.conflicting[ids[(before >= 0) & (before != said)]] = True
        self.repeated += int(((before >= 0) & (before == said)).sum())


def _ids_of_file(view: LogView, task: Task, file: FoundFile) -> Any:
    with opened(view.location, file) as log:
        parts = [_ids_of_batch(view, log, batch) for batch in batches(view, log, task.row_groups)]
    return pa.chunked_array(parts, pa.large_string()).combine_chunks()


def _ids_of_batch(view: LogView, log: OpenFile, batch: Batch) -> Any:
    values = log.column(batch.chunk, view.spec.id)
    if values is None:
        return pa.nulls(batch.selected, pa.large_string())
    texts = id_texts(values)
    return texts if batch.inside is None else texts.filter(pa.array(batch.inside))


def id_texts(column: Any) -> Any:
    """Return a column of ids as a pyarrow large_string array of their canonical texts."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.large_string())
    indices, values = encoded(column)
    texts = pa.array([canonical_text(value) for value in values], pa.large_string())
    return texts.take(pa.array(indices, mask=indices < 0))


def _matching(
    table: LabelFiles, file: FoundFile, ids: Any
) -> Iterable[tuple[IntArray, IntArray, Any]]:
    """Yield places of the ids, times and labels of those rows of a label file that matter."""
    with opened(table.location, file, (table.column,)) as labels:
        for chunk in labels.chunks():
            found = pc.index_in(id_texts(labels.column(chunk, table.spec.id)), value_set=ids)
            mask = found.is_valid()
            places = found.filter(mask).cast(pa.int64()).to_numpy()
            times = np.full(len(places), _NO_TIME, np.int64)
            if table.spec.time:
                known = instants(labels.column(chunk, table.spec.time), table.zone)
                chosen = mask.to_numpy(zero_copy_only=False)
                times = np.where(known.usable, known.micros, _NO_TIME)[chosen]
            yield places, times, labels.column(chunk, table.column).filter(mask)
