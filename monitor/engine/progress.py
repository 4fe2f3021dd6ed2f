"""How far a pass has come, for whoever watches."""

from typing import Protocol


class Progress(Protocol):
    """Someone who is told how far a pass has come."""

    def advance(self, rows: int) -> None:
        """Take note that so many more rows have been dealt with."""
        ...


class Silent:
    """Progress that nobody watches."""

    def advance(self, rows: int) -> None:
        """Take no note."""
