"""Columns of a log and what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FieldKind(StrEnum):
    """How a field's values are counted."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"


class FieldRole(StrEnum):
    """What a field is to the model."""

    FEATURE = "feature"
    SCORE = "score"
    """A probability or ranking score that a decision is made from."""
    PREDICTION = "prediction"
    """A number (or class) that is itself the model's output."""


@dataclass(frozen=True, slots=True)
class Field:
    """A watched column: its name in readings, the column it comes from, kind and role.

    Attributes:
        name: What it is called in readings.
        column: The column of the log.
        kind: How its values are counted.
        role: What it is to the model.
        importance: How much the model relies on it, in any unit that its other features have too;
            None when nobody has said.
    """

    name: str
    column: str
    kind: FieldKind
    role: FieldRole = FieldRole.FEATURE
    importance: float | None = None


class Effect(StrEnum):
    """What a positive decision does to the person it is about."""

    FAVOURABLE = "favourable"
    HARMFUL = "harmful"


@dataclass(frozen=True, slots=True)
class Decision:
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


@dataclass(frozen=True, slots=True)
class Label:
    """Where the true outcome is found.

    Attributes:
        column: The column, in the log or in the label table.
        positive: Canonical texts of the positive outcome; empty for a numeric label.
        negative: Canonical texts of the negative outcome; empty for "every other value".
    """

    column: str
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribute:
    """A protected attribute: the column and how its values become groups.

    Attributes:
        name: Name of the population it makes on its own.
        column: The column of the log.
        values: Canonical text of a value to the name of its group; empty for "each value its own".
        bins: Left-closed cut points for a numeric column; empty for a categorical one.
        unknown: Canonical texts that mean "not known", counted with the nulls.
        reference: The group that others are held against; "" for the largest one of the baseline.
    """

    name: str
    column: str
    values: Mapping[str, str] = field(default_factory=dict)
    bins: tuple[float, ...] = ()
    unknown: tuple[str, ...] = ()
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Population:
    """A named way to divide rows: one attribute, or a declared crossing of several."""

    attributes: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the attributes' names joined by a cross."""
        return " × ".join(self.attributes)
