"""Ceilings where the best codebases' tails end, and names that say nothing."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "monitor"
MODULES = sorted(PACKAGE.rglob("*.py"))
SIZED = [*MODULES, *sorted((ROOT / "dashboards").rglob("*.py"))]
TEXTS = {path: path.read_text(encoding="utf-8") for path in SIZED}

MODULE_LINES = 500
FUNCTION_LINES = 60
NOTHING_SAYING = {"utils", "util", "common", "helpers", "helper", "misc", "base", "manager"}
UNFINISHED = ("TODO", "FIXME", "XXX", "NotImplementedError")


def name_of(path):
    return str(path.relative_to(ROOT))


def functions(tree):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def is_docstring(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def body_lines(function):
    body = function.body[1:] if is_docstring(function.body[0]) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_a_module_fits_in_one_sitting():
    lines = {name_of(path): len(text.splitlines()) for path, text in TEXTS.items()}
    long = {name: number for name, number in lines.items() if number > MODULE_LINES}
    assert long == {}, "which noun can leave it?"


@pytest.mark.slow
def test_a_function_fits_on_a_screen():
    long = {
        f"{name_of(path)}:{function.lineno} {function.name}": body_lines(function)
        for path, text in TEXTS.items()
        for function in functions(ast.parse(text))
        if body_lines(function) > FUNCTION_LINES
    }
    assert long == {}


def test_a_module_is_named_after_what_is_in_it():
    names = {name_of(path): set(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES}
    assert [name for name, parts in names.items() if parts & NOTHING_SAYING] == []


def test_nothing_is_left_for_later():
    left = {name_of(path): word for path in MODULES for word in UNFINISHED if word in TEXTS[path]}
    assert left == {}


def test_a_package_file_is_a_docstring_and_nothing_else():
    packages = sorted(PACKAGE.glob("*/**/__init__.py"))
    assert packages
    trees = {name_of(path): ast.parse(TEXTS[path]) for path in packages}
    silent = [name for name, tree in trees.items() if not ast.get_docstring(tree)]
    assert silent == [], "it does not say what the package is"
    more = [name for name, tree in trees.items() if len(tree.body) != 1]
    assert more == [], "import from the defining module instead"
