import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.reports.plot import Scale, Span, bar

NUMBERS = st.floats(-1e9, 1e9)


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        (0.0, ""),
        (1.0, "██████████"),
        (0.5, "█████"),
        (0.25, "██▌"),
        (-0.25, "░░░"),
        (9.0, "█" * 10),
    ],
)
def test_a_bar_is_as_long_as_its_value(value, drawn):
    assert bar(value, 1.0, 10) == drawn


def test_there_is_no_bar_where_everything_is_zero():
    assert bar(0.0, 0.0, 10) == ""


def test_an_interval_is_drawn_over_its_limits():
    spans = [Span(0.02, 0.0, 0.04), Span(0.3, 0.25, 0.4)]
    scale = Scale.over(spans, [0.1, 0.25], 0.0, 21)
    assert scale.heading == "0                 0.4"
    assert [scale.line(span) for span in (*spans, None)] == [
        "├●┤  ┊      ┊        ",
        "     ┊      ├──●────┤",
        "     ┊      ┊        ",
    ]


def test_a_value_may_lie_beyond_its_interval():
    # that of PSI is free of the sampling bias that the value has
    scale = Scale.over([Span(0.5, 0.0, 0.25)], [], 0.0, 9)
    assert scale.line(Span(0.5, 0.0, 0.25)) == "├───┤   ●"
    assert scale.line(Span(0.5, 0.25, None)) == "    ├───●"


def test_long_numbers_at_the_ends_stay_apart():
    assert Scale.over([], [-0.000123, 0.000456], None, 8).heading == "-0.000123 0.000456"


@given(
    st.lists(st.builds(Span, NUMBERS, st.none() | NUMBERS, st.none() | NUMBERS), max_size=8),
    st.lists(NUMBERS, max_size=2),
    st.none() | st.just(0.0),
    st.integers(8, 40),
)
def test_a_line_is_as_wide_as_it_was_asked_for(spans, limits, unchanged, width):
    scale = Scale.over(spans, limits, unchanged, width)
    for span in (None, *spans):
        assert len(scale.line(span)) == width
    for span in spans:
        assert scale.line(span).count("●") == 1
    places = [scale.line(Span(number, None, None)).index("●") for number in sorted(limits)]
    assert places == sorted(places)
