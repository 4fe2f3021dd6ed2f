"""Folders of parquet files on any file system, and how their files are found."""

import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace
from pyarrow import fs

from monitor.domain.errors import SourceError
from monitor.domain.manifest import TableSnapshot, UnreadableFile
from monitor.profile.buffers import of_texts
from monitor.sources.foreign import kept_by
from monitor.sources.ranged import RangedFile
from monitor.sources.reaching import bounded, reaching

READ_ERRORS = (pa.ArrowException, OSError, UnicodeDecodeError)
"""What opening or decoding a file raises when the file, not the program, is at fault."""

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
"""The folder value by which Hive and Spark write null."""

_FETCHED_WHOLE = 8 * 2**20  # bytes of a remote file that cost less than further requests would
_LONGEST_EXPLANATION = 300
_SHORT_NAMES = (".parq", ".pq")
_NO_ROWS = (".crc", ".html", ".inprogress", ".json", ".md", ".partial", ".tmp", ".txt", ".yaml")


class Fault(StrEnum):
    """Why a file could not be used."""

    BAD_NAME = "bad_name"
    CHANGED = "changed"
    CORRUPT = "corrupt"
    ENCRYPTED = "encrypted"
    FUTURE_EVENT_TIME = "future_event_time"
    LINK_OUT = "link_out"
    NOT_FOUND = "not_found"
    NOT_PARQUET = "not_parquet"
    NO_EVENT_TIME_COLUMN = "no_event_time_column"
    NO_ID_COLUMN = "no_id_column"
    NO_LABEL_COLUMN = "no_label_column"
    NO_PROTECTED_COLUMN = "no_protected_column"
    OTHER_NAME = "other_name"
    OUT_OF_MEMORY = "out_of_memory"
    PERMISSION_DENIED = "permission_denied"
    UNREADABLE = "unreadable"


class FoundFile(Struct, frozen=True):
    """A file as the file system lists it.

    Attributes:
        path: Path relative to the location, in POSIX form.
        size: Bytes.
        modified: Modification time in nanoseconds, or the etag, as text; "" when the file system
            has neither.
    """

    path: str
    size: int
    modified: str

    def broken(self, file: UnreadableFile, *, placed: bool = False) -> UnreadableFile:
        """Return what is said of the file, with what it was when that was found out.

        Args:
            file: Why it cannot be used.
            placed: Whether its footer is in order.
        """
        return replace(file, size=self.size, modified=self.modified, placed=placed)


class Listing(Struct, frozen=True):
    """The parquet files of a location by path, and what could not even be listed."""

    files: tuple[FoundFile, ...]
    unreadable: tuple[UnreadableFile, ...] = ()


