"""Decisions counted by what their version was allowed at the time, and how counts are added."""

from collections import Counter
from collections.abc import Container, Mapping
from typing import NamedTuple

from msgspec import Struct, field

from monitor.domain.governance import HUMAN_REVIEW_SHARE
from monitor.domain.timetable import Spell, Tally, Timetable
from monitor.profile.instants import from_micros

_NEVER = -(2**63)


class Part(NamedTuple):
    """One spell of one version.

    Attributes:
        version: The version.
        place: The place of the spell among those of the version.
    """

    version: str
    place: int


class Allowance(Struct):
    """What was counted of some rows: a few numbers for each version and spell.

    Attributes:
        counts: Part and what was counted, to how often.
        lasts: The same to the latest event time of what was counted, microseconds.
    """

    counts: Counter[tuple[Part, str]] = field(default_factory=Counter)
    lasts: dict[tuple[Part, str], int] = field(default_factory=dict)

    def add(self, part: Part, what: str, rows: int, last: int | None = None) -> None:
        """Count rows; that there are none is counted as well."""
        self.counts[part, what] += rows
        if last is not None:
            self.lasts[part, what] = max(self.lasts.get((part, what), _NEVER), last)

    def merge(self, other: "Allowance") -> None:
        """Add another part, in place."""
        for (part, what), rows in other.counts.items():
            self.add(part, what, rows, other.lasts.get((part, what)))

    def tallies(
        self, timetable: Timetable, named: Container[str], others: str
    ) -> tuple[Tally, ...]:
        """Return the decisions of each version in each spell that has any.

        Args:
            timetable: What they were counted by.
            named: The versions that are told by name; others that the monitor knows are as well.
            others: The name under which strangers beyond them are told together.
        """
        told = Allowance()
        for (part, what), rows in self.counts.items():
            version = part.version
            kept = version in named or version in timetable.versions
            here = Part(version if kept else others, part.place)
            told.add(here, what, rows, self.lasts.get((part, what)))
        parts = sorted(part for part, what in told.counts if what == "rows")
        return tuple(told._tally(part, timetable.of(part.version)[part.place]) for part in parts)

    def _tally(self, part: Part, spell: Spell) -> Tally:
        over = self._by_column(part, "over", spell.conditions)
        last = [self.lasts[part, f"over {name}"] for name, rows in over.items() if rows]
        return Tally(
            version=part.version,
            spell=spell,
            rows=self.counts[part, "rows"],
            last=from_micros(self.lasts[part, "rows"]),
            reviewed=self.counts.get((part, "reviewed")),
            unmarked=self.counts.get((part, "unmarked")),
            over=over,
            unknown=self._by_column(part, "unknown", spell.conditions),
            last_over=from_micros(max(last)) if last else None,
        )

    def _by_column(
        self, part: Part, what: str, conditions: Mapping[str, float]
    ) -> Mapping[str, int]:
        return {
            name: self.counts[part, f"{what} {name}"]
            for name in sorted(conditions)
            if name != HUMAN_REVIEW_SHARE
        }
