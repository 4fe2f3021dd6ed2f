"""Columns of a log's files, and how they differ from those that a baseline rests on."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

LISTED_CHANGES = 500
"""Changes that a run keeps: those of watched columns before the others."""

LISTED_COLUMNS = 4096
"""Columns that a schema keeps: the watched ones before the others."""


class ColumnChange(StrEnum):
    """How a column of a file differs from the columns that a baseline rests on."""

    MISSING = "missing"
    EXTRA = "extra"
    RETYPED = "retyped"
    DUPLICATE = "duplicate"
    CASE_VARIANT = "case_variant"


class KnownColumn(Struct, frozen=True):
    """A column as the files behind a baseline had it.

    Attributes:
        types: Logical types it came in, sorted; a column of nulls alone has none.
        everywhere: Whether every file had it.
        repeated: Whether a file had it more than once.
    """

    types: tuple[str, ...]
    everywhere: bool = True
    repeated: bool = False


class Schema(Struct, frozen=True):
    """The columns of the files behind a baseline.

    Attributes:
        columns: Name to what is known of it.
        complete: Whether these are all; if not, no column can be called extra.
    """

    columns: Mapping[str, KnownColumn] = field(default_factory=dict)
    complete: bool = False

    def differences(
        self, found: Sequence[tuple[str, str]], keys: Collection[str] = ()
    ) -> Iterator[tuple[ColumnChange, str, str, str]]:
        """Yield how, where, from what and to what the columns of a file differ.

        Args:
            found: Names and logical types of the columns of the file, in their order; the type of
                a column of nulls alone is "".
            keys: Columns that the file's folders give it.
        """
        times = Counter(name for name, _ in found)
        types = dict(reversed(found))  # of two columns of a name the first is read
        yield from self._strangers({name: types[name] for name in types.keys() - self.columns})
        for name, known in self.columns.items():
            type_ = types.get(name)
            if type_ is None:
                if known.everywhere and name not in keys:
                    yield ColumnChange.MISSING, name, " or ".join(known.types), ""
            elif type_ and known.types and type_ not in known.types:
                yield ColumnChange.RETYPED, name, " or ".join(known.types), type_
        for name, number in times.items():
            if number > 1 and not (name in self.columns and self.columns[name].repeated):
                yield ColumnChange.DUPLICATE, name, "", f"{number} times"

    def _strangers(self, types: Mapping[str, str]) -> Iterator[tuple[ColumnChange, str, str, str]]:
        """Yield the columns that the baseline does not have, those alike to its own by name."""
        folded = {plain(name): name for name in self.columns} if types else {}
        for name, type_ in types.items():
            relative = folded.get(plain(name))
            if relative is not None:
                yield ColumnChange.CASE_VARIANT, relative, relative, name
            elif self.complete:
                yield ColumnChange.EXTRA, name, "", type_


class SchemaChange(Struct, frozen=True):
    """A way in which files of a window differ from the columns that their baseline rests on.

    Attributes:
        version: The model version whose rows the files hold.
        kind: In what way.
        column: The column; of a case variant the registered name.
        was: Its types in the baseline, or its registered name; "" where it had none.
        now: Its type now, its other name, or how often it is there; "" where it is gone.
        watched: Whether the policy reads the column.
        files: Files of the window that differ so.
        path: The first of them.
    """

    version: str
    kind: ColumnChange
    column: str
    was: str
    now: str
    watched: bool
    files: int
    path: str

    def __str__(self) -> str:
        """Return the change as people read it."""
        match self.kind:
            case ColumnChange.MISSING:
                return f"the column is gone ({self.was or 'all null'} before)"
            case ColumnChange.EXTRA:
                return f"a column that the baseline does not have ({self.now or 'all null'})"
            case ColumnChange.RETYPED:
                return f"{self.was} before, {self.now} now"
            case ColumnChange.DUPLICATE:
                return f"the column is there {self.now}; the first is read"
            case ColumnChange.CASE_VARIANT:
                return f"a column is named {self.now!r}; names are exact"


def plain(name: str) -> str:
    """Return a name without what eyes pass over: case, blanks around it, Unicode's forms."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def joined(changes: Iterable[SchemaChange]) -> tuple[SchemaChange, ...]:
    """Return changes with their files added up, watched columns first.

    At most `LISTED_CHANGES` are kept, the first in their order, so that what is kept does not
    depend on the order in which files were read.
    """
    found: dict[tuple[bool, str, str, str, str, str], SchemaChange] = {}
    for change in changes:
        key = _order(change)
        known = found.get(key)
        if known is not None:
            files, path = known.files + change.files, min(known.path, change.path)
            change = replace(change, files=files, path=path)  # noqa: PLW2901
        found[key] = change
    return tuple(found[key] for key in sorted(found)[:LISTED_CHANGES])


def _order(change: SchemaChange) -> tuple[bool, str, str, str, str, str]:
    return (
        not change.watched,
        change.kind,
        change.version,
        change.column,
        change.was,
        change.now,
    )
