"""The table of false alarms as a picture: a dot and its interval for each tool and stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.alarms.rates import Rate

WIDTH, LEFT, RIGHT = 840, 375, 36
TOP, ROW, BOTTOM = 92, 34, 44
LANE = 9
COLOURS = {"modelmon": "#0b6e4f", "Evidently": "#c4461a", "NannyML": "#3b5bb5"}
SHAPES = {"modelmon": "circle", "Evidently": "square", "NannyML": "diamond"}
"""Told apart without colour as well."""


@dataclass(frozen=True)
class Line:
    """One line of the picture.

    Attributes:
        label: What was drawn.
        rates: Tool to its rate; a tool that was not run is not there.
        promise: The largest share that modelmon promises.
    """

    label: str
    rates: dict[str, Rate]
    promise: float


def svg(title: str, about: str, axis: str, lines: Sequence[Line]) -> str:
    """Return the picture.

    Args:
        title: What it shows, for people who see it and for those who have it read to them.
        about: What can be read off it, in two sentences: its text alternative.
        axis: What the horizontal position means.
        lines: From top to bottom.
    """
    height = TOP + ROW * len(lines) + BOTTOM
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-labelledby="title about" font-family="system-ui, sans-serif" font-size="13">'
        ),
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="about">{escape(about)}</desc>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 26, title, size=15, weight="bold"),
        *_legend(),
        *_ticks(height),
    ]
    for number, line in enumerate(lines):
        parts += _line(line, TOP + ROW * number)
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, height - 8, axis, anchor="middle", fill="#444"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(share: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * share


def _legend() -> list[str]:
    parts = []
    for number, tool in enumerate(COLOURS):
        x = 24 + 110 * number
        parts += [_mark(tool, x, 52), _text(x + 12, 56, tool)]
    x = 24 + 110 * len(COLOURS)
    parts.append(f'<rect x="{x - 6}" y="46" width="12" height="12" fill="#0b6e4f" opacity="0.15"/>')
    return [*parts, _text(x + 12, 56, "what modelmon promises")]


def _ticks(height: int) -> list[str]:
    parts = []
    for tenth in range(0, 11, 2):
        x = _x(tenth / 10)
        end = height - BOTTOM
        parts.append(f'<path d="M{x:.1f} {TOP - 12}V{end}" stroke="#ddd"/>')
        parts.append(_text(x, end + 16, f"{tenth * 10} %", anchor="middle", fill="#444"))
    return parts


def _line(line: Line, top: float) -> list[str]:
    middle = top + ROW / 2 - 6
    band = _x(line.promise) - _x(0)
    parts = [
        _text(LEFT - 14, middle + 4, line.label, anchor="end"),
        (
            f'<rect x="{_x(0)}" y="{top - 4}" width="{band:.1f}" height="{ROW - 4}" fill="#0b6e4f" '
            'opacity="0.15"/>'
        ),
    ]
    for lane, tool in enumerate(COLOURS):
        if tool not in line.rates:
            continue
        rate, y = line.rates[tool], middle + LANE * (lane - 1)
        low, high = rate.interval
        told = escape(f"{tool}, {line.label}: {rate}")
        parts.append(
            f'<g><title>{told}</title><path d="M{_x(low):.1f} {y}H{_x(high):.1f}" '
            f'stroke="{COLOURS[tool]}" stroke-width="2"/>{_mark(tool, _x(rate.share), y)}</g>'
        )
    return parts


def _mark(tool: str, x: float, y: float) -> str:
    fill = f'fill="{COLOURS[tool]}"'
    match SHAPES[tool]:
        case "circle":
            return f'<circle cx="{x:.1f}" cy="{y}" r="4.5" {fill}/>'
        case "square":
            return f'<rect x="{x - 4:.1f}" y="{y - 4}" width="8" height="8" {fill}/>'
        case _:
            return f'<path d="M{x:.1f} {y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z" {fill}/>'


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 13,
    weight: str = "normal",
    anchor: str = "start",
    fill: str = "#111",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'
    )
