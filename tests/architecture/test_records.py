"""Records are structs: making the classes of dataclasses takes a fifth of what a command takes."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "monitor"
STAND_ALONE = {"gate.py", "audit_verify.py"}
"""Files that can be copied to where nothing is installed."""

UNSAID_BY_STRUCTS = {"init", "repr", "compare"}


def needs_a_dataclass(record):
    """Return whether a field has no part in the text, the comparison or the making of a record."""
    return any(
        keyword.arg in UNSAID_BY_STRUCTS
        for node in ast.walk(record)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "field"
        for keyword in node.keywords
    )


def test_a_record_is_a_struct_unless_a_field_is_left_out():
    dataclasses = {
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path in PACKAGE.rglob("*.py")
        if path.name not in STAND_ALONE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
        and not needs_a_dataclass(node)
    }
    assert dataclasses == set()
