"""Drawings of the report: SVG without script, each said in words and beside a table."""

from collections.abc import Callable, Sequence
from math import floor, log, log10

from markupsafe import Markup, escape
from msgspec import Struct

from monitor.reports.bias.document import Figure, MetricTable, Point, Role
from monitor.reports.bias.looks import look, percent

_WIDTH, _ROW, _LEFT, _RIGHT = 760, 26, 190, 160
_TICKS = (0.1, 0.2, 0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 3.0, 4.0, 5.0, 8.0, 10.0)
_FARTHEST = 20.0
"""A ratio is drawn at most this far from 1: what is farther ends in an arrow."""

_NEAREST = 0.8
"""Every axis of ratios reaches at least this far below 1, and as far above."""

_COLUMNS = 3


class _Axis(Struct, frozen=True):
    """From numbers to places along a line."""

    low: float
    high: float
    start: float
    end: float
    scale: Callable[[float], float] = float

    def at(self, value: float) -> float:
        first, last = self.scale(self.low), self.scale(self.high)
        within = min(max(value, self.low), self.high)
        share = (self.scale(within) - first) / (last - first)
        return round(self.start + share * (self.end - self.start), 1)


def forest(table: MetricTable, name: str, key: str) -> Markup:
    """Return a drawing of every ratio with its interval, on a logarithmic axis.

    Args:
        table: The comparisons.
        name: Name of the population.
        key: Unique in the page.
    """
    items = [item for item in table.comparisons if item.ratio is not None]
    if not items:
        return Markup("")
    axis = _ratio_axis([item.ratio for item in items if item.ratio], table.tolerated)
    height = 34 + _ROW * len(items) + 34
    drawn = [_band(axis, table.tolerated, 30, height - 34), _grid(axis, 30, height - 34)]
    for place, item in enumerate(items):
        y = 30 + _ROW * place + _ROW / 2
        ratio = item.ratio
        assert ratio is not None  # noqa: S101  # by the choice of items
        seen = look(item.answer)
        low = axis.at(ratio.low or axis.low)
        high = axis.at(axis.high if ratio.high is None else ratio.high)
        text = f"{ratio.value:.2f} ({ratio.low or 0:.2f}–{_end(ratio.high)})"
        drawn += [
            _text(_LEFT - 10, y + 4, item.group, "end"),
            f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{seen.ink}" stroke-width="2"/>',
            _mark(seen.shape, axis.at(ratio.value), y, seen.ink),
            _text(_WIDTH - _RIGHT + 10, y + 4, text),
        ]
    drawn.append(_text(0, 20, "held against " + _reference(table), css="quiet"))
    drawn.append(_text(_WIDTH - _RIGHT + 10, 20, "ratio (95 % interval)", css="quiet"))
    said = "; ".join(
        f"{item.group} {item.ratio.value:.2f}, {look(item.answer).word}"
        for item in items
        if item.ratio is not None
    )
    return _svg(key, height, f"Ratios to the reference group: {name}", said, drawn)


def dots(table: MetricTable, name: str, key: str) -> Markup:
    """Return a drawing of every rate with its interval.

    Args:
        table: The comparisons.
        name: Name of the population.
        key: Unique in the page.
    """
    items = [(item, item.rate) for item in table.comparisons if item.rate is not None]
    if not items:
        return Markup("")
    most = max(rate.value if rate.high is None else rate.high for _, rate in items)
    axis = _Axis(0.0, min(max(most * 1.08, 0.001), 1.0), _LEFT, _WIDTH - _RIGHT)
    height = 34 + _ROW * len(items) + 34
    drawn = [_text(_WIDTH - _RIGHT + 10, 20, "positive of rows", css="quiet")]
    step = _step(axis.high)
    for index in range(int(axis.high / step) + 1):
        x = axis.at(step * index)
        drawn.append(f'<line x1="{x}" x2="{x}" y1="30" y2="{height - 34}" class="grid"/>')
        drawn.append(_text(x, height - 16, f"{step * index * 100:.4g}\u00a0%", "middle", "quiet"))
    for place, (item, rate) in enumerate(items):
        y = 30 + _ROW * place + _ROW / 2
        low, high = axis.at(rate.low or 0.0), axis.at(axis.high if rate.high is None else rate.high)
        ink = "#1b1b1b" if item.role is Role.REFERENCE else "#2a5d9c"
        drawn += [
            _text(_LEFT - 10, y + 4, item.group, "end"),
            f'<line x1="{low}" x2="{high}" y1="{y}" y2="{y}" stroke="{ink}" stroke-width="2"/>',
            f'<circle cx="{axis.at(rate.value)}" cy="{y}" r="4.5" fill="{ink}"/>',
            _text(_WIDTH - _RIGHT + 10, y + 4, f"{rate.events:,} of {rate.rows:,}"),
        ]
    said = "; ".join(f"{item.group} {percent(rate.value)}" for item, rate in items)
    return _svg(key, height, f"Rates with 95 % intervals: {name}", said, drawn)


