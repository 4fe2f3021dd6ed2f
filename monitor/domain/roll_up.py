"""What is kept of a result for ever."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from monitor.domain.finding import Verdict


class RollUp(Struct, frozen=True):
    """What is kept of a result whose readings and findings were pruned, beside its run's line.

    Attributes:
        at: When they were.
        readings: How many there were.
        verdicts: How many findings had which verdict; those that none had are left out.
    """

    at: datetime
    readings: int = 0
    verdicts: Mapping[Verdict, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return how much there was, as a clause."""
        counted = ", ".join(f"{count:,} {verdict}" for verdict, count in self.verdicts.items())
        judged = f", judged {counted}" if counted else ""
        return f"there were {self.readings:,} readings{judged}"
