import math

import pytest

from monitor.domain.estimate import Estimate


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["value", "low", "p_value", "now"])
def test_an_estimate_refuses_what_is_no_number(place, number):
    with pytest.raises(ValueError, match="finite"):
        Estimate(**{"value": 0.0, "n": 1, place: number})


def test_an_estimate_refuses_no_number_in_its_details():
    with pytest.raises(ValueError, match="finite"):
        Estimate(0.0, 1, detail={"df": math.nan})
