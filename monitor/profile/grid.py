"""The frozen cells that a baseline fixes and every later window is counted on."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from monitor.domain.field import Classes, Decision, Label, Part
from monitor.domain.schema import Schema
from monitor.profile.buffers import of_texts
from monitor.profile.cells import CellTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ScoreArray = NDArray[np.int8]


class NumericGrid(Struct, frozen=True, eq=False, dict=True):
    """Cells of a numeric field.

    Cell ``i`` holds the values in ``[edges[i - 1], edges[i])``; the first cell is open below, the
    last one above, so there are ``len(edges) + 1`` cells and no finite value falls outside.

    Attributes:
        edges: shape (k,), strictly increasing, finite.
        atoms: shape (k + 1,); True where the cell was cut around one frequent value.
        center: Median of the baseline; sums are kept of ``(value - center) / scale``.
        scale: Robust scale of the baseline (IQR / 1.349, else its standard deviation, else the
            size of its median, else 1): positive, in the field's own unit.
        discrete: The baseline holds few distinct values, each an atom; any other is *unseen*.
    """

    edges: FloatArray
    atoms: BoolArray
    center: float
    scale: float
    discrete: bool

    @property
    def cells(self) -> int:
        """Return the number of cells."""
        return len(self.edges) + 1

    @cached_property
    def table(self) -> CellTable:
        """Return what finds the cells of numbers."""
        # Two edges are next to each other around an atom, and near each other among thousands.
        return CellTable(self.edges, self.center, self.scale, 2)


class CategoricalGrid(Struct, frozen=True, eq=False, dict=True):
    """The values of a categorical or boolean field that the baseline held.

    Attributes:
        values: Canonical texts, most frequent first, ties by text.
        complete: Whether ``values`` and ``known`` are all that the baseline held. If not (very many distinct
            values, or so many rare ones that others are to be expected), a value that is not among them counts as *other*, never as *unseen*.
        known: Further values that the baseline held; they are counted together, as *other*.
        fixed: The values are all that there can be, in an order of their own, whichever of them
            the baseline held; none is ever *unseen*.
    """

    values: tuple[str, ...]
    complete: bool = True
    known: tuple[str, ...] = ()
    fixed: bool = False

    @cached_property
    def codes(self) -> Mapping[str, int]:
        """Return the index of each value; that of the further ones comes after the last."""
        codes = dict.fromkeys(self.known, len(self.values))
        codes.update((value, code) for code, value in enumerate(self.values))
        return codes

    @cached_property
    def coded(self) -> tuple[Any, IntArray]:
        """Return the same as an array of Arrow's texts, without those that no text can be."""
        codes = {text: code for text, code in self.codes.items() if _is_unicode(text)}
        return of_texts([*codes]), np.array([*codes.values()], np.int64)


class AttributeGrid(Struct, frozen=True, eq=False):
    """The groups of a protected attribute, or of a stratum's factor, frozen at registration.

    Group codes are 0 … len(groups) - 1; then ``unknown`` (null, or declared unknown) and
    ``unmapped`` (a value that no group was declared or registered for).

    Attributes:
        name: Name of the attribute.
        column: Column of the log.
        groups: Names, in a fixed order; the last is that of people who declined to say, if the
            policy says which values mean that.
        values: Canonical text to code; of a binned attribute only values that mean "declined".
        bins: Left-closed cut points; group i is ``[bins[i - 1], bins[i])``.
        unknown_values: Canonical texts that mean "not known".
        protected: Whether the column is in the protected table and not in the log. Its values come as
            texts then, which may spell numbers.
    """

    name: str
    column: str
    groups: tuple[str, ...]
    values: Mapping[str, int]
    bins: tuple[float, ...] = ()
    unknown_values: tuple[str, ...] = ()
    protected: bool = False

    @property
    def unknown(self) -> int:
        """Return the code of rows whose membership is not known."""
        return len(self.groups)

    @property
    def unmapped(self) -> int:
        """Return the code of rows whose value belongs to no registered group."""
        return len(self.groups) + 1

    @property
    def size(self) -> int:
        """Return the number of codes."""
        return len(self.groups) + 2


