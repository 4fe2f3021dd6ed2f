"""What the columns of a parquet log seem to be, from its schema and a sample of its rows."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.errors import SourceError
from monitor.domain.field import FieldKind, Part
from monitor.domain.inferred import InferredColumn, RoleGuess
from monitor.profile.counts import value_name
from monitor.profile.instants import instants
from monitor.profile.numbers import to_numbers
from monitor.profile.parts import text_parts
from monitor.profile.values import boolean_text, canonical_text, encoded, is_nested, one_array
from monitor.profile.vectors import VectorCounts, VectorDraft, count_vectors
from monitor.sources.location import READ_ERRORS, Locator, parquet_folder
from monitor.sources.reader import OpenFile, opened
from monitor.sources.table import ParquetTable

SAMPLE_ROWS = 100_000
"""Rows that are looked at."""

SAMPLE_FILES = 4
"""Files that they come from, evenly spaced by path."""

EXAMPLES = 5
"""Values that are shown of a column."""

_BINARY = 2
_LOOKED_AT = 1_000  # vectors
_LEAST_TEXTS = 20
_DIFFERENT_TEXTS = 0.5
_WORDS = 3.0

_TIME_NAMES = (
    r"event_?(time|timestamp|ts)",
    r"(prediction|predicted|request|inference|scoring|scored)_?(time|timestamp|ts|at)",
    r"timestamp|ts",
    r"time|datetime|date_?time",
    r"date|day",
    r".*_(time|timestamp|ts|at|date)",
)
_ID_NAMES = (
    r"(prediction|inference|request|event|record|row|score)_?(id|uuid)",
    r"id|uuid",
    r".*_(id|uuid)",
)
_VERSION_NAMES = (r"model_?version", r"version", r".*_version")
_LABEL_TIME = r"(label|target|outcome|observed|actual)_?.*"
_CALENDAR_KEYS = r"year|month|day|hour|date|dt|week|quarter"
_SCORE = r"score|scores|prob|prob(a|ability)?_.*|probability|p_.*|.*_(score|proba?|probability)"
_PREDICTION = r"prediction|predicted|pred|y_?pred|y_?hat|forecast|estimate"
_DECISION = (
    r"decision|decided|.*_decision|approved?|accept(ed)?|flag(ged)?|reject(ed)?|den(y|ied)"
    r"|grant(ed)?|select(ed)?|warn(ing)?|alert(ed)?"
)
_LABEL = r"label|target|actual|y|y_?true|outcome|ground_?truth|.*_(label|target|outcome)"
_POPULATION = (
    r"sex|gender|race|rac1p|ethnic.*|age_?(group|band|cat|category|range|bucket)|marital.*"
    r"|disab.*|nation.*|nativity|religion|citizenship"
)


class _Sampled(Struct, frozen=True):
    """A column with the rows that were looked at.

    Attributes:
        guess: What is known without its role.
        values: The rows, as one pyarrow array.
        in_file: Whether the files have it, rather than their folders.
    """

    guess: InferredColumn
    values: Any
    in_file: bool

    @property
    def name(self) -> str:
        """Return its name, as names are compared."""
        return self.guess.name.lower()

    def named(self, pattern: str) -> bool:
        """Return whether its whole name matches."""
        return re.fullmatch(pattern, self.name) is not None


def infer_columns(
    path: str,
    directory: str = ".",
    kind: Callable[[str, str], Locator] = parquet_folder,
) -> tuple[InferredColumn, ...]:
    """Return the columns of a log in their order, those of its folders last.

    Args:
        path: Folder or file, or a filesystem URI; of a table what its kind takes.
        directory: Folder that a relative path starts from.
        kind: How the files of the log are found.

    Raises:
        SourceError: There is no parquet file that can be read.
    """
    table = ParquetTable(kind(path, directory), {}, "", "UTC")
    files = table.files()
    with_rows = [file for file, footer in files.usable if footer.rows]
    if not with_rows:
        faults = "".join(f"\n  {file.path}: {file.explanation}" for file in files.unreadable)
        raise SourceError(f"{table.location.shown}: no parquet file with rows in it{faults}")
    places = np.linspace(0, len(with_rows) - 1, min(SAMPLE_FILES, len(with_rows))).round()
    chosen = [with_rows[int(place)] for place in places]
    columns: dict[str, list[Any]] = {}
    in_files: set[str] = set()
    for file in chosen:
        try:
            rows = -(-SAMPLE_ROWS // len(chosen))
            with opened(table.location, file) as log:
                in_files.update(_sample(log, rows, columns))
        except READ_ERRORS as error:
            raise SourceError(f"{file.path}: {error}") from error
    sampled = []
    for name, parts in columns.items():
        try:
            sampled.append(_sampled(name, parts, name in in_files))
        except READ_ERRORS as error:
            raise SourceError(f"{table.location.shown}: column {name!r}: {error}") from error
    sampled.sort(key=lambda column: not column.in_file)
    return _with_roles(sampled)


def _sample(log: OpenFile, rows: int, columns: dict[str, list[Any]]) -> list[str]:
    """Add the first rows of a file to the columns; return the names that the file itself has."""
    chunk = next(log.chunks())
    for name in (*log.columns, *(key for key in log.keys if key not in log.columns)):
        part = one_array(log.column(chunk, name)).slice(0, rows)
        columns.setdefault(name, []).append(part)
    return list(log.columns)


def _sampled(name: str, parts: list[Any], in_file: bool) -> _Sampled:  # noqa: FBT001  # internal
    first = parts[0].type
    values = one_array(pa.chunked_array([part for part in parts if part.type == first], first))
    indices, distinct = encoded(values)
    rows = np.bincount(indices + 1, minlength=len(distinct) + 1)
    frequent = np.argsort(-rows[1:], kind="stable")
    # Two more than are shown: one may be null, and a zero is there with either sign.
    texts = [canonical_text(distinct[place]) for place in frequent[: EXAMPLES + 2]]
    examples = dict.fromkeys(value_name(text) for text in texts if text is not None)
    guess = InferredColumn(
        name=name,
        type_text=str(first),
        kind=_kind(values, distinct, in_file=in_file),
        role=RoleGuess.FEATURE,
        distinct=len(distinct) - sum(value is None for value in distinct),
        null_share=values.null_count / len(values),
        examples=tuple(examples)[:EXAMPLES],
    )
    return _Sampled(guess, values, in_file)


def _kind(values: Any, distinct: Sequence[Any], *, in_file: bool) -> FieldKind | None:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return FieldKind.DATETIME
    if is_nested(values):
        return FieldKind.EMBEDDING if _are_vectors(values) else None
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if not (numeric or text or pa.types.is_boolean(kind)):
        return None
    known = {boolean_text(value) for value in distinct if canonical_text(value) is not None}
    if pa.types.is_boolean(kind) or known == {"true", "false"}:
        return FieldKind.BOOLEAN
    return FieldKind.NUMERIC if numeric else _text_kind(values, distinct, in_file=in_file)


def _text_kind(values: Any, distinct: Sequence[Any], *, in_file: bool) -> FieldKind:
    known = [value for value in distinct if value is not None]
    if in_file and _are_times(known):
        return FieldKind.DATETIME
    return FieldKind.TEXT if _are_texts(values, known) else FieldKind.CATEGORICAL


def _are_vectors(values: Any) -> bool:
    """Return whether a nested column holds lists of numbers, all of one length."""
    draft = VectorDraft()
    draft.add(values.slice(0, _LOOKED_AT))
    counts = VectorCounts.empty()
    count_vectors(counts, draft.grid(), values.slice(0, _LOOKED_AT))
    return counts.n > 0 and counts.wrong_dimension + counts.not_vectors == 0


def _are_times(texts: Sequence[str]) -> bool:
    return bool(texts) and bool(instants(pa.array(texts, pa.large_string()), "UTC").usable.all())


def _are_texts(values: Any, distinct: Sequence[str]) -> bool:
    """Return whether values are sentences rather than names: mostly different, of several words."""
    known = len(values) - values.null_count
    if len(distinct) < max(_LEAST_TEXTS, known * _DIFFERENT_TEXTS):
        return False
    return bool(np.nanmean(text_parts(values).numbers[Part.TOKENS]) >= _WORDS)


def _with_roles(columns: Sequence[_Sampled]) -> tuple[InferredColumn, ...]:
    roles: dict[str, RoleGuess] = {}
    times = [column for column in columns if column.in_file and _is_time(column)]
    identities = [column for column in columns if column.named(_ID_NAMES[-1] + "|id|uuid")]
    unique = [column for column in identities if column.guess.distinct == len(column.values)]
    versions = [column for column in columns if any(map(column.named, _VERSION_NAMES))]
    for role, candidates, names in (
        (RoleGuess.EVENT_TIME, times, _TIME_NAMES),
        (RoleGuess.ID, unique, _ID_NAMES),
        (RoleGuess.VERSION, versions, _VERSION_NAMES),
    ):
        best = _best(candidates, names)
        if best is not None:
            roles[best.guess.name] = role
    undated = [column for column in times if column.guess.kind is not FieldKind.DATETIME]
    for column in (*undated, *identities, *versions):
        roles.setdefault(column.guess.name, RoleGuess.IGNORE)
    decided = any(column.named(_DECISION) and _is_binary(column) for column in columns)
    return tuple(
        replace(column.guess, role=roles.get(column.guess.name) or _role(column, decided=decided))
        for column in columns
    )


def _best(candidates: Sequence[_Sampled], names: Sequence[str]) -> _Sampled | None:
    for pattern in names:
        for column in candidates:
            if column.named(pattern):
                return column
    return candidates[0] if candidates else None


def _role(column: _Sampled, *, decided: bool) -> RoleGuess:
    binary = _is_binary(column)
    key = not column.in_file and column.named(_CALENDAR_KEYS)
    of_label = column.guess.kind is FieldKind.DATETIME and column.named(_LABEL_TIME)
    guesses = (
        (RoleGuess.IGNORE, key or of_label or column.guess.kind is None),
        (RoleGuess.POPULATION, column.named(_POPULATION)),
        (RoleGuess.LABEL, column.named(_LABEL)),
        (RoleGuess.DECISION, column.named(_DECISION) and binary),
        (RoleGuess.DECISION, column.named(_PREDICTION) and binary and not decided),
        (RoleGuess.PREDICTION, column.named(_PREDICTION)),
        (RoleGuess.SCORE, column.named(_SCORE) and _is_share(column)),
    )
    return next((role for role, fits in guesses if fits), RoleGuess.FEATURE)


def _is_time(column: _Sampled) -> bool:
    kind = column.values.type
    if column.named(_LABEL_TIME) or is_nested(column.values):
        return False
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return True
    if not any(map(column.named, _TIME_NAMES)):
        return False
    return bool(instants(column.values, "UTC").usable.any())


def _is_binary(column: _Sampled) -> bool:
    return 0 < column.guess.distinct <= _BINARY


def _is_share(column: _Sampled) -> bool:
    numbers, _, _ = to_numbers(column.values)
    finite = numbers[np.isfinite(numbers)]
    return bool(len(finite)) and bool(((finite >= 0) & (finite <= 1)).all())
