"""What a measure is: a pure function with its unit, range, meaning and source."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cached_property, wraps
from typing import Any, TypeVar, cast

from msgspec import Struct

from monitor.domain.disparity import LeftOut
from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.domain.field import Effect, Field, ObservedWhen
from monitor.domain.limit import Band, HeldAgainst
from monitor.domain.window import Window
from monitor.measures.group_scores import ScoresOfGroups
from monitor.profile.counts import FieldCounts
from monitor.profile.grid import FieldGrid, Grid, IntArray, VectorGrid
from monitor.profile.profile import Profile
from monitor.profile.vectors import VectorCounts
from monitor.uncertainty.between import Squares

T = TypeVar("T")


class Family(StrEnum):
    """Which section of ``limits`` a measure belongs to."""

    DRIFT = "drift"
    QUALITY = "quality"
    PERFORMANCE = "performance"
    DISPARITY = "disparity"


class FieldPair(Struct, frozen=True):
    """One field, counted in the baseline and in a window on the same grid.

    Attributes:
        field: Name, kind and role.
        grid: The frozen cells.
        reference: Counts of the baseline.
        current: Counts of the window.
    """

    field: Field
    grid: FieldGrid
    reference: FieldCounts
    current: FieldCounts


class EmbeddingPair(Struct, frozen=True):
    """One embedding, counted in the baseline and in a window on the same projections.

    Attributes:
        name: The name that the policy gives it.
        column: The column that it comes from.
        grid: What the baseline froze of it.
        reference: Counts of the baseline.
        current: Counts of the window.
    """

    name: str
    column: str
    grid: VectorGrid
    reference: VectorCounts
    current: VectorCounts


class ProfilePair(Struct, frozen=True, dict=True):
    """A model version, profiled in the baseline and in a window on the same grid.

    Attributes:
        grid: The frozen grid.
        reference: Profile of the baseline.
        current: Profile of the window.
        window: The window.
        reference_windows: How many windows of this length the baseline covers (a fraction where
            it is no whole number).
        registered: Profile of the registered baseline, where the window is held against another
            reference; the group that others are held against is its largest.
        earlier: Stored windows before this one, the latest first, with what reads the profile of
            each: groups that are too small are measured over these as well.
    """

    grid: Grid
    reference: Profile
    current: Profile
    window: Window
    reference_windows: float
    registered: Profile | None = None
    earlier: tuple[tuple[Window, Callable[[], Profile]], ...] = ()

    @cached_property
    def derived(self) -> dict[Callable[["ProfilePair"], Any], Any]:
        """Return what measures have derived from the pair, by what derived it (`once`)."""
        return {}


def once(derive: Callable[[ProfilePair], T]) -> Callable[[ProfilePair], T]:
    """Have something that several measures need of a pair derived once."""

    @wraps(derive)
    def derived(pair: ProfilePair) -> T:
        if derive not in pair.derived:
            pair.derived[derive] = derive(pair)
        return cast("T", pair.derived[derive])

    return derived


class Strata(Struct, frozen=True):
    """A population's groups in a window, counted by a factor too.

    Attributes:
        factor: Name of the factor.
        names: Names of its strata; the last two are rows whose stratum is unknown or unmapped.
        table: shape (groups, strata, 3 decisions, 3 labels), rows of the window.
    """

    factor: str
    names: tuple[str, ...]
    table: IntArray


class GroupPair(Struct, frozen=True):
    """One population, counted in the baseline and in a window.

    Attributes:
        population: Its name.
        groups: Names of its groups; a crossing's are joined by a cross.
        reference: shape (groups, 3 decisions, 3 labels), rows of the baseline, the last two axes
            in the order negative, positive, unknown.
        current: The same of the window.
        reference_group: Index of the group that others are held against.
        effect: What a positive decision does to a person; None of a model that makes none.
        band: Size rules and error level: which groups are large enough to be compared.
        against: What each group is held against: the reference group, or another.
        unassigned: shape (3, 3), rows of the window whose group is unknown or unmapped, whether
            or not they are listed; None where nobody has counted them.
        observed: After which decisions labels can be observed; None for after every one.
        folded: Names of a crossing's smallest cells, which are one group together.
        unassigned_then: As `unassigned`, of the baseline.
        scores: Scores of the groups in the window; None where they were not counted.
        scores_then: The same of the baseline, in the same cells.
        strata: The groups by strata of a factor, for measures that compare within them.
        family: How many groups of the population are compared, if some are so over other windows
            than these; 0 for those that can be compared here.
        left_out: Which groups are not compared, whatever their size; None for none.
    """

    population: str
    groups: tuple[str, ...]
    reference: IntArray
    current: IntArray
    reference_group: int
    effect: Effect | None
    band: Band
    against: HeldAgainst = HeldAgainst.LARGEST
    unassigned: IntArray | None = None
    observed: ObservedWhen | None = None
    folded: tuple[str, ...] = ()
    unassigned_then: IntArray | None = None
    scores: ScoresOfGroups | None = None
    scores_then: ScoresOfGroups | None = None
    strata: Strata | None = None
    family: int = 0
    left_out: LeftOut | None = None

    def leaves_out(self, group: int) -> Unmeasurable | None:
        """Return why a group is not compared by the policy's decision; None for any other.

        The share is that of the population's rows in the window, those of unknown membership left
        out.
        """
        rows = self.current.sum(axis=(1, 2))
        own, every = int(rows[group]), int(rows.sum())
        if self.left_out is None or own >= self.left_out.below * every:
            return None
        why = (
            f"{self.groups[group]} has {own} of {every} rows, less than {self.left_out.below:.3g} of them: "
            f"the policy leaves it out because {self.left_out.because}"
        )
        return Unmeasurable(Absence.LEFT_OUT, why, own)


class FieldParts(Struct, frozen=True):
    """One field in a baseline and in the windows that it is made of.

    Attributes:
        grid: The frozen cells.
        whole: Counts of the baseline.
        parts: Counts of its windows, each with rows.
    """

    grid: FieldGrid
    whole: FieldCounts
    parts: tuple[FieldCounts, ...]


class EmbeddingParts(Struct, frozen=True):
    """One embedding in a baseline and in the windows that it is made of.

    Attributes:
        whole: Counts of the baseline.
        parts: Counts of its windows, each with rows.
    """

    whole: VectorCounts
    parts: tuple[VectorCounts, ...]


class ProfileParts(Struct, frozen=True):
    """A baseline and the windows that it is made of.

    Attributes:
        grid: The frozen grid.
        whole: Profile of the baseline.
        parts: Profiles of its windows, each with rows.
    """

    grid: Grid
    whole: Profile
    parts: tuple[Profile, ...]


class Description(Struct, frozen=True):
    """What people need to know to read a number.

    Attributes:
        id: Name in YAML, SQL and reports; for metrics a label value.
        family: Section of ``limits``.
        title: A few words for tables.
        unit: Unit of the value.
        unchanged: The value when nothing changed (or groups are treated alike); None for a level
            that is held against no other, such as a group's rate.
        lower: Smallest possible value; None when unbounded.
        upper: Largest possible value; None when unbounded.
        symmetric: Whether exchanging window and baseline leaves the value as it is.
        source: Where the definition comes from.
    """

    id: str
    family: Family
    title: str
    unit: str
    unchanged: float | None
    lower: float | None
    upper: float | None
    symmetric: bool
    source: str


def always(_: object) -> bool:
    """Return True: the measure applies to every grid."""
    return True


Tail = Callable[[Estimate, float], float]
"""Of an estimate and a tolerated size: how probable is an estimate at least this large, at most,
when the true value is within it? The p-value of a minimum-effect test, from the measure's own law."""


