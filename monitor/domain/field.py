"""Columns of a log and what they mean."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from monitor.domain.naming import CROSS


class FieldKind(StrEnum):
    """How a field's values are counted."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    """Declared only: it is counted as its parts, each of which is of one of the kinds above."""
    TEXT = "text"
    """As above."""
    EMBEDDING = "embedding"
    """As above; its random projections are counted besides."""


class Part(StrEnum):
    """What is counted of a value that is itself neither a number nor a category."""

    AGE = "age"
    """Seconds from the value to the event; negative for a value after it."""
    HOUR_OF_WEEK = "hour_of_week"
    """One of 168 hours, from Monday's first, in the field's zone."""
    LENGTH = "length"
    """Characters."""
    TOKENS = "tokens"
    """Pieces between white space."""
    EMPTY = "empty"
    """Whether there is no character at all."""
    NON_ASCII = "non_ascii"
    """Share of the characters beyond ASCII."""
    DIGITS = "digits"
    """Share of the characters that are the digits 0 to 9."""
    PUNCTUATION = "punctuation"
    """Share of the characters that are ASCII punctuation or symbols."""
    NORM = "norm"
    """Euclidean length."""


PARTS: Mapping[FieldKind, Mapping[Part, FieldKind]] = {
    FieldKind.DATETIME: {
        Part.AGE: FieldKind.NUMERIC,
        Part.HOUR_OF_WEEK: FieldKind.CATEGORICAL,
    },
    FieldKind.TEXT: {
        Part.LENGTH: FieldKind.NUMERIC,
        Part.TOKENS: FieldKind.NUMERIC,
        Part.EMPTY: FieldKind.BOOLEAN,
        Part.NON_ASCII: FieldKind.NUMERIC,
        Part.DIGITS: FieldKind.NUMERIC,
        Part.PUNCTUATION: FieldKind.NUMERIC,
    },
    FieldKind.EMBEDDING: {Part.NORM: FieldKind.NUMERIC},
}
"""Each kind that is counted as parts, with the parts in their order and the kind of each."""

WHOLE = {part: kind for kind, parts in PARTS.items() for part in parts}
"""Each part, with the kind whose values it is taken of."""


class FieldRole(StrEnum):
    """What a field is to the model."""

    FEATURE = "feature"
    SCORE = "score"
    """A probability or ranking score that a decision is made from."""
    PREDICTION = "prediction"
    """A number (or class) that is itself the model's output."""


class Field(Struct, frozen=True):
    """A watched column, or a part of its values: name in readings, column, kind and role.

    Attributes:
        name: Its name; of a part, the name that was declared and the part, with a dot between.
        column: The column of the log.
        kind: How it is counted; of a part, the part's kind.
        role: What it is to the model.
        importance: How much the model relies on it, in any unit that its other features have too;
            None when nobody has said. The parts of a field have its importance each.
        part: What is taken of the values; None for the values themselves.
        zone: IANA zone of naive times and of the hours of the week; "" for other kinds.
        minimum: Less than this is out of bounds; None where the owner has not said.
        maximum: More than this is out of bounds; None where the owner has not said.
    """

    name: str
    column: str
    kind: FieldKind
    role: FieldRole = FieldRole.FEATURE
    importance: float | None = None
    part: Part | None = None
    zone: str = ""
    minimum: float | None = None
    maximum: float | None = None

    @property
    def declared(self) -> str:
        """Return the name that the policy's file gives it."""
        return self.name if self.part is None else self.name.removesuffix(f".{self.part}")

    @property
    def declared_kind(self) -> FieldKind:
        """Return the kind that the policy's file gives it."""
        return self.kind if self.part is None else WHOLE[self.part]

    def in_parts(self) -> "tuple[Field, ...]":
        """Return the fields that a declared one is counted as: itself, unless its kind has parts."""
        if self.kind not in PARTS:
            return (self,)
        return tuple(
            replace(self, name=f"{self.name}.{part}", kind=kind, part=part)
            for part, kind in PARTS[self.kind].items()
        )


