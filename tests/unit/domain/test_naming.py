"""How values and groups are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.naming import bin_names, number_text, scalar_text
from monitor.profile.values import canonical_text


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (1, "1"), (1.0, "1"), (2.5, "2.5"), ("No", "No"), ("", "")],
)
def test_a_value_has_one_text(value, text):
    assert scalar_text(value) == text


@given(st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text())
def test_a_value_in_a_file_is_called_as_in_a_log(value):
    assert scalar_text(value) == canonical_text(value)


def test_a_number_too_large_for_an_integer_column_keeps_its_exponent():
    assert number_text(1e300) == "1e+300"


@pytest.mark.parametrize(
    ("bins", "names"),
    [
        ((40.0,), ("<40", "40+")),
        ((25.0, 35.0, 36.0), ("<25", "25-34", "35", "36+")),
        ((0.5, 1.0), ("<0.5", "[0.5, 1)", "1+")),
    ],
)
def test_bins_are_named_as_people_say_them(bins, names):
    assert bin_names(bins) == names
