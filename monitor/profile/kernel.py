"""Arrow columns to counts: one exact pass, batch by batch, column by column."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import prod
from typing import NamedTuple, Self

import numpy as np

from monitor.domain.field import WHOLE, FieldKind, Part
from monitor.profile.adding import Places, rows_at
from monitor.profile.buffers import valid
from monitor.profile.categories import count_values
from monitor.profile.cells import Room
from monitor.profile.class_groups import ClassRows, add_by_group, favoured
from monitor.profile.classes import (
    ClassColumns,
    add_probabilities,
    chances_of,
    class_codes,
    label_class_codes,
)
from monitor.profile.comoments import NOTHING
from monitor.profile.counts import (
    POSITIVE,
    UNKNOWN,
    CategoricalCounts,
    NumericCounts,
)
from monitor.profile.division import (
    Division,
    split_numbers,
    split_outcomes,
    split_probabilities,
    split_score,
    split_values,
)
from monitor.profile.grid import (
    AttributeGrid,
    BoolArray,
    CategoricalGrid,
    FloatArray,
    Grid,
    IntArray,
    NumericGrid,
    ScoreArray,
)
from monitor.profile.group_scores import Scored, add_group_scores
from monitor.profile.numbers import BLOCK_ROWS, Column, FewIntegers, to_numbers
from monitor.profile.outcome_codes import (
    NEITHER,
    decision_codes,
    group_codes,
    label_codes,
    label_numbers,
    rows_by_code,
    tells_nothing,
)
from monitor.profile.parts import Parts, parts_of
from monitor.profile.profile import Profile
from monitor.profile.segments import segment_codes
from monitor.profile.values import one_array
from monitor.profile.vectors import count_vectors

_COUNTED_ROWS = 4 * BLOCK_ROWS
"""Numbers are looked at so many at a time: calls are long enough for two threads to work side by side."""

_ROOM = Room()


class ProfileBuilder:
    """Counts batches of rows into one profile.

    A batch is announced by `add_rows`, then given field by field (`add_field`, and `add_parts` for
    the fields that are parts of one column's values), once as outcomes (`add_outcomes`), and at
    last as what its fields showed of each row (`take_scores`), which may be in the hands of several
    builders (`add_pairs`). The result does not depend on how rows were batched.

    Attributes:
        profile: What has been counted.
        unread: Values of decisions, labels and binned attributes that are not of their column's
            kind, by column. The profile has their rows as unknown.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self.profile = Profile.empty(grid)
        self.unread: Counter[str] = Counter()
        self._scores = BatchScores.none()
        self._divisions: tuple[Division, ...] = ()
        self._favoured = favoured(grid)

    def divide(self, columns: Mapping[str, Column | None], rows: int) -> None:
        """Find the slices of a batch's rows, before anything of the batch is counted.

        Args:
            columns: Every column that segments are made of; None where the file does not have it.
            rows: Rows of the batch.
        """
        divisions: list[Division] = []
        for grid in self._grid.segments:
            codes = segment_codes(grid, columns, rows)
            held = rows_at(codes, grid.size)
            slices = dict(self.profile.segments.get(grid.name, {}))
            there = np.flatnonzero(held).tolist()
            for code in there:
                if code not in slices:
                    slices[code] = Profile.of_slice(self._grid)
            self.profile.segments[grid.name] = slices
            divisions.append(Division(codes, held, {code: slices[code] for code in there}))
        self._divisions = tuple(divisions)

    def add_rows(self, rows: int, first: datetime | None, last: datetime | None) -> None:
        """Count rows and the span of their event times."""
        self.profile.rows += rows
        self.profile._widen(first, last)  # noqa: SLF001  # builder and profile are one concern
        for division in self._divisions:
            for code, part in division.parts.items():
                part.rows += int(division.held[code])

    def add_duplicates(self, rows: int) -> None:
        """Count rows that are left out because another one has their id."""
        self.profile.duplicates += rows

    def add_field(self, name: str, column: Column | None, rows: int) -> None:
        """Count one field of a batch.

        Args:
            name: Name of the field in the grid.
            column: Its values; None when the file does not have the column.
            rows: Rows of the batch.
        """
        counts = self.profile.fields[name]
        if self._divisions:
            self._add_divided(name, column)
        if column is None:
            counts.absent += rows
            return
        match counts, self._grid.fields[name]:
            case NumericCounts(), NumericGrid() as grid:
                count_numbers(counts, grid, column, self._scoring(name, rows))
            case CategoricalCounts(), CategoricalGrid() as grid:
                count_values(counts, grid, column, boolean=name in self._grid.booleans)
            case _:
                raise ValueError(f"field {name} is counted as another kind than its grid's")

    def add_parts(
        self, names: Sequence[str], column: Column | None, rows: int, micros: IntArray
    ) -> None:
        """Count the fields of a batch that are parts of the values of one column.

        Args:
            names: Names of the fields in the grid.
            column: Its values; None when the file does not have the column.
            rows: Rows of the batch.
            micros: shape (rows,), event times in microseconds since 1970 UTC.
        """
        taken: dict[tuple[FieldKind, str], Parts] = {}
        for name in names:
            derivation = self._grid.derived[name]
            kind, zone = WHOLE[derivation.part], derivation.zone
            if kind is FieldKind.EMBEDDING:
                self._add_vectors(name, column, rows)
            elif column is None:
                self.profile.fields[name].absent += rows
            else:
                if (kind, zone) not in taken:
                    taken[kind, zone] = parts_of(kind, column, zone, micros)
                self._add_part(name, taken[kind, zone])

    def _add_part(self, name: str, parts: Parts) -> None:
        counts, part = self.profile.fields[name], self._grid.derived[name].part
        match counts, self._grid.fields[name]:
            case NumericCounts(), NumericGrid() as grid:
                numbers = parts.numbers[part]
                scoring = self._scoring(name, len(numbers))
                count_floats(counts, grid, numbers, parts.null, parts.invalid, scoring)
            case CategoricalCounts(), CategoricalGrid() as grid:
                rows = np.bincount(parts.codes[part] + 1, minlength=len(grid.values) + 1)
                counts.values += rows[1:]
                counts.null += parts.null
                counts.invalid += parts.invalid
            case _:
                raise ValueError(f"field {name} is counted as another kind than its grid's")

    def _add_vectors(self, name: str, column: Column | None, rows: int) -> None:
        """Count an embedding, whose norm is the field of this name."""
        whole = name.removesuffix(f".{self._grid.derived[name].part}")
        vectors = self.profile.vectors[whole]
        if column is None:
            self.profile.fields[name].absent += rows
            vectors.absent += rows
            return
        null, invalid = vectors.null, vectors.invalid
        norms = count_vectors(vectors, self._grid.vectors[whole], column)
        found = Parts({Part.NORM: norms}, {}, vectors.null - null, vectors.invalid - invalid)
        self._add_part(name, found)

    def _add_divided(self, name: str, column: Column | None) -> None:
        """Count one field of a batch for each slice of each segment."""
        if column is None:
            for division in self._divisions:
                for code, part in division.parts.items():
                    part.fields[name].absent += int(division.held[code])
            return
        match self._grid.fields[name]:
            case NumericGrid() as grid:
                split_numbers(name, grid, column, self._divisions)
            case CategoricalGrid() as grid:
                boolean = name in self._grid.booleans
                split_values(name, grid, column, self._divisions, boolean=boolean)

    def add_outcomes(
        self,
        rows: int,
        attributes: Mapping[str, Column | None],
        decision: Column | None,
        label: Column | None,
        score: Column | None = None,
        *,
        classes: ClassColumns | None = None,
    ) -> None:
        """Count group × decision × label, and the score by each of the two, of one batch.

        Args:
            rows: Rows of the batch.
            attributes: Name of each attribute and stratum to its column; None where the file does
                not have it.
            decision: The decision column; None when there is none.
            label: The label column (joined already); None when there is none.
            score: The score column; None when there is none.
            classes: What a model of several classes said; None for any other model.
        """
        table = self.profile.outcomes
        groups = np.zeros(rows, np.int64)
        self._add_axes(groups, self._grid.attributes, attributes)
        code = groups.copy()
        self._add_axes(code, self._grid.strata, attributes)
        if classes is not None:
            self._add_classes(groups, code, classes, label)
        decisions = decision_codes(self._grid.decision, decision, rows)
        if self._grid.decision is not None and decision is not None:
            self._note_unread(self._grid.decision.column, decisions == UNKNOWN, decision)
        labels = label_codes(self._grid.label, label, rows)
        numbers = None if self._grid.classes else label_numbers(self._grid.label, label)
        if self._grid.label is not None and label is not None and self._grid.classes is None:
            unread = labels == UNKNOWN if numbers is None else ~np.isfinite(numbers)
            self._note_unread(self._grid.label.column, unread, label)
        for axis in (decisions, labels):
            code *= 3
            code += axis
        table.add(*rows_by_code(code, prod(table.shape)))
        split_outcomes(code, prod(table.shape), self._divisions)
        scores, scale = np.full(rows, np.nan), 1.0
        grid_of_score = self._grid.fields.get(self._grid.score)
        if score is not None and isinstance(grid_of_score, NumericGrid):
            scores, scale = to_numbers(score)[0], grid_of_score.scale
            if self._divisions:
                split_score(grid_of_score, scores, decisions, labels, self._divisions)
            found = Scored.of(grid_of_score, scores, groups, decisions, labels, numbers)
            self._add_score(found, grid_of_score.cells)
        if numbers is not None and self.profile.errors is not None:
            self.profile.errors.add_numbers(scores, numbers, scale)

    def _add_axes(
        self,
        codes: IntArray,
        axes: Sequence[AttributeGrid],
        columns: Mapping[str, Column | None],
    ) -> None:
        """Go on with the codes of rows by their groups of some attributes or strata."""
        for grid in axes:
            column = columns.get(grid.name)
            groups, strays = group_codes(grid, column, len(codes))
            self.profile.outcomes.unmapped[grid.name].add(strays)
            if column is not None and tells_nothing(grid, column):
                self._note_unread(grid.column, groups == grid.unknown, column)
            codes *= grid.size
            codes += groups

    def _add_classes(
        self, groups: IntArray, strata: IntArray, columns: ClassColumns, label: Column | None
    ) -> None:
        """Count predicted by true classes, and their probabilities.

        Args:
            groups: shape (rows,), codes over the attributes.
            strata: shape (rows,), codes over attributes and strata.
            columns: What the model said.
            label: The label column.
        """
        counts, classes = self.profile.classes, self._grid.classes
        if counts is None or classes is None or self._grid.label is None:
            raise ValueError("classes are counted on a grid that has none, or no label")
        rows, other = len(groups), len(classes.values)
        predicted = class_codes(classes, columns.predicted, rows)
        true = label_class_codes(classes, label, rows)
        label_column = self._grid.label.column
        for name, codes, column in (
            (classes.column, predicted, columns.predicted),
            (label_column, true, label),
        ):
            if column is not None:
                self._note_unread(name, codes == other, column)
        code = (strata * (other + 1) + predicted) * (other + 1) + true
        cells = prod(counts.table.shape)
        counts.table.add(*rows_by_code(code, cells))
        split_outcomes(code, cells, self._divisions, of_classes=True)
        found = chances_of(columns)
        if found is None:
            return
        add_probabilities(counts, found, predicted, true)
        if self._divisions:
            split_probabilities(found, predicted, true, self._divisions)
        if counts.groups is not None:
            of_groups = ClassRows.of(groups, found, predicted, true)
            add_by_group(counts.groups, [(code,) for code in range(other)], of_groups)
            if self._favoured and self.profile.group_scores is not None:
                add_by_group(self.profile.group_scores, [self._favoured], of_groups)

    def take_scores(self) -> "BatchScores":
        """Return and forget the scores of the rows of a batch."""
        taken, self._scores = self._scores, BatchScores.none()
        return taken

    def add_pairs(self, scores: Sequence["BatchScores"], rows: int) -> None:
        """Count the fields of a batch in pairs.

        Args:
            scores: What `take_scores` of all builders gave that were given fields of the batch; they
                are written over.
            rows: Rows of the batch.
        """
        order = {name: place for place, name in enumerate(self._grid.scores)}
        given = [part for part in scores if part.names]
        fields = [order[name] for part in given for name in part.names]
        self.profile.pairs.add([part.rows[: len(part.names)] for part in given], fields, rows)

    def _scoring(self, name: str, rows: int) -> "Scoring | None":
        by_cell = self._grid.scores.get(name)
        if by_cell is None:
            return None
        shape = len(self._grid.scores), rows
        if self._scores.rows.shape != shape or name in self._scores.names:  # another batch
            self._scores = BatchScores([], np.empty(shape, np.int8))
        self._scores.names.append(name)
        return Scoring(by_cell, self._scores.rows[len(self._scores.names) - 1])

    def _note_unread(self, name: str, unknown: BoolArray, column: Column) -> None:
        """Count the values that are there and tell nothing."""
        if unknown.any():
            there = valid(one_array(column))
            numbers, _, invalid = to_numbers(column)
            nan = np.isnan(numbers) if not invalid else np.zeros(len(numbers), np.bool_)
            self.unread[name] += int((unknown & there & ~nan).sum())

    def _add_score(self, found: Scored, size: int) -> None:
        """Count scores by their cells, of which there are so many, by outcome, and by group."""
        if self.profile.group_scores is not None:
            add_group_scores(self.profile.group_scores, found)
        scores, labels = found.scores, found.labels
        outcomes = found.decisions * 3
        outcomes += labels
        counted = outcomes != NEITHER
        cells = np.multiply(found.cells, NEITHER + 1, out=found.cells)
        cells += outcomes
        if not counted.all():
            scores, labels, cells = scores[counted], labels[counted], cells[counted]
        if not len(scores):
            return
        rows = rows_at(cells, (NEITHER + 1) * size).reshape(-1, 3, 3)
        profile = self.profile
        profile.add_scores(rows.transpose(1, 2, 0))
        if profile.errors is not None:
            labelled = labels != UNKNOWN
            if not labelled.all():
                scores, labels = scores[labelled], labels[labelled]
            profile.errors.add_chances(scores, labels == POSITIVE)


class BatchScores(NamedTuple):
    """The scores of the rows of a batch.

    Attributes:
        names: Fields.
        rows: shape (fields or more, rows of the batch): in one piece, so that they are taken together.
    """

    names: list[str]
    rows: ScoreArray

    @classmethod
    def none(cls) -> Self:
        """Return those of no rows."""
        return cls([], np.empty((0, 0), np.int8))


class Scoring(NamedTuple):
    """Where the scores of a field's rows are written.

    Attributes:
        by_cell: shape (cells,), the score of each cell.
        rows: shape (rows of the batch,); each is written, `NOTHING` where there is no finite number.
    """

    by_cell: ScoreArray
    rows: ScoreArray

    def block(self, begin: int, end: int) -> "Scoring":
        """Return the same for some of the rows."""
        return Scoring(self.by_cell, self.rows[begin:end])


def count_numbers(
    counts: NumericCounts, grid: NumericGrid, column: Column, scoring: Scoring | None = None
) -> None:
    """Find each number's cell and add rows, sums and what else is kept of them."""
    if (few := FewIntegers.of(column)) is None:
        count_floats(counts, grid, *to_numbers(column), scoring)
        return
    counts.null += few.null
    rows, values = few.rows[few.rows > 0], few.values[few.rows > 0]
    cells, standard = grid.table.cells(values)
    np.add.at(counts.cells, cells, rows)
    if scoring is not None:
        few.write(scoring.by_cell.take(grid.table.cells(few.values)[0]), scoring.rows)
    with np.errstate(over="ignore", invalid="ignore"):  # as for other numbers
        np.add.at(counts.sums, cells, rows * standard)
        counts.squares += float((rows * np.square(standard)).sum())
    counts.negatives += int(rows[values < 0].sum())
    counts.zeros += int(rows[values == 0].sum())
    counts.low = min(counts.low, float(values[0]))
    counts.high = max(counts.high, float(values[-1]))


def count_floats(  # noqa: PLR0917  # what `to_numbers` gives stays together
    counts: NumericCounts,
    grid: NumericGrid,
    numbers: FloatArray,
    null: int,
    invalid: int,
    scoring: Scoring | None = None,
) -> None:
    """Count numbers; so many NaN among them stand for rows that are null or hold no number."""
    counts.null += null
    counts.invalid += invalid
    for begin in range(0, len(numbers), _COUNTED_ROWS):
        end = begin + _COUNTED_ROWS
        scored = None if scoring is None else scoring.block(begin, end)
        _count_block(counts, grid, numbers[begin:end], scored)
    counts.nan -= null + invalid  # they are NaN among the numbers


def _count_block(
    counts: NumericCounts, grid: NumericGrid, numbers: FloatArray, scoring: Scoring | None
) -> None:
    finite = None
    low, high = float(numbers.min()), float(numbers.max())  # NaN if there is one among the numbers
    if not -np.inf < low <= high < np.inf:
        finite = np.isfinite(numbers)
        _count_others(counts, numbers, finite)
        if scoring is not None:
            scoring.rows.fill(NOTHING)
        numbers = numbers[finite]
        if not len(numbers):
            return
        low, high = float(numbers.min()), float(numbers.max())
    cells, standard = grid.table.cells(numbers, _ROOM)
    places = Places.checked(cells, grid.cells)
    counts.cells += places.rows()
    if scoring is not None and finite is None:
        scoring.by_cell.take(cells, out=scoring.rows, mode="wrap")  # straight to where they belong
    elif scoring is not None:
        scoring.rows[finite] = scoring.by_cell.take(cells)
    # Values near the largest double may overflow; the sums then say so by being infinite, and the
    # measures that need them answer with a reason instead of a number.
    with np.errstate(over="ignore", invalid="ignore"):
        for begin in range(0, len(cells), BLOCK_ROWS):
            counts.sums += places.sums(standard, begin, begin + BLOCK_ROWS)
        # Not np.dot: BLAS would wake a thread for each core for a sum that takes microseconds.
        counts.squares += float(np.square(standard, out=standard).sum())
    if low <= 0:
        counts.negatives += int(np.count_nonzero(numbers < 0))
        counts.zeros += int(np.count_nonzero(numbers == 0))
    # Adding zero makes -0.0 into 0.0: which of them is found first depends on the batch.
    counts.low = min(counts.low, low + 0.0)
    counts.high = max(counts.high, high + 0.0)


def _count_others(counts: NumericCounts, numbers: FloatArray, finite: BoolArray) -> None:
    """Count what is no finite number."""
    others = numbers[~finite]
    nan = int(np.count_nonzero(np.isnan(others)))
    positive = int(np.count_nonzero(others == np.inf))
    counts.nan += nan
    counts.positive_infinite += positive
    counts.negative_infinite += len(others) - nan - positive
