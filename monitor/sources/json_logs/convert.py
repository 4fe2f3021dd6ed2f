"""JSON request and response logs to one parquet log, with every record accounted for."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from msgspec import Struct, field
from pyarrow import fs

from monitor.domain.errors import SourceError
from monitor.sources.json_logs.kserve import kserve_message
from monitor.sources.json_logs.pairing import Pairing
from monitor.sources.json_logs.payload import (
    PREDICTION,
    Row,
    request_rows,
    response_rows,
    response_version,
)
from monitor.sources.json_logs.record import (
    Half,
    Mapped,
    Message,
    Place,
    Reason,
    RecordError,
    parsed,
)
from monitor.sources.json_logs.records import records_message
from monitor.sources.json_logs.sagemaker import sagemaker_message
from monitor.sources.json_logs.writing import BOOKKEEPING, RowWriter
from monitor.sources.location import READ_ERRORS, file_system, redacted

FORMATS: Mapping[str, Callable[[Any, Mapped], Message]] = {
    "kserve": kserve_message,
    "records": records_message,
    "sagemaker": sagemaker_message,
}

LONGEST_LINE = 64 * 2**20
"""Bytes of a line; what is longer is no record."""

REJECTS = ".rejects.jsonl"
"""What files of rejected records are called; in a folder they are passed over."""

_ONE_A_LINE = "\n  one JSON value a line is read, in UTF-8; `jq -c .` writes other JSON so"

_SHOWN = 10_000
_SUFFIXES = (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")
_PAIR = 2
_UNANSWERED = {Half.REQUEST: Reason.NO_RESPONSE, Half.RESPONSE: Reason.NO_REQUEST}


class Conversion(Struct):
    """What became of every record: read = converted + rejected by reason.

    Attributes:
        files: Files read.
        read: Records read, unreadable lines among them.
        converted: Records that became rows: two a prediction where request and response are
            logged apart.
        rejected: Records by the reason why they did not.
        rows: Rows written.
        columns: Names and types of what was written.
        mixed: Columns that are text because their values are of several types.
        first_rejects: The first of them, for people.
    """

    files: int = 0
    read: int = 0
    converted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    mixed: Sequence[str] = ()
    first_rejects: list[str] = field(default_factory=list)


def convert_logs(source: str, target: Path, rejects: Path, mapped: Mapped) -> Conversion:
    """Convert the JSON lines of a file or folder.

    The target appears when it is complete and was read again; a failure leaves none.

    Args:
        source: Path or URI of a file, plain or gzip, or of a folder of them.
        target: The parquet file; it is not there yet.
        rejects: Where rejected records are written, one a line; only if there are any.
        mapped: How records are to be read.

    Raises:
        SourceError: There is nothing to read, nothing could be converted, or the check failed.
    """
    with TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        work = Path(folder)
        with (
            closing(Pairing(work / "pairing.db")) as pairing,
            (work / "rejects.jsonl").open("w", encoding="utf-8") as rejected,
        ):
            converter = _Converter(mapped, pairing, RowWriter(work), rejected)
            converter.read(source)
        done = converter.finish(work / "rows.parquet")
        if done.rejected:
            (work / "rejects.jsonl").replace(rejects)
        if not done.rows:
            raise SourceError(
                f"{redacted(source)}: none of {done.read:,} records could be converted"
                + "".join(f"\n  {line}" for line in done.first_rejects)
                + (_ONE_A_LINE if Reason.NOT_JSON in done.rejected else "")
            )
        (work / "rows.parquet").replace(target)
    return done


class _Converter:
    """Reads records, pairs them, and hands their rows on."""

    def __init__(self, mapped: Mapped, pairing: Pairing, writer: RowWriter, rejects: Any) -> None:
        self._mapped = mapped
        self._understand = FORMATS[mapped.format]
        self._pairing = pairing
        self._writer = writer
        self._rejects = rejects
        self._done = Conversion()

    def read(self, source: str) -> None:
        """Convert every file, then tell what waited in vain."""
        filesystem, root, names = _files(source)
        for path in names:
            self._done.files += 1
            name = f"{redacted(source)}{path.removeprefix(root)}"
            try:
                self._read_file(name, _lines(filesystem, path))
            except (*READ_ERRORS, EOFError) as error:
                place = Place(name, 0)
                self._done.read += 1
                self._reject(place, RecordError(Reason.UNREADABLE_FILE, str(error)), None)
        for half, place, record in self._pairing.left():
            other = "response" if half is Half.REQUEST else "request"
            self._reject(place, RecordError(_UNANSWERED[half], f"no {other} came"), record)

    def finish(self, target: Path) -> Conversion:
        """Write the rows and return what became of every record.

        Raises:
            SourceError: A record is not accounted for, or the file is not what was written.
        """
        done = self._done
        schema = self._writer.finish(target)
        done.rows, done.mixed = self._writer.rows, self._writer.mixed
        done.columns = {item.name: str(item.type) for item in schema}
        if done.read != done.converted + done.rejected.total():
            raise SourceError(
                f"{done.read:,} records were read, but {done.converted:,} converted and "
                f"{done.rejected.total():,} rejected"
            )
        return done

    def _read_file(self, name: str, lines: Iterator[tuple[int, bytes | None]]) -> None:
        for number, line in lines:
            place = Place(name, number)
            try:
                found = _parsed_line(line)
            except RecordError as error:
                self._done.read += 1
                shown = None if line is None else line[:_SHOWN].decode("utf-8", "backslashreplace")
                self._reject(place, error, shown)
                continue
            for part, record in enumerate(found if isinstance(found, list) else [found]):
                self._done.read += 1
                self._take(Place(name, number, part), record)

    def _take(self, place: Place, record: Any) -> None:
        try:
            message = self._message(record)
            if len(message.halves) == _PAIR:
                self._write([(place, record)], message, message)
                return
            (half,) = message.halves
            other = Half.RESPONSE if half is Half.REQUEST else Half.REQUEST
            waiting = self._pairing.take(message.id, other)
            if waiting is None:
                self._wait(message.id, half, place, record)
                return
        except RecordError as error:
            self._reject(place, error, record)
            return
        pair = [waiting, (place, record)]
        first = self._message(waiting[1])
        sides = (first, message) if half is Half.RESPONSE else (message, first)
        self._write_pair(pair, *sides)

    def _wait(self, found: str, half: Half, place: Place, record: Any) -> None:
        if self._pairing.is_done(found) or not self._pairing.wait(found, half, place, record):
            raise RecordError(Reason.DUPLICATE_ID, f"a {half} with the id {found!r} came before")

    def _write_pair(
        self, pair: Sequence[tuple[Place, Any]], request: Message, response: Message
    ) -> None:
        try:
            self._write(pair, request, response)
        except RecordError as error:
            for place, record in pair:
                self._reject(place, error, record)

    def _write(
        self, records: Sequence[tuple[Place, Any]], request: Message, response: Message
    ) -> None:
        time = request.time or response.time
        if time is None:
            where = f" at {self._mapped.event_time}" if self._mapped.event_time else ""
            raise RecordError(Reason.NO_EVENT_TIME, f"no event time{where}; say where it is")
        predictions = response_rows(response.halves[Half.RESPONSE])  # an error says why
        features = request_rows(request.halves[Half.REQUEST], self._mapped.features)
        if len(features) != len(predictions):
            raise RecordError(
                Reason.ROWS_DIFFER, f"{len(features)} instances, {len(predictions)} predictions"
            )
        rows = [_row(*pair) for pair in zip(features, predictions, strict=True)]
        ids = (
            [request.id]
            if len(rows) == 1
            else [f"{request.id}-{place}" for place in range(len(rows))]
        )
        if request.id:
            self._finish({request.id, *ids})
        about = {**response_version(response.halves[Half.RESPONSE]), **request.about}
        for found, row in zip(ids, rows, strict=True):
            named = {"id": found} if request.id else {}
            self._writer.add({**about, **named, "event_time": time}, row)
        self._done.converted += len(records)

    def _finish(self, ids: Collection[str]) -> None:
        """Note ids of a message and of its rows, none of which may have come before."""
        taken = sorted(filter(self._pairing.is_done, ids))
        if taken:
            raise RecordError(Reason.DUPLICATE_ID, f"the id {taken[0]!r} came before")
        for found in ids:
            self._pairing.finish(found)

    def _message(self, record: Any) -> Message:
        return self._understand(record, self._mapped)

    def _reject(self, place: Place, error: RecordError, record: Any) -> None:
        self._done.rejected[error.reason] += 1
        if len(self._done.first_rejects) < 10:  # noqa: PLR2004  # as many as fit on a screen
            self._done.first_rejects.append(f"{place}: {error.reason}: {error.detail}")
        entry = {
            "file": place.file,
            "line": place.line,
            "reason": error.reason,
            "detail": error.detail,
            "record": record,
        }
        self._rejects.write(json.dumps(entry, ensure_ascii=True) + "\n")


def _row(features: Row, predictions: Row) -> Row:
    named = {_free(name, predictions): value for name, value in features.items()}
    if len(named) != len(features):
        raise RecordError(Reason.BAD_PAYLOAD, "two features would have one name")
    return {**named, **predictions}


def _free(name: str, prediction: Mapping[str, Any]) -> str:
    """Return a feature's name, or another one where its own is taken."""
    taken = name in BOOKKEEPING or name in prediction or name == PREDICTION
    return f"feature_{name}" if taken else name