class FieldMeasure(Struct, frozen=True):
    """A measure of one field.

    Attributes:
        about: What people need to know.
        measure: The pure function.
        applies: Whether a field with these cells has the quantity at all; where it has not, there
            is no reading, rather than one that is unknown for ever.
        asked_of: Whether a field that is declared so has the quantity.
        tail: Its minimum-effect test; None for a measure that is judged by its interval.
        spread: The squared distances between the baseline's own windows, for measures with a test;
            None when the baseline says nothing of how far windows lie apart.
    """

    about: Description
    measure: Callable[[FieldPair], Result]
    applies: Callable[[FieldGrid], bool] = always
    asked_of: Callable[[Field], bool] = always
    tail: Tail | None = None
    spread: Callable[[FieldParts], Squares | None] | None = None


class EmbeddingMeasure(Struct, frozen=True):
    """A measure of one embedding, from the moments of its projections.

    Attributes:
        about: What people need to know.
        measure: The pure function.
        tail: Its minimum-effect test.
        spread: The squared distances between the baseline's own windows, as for a field.
    """

    about: Description
    measure: Callable[[EmbeddingPair], Result]
    tail: Tail
    spread: Callable[[EmbeddingParts], Squares | None]


class ModelMeasure(Struct, frozen=True):
    """A measure of a model version as a whole.

    Attributes:
        about: What people need to know.
        measure: The pure function.
        applies: Whether a model with this grid has the quantity at all.
        tail: Its minimum-effect test; None for a measure that is judged by its interval.
        spread: The squared distances between the baseline's own windows, as for a field.
    """

    about: Description
    measure: Callable[[ProfilePair], Result]
    applies: Callable[[Grid], bool] = always
    tail: Tail | None = None
    spread: Callable[[ProfileParts], Squares | None] | None = None