def trend(
    table: MetricTable,
    steps: Sequence[str],
    marks: Sequence[tuple[int, str]],
    name: str,
    key: str,
) -> Markup:
    """Return a small drawing for each group: its ratio in the order of time.

    Args:
        table: Has the trend.
        steps: Names of the steps.
        marks: Steps before which something happened, with a letter.
        name: Name of the population.
        key: Unique in the page.
    """
    groups = list(dict.fromkeys(point.group for point in table.trend if point.ratio is not None))
    if not groups or len(steps) < 2:  # noqa: PLR2004  # no course in time
        return Markup("")
    ratios = [point.ratio for point in table.trend if point.ratio is not None]
    across, down = _WIDTH / _COLUMNS, 130
    height = down * -(-len(groups) // _COLUMNS)
    drawn: list[str] = []
    for place, group in enumerate(groups):
        left, top = across * (place % _COLUMNS), down * (place // _COLUMNS)
        axis = _ratio_axis(ratios, table.tolerated, top + 98, top + 26)
        points = [point for point in table.trend if point.group == group]
        then = next((item.ratio_then for item in table.comparisons if item.group == group), None)
        frame = _Frame(left, top, across, axis, table.tolerated, then)
        drawn += frame.drawn(points, steps, marks)
    said = "; ".join(_course(table, group) for group in groups)
    return _svg(key, height, f"Ratios in the order of time: {name}", said, drawn)


class _Frame(Struct, frozen=True):
    """One of the small drawings: where it is, and how ratios are placed in it."""

    left: float
    top: float
    across: float
    axis: _Axis
    tolerated: tuple[float | None, float | None]
    then: Figure | None

    def drawn(
        self, points: Sequence[Point], steps: Sequence[str], marks: Sequence[tuple[int, str]]
    ) -> list[str]:
        begin, finish, top, axis = self.left + 34, self.left + self.across - 12, self.top, self.axis
        wide = (finish - begin) / len(steps)
        low, high = _tolerated(axis, self.tolerated)
        drawn = [
            _text(begin, top + 16, points[0].group, css="strong"),
            (
                f'<rect x="{begin:.1f}" y="{high}" width="{finish - begin:.1f}" '
                f'height="{low - high:.1f}" class="band"/>'
            ),
            *self._baseline(begin, finish),
            (
                f'<line x1="{begin:.1f}" x2="{finish:.1f}" y1="{axis.at(1.0)}" y2="{axis.at(1.0)}" '
                'class="one"/>'
            ),
            *self._ticks(begin),
        ]
        for step, letter in marks:
            x = f"{begin + wide * step:.1f}"
            drawn.append(
                f'<line x1="{x}" x2="{x}" y1="{top + 26}" y2="{top + 98}" class="event"/>'
                + _text(begin + wide * step, top + 110, letter, "middle")
            )
        places = [begin + wide * (point.step + 0.5) for point in points]
        drawn += self._course(points, places)
        drawn.append(_text(begin, top + 122, steps[0], css="quiet"))
        drawn.append(_text(finish, top + 122, steps[-1], "end", "quiet"))
        return drawn

    def _baseline(self, begin: float, finish: float) -> list[str]:
        """Return the ratio in the baseline as a line, and its interval as a strip as a strip."""
        if self.then is None or not self.then.value:
            return []
        y = self.axis.at(self.then.value)
        low = self.axis.at(self.then.low or self.axis.low)
        high = self.axis.at(self.axis.high if self.then.high is None else self.then.high)
        line = f'<line x1="{begin:.1f}" x2="{finish:.1f}" y1="{y}" y2="{y}" class="then"/>'
        if self.then.low is None:
            return [line]
        strip = (
            f'<rect x="{begin:.1f}" y="{high}" width="{finish - begin:.1f}" '
            f'height="{low - high:.1f}" class="strip"/>'
        )
        return [strip, line]

    def _ticks(self, begin: float) -> list[str]:
        drawn: list[str] = []
        taken: list[float] = []
        for value in (1.0, *_TICKS):
            y = self.axis.at(value)
            if self.axis.low <= value <= self.axis.high and all(
                abs(y - other) >= 12  # noqa: PLR2004  # a label's height
                for other in taken
            ):
                taken.append(y)
                drawn.append(_text(begin - 5, y + 4, f"{value:g}", "end", "quiet"))
        return drawn

    def _course(self, points: Sequence[Point], places: Sequence[float]) -> list[str]:
        axis = self.axis
        found = [
            (x, point.ratio, look(point.answer))
            for x, point in zip(places, points, strict=True)
            if point.ratio is not None
        ]
        line = " ".join(f"{x:.1f},{axis.at(ratio.value)}" for x, ratio, _ in found)
        drawn = [f'<polyline points="{line}" class="course"/>']
        for x, ratio, seen in found:
            low = axis.at(ratio.low or axis.low)
            high = axis.at(axis.high if ratio.high is None else ratio.high)
            drawn.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low}" y2="{high}" stroke="{seen.ink}" '
                'stroke-width="1.5"/>' + _mark(seen.shape, x, axis.at(ratio.value), seen.ink)
            )
        return drawn


