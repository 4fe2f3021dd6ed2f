"""Whether labels that came later are of the rows of a window, told without joining them."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field

from monitor.domain.manifest import LogFile
from monitor.engine.counting import Task
from monitor.sources.ids import id_texts
from monitor.sources.labels import ids_of_batch
from monitor.sources.location import READ_ERRORS, FoundFile, Location
from monitor.sources.reader import LogView, batches, opened

MOST_IDS = 200_000
"""Ids that are held in memory; what brings more is joined, at a cost that it makes up for."""


def added_since(then: Sequence[LogFile], now: Sequence[LogFile]) -> Sequence[LogFile] | None:
    """Return the files that came; None where one went or was written again."""
    before = {_identity(file) for file in then}
    gone = before - {_identity(file) for file in now}
    return None if gone else [file for file in now if _identity(file) not in before]


def _identity(file: LogFile) -> tuple[str, int, str]:
    return file.path, file.size, file.modified


class Arrivals(Struct):
    """Label files that came, whose ids are read once and held against many windows.

    Attributes:
        location: Where the label files are.
        column: Their id column.
    """

    location: Location
    column: str
    _ids: dict[LogFile, Any] = field(default_factory=dict)

    def concern(
        self, view: LogView, tasks: Iterable[tuple[Task, FoundFile]], files: Sequence[LogFile]
    ) -> bool:
        """Return whether files may hold a label of a window's rows.

        Files with too many ids, and what cannot be read, may: joining them tells.

        Args:
            view: The window.
            tasks: The tasks of its log files.
            files: The label files.
        """
        if sum(file.rows for file in files) > MOST_IDS:
            return True
        try:
            parts = [part for file in files if len(part := self._ids_of(file))]
            if not parts:
                return False
            ids = pa.concat_arrays(parts)
            return any(_has(view, task, file, ids) for task, file in tasks)
        except READ_ERRORS:
            return True

    def _ids_of(self, file: LogFile) -> Any:
        if file not in self._ids:
            found = FoundFile(file.path, file.size, file.modified)
            with opened(self.location, found, together=(self.column,)) as labels:
                texts = [id_texts(labels.column(chunk, self.column)) for chunk in labels.chunks()]
            whole = pa.chunked_array(texts, pa.large_string()).combine_chunks()
            self._ids[file] = whole.drop_null().unique()
        return self._ids[file]


def _has(view: LogView, task: Task, file: FoundFile, ids: Any) -> bool:
    """Return whether a log file has one of some ids in the window; it is read up to the first."""
    column = view.spec.id
    with opened(view.location, file, {view.spec.version}, (*view.bookkeeping, column)) as log:
        for batch in batches(view, log, task.row_groups):
            texts, _ = ids_of_batch(log, batch, column)
            if pc.any(pc.is_in(texts, value_set=ids)).as_py():
                return True
    return False
