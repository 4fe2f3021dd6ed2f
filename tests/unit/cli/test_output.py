import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.output import printable, write_document, write_tables
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
