"""How a log is divided into slices that are looked at one by one."""

from msgspec import Struct

MISSING, OTHER = "(missing)", "(other)"
"""Names of the slices of rows without a value, and of all values that have no slice of their own."""


class Segment(Struct, frozen=True):
    """A way to divide rows into slices: by the values of a column, or of several crossed.

    Attributes:
        name: What readings call it.
        columns: Columns of the log; several for a crossing.
        most: How many values have a slice of their own: the most frequent ones of the baseline.
            The others are one slice together.
        pair: It is the crossing of two others, for the scan; nobody declared it.
    """

    name: str
    columns: tuple[str, ...]
    most: int = 20
    pair: bool = False
