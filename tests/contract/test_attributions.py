"""What is taken apart can be put together again, for every measure of a field and any data."""

from math import fsum

import numpy as np
import pytest

from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.measures.attribution.catalogue import ATTRIBUTIONS
from monitor.measures.attribution.mix import Quantity, over_population, over_score
from monitor.measures.attribution.part import Rule
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.drift import decision_rate, label_rate, score_mean
from monitor.measures.measure import FieldMeasure, FieldPair
from tests.contract.test_measures import FIELDS, LABEL, POLICY, Made, scenarios

SCENARIOS = Made(scenarios(LABEL))
FIELD_MEASURES = {item.about.id: item for item in CATALOGUE if isinstance(item, FieldMeasure)}

TOTALS = {
    "psi": lambda found: found.value,
    "js_distance": lambda found: found.value**2,
    "hellinger": lambda found: found.value**2,
    "cramers_v": lambda found: found.detail["chi2"],
    "ks": lambda found: found.value,
    "wasserstein": lambda found: found.value,
    "l_infinity": lambda found: found.value,
    "missing_rate": lambda found: found.value,
    "unseen_rate": lambda found: found.value,
}
"""What the parts of each measure make, from its reading."""


def test_what_is_taken_apart_is_a_measure_of_fields():
    assert set(ATTRIBUTIONS) == set(TOTALS)
    assert set(ATTRIBUTIONS) <= set(FIELD_MEASURES)


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("measure", ATTRIBUTIONS)
def test_the_parts_of_a_number_make_the_number(measure, name):
    scenario, told = SCENARIOS[name], FIELD_MEASURES[measure]
    for field in FIELDS:
        grid = scenario.grid.fields[field.name]
        if not told.applies(grid):
            continue
        sides = (scenario.reference.fields[field.name], scenario.current.fields[field.name])
        pair = FieldPair(field, grid, *sides)
        result, found = told.measure(pair), ATTRIBUTIONS[measure](pair)
        if isinstance(result, Unmeasurable):
            continue
        assert found.total == pytest.approx(TOTALS[measure](result), rel=1e-12, abs=1e-14)
        contributions = [part.contribution for part in found.parts]
        made = fsum(contributions) if found.rule is Rule.SUM else max(contributions)
        assert made == pytest.approx(found.total, rel=1e-12, abs=1e-14)
        for part in found.parts:
            assert part.rows_then >= 0 and part.rows_now >= 0
            assert 0 <= part.share_then <= 1 and 0 <= part.share_now <= 1
            assert part.name
            assert all(member.contribution is None for member in part.members)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_groups_of_a_divergence_hold_every_row_once(name):
    scenario = SCENARIOS[name]
    for field in FIELDS:
        sides = (scenario.reference.fields[field.name], scenario.current.fields[field.name])
        found = ATTRIBUTIONS["psi"](FieldPair(field, scenario.grid.fields[field.name], *sides))
        if isinstance(found, Unmeasurable):
            continue
        assert sum(part.rows_then for part in found.parts) == sides[0].rows
        assert sum(part.rows_now for part in found.parts) == sides[1].rows
        names = [part.name for part in found.parts]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", SCENARIOS)
def test_mix_and_within_add_up_to_what_is_measured(name):
    scenario = SCENARIOS[name]
    rates = ((Quantity.DECISION_RATE, decision_rate), (Quantity.LABEL_RATE, label_rate))
    for quantity, told in rates:
        result = told.measure(scenario)
        for population in POLICY.populations:
            found = over_population(quantity, population, scenario)
            assert isinstance(found, Unmeasurable) is isinstance(result, Unmeasurable)
            if isinstance(result, Estimate):
                assert (found.then, found.now) == (result.then, result.now)
                assert found.mix + found.within == pytest.approx(result.value, abs=1e-12)
    result, found = score_mean.measure(scenario), over_score(scenario)
    if isinstance(result, Estimate):
        assert found.then == pytest.approx(result.then, rel=1e-12)
        rounding = 1e-12 * max(abs(result.now), abs(result.then))  # of the means, in their unit
        assert found.mix + found.within == pytest.approx(result.now - result.then, abs=rounding)


def test_nothing_moved_when_nothing_changed():
    scenario = SCENARIOS["identical"]
    for population in POLICY.populations:
        for quantity in Quantity:
            found = over_population(quantity, population, scenario)
            assert np.all([(group.mix, group.within) == (0, 0) for group in found.groups])