class GroupMeasure(Struct, frozen=True):
    """A measure of every group of a population at once, so that families are adjusted together.

    Attributes:
        about: What people need to know.
        measure: The pure function; answers for groups by name, for the population as a whole by "".
        unassigned: Whether rows of unknown or unmapped membership are listed beside the groups.
        within_strata: Whether it compares within strata: it is measured for each declared factor.
        applies: Whether a model with this grid has the quantity at all.
        metric: The metric that it is measured for, if the policy lists it; "" for always.
    """

    about: Description
    measure: Callable[[GroupPair], Mapping[str, Result]]
    unassigned: bool = False
    within_strata: bool = False
    applies: Callable[[Grid], bool] = always
    metric: str = ""


Measure = FieldMeasure | EmbeddingMeasure | ModelMeasure | GroupMeasure
"""Everything that the catalogue has to say of the profile of a model version in a window."""


class FeatureVerdicts(Struct, frozen=True):
    """What became of the drift of a model version's features, each counted once.

    Attributes:
        beyond: Names of those that are beyond a limit, in the order of the policy.
        within: How many are within all their limits.
        unjudged: How many could not be judged.
        rows: Rows of the window.
        reference_rows: Rows of what they were held against.
    """

    beyond: tuple[str, ...]
    within: int
    unjudged: int
    rows: int
    reference_rows: int


class VerdictMeasure(Struct, frozen=True):
    """A measure of what the verdicts on single features come to.

    Attributes:
        about: What people need to know.
        measure: The pure function.
    """

    about: Description
    measure: Callable[[FeatureVerdicts], Result]


class FoundColumns(Struct, frozen=True):
    """Columns of the files of a window.

    Attributes:
        extra: Names of those that no file of the baseline had, sorted.
        known: Whether the columns of the baseline's files are.
        rows: Rows of the window.
    """

    extra: tuple[str, ...]
    known: bool
    rows: int


class ColumnMeasure(Struct, frozen=True):
    """A measure of the columns of a window's files.

    Attributes:
        about: What people need to know.
        measure: The pure function.
    """

    about: Description
    measure: Callable[[FoundColumns], Result]


AnyMeasure = Measure | VerdictMeasure | ColumnMeasure