class VectorGrid(Struct, frozen=True, eq=False):
    """What the baseline freezes about an embedding.

    Attributes:
        dimension: Numbers in a vector of the baseline; 0 when it held none, and then no vector of
            a window has the right dimension.
        center: shape (64,), medians of the projections.
        scale: shape (64,), their robust scales, positive.
    """

    dimension: int
    center: FloatArray
    scale: FloatArray


class Derivation(Struct, frozen=True):
    """What a field takes of the values of its column: a part, and the zone that it is told in."""

    part: Part
    zone: str = ""


class SegmentGrid(Struct, frozen=True, eq=False, dict=True):
    """The slices of a segment, frozen at registration.

    Codes are 0 … len(values) - 1; then ``missing`` (a null in one of the columns) and ``other``
    (any further value, registered or not).

    Attributes:
        name: Name of the segment.
        columns: Columns of the log; several for a crossing.
        values: Canonical texts of the slices' values, one for each column.
        most: How many slices were allowed.
    """

    name: str
    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    most: int

    @cached_property
    def codes(self) -> Mapping[tuple[str, ...], int]:
        """Return the code of each value."""
        return {value: code for code, value in enumerate(self.values)}

    @property
    def missing(self) -> int:
        """Return the code of rows without a value."""
        return len(self.values)

    @property
    def other(self) -> int:
        """Return the code of rows of any other value."""
        return len(self.values) + 1

    @property
    def size(self) -> int:
        """Return the number of codes."""
        return len(self.values) + 2


FieldGrid = NumericGrid | CategoricalGrid


class Grid(Struct, frozen=True, eq=False, dict=True):
    """Everything that a baseline freezes about how rows are counted.

    Attributes:
        fields: Field name to its cells.
        columns: Field name to the column of the log.
        booleans: Names of the fields whose values are read as booleans.
        attributes: Protected attributes, in the order of the outcome table's axes.
        decision: Where the decision is and which values are positive.
        label: Where the outcome is and which values are positive.
        score: Name of the numeric field that is counted by label and decision as well, and held
            against a numeric label: the score, or else the number predicted; "" for none.
        digest: sha256 of the bytes form.
        schema: The columns of the files that it was drafted from.
        scores: The numeric fields that are counted in pairs, each with the normal score of its
            cells; empty in grids of before that was done.
        identified: Whether rows have ids, so that those that come twice are known.
        derived: Field name to what it takes of its column, for those that are parts.
        vectors: Declared name of each embedding to what is frozen of it.
        segments: How rows are divided besides, each on its own.
        strata: Factors that are axes of the outcome table after the attributes.
        classes: The classes that the model chooses one of; None for any other model.
    """

    fields: Mapping[str, FieldGrid]
    columns: Mapping[str, str]
    booleans: frozenset[str]
    attributes: tuple[AttributeGrid, ...]
    decision: Decision | None
    label: Label | None
    score: str = ""
    digest: str = ""
    schema: Schema = field(default_factory=Schema)
    scores: Mapping[str, ScoreArray] = field(default_factory=dict)
    identified: bool = False
    derived: Mapping[str, Derivation] = field(default_factory=dict)
    vectors: Mapping[str, VectorGrid] = field(default_factory=dict)
    segments: tuple[SegmentGrid, ...] = ()
    strata: tuple[AttributeGrid, ...] = ()
    classes: Classes | None = None

    @property
    def axes(self) -> tuple[AttributeGrid, ...]:
        """Return what the outcome table is counted by, before decision and label."""
        return (*self.attributes, *self.strata)

    @cached_property
    def read_columns(self) -> frozenset[str]:
        """Return the columns of the log that rows are counted by."""
        read = {*self.columns.values()}
        read.update(axis.column for axis in self.axes if not axis.protected)
        if self.decision is not None:
            read.add(self.decision.column)
        if self.label is not None:
            read.add(self.label.column)
        if self.classes is not None:
            read.update((self.classes.column, *self.classes.probabilities))
        for segment in self.segments:
            read.update(segment.columns)
        return frozenset(read)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
