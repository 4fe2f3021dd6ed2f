"""Where in the audit log a run was recorded."""

from typing import Protocol

from msgspec import Struct

from monitor.domain.run import Run


class RecordedAt(Struct, frozen=True):
    """A record of an audit log.

    Attributes:
        log: Its name.
        sequence: Its place in it, from 0 on.
        covered: How many records the newest signed checkpoint covers; None where none is signed.
    """

    log: str
    sequence: int
    covered: int | None

    @property
    def text(self) -> str:
        """Return which record of which log it is, and whether a signature covers it."""
        signed = self.covered is not None and self.sequence < self.covered
        how = f"covered by the checkpoint over {self.covered}" if signed else "not signed"
        return f"{self.sequence} of {self.log}, {how}"


class RunRecords(Protocol):
    """Where the records of runs are found."""

    def recorded_at(self, run: Run) -> RecordedAt | None:
        """Return the record of a run; None for one from before there was a log."""
        ...
