import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from monitor.cli.output import printable, say, write_document, write_tables
from monitor.reports.summary import Table


@pytest.mark.parametrize("text", ["", "day=1/a b.parquet", "prénom 😀"])
def test_a_text_that_harms_no_terminal_is_shown_as_it_is(text):
    assert printable(text) == text


@given(st.text(st.characters()), st.text(st.characters()))
def test_what_is_shown_is_printable_and_different_texts_stay_different(one, other):
    assert printable(one).isprintable()
    assert (printable(one) == printable(other)) == (one == other)


def test_a_name_that_looks_like_an_escape_is_told_from_one_that_is():
    assert printable("a\nb") == r"a\nb"
    assert printable(r"a\nb") == r"a\\nb"


def test_names_cannot_change_what_a_terminal_shows(capsys):
    table = Table("Files", ("path",), (("new\nline \x1b[31m red \ud800.parquet",),))
    write_tables([table], "table")
    shown = capsys.readouterr().out
    assert r"new\nline \x1b[31m red \ud800.parquet" in shown
    assert "\x1b[31m" not in shown


def test_names_in_a_message_cannot_change_what_a_terminal_shows(capsys):
    say("not read: \x1b[2Jred\udc80.parquet\nnot read: C:\\日本\r.parquet")
    assert capsys.readouterr().err.splitlines() == [
        r"not read: \x1b[2Jred\udc80.parquet",
        "not read: C:\\日本\\r.parquet",
    ]


def test_a_document_is_json_that_any_output_can_hold(capsys):
    write_document({"path": "\ud800é"})
    shown = capsys.readouterr().out
    shown.encode("utf-8")
    assert json.loads(shown) == {"path": "\ud800é"}


FILES = Table(
    "Files",
    ("path", "rows", "why"),
    (("a.parquet", "1,000,000", ""), ("日本.parquet", "7", "critical torn")),
    note="Two files.",
)
SENTENCE = Table("In short", ("what",), (("Nothing was found.",),))


def test_tables_that_no_terminal_shows_are_plain_lines_with_their_columns_beneath_each_other(
    capsys,
):
    write_tables([SENTENCE, FILES], "table")
    assert capsys.readouterr().out.splitlines() == [
        "In short",
        " Nothing was found.",
        "",
        "Files",
        "",
        "  path           rows        why",
        " " + "─" * 42,
        "  a.parquet      1,000,000",
        "  日本.parquet   7           critical torn",
        "",
        "  Two files.",
        "",
    ]


def test_tables_hold_what_a_terminal_would_show(capsys, monkeypatch):
    write_tables([SENTENCE, FILES], "table")
    plain = capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    write_tables([SENTENCE, FILES], "table")
    drawn = capsys.readouterr().out
    assert "\x1b[1;31mcritical" in drawn
    assert re.sub(r"\x1b\[[\d;]*m", "", drawn).split() == plain.split()


def drawn_on(columns, tables, monkeypatch, capsys):
    """Return what a terminal of so many columns shows, without its colours."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    write_tables(tables, "table")
    return re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)


WIDE_TABLE = Table(
    "Findings",
    tuple(f"column {place}" for place in range(12)),
    tuple(
        tuple(f"{name}{place}" + "w" * 7 for place in range(12)) for name in ("one", "two", "日本")
    ),
    note="Three rows.",
    drawn=("column 11",),
)


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 160, 200])
def test_a_terminal_cuts_nothing_off_however_narrow_it_is(columns, monkeypatch, capsys):
    shown = drawn_on(columns, [WIDE_TABLE, FILES, SENTENCE], monkeypatch, capsys)
    assert max(map(cell_len, shown.splitlines())) <= columns
    cells = {cell for table in (WIDE_TABLE, FILES, SENTENCE) for row in table.rows for cell in row}
    assert not {word for cell in cells for word in cell.split()} - set(shown.split())


def test_the_cells_of_a_row_stand_below_each_other_where_they_fit_not_beside(monkeypatch, capsys):
    table = Table("Files", ("path", "why"), (("a" * 24, "b" * 24), ("c" * 24, "")))
    lines = [line.split() for line in drawn_on(40, [table], monkeypatch, capsys).splitlines()]
    assert [line for line in lines if line] == [
        ["Files"],
        ["path", "a" * 24],
        ["why", "b" * 24],
        ["path", "c" * 24],
    ]
    (heading, *_) = (
        line
        for line in drawn_on(80, [table], monkeypatch, capsys).splitlines()
        if line.startswith("  path")
    )
    assert heading.split() == ["path", "why"]


@pytest.mark.parametrize("columns", [None, 40, 200])
def test_names_in_titles_headings_and_notes_are_harmless_too(columns, monkeypatch, capsys):
    table = Table(
        "of a\nb", ("c\nd", "\x1b[31me"), (("1", "2"),), note="First line.\n  Of \x1b[31mf."
    )
    if columns is None:
        write_tables([table], "table")
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
    else:
        shown = drawn_on(columns, [table], monkeypatch, capsys)
    for text in (r"of a\nb", r"c\nd", r"\x1b[31me", "First line.\n", r"  Of \x1b[31mf."):
        assert text in shown


def test_tables_are_written_to_an_output_of_letters_without_accents(monkeypatch):
    written = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", written)
    write_tables([Table("1 × 2", ("é", "→"), (("≥", "日"),))], "table")
    written.seek(0)
    assert written.read().splitlines() == [
        "1 x 2",
        "",
        r"  \xe9   ->",
        " " + "-" * 15,
        r"  >=     \u65e5",
        "",
    ]