class Location(Struct, frozen=True):
    """A folder of parquet files, or a single one.

    Attributes:
        filesystem: A pyarrow file system; travels to worker processes.
        root: The folder's path on it.
        only: Name of the one file in the folder that is meant; "" for all.
        shown: How the location is called in messages, without credentials.
    """

    filesystem: Any
    root: str
    only: str
    shown: str

    @classmethod
    def at(cls, path: str, directory: str) -> "Location":
        """Return the location that a configured path means.

        Args:
            path: A URI that pyarrow knows (``file://``, ``s3://``, ``gs://``, …), or a local path.
            directory: Folder that a relative local path starts from.

        Raises:
            SourceError: There is nothing there, no such kind of file system, or a table that is kept in
                another format.
        """
        shown = redacted(path)
        try:
            filesystem, root = file_system(path, directory)
            info = filesystem.get_file_info(root)
            folder = info.type is fs.FileType.Directory
            kept = kept_by(filesystem, root.rstrip("/")) if folder else ""
        except pa.ArrowException as error:
            problem = redacted(f"{shown}: not a path or URI that can be read: {error}")
            raise SourceError(problem) from None
        except OSError as error:
            problem = redacted(f"{shown}: cannot be reached: {error}")
            raise SourceError(problem, retryable=True) from None
        if info.type is fs.FileType.NotFound:
            raise SourceError(f"{shown}: no such file or folder ({root})", retryable=True)
        if info.type is fs.FileType.Unknown:
            raise SourceError(f"{shown}: neither a file nor a folder ({root})")
        if kept:
            raise SourceError(f"{shown}: {kept}")
        if folder:
            return cls(filesystem, root.rstrip("/") or "/", "", shown)
        parent, _, name = root.rpartition("/")
        return cls(filesystem, parent or "/", name, shown)

    @property
    def snapshot(self) -> TableSnapshot | None:
        """Return which state of a table this is; None for files that are just there."""
        return None

    def committed(self) -> datetime | None:
        """Return when rows were last committed to a table, where its log says so."""
        return None

    def same_rows(self, since: str, before: Collection[str], now: Collection[str]) -> bool:  # noqa: ARG002  # a table's snapshot knows more
        """Return whether files hold the rows that others held, as a table's log tells.

        Args:
            since: The state of the table that the former files are of.
            before: Paths of the former files.
            now: Paths of the files.
        """
        return False

    @property
    def names(self) -> Mapping[int, str] | None:
        """Return the name of each column by its id, where a table knows columns by ids."""
        return None

    def place(self, file: FoundFile) -> str:
        """Return the path of a file on the file system."""
        return f"{self.root}/{file.path}"

    def keys(self, path: str) -> Mapping[str, Any]:
        """Return the columns that a file's place gives it, each a pyarrow scalar."""
        return {
            key: (pa.nulls(1, pa.string()) if value is None else of_texts([value]))[0]
            for key, value in hive_keys(path).items()
        }

    def kept(self, path: str) -> Any:  # noqa: ARG002  # a table's snapshot knows more
        """Return which rows of a file are not deleted, as a pyarrow array; None for all."""
        return None

    def reaching(self, file: FoundFile) -> AbstractContextManager[None]:
        """Return the context in which trouble of the storage is none of a file's that is read."""
        return reaching(file.path) if self.local else reaching(file.path, self._ask)

    def _ask(self) -> None:
        self.filesystem.get_file_info(self.root)

    def handle(self, file: FoundFile) -> Any:
        """Return a file opened for the few bytes of its footer."""
        with self.reaching(file):
            return self.filesystem.open_input_file(self.place(file))

    def open(self, file: FoundFile) -> Any:
        """Return a file opened for random access: a small remote one in memory."""
        if self.local:
            return self.handle(file)
        if file.size > _FETCHED_WHOLE:
            return RangedFile(self.handle(file), file.path, self._ask)
        with self.handle(file) as remote, self.reaching(file):
            return pa.BufferReader(remote.read_buffer())

    def unchanged(self, file: FoundFile) -> bool:
        """Return whether a file still is as it was when its footer was read."""
        if self.local:
            info = self.filesystem.get_file_info(self.place(file))
            return (info.size, _modified(info)) == (file.size, file.modified)
        with self.handle(file) as remote, self.reaching(file):
            if remote.size() != file.size:
                return False
            tag = etag(remote)
        if tag == file.modified:
            return True
        with self.reaching(file):
            info = self.filesystem.get_file_info(self.place(file))
        return not tag and _modified(info) == file.modified

    def read_of_one(self, file: FoundFile) -> bool:
        """Return whether all that was read of a file is of the file as it was listed.

        What is read piece by piece may have been written over in between. A small remote file is
        fetched whole, and so is of one state.
        """
        return not (self.local or file.size > _FETCHED_WHOLE) or self.unchanged(file)

    def listing(self) -> Listing:
        """Return the files whose names end in ``.parquet``, in any case, sorted by path.

        Files and folders whose names start with ``.`` or ``_`` are passed over, but for folders
        ``_key=value``: writers keep what is not finished there. A folder is a folder, whatever its
        name ends in. Where rows are likely to lie in files of other names, the first is named.

        Raises:
            SourceError: The folder cannot be listed.
        """
        try:
            if self.only:
                info = self.filesystem.get_file_info(f"{self.root}/{self.only}")
                return Listing((FoundFile(self.only, info.size or 0, _modified(info)),))
            found = list(_walk(self.root) if self.local else self._select())
        except OSError as error:
            raise SourceError(f"{self.shown}: cannot be listed: {error}", retryable=True) from error
        files = [item for item in found if isinstance(item, FoundFile)]
        unreadable = [item for item in found if isinstance(item, UnreadableFile)]
        unreadable += _named_otherwise(
            sorted(item for item in found if isinstance(item, str)), files
        )
        return Listing(
            tuple(sorted(files, key=lambda file: file.path)),
            tuple(sorted(unreadable, key=lambda file: file.path)),
        )

    @property
    def local(self) -> bool:
        """Return whether the files are on this machine's own file system."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def _select(self) -> Iterator[FoundFile | UnreadableFile | str]:
        selector = fs.FileSelector(self.root, recursive=True)
        for info in self.filesystem.get_file_info(selector):
            path = info.path[len(self.root) :].removeprefix("/")
            parts = path.split("/")
            hidden = any(map(_is_hidden, parts))
            if info.type is not fs.FileType.File or hidden:
                continue
            if not _is_parquet(path):
                yield path
            elif "" in parts:
                told = "a key with an empty part (two slashes in a row) cannot be asked for"
                yield UnreadableFile(path, Fault.BAD_NAME, told)
            else:
                yield FoundFile(path, info.size, _modified(info))


def file_system(path: str, directory: str) -> tuple[Any, str]:
    """Return the file system that a path or URI means, and the path on it."""
    if "://" in path:
        filesystem, root = fs.FileSystem.from_uri(path)
        return bounded(filesystem), str(root)
    return fs.LocalFileSystem(), str(Path(directory, path).absolute())


def etag(handle: Any) -> str:
    """Return the tag by which an object store knows the content of an open file; "" for none."""
    for name, value in (handle.metadata() or {}).items():
        if name.lower() == "etag":
            return (value.decode() if isinstance(value, bytes) else str(value)).strip('"')
    return ""


def parquet_folder(path: str, directory: str) -> "Locator":
    """Return what finds a folder of parquet files, or a single one; it is looked for once.

    Args:
        path: Local path or URI.
        directory: Folder that a relative path starts from.
    """
    return cache(partial(Location.at, path, directory))


Locator = Callable[[], Location]
"""Says where a table's files are now; for a table with snapshots, those of the current one."""


