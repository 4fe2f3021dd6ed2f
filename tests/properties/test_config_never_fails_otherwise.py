"""Whatever stands in a file, its author is told: there is no other error."""

import copy
import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.daemon_file import load_settings
from monitor.config.model_file import load_policy
from monitor.domain.errors import ConfigError

pytestmark = pytest.mark.slow

MODEL = yaml.safe_load("""
model: credit
owner: lending
source: {path: log, event_time: at, timezone: UTC, id: request, version: v, default_version: "1",
  labels: {path: labels, id: request, time: known}}
fields: {income: numeric, region: {kind: categorical, role: feature, column: r},
  score: {kind: numeric, role: score}}
decision: {column: approved, positive: [true], negative: [false], positive_is: favourable}
label: {column: paid, positive: [1], negative: [0]}
populations: {sex: {}, age: {bins: [25, 35], reference: 35+}, race: {values: {"1": a}, unknown: [""]}}
crossings: [[sex, age]]
schedule: {window: 14d, timezone: UTC, start: "2024-01-01", end: "2024-06-01", lateness: 1d,
  anchor: "2024-01-01"}
limits: {drift: {psi: {warning: 0.1, critical: 0.2, min_rows: 9, fields: {income: {warning: 0.1}}}},
  disparity: {band: {low: 0.8}}}
""")
DAEMON = yaml.safe_load("""
models: models
store: {url: "sqlite:///m.db"}
web: {host: a, port: 1}
compute: {workers: 1, processes: true}
check_every: 1m
log: {level: info, format: text}
""")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-1, 40)
    | st.floats(allow_nan=False)
    | st.text(max_size=4)
    | st.sampled_from(
        ["never", "numeric", "score", "0001-01-01", "2024-01-01T00:00+14:00", "Europe"]
    )
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)


def places(node, path=()):
    yield path
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items if isinstance(node, dict | list) else ():
        yield from places(value, (*path, key)) if isinstance(value, dict | list) else [(*path, key)]


@st.composite
def damaged(draw, tree):
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path in places(tree) if path]))
        node = tree
        for key in path[:-1]:
            node = node[key]
        if draw(st.booleans()):
            node[path[-1]] = draw(anything)
        elif isinstance(node, dict):
            node[draw(st.text(max_size=4))] = node.pop(path[-1])
    return json.dumps(tree)


def told(load, text):
    problems = ()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            load(path)
        except ConfigError as error:
            problems = error.problems or ("none",)
    for problem in problems:
        assert (problem.line, problem.column) >= (1, 1)
        assert problem.message.isprintable()
        assert "Input should" not in problem.message, "a message of pydantic's, not ours"


@given(damaged(MODEL))
@settings(max_examples=150)
def test_a_damaged_model_file_gives_a_policy_or_problems(text):
    told(load_policy, text)


@given(damaged(DAEMON))
@settings(max_examples=50)
def test_a_damaged_daemon_file_gives_settings_or_problems(text):
    told(lambda path: load_settings(path, {}), text)


@given(st.text(max_size=40) | st.text("[]{}:,-?&*!|>'\"%@# \n\tab", max_size=40))
@settings(max_examples=200)
def test_any_text_gives_a_policy_or_problems(text):
    with suppress(UnicodeEncodeError):
        text.encode()
        told(load_policy, text)
