"""What the parts of a field add to a number."""

from enum import StrEnum

import numpy as np
from msgspec import Struct

from monitor.domain.naming import number_text


class Rule(StrEnum):
    """How the parts make the number."""

    SUM = "sum"
    """The contributions add up to it."""
    LARGEST = "largest"
    """It is the largest of them."""


class Part(Struct, frozen=True):
    """A bin, a value or a pool of them: its rows then and now, and what it adds.

    Attributes:
        name: In the field's own units or values; what is no value of the field is in brackets.
        rows_then: Rows of the baseline.
        rows_now: Rows of the window.
        share_then: Of the rows of the baseline that the measure counts.
        share_now: Of those of the window.
        contribution: In the unit of its `Attribution`; None for a member, whose rows are counted
            in the part that it belongs to.
        at_least: Least number in it, in the field's unit; None where it is open, or no numbers.
        below: Numbers in it are less than this; None where it is open, or no numbers.
        members: What is no value of the field and was too rare to be a part of its own.
    """

    name: str
    rows_then: int
    rows_now: int
    share_then: float
    share_now: float
    contribution: float | None
    at_least: float | None = None
    below: float | None = None
    members: tuple["Part", ...] = ()


class Attribution(Struct, frozen=True):
    """A number, taken apart.

    Attributes:
        quantity: What the contributions make, in words.
        unit: Their unit.
        rule: How they make it.
        total: Their sum, or the largest of them.
        parts: In the order of the field's values; what is no value of it comes last.
        note: What is to be known besides, as a sentence; "" for nothing.
    """

    quantity: str
    unit: str
    rule: Rule
    total: float
    parts: tuple[Part, ...]
    note: str = ""


def interval_name(at_least: float | None, below: float | None) -> str:
    """Return the numbers ``at_least <= x < below`` as people write them.

    An edge that lies just above a round number, as those of deciles do, is written as that number
    on the other side: ``[2.0000000000000004, 3)`` is ``(2, 3)``. A single number is its name.
    """
    if at_least is None and below is None:
        return "any number"
    if at_least is not None and below == np.nextafter(at_least, np.inf):
        return number_text(at_least)
    low, low_in = (None, True) if at_least is None else _bound(at_least)
    high, high_out = (None, True) if below is None else _bound(below)
    if low is None and high is not None:
        return f"{'<' if high_out else '≤'} {figure(high)}"
    if high is None and low is not None:
        return f"{'≥' if low_in else '>'} {figure(low)}"
    assert low is not None  # noqa: S101  # both are given
    assert high is not None  # noqa: S101
    first, last = figure(low), figure(high)
    if first == last:
        first, last = repr(low), repr(high)
    return f"{'[' if low_in else '('}{first}, {last}{')' if high_out else ']'}"


def figure(number: float) -> str:
    """Return a number for people, with up to six digits."""
    if number and 1e5 <= abs(number) < 1e15:  # noqa: PLR2004  # where :g begins to write exponents
        return f"{float(f'{number:.6g}'):,.0f}"
    return f"{number:.6g}"


def _bound(edge: float) -> tuple[float, bool]:
    """Return the number an edge stands for, and whether it belongs to what lies above."""
    below = float(np.nextafter(edge, -np.inf))
    return (below, False) if len(repr(below)) < len(repr(edge)) else (edge, True)
