"""Digests of files that approvals rest on: the model itself, and the report that was read."""

import os
from collections.abc import Iterator
from hashlib import file_digest, sha256
from pathlib import Path
from threading import Lock
from typing import NoReturn

from monitor.domain.errors import SourceError

_Seen = tuple[tuple[str, int, int, int, int], ...]
"""Relative path, size, inode and the times of change of every file."""


class LocalFiles:
    """Files of this machine. What the file system shows unchanged is not read again."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Seen, str]] = {}
        self._lock = Lock()

    def digest(self, directory: str, path: str) -> str:
        """Return the digest of a file, or of a folder with all that is in it; "" for nothing.

        That of a file is what ``sha256sum`` says of it; that of a folder is sha256 of what
        ``sha256sum`` would say of its files, in the order of their paths within it.

        Raises:
            SourceError: It cannot be looked at.
        """
        place = Path(directory, path)
        try:
            if not _there(place):
                return ""
            seen = tuple(_seen(place))
            with self._lock:
                known = self._known.get(place)
            if known is not None and known[0] == seen:
                return known[1]
            digest = f"sha256:{_digest(place)}"
        except OSError as error:
            raise SourceError(f"{place}: {error.strerror or error}") from error
        with self._lock:
            self._known[place] = (seen, digest)
        return digest


def _there(place: Path) -> bool:
    """Return whether there is a file or a folder. Raises OSError where nobody can say."""
    try:
        place.stat()
    except FileNotFoundError:
        return False
    if not (place.is_file() or place.is_dir()):
        raise OSError("it is neither a file nor a folder")
    return True


def _seen(place: Path) -> Iterator[tuple[str, int, int, int, int]]:
    for each in _files(place):
        of = each.stat()
        name = each.relative_to(place).as_posix()
        yield name, of.st_size, of.st_ino, of.st_mtime_ns, of.st_ctime_ns


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    found = (
        Path(folder, name) for folder, _, names in os.walk(place, onerror=_refuse) for name in names
    )
    return sorted(each for each in found if each.is_file())


def _refuse(error: OSError) -> NoReturn:
    raise error


def _digest(place: Path) -> str:
    if not place.is_dir():
        return _of_file(place)
    lines = [f"{_of_file(each)}  {each.relative_to(place).as_posix()}\n" for each in _files(place)]
    return sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _of_file(place: Path) -> str:
    with place.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
