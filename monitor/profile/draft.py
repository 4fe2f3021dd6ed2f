"""How a baseline's data become a frozen grid."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf, nextafter, prod
from typing import Any

import numpy as np
from msgspec.structs import replace

from monitor.domain.errors import BaselineError
from monitor.domain.field import (
    Attribute,
    Classes,
    Decision,
    Field,
    FieldKind,
    FieldRole,
    Label,
    Part,
    embeddings,
)
from monitor.domain.naming import DECLINED, EMPTY, bin_names, uncrossed
from monitor.domain.segment import Segment
from monitor.profile.class_scores import CELLS
from monitor.profile.codec import grid_to_bytes
from monitor.profile.columns import ColumnTally
from monitor.profile.comoments import MOST_FIELDS, normal_scores
from monitor.profile.counts import FieldCounts, NumericCounts, value_name
from monitor.profile.grid import (
    AttributeGrid,
    Derivation,
    FieldGrid,
    FloatArray,
    Grid,
    IntArray,
    NumericGrid,
    ScoreArray,
)
from monitor.profile.numbers import Column, to_numbers
from monitor.profile.packing import content_digest
from monitor.profile.parts import FIXED_GRIDS, parts_of
from monitor.profile.profile import Profile
from monitor.profile.tallies import (
    NEW_VALUES,
    NUMBERED_GROUPS,
    GroupTally,
    SliceTally,
    ValueTally,
)
from monitor.profile.vectors import VectorDraft

QUANTILE_CELLS = 240
"""Equal-mass cells of a numeric grid: divisible by ten, so that deciles are edges; KS is then off
by at most 1/240, where values repeat by 1/120, and in practice by less than 1e-3."""

SCORE_CELLS = 2400
"""Of a score, whose AUC is taken from the cells: scores in one cell are ties, which on real logs moves
an AUC by about 1e-4 (with 240 cells by 1e-3)."""

ATOM_SHARE = 1 / 256
"""A value that holds at least this share of the baseline gets a cell of its own."""

EXACT_VALUES = 256
"""A field with at most this many distinct values gets one cell for each: its counts are exact."""

DISCRETE_VALUES = 20
"""A numeric field with at most this many distinct values is treated value by value, if most of them
came more than once: a few rows of a continuous field are few values as well."""

SAMPLE_ROWS = 50_000
"""Values of a numeric field that edges are taken from; counts are exact whatever the edges are."""

COARSE_SHARE = 5 / QUANTILE_CELLS
"""Of all numbers in one cell, from which on the sample that edges were taken from is no picture of
them. A cell has a share of 1 in 240 of the sample and less than 1 in 256 more of a repeated value."""

LISTED_GROUPS = 100
"""Values of an attribute that become groups where the policy declares none."""

_GUARD_CELLS = 8
_NORMAL_IQR = 1.3489795003921634  # interquartile range of the standard normal


class GridDraft:
    """Gathers what a grid needs from one look at the baseline.

    Numeric fields may be given a sample of rows, evenly spread; categorical fields and attributes
    need all of them, so that a rare value is not taken for a new one later.
    """

    def __init__(
        self,
        fields: tuple[Field, ...],
        attributes: Mapping[str, Attribute],
        decision: Decision | None,
        label: Label | None,
        segments: Sequence[Segment] = (),
        *,
        strata: Mapping[str, Attribute] | None = None,
        identified: bool = False,
        classes: Classes | None = None,
    ) -> None:
        self._segments = {item: SliceTally() for item in segments}
        self._identified = identified
        self._fields = {item.name: item for item in fields}
        self._attributes = attributes
        self._strata = strata or {}
        self._axes = {**attributes, **self._strata}
        self._decision = decision
        self._label = label
        self._classes = classes
        self._samples: dict[str, list[FloatArray]] = {
            item.name: [] for item in fields if item.kind is FieldKind.NUMERIC
        }
        self._ordered: dict[str, FloatArray] = {}
        self._tallies = {item.name: ValueTally() for item in tallied(fields)}
        self._vectors = {item.declared: VectorDraft() for item in embeddings(fields)}
        self._groups = {
            name: GroupTally(spelled=axis.protected) for name, axis in self._axes.items()
        }
        self._columns = ColumnTally()

    def add_columns(self, found: Sequence[tuple[str, str]]) -> None:
        """Take in the names and logical types of the columns of a file."""
        self._columns.add(found)

    def add_field(self, name: str, column: Column | None) -> None:
        """Take in a batch of one field; None when the file does not have the column."""
        if column is None:
            return
        if name in self._tallies:
            boolean = self._fields[name].kind is FieldKind.BOOLEAN
            self._tallies[name].add(column, boolean=boolean)
            return
        numbers, _, _ = to_numbers(column)
        self._samples[name].append(numbers[np.isfinite(numbers)])

    def add_parts(self, name: str, column: Column | None, micros: IntArray) -> None:
        """Take in a batch of what a declared field is counted as.

        Args:
            name: The name that was declared.
            column: Its values; None when the file does not have the column.
            micros: shape (rows,), event times in microseconds since 1970 UTC.
        """
        if column is None:
            return
        if name in self._vectors:
            self._vectors[name].add(column)
            return
        fields = [item for item in self._fields.values() if item.part and item.declared == name]
        found = parts_of(fields[0].declared_kind, column, fields[0].zone, micros)
        for item in fields:
            numbers = found.numbers.get(item.part) if item.part else None
            if numbers is not None:
                self._samples[item.name].append(numbers[np.isfinite(numbers)])

    def add_attribute(self, name: str, column: Column | None) -> None:
        """Take in a batch of one protected attribute, or of the factor of a stratum."""
        if column is not None and not self._axes[name].bins:
            self._groups[name].add(column)

    def add_segments(self, columns: Mapping[str, Column | None], rows: int) -> None:
        """Take in a batch of all columns that segments are made of, by name."""
        for segment, tally in self._segments.items():
            tally.add([columns[name] for name in segment.columns], rows)

    def grid(self) -> Grid:
        """Return the frozen grid of all that was taken in.

        Raises:
            BaselineError: Attributes or strata hold numbers that make no groups by themselves, or more
                combinations than there are codes.
        """
        self._refuse_numbers()
        self._ordered = {}  # what has come since then belongs to it
        fields = {name: self._cells(item) for name, item in self._fields.items()}
        grid = Grid(
            fields=fields,
            columns={item.name: item.column for item in self._fields.values()},
            booleans=frozenset(
                item.name for item in self._fields.values() if item.kind is FieldKind.BOOLEAN
            ),
            attributes=self._grouped(self._attributes),
            strata=self._grouped(self._strata),
            decision=self._decision,
            label=self._label,
            score=self._score(),
            scores=self._scores(fields),
            identified=self._identified,
            derived={
                name: Derivation(item.part, item.zone)
                for name, item in self._fields.items()
                if item.part
            },
            vectors={name: vectors.grid() for name, vectors in self._vectors.items()},
            segments=tuple(tally.grid(segment) for segment, tally in self._segments.items()),
            classes=self._classes,
        )
        _refuse_combinations(grid)
        grid = replace(grid, schema=self._columns.schema(grid.read_columns))
        return replace(grid, digest=content_digest(grid_to_bytes(grid)))

    def _grouped(self, axes: Mapping[str, Attribute]) -> tuple[AttributeGrid, ...]:
        return tuple(attribute_grid(axis, self._groups[name].counts) for name, axis in axes.items())

    def _refuse_numbers(self) -> None:
        """Refuse to freeze a group for each of many numbers, which are an amount and no group."""
        told = [
            f"{name} has more than {NUMBERED_GROUPS} different numbers in {axis.column!r}"
            for name, axis in self._axes.items()
            if not axis.values
            and len(self._groups[name].numbers.difference(axis.unknown, axis.declined))
            > NUMBERED_GROUPS
        ]
        if told:
            raise BaselineError(
                f"{'; '.join(told)}: say under bins: where groups begin, or under values: which "
                "numbers are which group"
            )

    def _sample(self, name: str) -> FloatArray:
        """Return the sample of a numeric field in its order."""
        if name not in self._ordered:
            item, samples = self._fields[name], self._samples[name]
            if item.part is Part.NORM:
                samples = [self._vectors[item.declared].norms()]
            self._ordered[name] = _in_order(np.concatenate([*samples, np.zeros(0)]))
        return self._ordered[name]

    def _scores(self, grids: Mapping[str, FieldGrid]) -> Mapping[str, ScoreArray]:
        """Return normal scores of the fields that are counted in pairs; of none if it is alone."""
        paired = self._paired()
        scores: dict[str, ScoreArray] = {}
        for name in paired if len(paired) > 1 else ():
            grid = grids[name]
            if isinstance(grid, NumericGrid):
                sample = self._sample(name)
                below = np.searchsorted(sample, grid.edges)
                scores[name] = normal_scores(np.diff(below, prepend=0, append=len(sample)))
        return scores

    def _paired(self) -> list[str]:
        """Return the first numeric fields of the policy, the score among them."""
        numeric = list(self._samples)
        if len(numeric) <= MOST_FIELDS:
            return numeric
        score = [name for name in numeric if self._fields[name].role is FieldRole.SCORE]
        listed = [name for name in numeric if name not in score][: MOST_FIELDS - len(score)]
        return [name for name in numeric if name in listed or name in score]

    def _score(self) -> str:
        """Return the field that labels are held against: the score, or the number predicted."""
        roles = [FieldRole.SCORE]
        numeric = self._label is not None and not self._label.positive
        if numeric and self._classes is None:
            roles.append(FieldRole.PREDICTION)
        return next(
            (
                name
                for role in roles
                for name, item in self._fields.items()
                if item.role is role and item.kind is FieldKind.NUMERIC and not item.part
            ),
            "",
        )

    def _cells(self, item: Field) -> FieldGrid:
        if item.part and item.part in FIXED_GRIDS:
            return FIXED_GRIDS[item.part]
        if item.name in self._tallies:
            return self._tallies[item.name].grid()
        cells = SCORE_CELLS if item.role is FieldRole.SCORE else QUANTILE_CELLS
        return _grid_of(self._sample(item.name), cells, _bounds(item))


def _bounds(field: Field) -> tuple[float, ...]:
    """Return where cells have to end, so that what is out of bounds can be counted."""
    least = () if field.minimum is None else (field.minimum,)
    most = () if field.maximum is None else (nextafter(field.maximum, inf),)
    return (*least, *most)


def tallied(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return the fields whose values are told apart one by one: a draft needs all their rows."""
    return tuple(
        item for item in fields if item.kind is not FieldKind.NUMERIC and item.part is None
    )


