"""How values and groups are written, in configuration as in profiles."""

import re
from itertools import pairwise

CROSS = " × "
"""What joins the names that make one together: those of a crossing's groups and of its attributes,
of a slice's values."""

DECLINED = "(declined)"
"""Name of the group of those who would not say which one they belong to."""

EMPTY = "(empty)"
"""Name of the group of those whose value is the empty text: a group without a name is all rows."""


def uncrossed(name: str) -> str:
    """Return a name without blanks about a cross if beside another one it would pass for two names."""
    return re.sub(" *× *", "×", name) if CROSS in f" {name} " else name


def number_text(number: float) -> str:
    """Return the one text of a finite number: whole numbers lose their ``.0``."""
    whole = number.is_integer() and abs(number) < 2**63
    return str(int(number)) if whole else repr(number)


def scalar_text(value: bool | float | str) -> str:  # noqa: FBT001  # the value itself, no switch
    """Return the canonical text of a value: what it is called when rows are counted.

    The rule, the same for a value in YAML and for a value in a log: booleans are ``true`` and
    ``false``; whole numbers lose their ``.0``, so ``1`` and ``1.0`` and ``"1"`` are one value;
    text is kept letter for letter.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return number_text(value)
        case _:
            return str(value)


def bin_names(bins: tuple[float, ...]) -> tuple[str, ...]:
    """Return the names of the groups that left-closed cut points make, lowest first.

    Args:
        bins: Cut points, strictly increasing, at least one.
    """
    between = [_between(low, high) for low, high in pairwise(bins)]
    return (f"<{number_text(bins[0])}", *between, f"{number_text(bins[-1])}+")


def _between(low: float, high: float) -> str:
    # Whole-number bins are written as people say them (16-24), others as intervals.
    if low.is_integer() and high.is_integer():
        last = int(high) - 1
        return number_text(low) if last == int(low) else f"{number_text(low)}-{last}"
    return f"[{number_text(low)}, {number_text(high)})"