def embeddings(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return one field for each declared embedding: its norm, which has its column."""
    return tuple(item for item in fields if item.part is Part.NORM)


class Effect(StrEnum):
    """What a positive decision does to the person it is about."""

    FAVOURABLE = "favourable"
    HARMFUL = "harmful"


class ObservedWhen(StrEnum):
    """After which decision the true outcome can be known at all."""

    POSITIVE = "positive"
    """Whoever is refused a loan never gets to repay it."""
    NEGATIVE = "negative"
    """Whoever is stopped never gets to do what he was stopped for."""


class Decision(Struct, frozen=True):
    """Where the model's decision is found and what it means.

    Exactly one of ``positive`` and ``at_least`` is set.

    Attributes:
        column: The column of the log.
        positive: Canonical texts of the values that count as a positive decision.
        negative: Canonical texts of those that do not; empty for "every other value".
        at_least: A decision is positive when the column's number is at least this.
        effect: Whether a positive decision favours or harms; None when nobody has said, and then
            no population may be declared.
    """

    column: str
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    at_least: float | None = None
    effect: Effect | None = None


class Label(Struct, frozen=True):
    """Where the true outcome is found.

    Attributes:
        column: The column, in the log or in the label table.
        positive: Canonical texts of the positive outcome; empty for a numeric label, and for one of
            several classes of which none is the positive one.
        negative: Canonical texts of the negative outcome; empty for "every other value".
        observed_when: After which decision it can be known; None for after each.
    """

    column: str
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    observed_when: ObservedWhen | None = None


class Classes(Struct, frozen=True):
    """The classes that a model chooses one of, and where its choice is found.

    Attributes:
        column: The column of the log with the class that was predicted.
        values: Canonical texts of the classes; the label is one of them too.
        probabilities: Columns with the probability of each class, in the order of ``values``; empty
            when the log has none.
        labels: Canonical texts of the label, and the class that each means; empty where the label is
            the class itself.
    """

    column: str
    values: tuple[str, ...]
    probabilities: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def by_label(self) -> Mapping[str, str]:
        """Return the class that each text of the label means."""
        return dict(self.labels or ((value, value) for value in self.values))


class Attribute(Struct, frozen=True):
    """A protected attribute: the column and how its values become groups.

    Attributes:
        name: Name of the population it makes on its own.
        column: The column of the log, or of the protected table.
        values: Canonical text of a value to the name of its group; empty for "each value its own".
        bins: Left-closed cut points for a numeric column; empty for a categorical one.
        unknown: Canonical texts that mean "not known", counted with the nulls.
        reference: The group that others are held against; "" for the largest one of the baseline.
        labels: Names of the groups that the bins make, lowest first; empty for those of
            `monitor.domain.naming.bin_names`.
        declined: Canonical texts that mean "would not say": a group of their own.
        legal_basis: Why it may be processed, in the owner's words; kept, never interpreted.
        retention_days: How long the owner may keep it; kept, never interpreted. None if not said.
        protected: Whether it is in the protected table and not in the log.
    """

    name: str
    column: str
    values: Mapping[str, str] = field(default_factory=dict)
    bins: tuple[float, ...] = ()
    unknown: tuple[str, ...] = ()
    reference: str = ""
    labels: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()
    legal_basis: str = ""
    retention_days: int | None = None
    protected: bool = False


class Stratum(Struct, frozen=True):
    """A factor other than a protected attribute, within whose groups outcomes are compared.

    Comparing within a factor that stands for an attribute hides a disparity, so somebody has to
    have approved it.

    Attributes:
        factor: The column and how its values become groups; it is no population.
        approved_by: Who approved that outcomes may differ by it.
        reason: Why they may.
    """

    factor: Attribute
    approved_by: str
    reason: str

    @property
    def name(self) -> str:
        """Return the name of its axis in an outcome table."""
        return self.factor.name


class Population(Struct, frozen=True):
    """A named way to divide rows: one attribute, or a declared crossing of several."""

    attributes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the attributes' names joined by a cross."""
        return CROSS.join(self.attributes)