def redacted(text: str) -> str:
    """Return a text without the credentials that its URIs may carry."""
    return re.sub(r"//[^/@\s]*@", "//…@", text)


def hive_keys(path: str) -> Mapping[str, str | None]:
    """Return the ``key=value`` folders of a path, outermost first; values are text or None."""
    keys: dict[str, str | None] = {}
    for folder in path.split("/")[:-1]:
        key, equals, value = folder.partition("=")
        if key and equals:
            keys[unquote(key)] = None if value == HIVE_NULL else unquote(value)
    return keys


def fault(path: str, error: Exception, otherwise: Fault) -> UnreadableFile:
    """Return what an exception says about a file, in a word and a sentence."""
    text = str(error).partition("\n")[0]
    reason = otherwise
    if isinstance(error, PermissionError) or "_DENIED" in text:  # S3's and Google's word for it
        reason = Fault.PERMISSION_DENIED
    elif isinstance(error, FileNotFoundError):
        reason = Fault.NOT_FOUND
    elif isinstance(error, MemoryError):  # Arrow's is about one allocation: a corrupt size, often
        reason = Fault.OUT_OF_MEMORY
    elif "encrypt" in text or "decrypt" in text:
        reason = Fault.ENCRYPTED
    elif "magic bytes" in text or "file size is" in text:
        reason = Fault.NOT_PARQUET
    return UnreadableFile(path, reason, text[:_LONGEST_EXPLANATION])


