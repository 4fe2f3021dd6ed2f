"""Drawings of one line each, for a terminal."""

from collections.abc import Sequence

from msgspec import Struct

FULL, HALF, DOWN = "█", "▌", "░"
"""Of a bar: a whole step, half a step, and a whole step of what is below 0."""

LIMIT, VALUE, LEFT, RIGHT, BETWEEN = "┊", "●", "├", "┤", "─"
"""Of an interval on its scale."""


class Span(Struct, frozen=True):
    """A value with its interval; an end that is None is open, or not known."""

    value: float
    low: float | None
    high: float | None


def bar(value: float, largest: float, width: int) -> str:
    """Return a bar of a length in proportion to the size of a value; "" for nothing.

    Args:
        value: What is shown; below 0 the bar is hollow.
        largest: The size that makes the full width, above 0.
        width: Characters of the full width.
    """
    halves = round(2 * width * min(abs(value) / largest, 1.0)) if largest > 0 else 0
    if value < 0:
        return DOWN * ((halves + 1) // 2)
    return FULL * (halves // 2) + HALF * (halves % 2)


class Scale(Struct, frozen=True):
    """A stretch of numbers, and the characters that they are drawn on.

    Attributes:
        low: The number at the first character.
        high: The number at the last one.
        width: How many characters.
        limits: Numbers that are marked on every line.
    """

    low: float
    high: float
    width: int
    limits: tuple[float, ...] = ()

    @classmethod
    def over(
        cls, spans: Sequence[Span], limits: Sequence[float], unchanged: float | None, width: int
    ) -> "Scale":
        """Return the scale that holds all spans, limits, and the value when nothing changed."""
        numbers = [] if unchanged is None else [unchanged]
        numbers += limits
        for span in spans:
            numbers += [end for end in (span.value, span.low, span.high) if end is not None]
        low, high = min(numbers, default=0.0), max(numbers, default=0.0)
        return cls(low, high if high > low else low + 1.0, width, tuple(limits))

    @property
    def heading(self) -> str:
        """Return the numbers at both ends, as wide as the drawing if they fit."""
        first, last = f"{self.low:.3g}", f"{self.high:.3g}"
        return first + last.rjust(max(self.width - len(first), len(last) + 1))

    def line(self, span: Span | None) -> str:
        """Return one span, with the limits behind it; None leaves the limits alone."""
        drawn = [" "] * self.width
        for limit in self.limits:
            drawn[self._place(limit)] = LIMIT
        if span is not None:
            place = self._place(span.value)
            low = place if span.low is None else self._place(span.low)
            high = place if span.high is None else self._place(span.high)
            for between in range(low, high + 1):
                drawn[between] = BETWEEN
            drawn[low], drawn[high] = LEFT, RIGHT
            drawn[place] = VALUE
        return "".join(drawn)

    def _place(self, number: float) -> int:
        share = (number - self.low) / (self.high - self.low)
        return round(min(max(share, 0.0), 1.0) * (self.width - 1))
