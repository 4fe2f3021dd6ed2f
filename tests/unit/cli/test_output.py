import json

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
