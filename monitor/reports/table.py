"""The form in which results reach a terminal or a program."""

from msgspec import Struct


class Table(Struct, frozen=True):
    """A titled table of text cells, for the terminal and for JSON alike.

    Attributes:
        title: What the table is about.
        columns: Headings.
        rows: Cells, one tuple a row, as many as there are headings.
        note: A sentence below it; "" for none.
        drawn: Headings of the columns that are drawings: their cells are never broken.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    drawn: tuple[str, ...] = ()
