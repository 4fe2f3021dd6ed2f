"""Ceilings where the best codebases' tails end, and names that say nothing."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "monitor"
MODULES = sorted(PACKAGE.rglob("*.py"))
SIZED = [*MODULES, *sorted((ROOT / "dashboards").rglob("*.py"))]

MODULE_LINES = 500
FUNCTION_LINES = 60
NOTHING_SAYING = {"utils", "util", "common", "helpers", "helper", "misc", "base", "manager"}
UNFINISHED = ("TODO", "FIXME", "XXX", "NotImplementedError")


def name_of(path):
    return str(path.relative_to(ROOT))


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def is_docstring(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def body_lines(function):
    body = function.body[1:] if is_docstring(function.body[0]) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", SIZED, ids=name_of)
def test_a_module_fits_in_one_sitting(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE_LINES, f"{name_of(path)} has {lines} lines: which noun can leave it?"


@pytest.mark.parametrize("path", SIZED, ids=name_of)
def test_a_function_fits_on_a_screen(path):
    long = {
        f"{name_of(path)}:{function.lineno} {function.name}": body_lines(function)
        for function in functions(parsed(path))
        if body_lines(function) > FUNCTION_LINES
    }
    assert long == {}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_named_after_what_is_in_it(path):
    names = set(path.relative_to(PACKAGE).with_suffix("").parts)
    assert not names & NOTHING_SAYING


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_left_for_later(path):
    text = path.read_text(encoding="utf-8")
    assert [word for word in UNFINISHED if word in text] == []


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*/**/__init__.py")), ids=name_of)
def test_a_package_file_is_a_docstring_and_nothing_else(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), f"{name_of(path)} does not say what the package is"
    assert len(tree.body) == 1, f"{name_of(path)}: import from the defining module instead"
