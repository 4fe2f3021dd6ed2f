"""Data on standard output, messages on standard error, progress on a terminal only."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, Literal

import click

from monitor.engine.progress import Progress, Silent
from monitor.reports.table import Table

if TYPE_CHECKING:
    from rich.table import Table as Drawn

Output = Literal["table", "json"]

LONGEST_WORD = 24
"""Characters up to which a word is never broken, however narrow the terminal is."""

WIDE = 1000
"""Columns where there is no terminal: lines are as long as they need to be."""

_USUAL_COLUMNS = 80

_BETWEEN_COLUMNS = 3
"""Blanks between two columns that are drawn on a terminal."""

_SURROGATE = re.compile("[\ud800-\udfff]")

output_option = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How data are written to standard output.",
)


def say(message: str) -> None:
    """Tell a person something, on standard error.

    A message has lines and may hold names from elsewhere: what else is not printable is written as
    an escape, so that no name can change what a terminal shows.
    """
    told = (
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1]
        for letter in message
    )
    click.echo("".join(told), err=True)


def write_document(document: Any) -> None:
    """Write a document to standard output, as JSON."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    # A lone surrogate, from a name that was no text, can be written as an escape only.
    print(_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def printable(text: str) -> str:
    """Return a text in which nothing can change what a terminal shows.

    Names of files and groups come from elsewhere: what is not printable is written as an escape,
    and so is the backslash, so that different names are never shown as the same.
    """
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(
        character
        if character.isprintable() and character != "\\"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


_PLAIN = str.maketrans(
    {
        "–": "-",
        "−": "-",
        "─": "-",
        "→": "->",
        "←": "<-",
        "≥": ">=",
        "≤": "<=",
        "×": "x",
        "…": "...",
        "’": "'",
        "∞": "inf",
        "█": "#",
        "▌": "=",
        "░": "-",
        "●": "*",
        "├": "|",
        "┤": "|",
        "┊": ":",
    }
)
"""What is written instead where the output has no such characters; drawings keep their width."""


def encodable(text: str) -> str:
    """Return a text that standard output can be given, whatever its encoding is."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def plot_width() -> int:
    """Return how many characters a drawing beside figures may be wide."""
    columns = get_terminal_size().columns if sys.stdout.isatty() else _USUAL_COLUMNS
    return min(max(columns - 56, 8), 40)


def write_tables(tables: Sequence[Table], output: Output) -> None:
    """Write tables to standard output."""
    if output == "json":
        found = [
            {
                "title": table.title,
                "rows": [dict(zip(table.columns, row, strict=True)) for row in table.rows],
            }
            for table in tables
        ]
        write_document(found)
        return
    if sys.stdout.isatty() or os.environ.get("FORCE_COLOR"):
        _draw(tables)
        return
    for table in tables:
        print(*map(encodable, _lines(table)), sep="\n")


def _shown(text: str) -> str:
    """Return what is shown of a text that may hold names from elsewhere."""
    return encodable(printable(text))


def _note(table: Table) -> str:
    """Return what is shown of a note, whose own lines stay lines."""
    return "\n".join(map(_shown, table.note.split("\n")))


def _lines(table: Table) -> Iterator[str]:
    """Write a table as text: what no terminal shows needs no colours, and its lines no folding."""
    from rich.cells import cell_len

    yield _shown(table.title)
    shown = [list(map(_shown, row)) for row in (table.columns, *table.rows)]
    if len(table.columns) == 1:
        yield from (f" {cell}" for (cell,) in shown[1:])
    else:
        padded = zip(*map(_padded, zip(*shown, strict=True)), strict=True)
        header, *lines = (f"  {'   '.join(row)}" for row in padded)
        yield from ("", header.rstrip(), f" {'─' * cell_len(header)}", *map(str.rstrip, lines))
    yield ""
    if table.note:
        yield from (f"  {_note(table)}", "")


def _padded(cells: Sequence[str]) -> list[str]:
    """Return the cells of a column, each as wide as the widest is on paper and screen."""
    from rich.cells import cell_len

    width = max(map(cell_len, cells))
    return [cell + " " * (width - cell_len(cell)) for cell in cells]


def _draw(tables: Sequence[Table]) -> None:
    """Draw tables on a terminal, as wide as it is."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    for table in tables:
        if len(table.columns) == 1 or _least_width(table) <= console.width:
            console.print(_as_columns(table))
        else:
            console.print(_as_records(table))
        console.print(f"  [dim]{escape(_note(table))}[/]\n" if table.note else "")


def _least(table: Table) -> list[int]:
    """Return how narrow each column may become before more than its longest words is broken."""
    from rich.cells import cell_len

    found = []
    for column, *cells in zip(table.columns, *table.rows, strict=True):
        if column in table.drawn:
            found.append(max(map(cell_len, (column, *cells))))
            continue
        words = [word for text in (column, *cells) for word in _shown(text).split()]
        found.append(min(max(map(cell_len, words), default=0), LONGEST_WORD))
    return found


def _least_width(table: Table) -> int:
    """Return how narrow a table may become before a terminal cuts its last columns off."""
    return sum(width + _BETWEEN_COLUMNS for width in _least(table)) + 1


def _as_columns(table: Table) -> "Drawn":
    """Return a table with its columns beside each other."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table as Drawn

    sentences = len(table.columns) == 1
    drawn = Drawn(
        title=escape(_shown(table.title)),
        title_justify="left",
        box=None if sentences else box.SIMPLE_HEAD,
        show_header=not sentences,
    )
    for column, least in zip(table.columns, _least(table), strict=True):
        heading = escape(_shown(column))
        if column in table.drawn:
            drawn.add_column(heading, no_wrap=True, overflow="crop")
        else:
            drawn.add_column(heading, overflow="fold", min_width=least)
    for row in table.rows:
        drawn.add_row(*map(_coloured, map(_shown, row)))
    return drawn


def _as_records(table: Table) -> "Drawn":
    """Return a table with the cells of each row below each other: too many columns for beside."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table as Drawn

    drawn = Drawn(
        title=escape(_shown(table.title)),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_header=False,
    )
    drawn.add_column(style="dim", overflow="fold", max_width=LONGEST_WORD)
    drawn.add_column(overflow="fold")
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            if cell:
                drawn.add_row(escape(_shown(column)), _coloured(_shown(cell)))
        drawn.add_section()
    return drawn


_COLOURS = {
    "critical": "bold red",
    "breach": "bold red",
    "warning": "yellow",
    "suspected": "yellow",
    "unknown": "magenta",
    "no_data": "magenta",
    "ok": "green",
    "fail": "bold red",
    "warn": "yellow",
}


def _coloured(cell: str) -> str:
    """Return a cell with its first word in the colour of a verdict, if it is one."""
    from rich.markup import escape

    first, space, rest = cell.partition(" ")
    colour = _COLOURS.get(first)
    return f"[{colour}]{first}[/]{space}{escape(rest)}" if colour else escape(cell)


class _Bar:
    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance

    def advance(self, rows: int) -> None:
        self._advance(rows)


@contextmanager
def progress_bar(what: str, unit: str = "rows", total: int | None = None) -> Iterator[Progress]:
    """Show how far something has got: a bar on a terminal, nothing in a pipe.

    Args:
        what: What is being done, or to what.
        unit: What is counted.
        total: How many there will be; None when nobody knows.
    """
    if not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f}" + ("" if total is None else f" of {total:,}")),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield _Bar(lambda rows: bars.advance(task, rows))
