"""Words that promise more than a measurement can: docs/concepts/words.md."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "monitor"
WORDS = ROOT / "docs" / "concepts" / "words.md"

NEVER = re.compile(
    r"\b(?:un)?fair(?:ly|ness)?\b|\bunbiased\b|\b(?:non-?)?compliant\b|\bpassed\b(?! over)",
    re.IGNORECASE,
)
CLAIM = re.compile(
    r"(?<!not by itself evidence of )\bdiscriminat(?:e|es|ed|ing|ion|ory)\b", re.IGNORECASE
)
"""Said of what was found; that it is no evidence of it may be said."""
FORBIDDEN = re.compile(r"^forbidden: \[.*\]$", re.MULTILINE)
"""The line of a regulation profile that lists words which a report must not use."""
NAMES = re.compile(r"bias|fair", re.IGNORECASE)
SHOWN = {".html", ".txt", ".json", ".md", ".prom", ".yaml", ".yml"}


def spoken(path):
    """Yield the texts of a module that a person may come to read: all but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.lineno, node.value


def shown():
    """Yield the files that hold output or templates of output."""
    for folder in (PACKAGE, ROOT / "tests" / "golden", ROOT / "dashboards"):
        yield from (path for path in sorted(folder.rglob("*")) if path.suffix in SHOWN)


def told(path):
    """Return what a file has to say to people, its blanks and line breaks as one blank each."""
    return " ".join(FORBIDDEN.sub("", path.read_text(encoding="utf-8")).split())


@pytest.mark.parametrize(
    "sentence",
    ["The model is fair.", "unbiased", "Compliant with policy", "5 checks passed", "Unfairness"],
)
def test_the_words_are_recognised(sentence):
    assert NEVER.search(sentence)


@pytest.mark.parametrize(
    "sentence",
    ["no disparity was detected", "bypassed", "passed over", "Fairlearn 0.15", "debiased PSI"],
)
def test_other_words_are_left_alone(sentence):
    assert not NEVER.search(sentence)


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        ("women are discriminated against", True),
        ("evidence of discrimination", True),
        ("A disparity is not by itself evidence of discrimination", False),
        ("indiscriminate", False),
    ],
)
def test_that_a_disparity_is_no_evidence_of_its_cause_may_be_said(sentence, claims):
    assert bool(CLAIM.search(sentence)) is claims


@pytest.mark.slow
def test_no_message_says_more_than_was_measured():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in spoken(path)
        if NEVER.search(text) or CLAIM.search(" ".join(text.split()))
    ]
    assert found == [], f"{WORDS.relative_to(ROOT)} has other words"


def test_no_output_says_more_than_was_measured():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in shown()
        for word in (NEVER, CLAIM)
        for match in word.finditer(told(path))
    ]
    assert found == [], f"{WORDS.relative_to(ROOT)} has other words"


@pytest.mark.slow
def test_code_names_disparities_and_not_bias():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and NAMES.search(node.name)
    ]
    assert found == []


def test_the_words_to_avoid_are_explained():
    text = WORDS.read_text(encoding="utf-8")
    words = "fair", "unbiased", "compliant", "passed", "discrimination"
    missing = [word for word in words if word not in text]
    assert missing == []
