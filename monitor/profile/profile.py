"""A mergeable summary of a window's columns and groups."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from monitor.profile.class_groups import by_class_and_group, favoured
from monitor.profile.class_scores import CELLS
from monitor.profile.classes import ClassCounts
from monitor.profile.comoments import CoMoments
from monitor.profile.counts import (
    UNKNOWN,
    CategoricalCounts,
    FieldCounts,
    NumericCounts,
    OutcomeTable,
)
from monitor.profile.errors import ErrorSums
from monitor.profile.grid import Grid, IntArray, NumericGrid
from monitor.profile.group_scores import GroupScores
from monitor.profile.vectors import VectorCounts


class Profile(Struct):
    """What is kept of the rows of one model version in one window.

    Attributes:
        grid: Digest of the grid that the rows were counted on.
        rows: Rows profiled.
        fields: Field name to its counts.
        outcomes: Rows by group, decision and label.
        score_by_label: shape (2, cells of the score's grid): finite scores of rows labelled
            negative, and of rows labelled positive; shape (2, 0) without a score.
        first_event: Earliest event time, UTC; None without rows.
        last_event: Latest event time, UTC; None without rows.
        pairs: Sums over pairs of the fields that the grid has normal scores of.
        duplicates: Rows that are not among ``rows`` because another one has their id.
        score_by_decision: shape (2, cells of the score's grid): finite scores of rows decided
            negatively, and of rows decided positively; None where it was not counted, in profiles
            stored before it was.
        labelled_by_decision: The same of the rows that have a label of two classes; None as above.
        errors: How far scores were from labels; None as above.
        classes: Rows by predicted and true class; None where the grid has none.
        vectors: Declared name of each embedding to its counts.
        segments: Name of a segment to its slices that have rows, by code: profiles of their own
            on the same grid. Of what has parts (times, texts, embeddings), of pairs, duplicates,
            errors and scores by group they count nothing; in the rest their sum is the profile. Of a
            profile that was stored each is decoded when it is asked for.
        group_scores: Scores by group, decision and label; of a model of several classes without a
            score the probability of those that its decision favours. None without attributes or
            either, and where it was not counted, in profiles stored before it was.
    """

    grid: str
    rows: int
    fields: dict[str, FieldCounts]
    outcomes: OutcomeTable
    score_by_label: IntArray = field(default_factory=lambda: np.zeros((2, 0), np.int64))
    first_event: datetime | None = None
    last_event: datetime | None = None
    pairs: CoMoments = field(default_factory=lambda: CoMoments.empty(0))
    duplicates: int = 0
    score_by_decision: IntArray | None = None
    errors: ErrorSums | None = None
    vectors: dict[str, VectorCounts] = field(default_factory=dict)
    segments: "dict[str, Mapping[int, Profile]]" = field(default_factory=dict)
    group_scores: GroupScores | None = None
    classes: ClassCounts | None = None
    labelled_by_decision: IntArray | None = None

    @classmethod
    def empty(cls, grid: Grid) -> "Profile":
        """Return the profile of no rows."""
        fields: dict[str, FieldCounts] = {
            name: NumericCounts.empty(cells)
            if isinstance(cells, NumericGrid)
            else CategoricalCounts(np.zeros(len(cells.values), np.int64))
            for name, cells in grid.fields.items()
        }
        score = grid.fields.get(grid.score)
        width = score.cells if isinstance(score, NumericGrid) else 0
        sizes = {axis.name: axis.size for axis in grid.axes}
        return cls(
            grid.digest,
            0,
            fields,
            OutcomeTable.empty(sizes),
            _no_scores(width),
            pairs=CoMoments.empty(len(grid.scores)),
            score_by_decision=_no_scores(width),
            errors=ErrorSums(),
            vectors={name: VectorCounts.empty() for name in grid.vectors},
            group_scores=_group_scores(grid, width),
            labelled_by_decision=_no_scores(width),
            classes=_class_counts(grid, sizes),
        )

    @classmethod
    def of_slice(cls, grid: Grid) -> "Profile":
        """Return the profile of no rows of a slice, of which less is counted (see `segments`)."""
        profile = cls.empty(grid)
        for name in grid.derived:
            del profile.fields[name]
        profile.vectors = {}
        profile.pairs = CoMoments.empty(0)
        profile.errors = None
        profile.group_scores = None
        if profile.classes is not None:
            profile.classes.errors = None
            profile.classes.squares = None
            profile.classes.groups = None
        return profile

    def add_scores(self, rows: IntArray) -> None:
        """Count rows by decision, label and cell of the score.

        Args:
            rows: shape (3 decisions, 3 labels, cells of the score's grid), the last of each unknown.
        """
        self.score_by_label = _with(self.score_by_label, rows.sum(axis=0)[:UNKNOWN])
        self.score_by_decision = _sum(self.score_by_decision, rows.sum(axis=1)[:UNKNOWN])
        labelled = rows[:UNKNOWN, :UNKNOWN].sum(axis=1)
        self.labelled_by_decision = _sum(self.labelled_by_decision, labelled)

    def merge(self, other: "Profile") -> None:
        """Add another profile on the same grid, in place.

        Raises:
            ValueError: The other profile was counted on another grid.
        """
        if self.grid != other.grid:
            raise ValueError(f"profiles on different grids: {self.grid} and {other.grid}")
        self.rows += other.rows
        for name, counts in other.fields.items():
            mine = self.fields[name]
            match mine, counts:
                case (NumericCounts(), NumericCounts()) | (
                    CategoricalCounts(),
                    CategoricalCounts(),
                ):
                    mine.merge(counts)  # type: ignore[arg-type]  # both of one kind by the case
                case _:
                    raise ValueError(f"field {name} is of another kind in the other profile")
        for name, vectors in other.vectors.items():
            self.vectors[name].merge(vectors)
        self.outcomes.merge(other.outcomes)
        self.score_by_label = _with(self.score_by_label, other.score_by_label)
        self.pairs.merge(other.pairs)
        self.duplicates += other.duplicates
        self._merge_later_parts(other)
        self._widen(other.first_event, other.last_event)
        for name, slices in other.segments.items():
            mine_of = dict(self.segments.get(name, {}))
            for code, part in slices.items():
                if code in mine_of:
                    mine_of[code].merge(part)
                else:
                    mine_of[code] = deepcopy(part)
            self.segments[name] = mine_of

    def with_people_of(self, others: "Iterable[Profile]") -> "Profile":
        """Return this profile with the rows and scores by group of others; all else is as it was.

        Args:
            others: On the same grid.
        """
        outcomes, scores = deepcopy(self.outcomes), deepcopy(self.group_scores)
        total = replace(self, outcomes=outcomes, group_scores=scores)
        for other in others:
            total.outcomes.merge(other.outcomes)
            total._merge_group_scores(other)  # noqa: SLF001  # of the same class
        return total

    def _merge_later_parts(self, other: "Profile") -> None:
        """Add what profiles have not always had: not counted on one side is not counted in all."""
        self.score_by_decision = _sum(self.score_by_decision, other.score_by_decision)
        self.labelled_by_decision = _sum(self.labelled_by_decision, other.labelled_by_decision)
        if self.classes is None or other.classes is None:
            self.classes = None
        else:
            self.classes.merge(other.classes)
        if self.errors is None or other.errors is None:
            self.errors = None
        else:
            self.errors.merge(other.errors)
        self._merge_group_scores(other)

    def _merge_group_scores(self, other: "Profile") -> None:
        if self.group_scores is None or other.group_scores is None:
            self.group_scores = None
        else:
            self.group_scores.merge(other.group_scores)

    def _widen(self, first: datetime | None, last: datetime | None) -> None:
        if first is not None:
            self.first_event = first if self.first_event is None else min(self.first_event, first)
        if last is not None:
            self.last_event = last if self.last_event is None else max(self.last_event, last)


def _class_counts(grid: Grid, sizes: Mapping[str, int]) -> ClassCounts | None:
    if grid.classes is None:
        return None
    counts = ClassCounts.empty(grid.classes, sizes)
    counts.groups = by_class_and_group(grid.classes, grid.attributes)
    return counts


def _group_scores(grid: Grid, width: int) -> GroupScores | None:
    width = width or (CELLS if favoured(grid) else 0)
    if not (grid.attributes and width):
        return None
    sizes = tuple(attribute.size for attribute in grid.attributes)
    return GroupScores(tuple(attribute.name for attribute in grid.attributes), sizes, width)


def _sum(mine: IntArray | None, other: IntArray | None) -> IntArray | None:
    return None if mine is None or other is None else _with(mine, other)


@lru_cache(maxsize=16)
def _no_scores(width: int) -> IntArray:
    """Return zeros that all profiles share: until labels come, most tables of many slices are."""
    zeros = np.zeros((2, width), np.int64)
    zeros.flags.writeable = False
    return zeros


def _with(mine: IntArray, other: IntArray) -> IntArray:
    return mine + other if other.any() else mine


def merged(profiles: Iterable[Profile]) -> Profile:
    """Return the sum of profiles on one grid, leaving them as they are.

    Raises:
        ValueError: There is none, or their grids differ.
    """
    each = iter(profiles)
    return added_up(chain(map(deepcopy, islice(each, 1)), each))


def added_up(profiles: Iterable[Profile]) -> Profile:
    """Return the sum of profiles on one grid that nobody else needs: the first becomes the sum.

    None of those that an iterator makes is held while it makes the next one.

    Raises:
        ValueError: There is none, or their grids differ.
    """
    total: Profile | None = None
    for profile in profiles:
        if total is None:
            total = profile
        else:
            total.merge(profile)
        del profile
    if total is None:
        raise ValueError("no profiles to merge")
    return total
