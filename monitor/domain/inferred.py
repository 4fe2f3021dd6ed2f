"""What a log's columns look like before anybody has said what they are."""

from enum import StrEnum

from msgspec import Struct

from monitor.domain.field import FieldKind


class RoleGuess(StrEnum):
    """What a column seems to be, by its name, type and values."""

    FEATURE = "feature"
    SCORE = "score"
    PREDICTION = "prediction"
    DECISION = "decision"
    LABEL = "label"
    EVENT_TIME = "event_time"
    ID = "id"
    VERSION = "version"
    POPULATION = "population"
    IGNORE = "ignore"


class InferredColumn(Struct, frozen=True):
    """A column as it was found in a sample of a log.

    Attributes:
        name: Its name.
        type_text: Its type, in the words of the file format.
        kind: How a field of it would be counted; None for a type that no field has.
        role: What it seems to be.
        distinct: Distinct values in the sample, nulls not counted.
        null_share: Share of nulls in the sample, 0 to 1.
        examples: Canonical texts of some values, most frequent first; all of them when ``distinct``
            is no larger than their number.
    """

    name: str
    type_text: str
    kind: FieldKind | None
    role: RoleGuess
    distinct: int
    null_share: float
    examples: tuple[str, ...] = ()
