"""Drawings of the pages: SVG whose colours are the stylesheet's, each said in words as well."""

from collections.abc import Iterator, Sequence
from math import floor, log10

from markupsafe import Markup, escape
from msgspec import Struct

from monitor.reports.evidence import Bound, Pair, Point

_WIDTH = 720
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 118, 18, 44
_HEIGHT = 260
_ROW = 34
_NAMES = 190
_LONGEST = 26
_TICKS = 7
_FARTHEST = 1e150
"""What is larger is drawn at the edge: sizes of such numbers overflow."""

_FINEST, _SMALLEST = 1e-9, 1e-290
"""Numbers that differ by less of their size, or at all, are drawn as if they were equal."""

_LABEL = 13
"""Height of a line of text."""


class _Scale(Struct, frozen=True):
    """From numbers to places along a line; what lies beyond is put at its end."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.first + share * (self.last - self.first), 1)


def history(points: Sequence[Point], unchanged: float | None, title: str) -> Markup:
    """Return a finding through its windows: number, interval, what was tolerated, verdict.

    A window without a number is an empty frame with a word in it: it is never joined over.

    Args:
        points: Oldest first.
        unchanged: The value when nothing changed; None for a level.
        title: What it is the history of.
    """
    if not points:
        return Markup("")
    scale = _scale_over(points, unchanged)
    wide = (_WIDTH - _LEFT - _RIGHT) / len(points)
    drawn = [*_grid(scale)]
    drawn += [
        text for place, point in enumerate(points) for text in _bounds(scale, place, wide, point)
    ]
    drawn += [*_unchanged(scale, unchanged), *_labels(scale, points)]
    drawn += _course(scale, points, wide)
    for place, point in enumerate(points):
        x = _LEFT + wide * (place + 0.5)
        drawn += _gap(x, wide, point) if point.value is None else _mark(scale, x, point)
        if place % max(1, -(-len(points) // 6)) == 0 or place == len(points) - 1:
            drawn.append(_text(x, _HEIGHT - 22, point.window, "middle", "quiet"))
    drawn.append(_text(_LEFT, _HEIGHT - 5, "windows, by their start", css="quiet"))
    said = "; ".join(f"{item.window}: {item.told}, {item.state}" for item in points)
    return _svg("history", _HEIGHT, title, said, drawn)


def pairs(items: Sequence[Pair], sides: tuple[str, str], key: str, title: str) -> Markup:
    """Return parts or groups then and now as bars, in per cent.

    Args:
        items: The parts.
        sides: What the two sides are called.
        key: Unique in the page.
        title: What they are.
    """
    if not items:
        return Markup("")
    most = max((max(item.then, item.now) for item in items), default=0.0) or 1.0
    scale = _Scale(0.0, most, _NAMES, _WIDTH - 80)
    drawn = [
        f'<rect x="{_NAMES}" y="6" width="12" height="10" class="then"/>',
        _text(_NAMES + 18, 15, sides[0]),
        f'<rect x="{_NAMES + 150}" y="6" width="12" height="10" class="now"/>',
        _text(_NAMES + 168, 15, sides[1]),
    ]
    for place, item in enumerate(items):
        y = 26 + _ROW * place
        drawn.append(_text(_NAMES - 10, y + 18, _short(item.name), "end"))
        for below, (css, value) in enumerate((("then", item.then), ("now", item.now))):
            top, end = y + 13 * below, scale.at(value)
            drawn.append(
                f'<rect x="{_NAMES}" y="{top}" width="{max(end - _NAMES, 0.5):.1f}" height="11" class="{css}"/>'
            )
            drawn.append(_text(end + 6, top + 10, f"{value:.1%}"))
    said = "; ".join(f"{item.name}: {item.then:.1%}, then {item.now:.1%}" for item in items)
    return _svg(key, 30 + _ROW * len(items), title, said, drawn)


def _scale_over(points: Sequence[Point], unchanged: float | None) -> _Scale:
    """Return the scale that holds values and limits, and of long intervals as much again."""
    numbers = [item.value for item in points if item.value is not None]
    numbers += [bound.at for item in points for bound in item.bounds]
    numbers += [] if unchanged is None else [unchanged]
    numbers = [min(max(number, -_FARTHEST), _FARTHEST) for number in numbers]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    room = (high - low) or abs(high) or 1.0
    ends = [end for item in points for end in (item.low, item.high) if end is not None]
    low, high = (
        max(min([low, *ends]), low - room),
        min(max([high, *ends]), high + room),
    )
    size = max(abs(low), abs(high))
    length = high - low if high - low > _FINEST * size else size
    edge = 0.06 * (length or 1.0) + _SMALLEST
    # Of what cannot be negative nothing below 0 is drawn.
    return _Scale(low if low == 0.0 else low - edge, high + edge, _HEIGHT - _BOTTOM, _TOP)


def _grid(scale: _Scale) -> Iterator[str]:
    step = _step(scale.high - scale.low)
    first = -(-scale.low // step) * step
    for tick in (first + step * count for count in range(_TICKS)):
        if tick > scale.high:
            return
        y = scale.at(tick)
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" class="grid"/>'
        yield _text(_LEFT - 8, y + 4, f"{round(tick, 10):.4g}", "end", "quiet")


def _step(length: float) -> float:
    """Return a round step that makes two to five of a length."""
    power = 10.0 ** floor(log10(length))
    return next(size * power for size in (0.2, 0.5, 1.0, 2.0) if length / (size * power) <= 5)  # noqa: PLR2004  # as said


def _unchanged(scale: _Scale, unchanged: float | None) -> Iterator[str]:
    if unchanged is not None:
        y = scale.at(unchanged)
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" class="same"/>'


def _bounds(scale: _Scale, place: int, wide: float, point: Point) -> Iterator[str]:
    left, right = _LEFT + wide * place, _LEFT + wide * (place + 1)
    at = {bound.name: scale.at(bound.at) for bound in point.bounds}
    if "low" in at:
        height = at["low"] - at["high"]
        yield (
            f'<rect x="{left:.1f}" y="{at["high"]}" width="{wide:.1f}" height="{height:.1f}" class="band"/>'
        )
    for bound in point.bounds:
        y = scale.at(bound.at)
        yield f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y}" y2="{y}" class="bound {bound.name}"/>'


def _labels(scale: _Scale, points: Sequence[Point]) -> Iterator[str]:
    """Yield the names of the limits that hold last, none on top of another."""
    last: tuple[Bound, ...] = next((item.bounds for item in reversed(points) if item.bounds), ())
    taken: list[float] = []
    for bound in last:
        y = scale.at(bound.at)
        while any(abs(y - other) < _LABEL for other in taken):
            y -= 1.0
        taken.append(y)
        yield _text(_WIDTH - _RIGHT + 8, y + 4, f"{bound.name} {bound.at:.4g}", css="quiet")


def _course(scale: _Scale, points: Sequence[Point], wide: float) -> Iterator[str]:
    """Yield a line for each stretch of windows that have a number."""
    stretch: list[str] = []
    for place, point in enumerate((*points, None)):
        if point is not None and point.value is not None:
            stretch.append(f"{_LEFT + wide * (place + 0.5):.1f},{scale.at(point.value)}")
            continue
        if len(stretch) > 1:
            yield f'<polyline points="{" ".join(stretch)}" class="course"/>'
        stretch = []


def _gap(x: float, wide: float, point: Point) -> Iterator[str]:
    left, height = x - wide / 2 + 1, _HEIGHT - _BOTTOM - _TOP
    yield f'<rect x="{left:.1f}" y="{_TOP}" width="{wide - 2:.1f}" height="{height}" class="gap"/>'
    word = "not judged" if point.state == "not judged" else "no number"
    middle = _TOP + height / 2
    yield (
        f'<text x="{x:.1f}" y="{middle:.1f}" text-anchor="middle" class="quiet" '
        f'transform="rotate(-90 {x:.1f} {middle:.1f})">{word}</text>'
    )


def _mark(scale: _Scale, x: float, point: Point) -> Iterator[str]:
    value = 0.0 if point.value is None else point.value
    if point.low is not None or point.high is not None:
        low = scale.at(scale.low if point.low is None else point.low)
        high = scale.at(scale.high if point.high is None else point.high)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{high}" class="whisker {point.state}"/>'
        for end, y, away in ((point.low, low, 5), (point.high, high, -5)):
            beyond = end is None or not scale.low <= end <= scale.high
            if beyond:  # an arrow: it goes on outside the drawing
                yield (
                    f'<polygon points="{x:.1f},{y + away} {x - 4:.1f},{y} {x + 4:.1f},{y}" class="mark {point.state}"/>'
                )
    yield _shape(point.state, x, scale.at(value))


def _shape(state: str, x: float, y: float) -> str:
    match state:
        case "critical":
            return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" class="mark critical"/>'
        case "warning":
            corners = f"{x:.1f},{y - 6:.1f} {x - 6:.1f},{y + 5:.1f} {x + 6:.1f},{y + 5:.1f}"
            return f'<polygon points="{corners}" class="mark warning"/>'
        case "ok":
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" class="mark ok"/>'
        case _:
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" class="mark hollow"/>'


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _text(x: float, y: float, text: str, anchor: str = "start", css: str = "") -> str:
    named = f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>{escape(text)}</text>'


def _svg(key: str, height: float, title: str, said: str, drawn: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704  # every text in it was escaped
        f'<svg role="img" aria-labelledby="{key}-t {key}-d" viewBox="0 0 {_WIDTH} {height:.0f}">'
        f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(said)}</desc>'
        + "".join(drawn)
        + "</svg>"
    )
