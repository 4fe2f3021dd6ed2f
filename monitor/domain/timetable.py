"""What versions were allowed when within a window, and how many decisions fell into which part."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct, field


class Regime(StrEnum):
    """What a version was allowed for a while, by every permit that could still be used then."""

    ALLOWED = "allowed"
    CONDITIONED = "conditioned"
    """It acted within conditions."""
    ROUTED = "routed"
    """People were to decide."""
    REFUSED = "refused"
    """It was not to act."""
    UNKNOWN = "unknown"
    """Nobody had told the monitor of it."""
    UNRECORDED = "unrecorded"
    """Nothing was recorded yet of what any version is allowed."""


class ReviewMark(Struct, frozen=True):
    """How a log shows that a person looked at a decision.

    Attributes:
        column: The column.
        values: The texts that say so; empty where any value does, such as the name of who looked.
    """

    column: str
    values: frozenset[str] = frozenset()


class Spell(Struct, frozen=True):
    """A part ``[start, end)`` of a window in which what a version was allowed did not change.

    Attributes:
        start: Its begin, in event time.
        end: Its end.
        regime: What the version was allowed.
        conditions: Name to bound, of `Regime.CONDITIONED`: the most that a column may be, or the
            least share of decisions that a person looks at.
    """

    start: datetime
    end: datetime
    regime: Regime
    conditions: Mapping[str, float] = field(default_factory=dict)

    def text(self) -> str:
        """Return all that it says as one text."""
        within = [f"{name}<{bound!r}" for name, bound in sorted(self.conditions.items())]
        return "\x1e".join([self.start.isoformat(), self.end.isoformat(), self.regime, *within])


class Timetable(Struct, frozen=True):
    """What each version was allowed when, within one window.

    Attributes:
        versions: Version to its spells, which cover the window in order.
        strangers: The spells of every version that nobody had told the monitor of.
        mark: How the log shows that a person looked; None where the policy does not say.
    """

    versions: Mapping[str, tuple[Spell, ...]]
    strangers: tuple[Spell, ...]
    mark: ReviewMark | None = None

    def of(self, version: str) -> tuple[Spell, ...]:
        """Return the spells of a version."""
        return self.versions.get(version, self.strangers)

    @property
    def digest(self) -> str:
        """Return sha256 of what is counted otherwise for it; "" where all was allowed throughout."""
        lines = [
            "\x1f".join([version, *(spell.text() for spell in spells)])
            for version, spells in sorted(self.versions.items())
            if [spell.regime for spell in spells] != [Regime.ALLOWED]
        ]
        if [spell.regime for spell in self.strangers] != [Regime.UNKNOWN]:
            lines.append("\x1f".join(["", *(spell.text() for spell in self.strangers)]))
        # How people's looks are marked is the policy's, whose digest is beside this one.
        text = "\n".join(lines)
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest() if text else ""


class Tally(Struct, frozen=True):
    """The decisions of one version in one spell.

    What a person looked at, and whether conditions were kept, is counted only where it matters: in
    a spell with conditions, or in which people were to decide.

    Attributes:
        version: The version.
        spell: When, and what it was allowed.
        rows: Its decisions.
        last: The event time of the latest.
        reviewed: Those that a person looked at; None where that was not counted.
        unmarked: Those of which the log does not say whether a person looked; None as above.
        over: Name of a column with a bound to the decisions beyond it that no person looked at.
        unknown: The same to the decisions of which nobody can say: the column is not there, holds
            no number, or it is not known whether a person looked.
        last_over: The event time of the latest that is beyond any bound; None without one.
    """

    version: str
    spell: Spell
    rows: int
    last: datetime
    reviewed: int | None = None
    unmarked: int | None = None
    over: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    last_over: datetime | None = None