def _files(source: str) -> tuple[Any, str, Sequence[str]]:
    """Return the file system, the path on it, and its files in the order of their paths."""
    shown = redacted(source)
    try:
        filesystem, root = file_system(source, ".")
        info = filesystem.get_file_info(root)
        if info.type is fs.FileType.NotFound:
            raise SourceError(f"{shown}: no such file or folder")
        if info.type is not fs.FileType.Directory:
            return filesystem, root, [root]
        found = filesystem.get_file_info(fs.FileSelector(root, recursive=True))
    except (pa.ArrowException, OSError) as error:
        raise SourceError(redacted(f"{shown}: cannot be read: {error}"), retryable=True) from None
    files = [item.path for item in found if item.type is fs.FileType.File]
    names = sorted(path for path in files if _is_log(path[len(root) :].lower()))
    if not names:
        raise SourceError(f"{shown}: no file in it ends in {', '.join(_SUFFIXES)}")
    return filesystem, root, names


def _is_log(path: str) -> bool:
    hidden = any(part.startswith((".", "_")) for part in path.split("/"))
    return path.endswith(_SUFFIXES) and not path.endswith(REJECTS) and not hidden


def _parsed_line(line: bytes | None) -> Any:
    if line is None:
        raise RecordError(Reason.LINE_TOO_LONG, f"more than {LONGEST_LINE:,} bytes")
    return parsed(line)


def _lines(filesystem: Any, name: str) -> Iterator[tuple[int, bytes | None]]:
    """Yield number and content of each line that is not blank; None when it is too long."""
    compression = "gzip" if name.lower().endswith(".gz") else None
    with filesystem.open_input_stream(name, compression=compression) as stream:
        yield from _numbered(stream)


def _numbered(stream: Any) -> Iterator[tuple[int, bytes | None]]:
    number, rest = 1, b""
    too_long = False
    while True:
        block = stream.read(2**20)
        *whole, rest = (rest + block).split(b"\n") if block else (rest, b"")
        for line in whole:
            if too_long or line.strip():
                yield number, None if too_long else line
            too_long = False
            number += 1
        if not block:
            return
        if len(rest) > LONGEST_LINE:
            rest, too_long = b"", True
