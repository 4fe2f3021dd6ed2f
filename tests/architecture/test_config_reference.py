"""The reference of configuration names every key with its default, and no other."""

import json
import re
from pathlib import Path

import pytest

from monitor.config.defaults import DEFAULT_BAND, DEFAULT_LIMITS
from monitor.config.document import parse_document
from monitor.config.model_file import load_policy
from monitor.config.schema import daemon_schema, model_schema
from monitor.measures.names import MEASURE_NAMES

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "reference" / "config.md").read_text(encoding="utf-8")
MODEL, DAEMON = REFERENCE.split("\n## The daemon's file\n")
MODEL_KEYS, DEFAULTS = MODEL.split("\n### Default limits\n")
ROW = re.compile(r"^\| `([^`]+)` \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def keys(schema, node=None, path=()):
    """Yield every key of a schema as people write it, with its default."""
    node = node or schema
    for variant in (node, *node.get("anyOf", ())):
        if "$ref" in variant:
            yield from keys(schema, schema["$defs"][variant["$ref"].rpartition("/")[2]], path)
        for key, value in variant.get("properties", {}).items():
            measured = len(path) > 1 and path[1] != "disparity" and key in MEASURE_NAMES
            here = (*path, "<measure>" if measured else key)
            if here[:2] in [("limits", family) for family in ("drift", "quality", "performance")]:
                here = ("limits", "<family>", *here[2:])
            yield ".".join(here), value.get("default")
            yield from keys(schema, value, here)
        if "$ref" in variant.get("items", {}):
            yield from keys(schema, variant["items"], (*path[:-1], f"{path[-1]}[]"))
        inner = variant.get("additionalProperties")
        if isinstance(inner, dict) and (set(inner) & {"$ref", "anyOf"}):
            yield from keys(schema, inner, (*path, "<name>"))


def plain(default):
    """Return a default as the reference shows it, "" for none or for a section's own defaults."""
    if default in (None, [], {}):
        return ""
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


@pytest.mark.parametrize(
    ("part", "schema"), [(MODEL_KEYS, model_schema()), (DAEMON, daemon_schema())]
)
def test_every_key_has_its_row_with_its_default_and_an_example(part, schema):
    wanted = {key: plain(default) for key, default in keys(schema)}
    rows = {key: (default, example) for key, default, example, _ in ROW.findall(part)}
    assert set(rows) == set(wanted)
    for key, default in wanted.items():
        shown, example = rows[key]
        assert example.startswith("`"), f"{key} has no example"
        if default:
            assert shown.startswith(default), f"{key}: {shown!r}, but the default is {default}"
        else:
            assert not shown.startswith("`"), f"{key} has no default, but {shown!r} is shown"


def test_default_limits_are_those_of_the_code():
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\S+) \| (\S+) \|$", DEFAULTS, re.MULTILINE)
    shown = {name: (family, warning, critical) for name, family, warning, critical in rows}
    wanted = {}
    for name, measure in MEASURE_NAMES.items():
        limit = DEFAULT_LIMITS.get(name)
        if measure.family != "disparity":
            bounds = (limit.warning, limit.critical) if limit else (None, None)
            told = ("never" if bound is None else f"{bound:g}" for bound in bounds)
            wanted[name] = (measure.family, *told)
    assert shown == wanted
    assert {limit.min_rows for limit in DEFAULT_LIMITS.values()} == {50}
    assert DEFAULT_BAND.min_rows == 30


def test_the_examples_can_be_read(tmp_path):
    examples = YAML.findall(REFERENCE)
    assert len(examples) >= 3
    for text in examples:
        assert parse_document("example", text).problems == ()
    for text in examples:
        if text.startswith("model:"):
            (tmp_path / "model.yaml").write_text(text)
            load_policy(tmp_path / "model.yaml")
