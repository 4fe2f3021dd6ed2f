"""What may be loaded when: a command must answer at once, a worker must stay small."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "monitor"

HEAVY = ("scipy", "pandas", "pyarrow.dataset", "sqlalchemy.orm", "apscheduler", "uvicorn")
DOORS = ("monitor", "monitor.__main__", "monitor.cli.main")


def imported(path):
    """Return every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("door", [door for door in DOORS if importlib.util.find_spec(door)])
def test_a_door_opens_without_the_heavy_libraries(door):
    code = f"import sys, {door}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_files_are_read_one_by_one_and_not_through_pyarrow_dataset():
    users = [
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*.py")
        if any(name.startswith("pyarrow.dataset") for name in imported(path))
    ]
    assert users == []


@pytest.mark.slow
def test_the_spans_from_reading_to_judging_see_no_frames():
    packages = ("domain", "profile", "uncertainty", "measures", "alerts", "engine", "compute")
    users = [
        str(path.relative_to(ROOT))
        for package in packages
        for path in (PACKAGE / package).rglob("*.py")
        if any(name.split(".")[0] == "pandas" for name in imported(path))
    ]
    assert users == []
