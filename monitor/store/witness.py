"""Checkpoints kept in a file outside the database: what a restored backup is found out by."""

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from monitor.domain.errors import AuditError
from monitor.governance.note import Note, NoteError, note_of
from monitor.governance.verification import Witnessed

_MARK = '"checkpoint":'


def line_of(note: Note, at: datetime) -> str:
    """Return a kept checkpoint as one line: a JSON object, with its end."""
    return json.dumps({"at": at.isoformat(), "checkpoint": str(note)}) + "\n"


class FileWitness:
    """A file of checkpoints, one JSON object a line, only ever appended to.

    It is worth as much as it is apart from the database: another machine, a write-once store.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, note: Note, at: datetime) -> None:
        """Append a checkpoint, and wait until it is on the disk.

        Raises:
            AuditError: It could not be written. What it covers is committed.
        """
        try:
            with self._path.open("ab", buffering=0) as file:
                file.write(
                    line_of(note, at).encode()
                )  # one write: lines of several processes do not mix
                os.fsync(file.fileno())
        except OSError as error:
            raise AuditError(
                f"the audit log's checkpoint could not be kept in {self._path}: {error.strerror};"
                " what it covers is stored"
            ) from error

    def kept(self) -> Sequence[Witnessed]:
        """Return every checkpoint of the file, oldest first; none where there is no file yet.

        Raises:
            AuditError: The file cannot be read, or a line of it is no checkpoint.
        """
        if not self._path.exists():
            return []
        return [self._read(place, line) for place, line in self._lines()]

    def collected(self) -> Sequence[Witnessed]:
        """Return the checkpoints among the lines of a file, such as what a daemon wrote to its output.

        Raises:
            AuditError: The file cannot be read, a line that seems a checkpoint is none, or there is
                not one.
        """
        found = [self._read(place, line) for place, line in self._lines() if _MARK in line]
        if not found:
            raise AuditError(
                f"{self._path} has no checkpoint: a line with one is"
                ' {"at": …, "checkpoint": …} and nothing before it'
            )
        return found

    def _lines(self) -> list[tuple[int, str]]:
        try:
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise AuditError(f"the checkpoints in {self._path} cannot be read: {error}") from error
        return list(enumerate(text.splitlines(), 1))

    def _read(self, place: int, line: str) -> Witnessed:
        try:
            parts = json.loads(line)
            return Witnessed(note_of(parts["checkpoint"]), datetime.fromisoformat(parts["at"]))
        except (ValueError, KeyError, TypeError, NoteError) as error:
            raise AuditError(
                f"{self._path}:{place}: not a kept checkpoint ({error}); a line of it is"
                ' {"at": …, "checkpoint": …}'
            ) from error
