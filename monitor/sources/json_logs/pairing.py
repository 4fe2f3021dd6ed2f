"""Requests and responses joined by id, however far apart they are, in bounded memory."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from monitor.sources.json_logs.record import Half, Place

HELD = 20_000
"""Unanswered records in memory; the oldest of more wait on disk."""

HELD_BYTES = 32 * 2**20


class Pairing:
    """What waits for its other half, and which ids are done.

    Args:
        file: A new SQLite file, for what does not fit in memory.
    """

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE done (id TEXT PRIMARY KEY) WITHOUT ROWID;"
            "CREATE TABLE waiting (id TEXT, half TEXT, file TEXT, line INTEGER, part INTEGER,"
            " record TEXT, PRIMARY KEY (id, half)) WITHOUT ROWID;"
            "BEGIN"
        )
        self._held: dict[tuple[str, Half], tuple[Place, str]] = {}
        self._bytes = 0
        self._spilled = 0

    def close(self) -> None:
        """Let the file go."""
        self._database.close()

    def finish(self, found: str) -> None:
        """Note that an id is done."""
        self._database.execute("INSERT OR IGNORE INTO done VALUES (?)", (found,))

    def is_done(self, found: str) -> bool:
        """Return whether an id is done."""
        known = self._database.execute("SELECT 1 FROM done WHERE id = ?", (found,))
        return known.fetchone() is not None

    def wait(self, found: str, half: Half, place: Place, record: Any) -> bool:
        """Keep a record until its other half comes; return False when there is one already."""
        if (found, half) in self._held or self._read(found, half) is not None:
            return False
        text = json.dumps(record, ensure_ascii=False)
        self._held[found, half] = (place, text)
        self._bytes += len(text)
        while self._held and (len(self._held) > HELD or self._bytes > HELD_BYTES):
            self._spill()
        return True

    def take(self, found: str, half: Half) -> tuple[Place, Any] | None:
        """Return a record that waits and wait for it no longer; None when there is none."""
        held = self._held.pop((found, half), None)
        if held is not None:
            self._bytes -= len(held[1])
            return held[0], json.loads(held[1])
        row = self._read(found, half)
        if row is None:
            return None
        self._database.execute("DELETE FROM waiting WHERE id = ? AND half = ?", (found, half))
        self._spilled -= 1
        return Place(*row[:3]), json.loads(row[3])

    def left(self) -> Iterator[tuple[Half, Place, Any]]:
        """Yield what waited in vain, as it was read."""
        while self._held:
            self._spill()
        query = "SELECT half, file, line, part, record FROM waiting ORDER BY file, line, part"
        with closing(self._database.execute(query)) as rows:
            for half, *place, record in rows:
                yield Half(half), Place(*place), json.loads(record)

    def _spill(self) -> None:
        (found, half), (place, text) = next(iter(self._held.items()))
        del self._held[found, half]
        self._bytes -= len(text)
        row = (found, half, place.file, place.line, place.part, text)
        self._database.execute("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?)", row)
        self._spilled += 1

    def _read(self, found: str, half: Half) -> tuple[Any, ...] | None:
        if not self._spilled:
            return None
        query = "SELECT file, line, part, record FROM waiting WHERE id = ? AND half = ?"
        row: tuple[Any, ...] | None = self._database.execute(query, (found, half)).fetchone()
        return row
