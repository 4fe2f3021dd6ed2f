"""The columns of the files that a baseline rests on, gathered file by file."""

from collections.abc import Collection, Sequence

from msgspec import Struct, field

from monitor.domain.schema import LISTED_COLUMNS, KnownColumn, Schema

_TRACKED = 4 * LISTED_COLUMNS  # files of many schemas may have ever new names


class _Seen(Struct):
    files: int = 0
    repeated: bool = False
    types: set[str] = field(default_factory=set)


class ColumnTally:
    """What the files of a baseline have for columns, and in which types."""

    def __init__(self) -> None:
        self._files = 0
        self._columns: dict[str, _Seen] = {}
        self._complete = True

    def add(self, found: Sequence[tuple[str, str]]) -> None:
        """Take in the names and logical types of the columns of a file."""
        self._files += 1
        here: set[str] = set()
        for name, kind in found:
            seen = self._columns.get(name)
            if seen is None:
                if len(self._columns) >= _TRACKED:
                    self._complete = False
                    continue
                seen = self._columns[name] = _Seen()
            if name in here:
                seen.repeated = True
                continue  # the first is the one that is read
            here.add(name)
            seen.files += 1
            if kind:
                seen.types.add(kind)

    def schema(self, watched: Collection[str]) -> Schema:
        """Return the columns, cut to `LISTED_COLUMNS`: the watched ones stay."""
        names = sorted(self._columns, key=lambda name: (name not in watched, name))
        return Schema(
            {
                name: KnownColumn(
                    tuple(sorted(self._columns[name].types)),
                    self._columns[name].files == self._files,
                    self._columns[name].repeated,
                )
                for name in names[:LISTED_COLUMNS]
            },
            self._complete and len(names) <= LISTED_COLUMNS,
        )
