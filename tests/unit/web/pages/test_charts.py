import re
from xml.etree import ElementTree as ET  # what is parsed is ours

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.reports.evidence import Bound, Pair, Point
from monitor.web.pages import charts

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 1e16, 1e16 + 2])


@st.composite
def points(draw):
    value = draw(st.none() | NUMBERS)
    ends = sorted(draw(st.tuples(NUMBERS, NUMBERS)))
    low, high = (draw(st.sampled_from([None, end])) for end in ends)
    bounds = draw(st.lists(NUMBERS, max_size=2))
    names = draw(st.sampled_from([("warning", "critical"), ("low", "high")]))
    if names == ("low", "high"):
        bounds = sorted(bounds) if len(bounds) == 2 else []
    return Point(
        window=draw(st.text("<&\"'ab", max_size=5)),
        start="",
        revision=1,
        state=draw(st.sampled_from(["ok", "warning", "critical", "unknown", "not judged"])),
        value=value,
        low=None if value is None else low,
        high=None if value is None else high,
        told=draw(st.text("<&\"'ab", max_size=5)),
        alarm="none",
        bounds=tuple(map(Bound, names, bounds)),
    )


@pytest.mark.slow
@given(st.lists(points(), min_size=1, max_size=12), st.none() | NUMBERS)
def test_any_history_is_drawn_inside_its_frame(held, unchanged):
    drawn = ET.fromstring(charts.history(held, unchanged, "a <title>"))  # noqa: S314  # ours
    for element in drawn.iter():
        for name in ("y", "y1", "y2", "cy"):
            if name in element.attrib:
                assert -10 <= float(element.attrib[name]) <= 262, (element.tag, name)
        for name in ("x", "x1", "x2", "cx"):
            if name in element.attrib:
                assert 0 <= float(element.attrib[name]) <= 720
        if "height" in element.attrib:
            assert float(element.attrib["height"]) >= 0


@pytest.mark.slow
@given(st.lists(points(), min_size=1, max_size=12))
def test_every_window_without_a_number_is_an_empty_frame_and_no_line_crosses_it(held):
    drawn = charts.history(held, None, "t")
    assert drawn.count('class="gap"') == sum(item.value is None for item in held)
    joined = sum(
        max(len(re.findall(r"\S+,\S+", course)), 0)
        for course in re.findall(r'<polyline points="([^"]*)"', drawn)
    )
    alone = sum(
        item.value is not None
        and (place == 0 or held[place - 1].value is None)
        and (place == len(held) - 1 or held[place + 1].value is None)
        for place, item in enumerate(held)
    )
    assert joined + alone == sum(item.value is not None for item in held)


@pytest.mark.parametrize("items", [[], [Pair("a", 0.0, 0.0)], [Pair("<b>" * 20, 0.2, 1.0)]])
def test_pairs_are_drawn_whatever_they_are(items):
    drawn = charts.pairs(items, ("then", "now"), "k", "title")
    assert bool(drawn) == bool(items)
    if items:
        found = ET.fromstring(drawn)  # noqa: S314  # ours
        assert found.find("desc").text.startswith(items[0].name)


@given(st.floats(min_value=1e-300, max_value=1e300))
def test_a_step_is_round_and_makes_a_few_of_any_length(length):
    step = charts._step(length)
    assert length / step <= 5.0001
    assert length / step > 2