def _course(table: MetricTable, group: str) -> str:
    values = [
        "not shown" if point.ratio is None else f"{point.ratio.value:.2f}"
        for point in table.trend
        if point.group == group
    ]
    return f"{group}: {', '.join(values)}"


def _ratio_axis(
    ratios: Sequence[Figure],
    tolerated: tuple[float | None, float | None],
    start: float = _LEFT,
    end: float = _WIDTH - _RIGHT,
) -> _Axis:
    numbers = [number for item in ratios for number in (item.low, item.value, item.high) if number]
    numbers += [number for number in (*tolerated, _NEAREST, 1 / _NEAREST) if number]
    low, high = min(numbers) * 0.96, max(numbers) * 1.04
    return _Axis(max(low, 1 / _FARTHEST), min(high, _FARTHEST), start, end, log)


def _tolerated(axis: _Axis, bounds: tuple[float | None, float | None]) -> tuple[float, float]:
    low, high = bounds
    return axis.at(low or axis.low), axis.at(high or axis.high)


def _band(axis: _Axis, bounds: tuple[float | None, float | None], top: float, bottom: float) -> str:
    low, high = _tolerated(axis, bounds)
    drawn = (
        f'<rect x="{low}" y="{top}" width="{high - low:.1f}" height="{bottom - top}" class="band"/>'
    )
    for bound in bounds:
        if bound:
            x = axis.at(bound)
            drawn += f'<line x1="{x}" x2="{x}" y1="{top}" y2="{bottom}" class="bound"/>'
    return drawn


def _grid(axis: _Axis, top: float, bottom: float) -> str:
    drawn = []
    last = -100.0
    for value in _TICKS:
        if not axis.low <= value <= axis.high:
            continue
        x = axis.at(value)
        css = "one" if value == 1.0 else "grid"
        drawn.append(f'<line x1="{x}" x2="{x}" y1="{top}" y2="{bottom}" class="{css}"/>')
        if x - last > 28:  # noqa: PLR2004  # a label's width
            drawn.append(_text(x, bottom + 18, f"{value:g}", "middle", "quiet"))
            last = x
    return "".join(drawn)


def _step(high: float) -> float:
    """Return a round step that makes three to seven of a length."""
    power = 10.0 ** floor(log10(high))
    return next(size * power for size in (0.1, 0.2, 0.5, 1.0, 2.0) if high / (size * power) <= 7)  # noqa: PLR2004  # as said


def _mark(shape: str, x: float, y: float, ink: str) -> str:
    match shape:
        case "square":
            return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{ink}"/>'
        case "triangle":
            points = f"{x:.1f},{y - 6:.1f} {x - 6:.1f},{y + 5:.1f} {x + 6:.1f},{y + 5:.1f}"
            return f'<polygon points="{points}" fill="{ink}"/>'
        case "diamond":
            points = (
                f"{x:.1f},{y - 6:.1f} {x - 6:.1f},{y:.1f} {x:.1f},{y + 6:.1f} {x + 6:.1f},{y:.1f}"
            )
            return f'<polygon points="{points}" fill="{ink}"/>'
        case "ring":
            return (
                f'<circle cx="{x}" cy="{y}" r="4.5" fill="#fff" stroke="{ink}" stroke-width="2"/>'
            )
        case _:
            return f'<circle cx="{x}" cy="{y}" r="4.5" fill="{ink}"/>'


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:.2f}"


def _reference(table: MetricTable) -> str:
    return next((item.group for item in table.comparisons if item.role is Role.REFERENCE), "–")


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
