"""The table of attacks on the audit log names tests that there are, and every attack that is one."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "reference" / "attacks.md"
ATTACKS = ROOT / "tests" / "contract" / "test_attacks_on_the_log.py"


def sentences_of(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.slow
def test_the_table_and_the_tests_are_the_same():
    named = set(re.findall(r"`(test_\w+)`", TABLE.read_text(encoding="utf-8")))
    every = {name for file in (ROOT / "tests").rglob("test_*.py") for name in sentences_of(file)}
    assert named <= every
    assert sentences_of(ATTACKS) <= named
