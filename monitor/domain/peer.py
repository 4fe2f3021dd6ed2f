"""Other rows of the same window that a slice is held against."""

from msgspec import Struct


class Peer(Struct, frozen=True):
    """A slice of a window, and the rows of the same window that it is held against.

    Attributes:
        name: What readings and findings call the reference that the other rows are.
        segment: The segment that both belong to.
        slice: Name of the slice.
        against: Name of the slice that it is held against; "" for all rows that are not its own.
    """

    name: str
    segment: str
    slice: str
    against: str = ""

    @property
    def others(self) -> str:
        """Return what the rows are called that it is held against."""
        return self.against or f"all but {self.slice}"
