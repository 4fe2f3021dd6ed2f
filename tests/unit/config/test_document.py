"""YAML as plain values, with the place of everything."""

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from monitor.config import document as module
from monitor.config.document import dotted, parse_document, plain_value, read_document

WORDS = [
    form(word)
    for word in (
        "y",
        "n",
        "yes",
        "no",
        "on",
        "off",
        "true",
        "false",
        "null",
        ".inf",
        "-.inf",
        ".nan",
    )
    for form in (str.lower, str.title, str.upper)
]


def values_of(text):
    document = parse_document("file.yaml", text)
    assert document.problems == ()
    return document.value


def messages_of(text):
    return [str(problem) for problem in parse_document("file.yaml", text).problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("0.50", 0.5),
        ("1e5", 100000.0),
        (".5", 0.5),
        ("~", None),
        ("", None),
        ("Null", None),
        ("2005-06-01", "2005-06-01"),
        ("15m", "15m"),
        ("127.0.0.1", "127.0.0.1"),
        ("nothing", "nothing"),
        ("1:99", "1:99"),
    ],
)
def test_a_scalar_without_quotes_means_what_yaml_1_2_says(text, value):
    assert plain_value(text) == value
    assert type(plain_value(text)) is type(value)


@pytest.mark.parametrize("text", ["y", "N", "yes", "No", "ON", "off"])
def test_a_boolean_word_of_yaml_1_1_is_refused(text):
    with pytest.raises(ValueError, match=f'write "{text}" in quotes, or (true|false)'):
        plain_value(text)


@pytest.mark.parametrize(
    "text", ["012", "-07", "0x1F", "0o17", "0b1", "1_000", "1:30", ".inf", ".NaN"]
)
def test_a_number_that_tools_read_differently_is_refused(text):
    with pytest.raises(ValueError, match="in quotes"):
        plain_value(text)


def read_by_yaml_1_1(text):
    """Return what PyYAML reads, or nothing if the text is no plain scalar."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        reject()
    assume(isinstance(node, yaml.ScalarNode) and node.value == text and not node.style)
    try:
        return yaml.safe_load(text)
    except ValueError:  # 2005-99-99 looks like a date to it
        return date.min


@pytest.mark.slow
@given(st.text(alphabet="0123456789_:.+-eExob", min_size=1, max_size=8) | st.sampled_from(WORDS))
def test_what_is_read_means_the_same_to_yaml_1_1_or_is_a_text_there(text):
    theirs = read_by_yaml_1_1(text)
    try:
        ours = plain_value(text)
    except ValueError:
        return
    if isinstance(theirs, date):
        assert ours == text
    elif isinstance(theirs, str):
        assert ours == text or (isinstance(ours, int | float) and float(text) == ours)
    else:
        assert (type(ours), ours) == (type(theirs), theirs)


def test_quotes_make_a_text_of_anything():
    assert values_of("a: 'no'\nb: \"012\"\nc: !!str yes\nd: |\n  1e5\n") == {
        "a": "no",
        "b": "012",
        "c": "yes",
        "d": "1e5\n",
    }


def test_every_key_and_value_has_its_place():
    document = parse_document("file.yaml", "a:\n  b: [x, y]\n  é: z\n")
    assert document.keys_at[("a", "b")] == (2, 3)
    assert document.values_at[("a", "b")] == (2, 6)
    assert document.values_at[("a", "b", 1)] == (2, 10)
    assert document.values_at[("a", "é")] == (3, 6)


def test_a_problem_without_a_place_is_at_the_nearest_section():
    document = parse_document("file.yaml", "a:\n  b: {c: 1}\n")
    assert str(document.problem(("a", "b", "d", "e"), "is missing")) == (
        "file.yaml:2:6: a.b.d.e: is missing"
    )
    assert document.problem(("a", "b", "d"), "", at_key=True).column == 3


def test_keys_are_texts_by_the_rule_of_values():
    assert values_of("1: a\ntrue: b\n'2': c\n1.5: d\n") == {
        "1": "a",
        "true": "b",
        "2": "c",
        "1.5": "d",
    }


def test_the_same_key_in_another_form_is_given_twice():
    assert messages_of("1: a\n'1': b\n") == [
        "file.yaml:2:1: 1: the key is given twice; the first is in line 1"
    ]


def test_an_alias_is_the_anchored_value():
    assert values_of("a: &x {k: [1]}\nb: *x\n") == {"a": {"k": [1]}, "b": {"k": [1]}}


def test_a_value_that_cannot_be_read_is_named_once_however_often_it_is_used():
    assert messages_of("a: &x no\nb: *x\nc: *x\n") == [
        'file.yaml:1:4: a: no is a boolean to some YAML tools; write "no" in quotes, or false'
    ]


def test_an_alias_within_its_own_anchor_is_refused():
    assert "no anchor &x" in messages_of("a: &x [*x]\n")[0]


def test_aliases_of_aliases_cost_no_more_than_they_are_long():
    lines = ["a0: &a0 [1]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)
    ]
    assert len(values_of("\n".join(lines))) == 40


@pytest.mark.parametrize("text", ["[" * 200_000, "{a: " * 200_000, "- " * 50_000])
def test_nesting_without_end_is_a_problem_and_not_the_end_of_the_process(text):
    assert "nested more than" in messages_of(text)[0]


def test_a_key_that_is_a_list_is_refused_and_its_value_skipped():
    assert messages_of("? [a, b]\n: {c: d}\ne: 1\n") == [
        "file.yaml:1:3: a key must be a plain or quoted text"
    ]


def test_comments_alone_are_an_empty_file():
    document = parse_document("file.yaml", "# nothing\n")
    assert document.value == {}
    assert document.whole


def test_a_file_is_read_with_its_byte_order_mark(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_bytes(b"\xef\xbb\xbfmodel: x\n")
    assert read_document(path).value == {"model": "x"}


def test_a_file_that_is_not_utf_8_is_a_problem_with_its_place(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_bytes("model: x\nowner: Müller\n".encode("latin-1"))
    (problem,) = read_document(path).problems
    assert (problem.line, problem.column) == (2, 9)
    assert "UTF-8" in problem.message


def test_a_file_that_is_not_there_is_a_problem():
    (problem,) = read_document(Path("nowhere.yaml")).problems
    assert str(problem) == "nowhere.yaml:1:1: cannot be read: No such file or directory"


def test_a_path_is_written_as_people_write_it():
    assert dotted(("crossings", 0, 1)) == "crossings[0][1]"
    assert dotted(("fields", "", "kind")) == 'fields."".kind'
    assert dotted(("fields", "a\nb")) == 'fields."a\\nb"'


def test_the_reader_without_libyaml_reads_the_same(monkeypatch):
    text = "a: [1, no, {b: 'x'}]\nb: &z {c: 2005-06-01}\nd: *z\na: 3\n"
    fast = parse_document("file.yaml", text)
    monkeypatch.setattr(module, "_LOADER", yaml.SafeLoader)
    assert parse_document("file.yaml", text) == fast
