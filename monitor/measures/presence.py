"""Whether there is anything to measure in a field."""

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.measures.measure import FieldPair
from monitor.profile.grid import NumericGrid


def nothing_counted(pair: FieldPair) -> Unmeasurable | None:
    """Return why a field has no rows on one side, or None when both have some."""
    name, rows, reference_rows = pair.field.name, pair.current.rows, pair.reference.rows
    if reference_rows == 0:
        return Unmeasurable(
            Absence.NO_BASELINE, f"the baseline has no rows to hold {name} against", rows, 0
        )
    if rows == 0:
        return Unmeasurable(Absence.NO_DATA, "the window has no rows", 0, reference_rows)
    return None


def no_column(pair: FieldPair) -> Unmeasurable | None:
    """Return why a field cannot be compared as a column, or None when it can."""
    if (nothing := nothing_counted(pair)) is not None:
        return nothing
    rows, reference_rows = pair.current.rows, pair.reference.rows
    if pair.current.absent == rows:
        return Unmeasurable(
            Absence.MISSING_COLUMN,
            f"none of the {rows} rows comes from a file with the column {pair.field.column}",
            rows,
            reference_rows,
        )
    if pair.reference.absent == reference_rows:
        return Unmeasurable(
            Absence.NO_BASELINE,
            f"the baseline's files do not have the column {pair.field.column}",
            rows,
            reference_rows,
        )
    return None


def no_filled(pair: FieldPair) -> Unmeasurable | None:
    """Return why a field has no values of any type on one side, or None when both have some."""
    if (absent := no_column(pair)) is not None:
        return absent
    for counts, reason, where in (
        (pair.reference, Absence.NO_BASELINE, "the baseline"),
        (pair.current, Absence.NO_DATA, "the window"),
    ):
        if counts.missing - counts.invalid == counts.rows:
            told = f"every one of the {counts.rows} rows of {where} is missing {pair.field.name}"
            return Unmeasurable(reason, told, pair.current.rows, pair.reference.rows)
    return None


def no_values(pair: FieldPair) -> Unmeasurable | None:
    """Return why a field has no values to compare, or None when both sides have some."""
    if (absent := no_column(pair)) is not None:
        return absent
    rows, reference_rows = pair.current.rows, pair.reference.rows
    if pair.reference.missing == reference_rows:
        return Unmeasurable(
            Absence.NO_BASELINE,
            f"every one of the baseline's {reference_rows} rows is missing {pair.field.name}",
            rows,
            reference_rows,
        )
    if pair.current.missing == rows:
        return Unmeasurable(
            Absence.NO_DATA,
            f"every one of the {rows} rows is missing {pair.field.name}",
            rows,
            reference_rows,
        )
    return no_cells(pair)


def no_cells(pair: FieldPair) -> Unmeasurable | None:
    """Return why the values of both sides cannot be told apart, or None when they can.

    Cells are those of the registered baseline. Where that had no value all others lie in one cell, and
    a window and one of before would look alike whatever they hold.
    """
    grid = pair.grid
    cells = len(grid.edges) if isinstance(grid, NumericGrid) else len(grid.values)
    if cells or not (pair.reference.n and pair.current.n):
        return None
    told = f"the registered baseline had no value of {pair.field.name} to make cells of"
    return Unmeasurable(
        Absence.NO_BASELINE, f"{told}: register a new one", pair.current.rows, pair.reference.rows
    )
