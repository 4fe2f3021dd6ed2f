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
    for folder in (PACKAGE, ROOT / "tests" / "golden"):
        yield from (path for path in sorted(folder.rglob("*")) if path.suffix in SHOWN)


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


def test_no_message_says_more_than_was_measured():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in spoken(path)
        if NEVER.search(text)
    ]
    assert found == [], f"{WORDS.relative_to(ROOT)} has other words"


def test_no_output_says_more_than_was_measured():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in shown()
        for match in NEVER.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == [], f"{WORDS.relative_to(ROOT)} has other words"


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
    missing = [word for word in ("fair", "unbiased", "compliant", "passed") if word not in text]
    assert missing == []