def numeric_grid(
    sample: FloatArray, quantile_cells: int = QUANTILE_CELLS, bounds: tuple[float, ...] = ()
) -> NumericGrid:
    """Return the cells for a numeric field.

    Edges are the sample's quantiles, both sides of its frequent values, its order statistics at
    ranks 1, 2, 4, … from both ends, and guard cells that widen geometrically beyond them, so that
    the sums kept in the cells give Wasserstein distances of heavy tails as well.

    Args:
        sample: Finite values of the baseline, shape (rows,), in any order; may be empty.
        quantile_cells: Equal-mass cells to cut; a multiple of ten.
        bounds: Further edges.
    """
    return _grid_of(_in_order(sample), quantile_cells, bounds)


def _in_order(sample: FloatArray) -> FloatArray:
    return np.sort(sample) + 0.0  # -0.0 becomes 0.0: one atom, not two


def _grid_of(ordered: FloatArray, quantile_cells: int, bounds: tuple[float, ...]) -> NumericGrid:
    if not len(ordered):
        edges = _finite(np.array(bounds))
        return NumericGrid(edges, np.zeros(len(edges) + 1, np.bool_), 0.0, 1.0, discrete=False)
    center = float(_quantiles(ordered, 0.5))
    scale = _scale(ordered, center)
    # Not np.unique: it would sort once more.
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    distinct, rows = ordered[starts], np.diff(starts, append=len(ordered))
    if len(distinct) <= EXACT_VALUES:
        points = distinct
        cuts = _either_side(distinct)
    else:
        points = distinct[rows >= ATOM_SHARE * len(ordered)]
        # An edge lies just above its quantile: a cell then is (low, high], the usual decile.
        shares = np.arange(1, quantile_cells) / quantile_cells
        quantiles = _quantiles(ordered, shares)
        ranks = 2 ** np.arange(int(np.log2(len(ordered))))
        tails = np.concatenate([ordered[ranks - 1], ordered[-ranks]])
        cuts = np.concatenate([_above(quantiles), tails, _either_side(points)])
    edges = _finite(np.concatenate([cuts, _guards(ordered, scale), bounds]))
    atoms = np.zeros(len(edges) + 1, np.bool_)
    atoms[np.searchsorted(edges, points, side="right")] = True
    repeated = np.count_nonzero(rows > 1)
    few = len(distinct) <= min(DISCRETE_VALUES, len(ordered) // 10)
    discrete = bool(few and 2 * repeated >= len(distinct))
    return NumericGrid(edges, atoms, center, scale, discrete)


def attribute_grid(attribute: Attribute, counts: Mapping[str, int]) -> AttributeGrid:
    """Return the frozen groups of an attribute.

    Args:
        attribute: What the policy declares.
        counts: Canonical text of each value in the baseline to its rows.
    """
    if attribute.bins:
        groups = attribute.labels or bin_names(attribute.bins)
        values: dict[str, int] = {}
    elif attribute.values:
        groups = tuple(dict.fromkeys(attribute.values.values()))
        values = {text: groups.index(group) for text, group in attribute.values.items()}
    else:
        set_apart = {*attribute.unknown, *attribute.declined}
        if attribute.declined:
            set_apart.add(DECLINED)  # a value of that name is not the group of that name
        found = (text for text in counts if text not in set_apart)
        # Free text makes no groups: the largest stay, and the others' rows are unmapped.
        known = sorted(sorted(found, key=lambda text: (-counts[text], text))[:LISTED_GROUPS])
        groups = _group_names(known)
        values = {text: code for code, text in enumerate(known)}
    if attribute.declined:
        values |= dict.fromkeys(attribute.declined, len(groups))
        groups = (*groups, DECLINED)
    return AttributeGrid(
        attribute.name,
        attribute.column,
        groups,
        values,
        attribute.bins,
        attribute.unknown,
        attribute.protected,
    )


def _group_names(values: Sequence[str]) -> tuple[str, ...]:
    """Return what the groups of values are called, no two alike: as the values are, where that can be."""
    wanted = {value: uncrossed(value_name(value)) or EMPTY for value in values}
    names: dict[str, str] = {}
    taken = {DECLINED}  # a group of that name would be of those who declined
    for value in sorted(values, key=lambda value: wanted[value] != value):
        name = wanted[value]
        while name in taken:
            name = f"({name})"
        taken.add(name)
        names[value] = name
    return tuple(names[value] for value in values)


def _refuse_combinations(grid: Grid) -> None:
    """Refuse groups that cannot be crossed: each combination has a code of 63 bits."""
    attributes = prod(axis.size for axis in grid.attributes)
    strata = prod(axis.size for axis in grid.strata)
    score = grid.fields.get(grid.score)
    cells = max(score.cells if isinstance(score, NumericGrid) else 0, CELLS)
    classes = len(grid.classes.values) if grid.classes else 0
    most = attributes * max(max(classes, 1) * 9 * cells, strata * max((classes + 1) ** 2, 9))
    if most > np.iinfo(np.int64).max:
        names = ", ".join(f"{axis.name} {axis.size}" for axis in grid.axes)
        raise BaselineError(
            f"too many combinations of groups ({names}): name fewer populations or strata, or put "
            "values together under values: or bins:"
        )


def is_coarse(grid: Grid, rows: Profile) -> bool:
    """Return whether the rows that a grid's numbers were sampled from were unlike the others.

    They were if a cell of a continuous field that is not one frequent value's holds more than
    `COARSE_SHARE` of all rows' numbers, or if rows of a field that is told apart value by value
    have values that the sample did not show, more than `NEW_VALUES` of them.

    Args:
        grid: Drafted from a sample of the rows.
        rows: All of them, counted on it.
    """
    return any(map(_missed, grid.fields.values(), map(rows.fields.get, grid.fields)))


def _missed(grid: FieldGrid, counts: FieldCounts | None) -> bool:
    if not (isinstance(grid, NumericGrid) and isinstance(counts, NumericCounts)):
        return False
    between, total = counts.cells[~grid.atoms], counts.n
    if grid.discrete:
        return bool(between.sum() > NEW_VALUES * total)
    return bool(between.max(initial=0) > COARSE_SHARE * total)


def _scale(ordered: FloatArray, center: float) -> float:
    low, high = _quantiles(ordered, np.array([0.25, 0.75]))
    with np.errstate(over="ignore", invalid="ignore"):
        candidates = [(high - low) / _NORMAL_IQR, np.std(ordered), abs(center)]
    return next((float(size) for size in candidates if 0 < size < np.inf), 1.0)


def _quantiles(ordered: FloatArray, shares: Any) -> Any:
    """Return ``np.quantile(ordered, shares, method="inverted_cdf")`` of what is sorted already."""
    places = np.maximum(np.ceil(len(ordered) * shares - 1), 0)
    return ordered[places.astype(np.intp)]


def _finite(edges: FloatArray) -> FloatArray:
    """Return the edges in order, each once; none lies beyond the largest double."""
    ordered = np.unique(np.asarray(edges, np.float64) + 0.0)
    return ordered[np.isfinite(ordered)]


def _above(values: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):  # above the largest double lies infinity, dropped later
        return np.nextafter(values, np.inf)


def _either_side(values: FloatArray) -> FloatArray:
    return np.concatenate([values, _above(values)])


def _guards(ordered: FloatArray, scale: float) -> FloatArray:
    with np.errstate(over="ignore"):  # as above
        steps = scale * 4.0 ** np.arange(_GUARD_CELLS)
        return np.concatenate(
            [[ordered[0]], ordered[0] - steps, _above(ordered[-1:]), ordered[-1] + steps]
        )