def _is_hidden(name: str) -> bool:
    """Return whether a file or folder is passed over; a key of folders may begin with ``_``."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def _is_parquet(name: str) -> bool:
    return name.lower().endswith(".parquet")


def _named_otherwise(paths: Sequence[str], files: Sequence[FoundFile]) -> Iterator[UnreadableFile]:
    """Yield what is to be said of files that are not read for their names, if anything.

    Beside parquet files there may be anything, except under the names that other writers give
    parquet files. Where there are no others, rows are likely to be in whatever is there that is
    finished and no description.
    """
    likely = [
        path
        for path in paths
        if path.lower().endswith(_SHORT_NAMES) or not (files or path.lower().endswith(_NO_ROWS))
    ]
    if likely:
        told = (
            f"only files whose names end in .parquet are read, and {len(likely):,} here end "
            "otherwise: rename them, or give one of them itself as the path"
        )
        yield UnreadableFile(likely[0], Fault.OTHER_NAME, told)


def _modified(info: Any) -> str:
    return "" if info.mtime_ns is None else str(info.mtime_ns)


def _walk(root: str) -> Iterator[FoundFile | UnreadableFile | str]:
    """Yield what a local folder holds, each real folder once, so that link loops end.

    Of files whose names do not end in ``.parquet`` their paths are yielded.

    A link that leads to a folder which the log itself lies in is named and not followed: beside the
    log there may be labels, other logs, or the whole disk.
    """
    top = Path(root).resolve()
    seen = {_inode(top.stat())}
    around = {_inode(folder.stat()) for folder in top.parents}
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = _entries(root, folder)
        except OSError as error:
            if not folder:
                raise
            yield fault(_shown(folder), error, Fault.UNREADABLE)
            continue
        for path, status in entries:
            if isinstance(status, OSError) or not stat.S_ISDIR(status.st_mode):
                yield _found(path, status)
            elif _inode(status) in around:
                told = "a link to a folder that the log itself lies in is not followed"
                yield UnreadableFile(_shown(path), Fault.LINK_OUT, told)
            elif _inode(status) not in seen:
                seen.add(_inode(status))
                pending.append(f"{path}/")


def _inode(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _entries(root: str, folder: str) -> list[tuple[str, os.stat_result | OSError]]:
    """Return the folders in a folder and what is named like a parquet file, by name."""
    entries: list[tuple[str, os.stat_result | OSError]] = []
    with os.scandir(Path(root, folder)) as scanned:
        for entry in sorted(scanned, key=lambda entry: entry.name):
            if _is_hidden(entry.name):
                continue
            status: os.stat_result | OSError
            try:
                status = entry.stat()
            except OSError as error:  # a link to nowhere, or to itself
                status = error
            if isinstance(status, os.stat_result) and _is_special(status):
                continue  # a socket or a pipe holds no rows, whatever its name
            if (
                isinstance(status, os.stat_result)
                or _may_be_folder(entry)
                or _is_parquet(entry.name)
            ):
                entries.append((f"{folder}{entry.name}", status))
    return entries


def _may_be_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether there may be files below what cannot be looked at: only its kind is known."""
    return entry.is_dir(follow_symlinks=False) or entry.is_symlink()


def _is_special(status: os.stat_result) -> bool:
    return not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode))


def _found(path: str, status: os.stat_result | OSError) -> FoundFile | UnreadableFile | str:
    if isinstance(status, OSError):
        return fault(_shown(path), status, Fault.UNREADABLE)
    if not _is_parquet(path):
        return _shown(path)
    if _shown(path) != path:
        return UnreadableFile(_shown(path), Fault.BAD_NAME, "the name is not UTF-8")
    return FoundFile(path, status.st_size, str(status.st_mtime_ns))


def _shown(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
