"""What the largest of many is the largest of."""

import numpy as np
import pytest

from monitor.domain.estimate import Unmeasurable
from monitor.measures.attribution.components import COMPONENTS
from monitor.measures.catalogue import CATALOGUE
from tests.contract.test_measures import (
    BASELINE,
    SCENARIOS,
    column,
    drafted,
    held_against,
    log,
    measured,
)

MEASURES = {item.about.id: item for item in CATALOGUE if item.about.id in COMPONENTS}


def result_of(name, scenario):
    return next(item.result for item in measured(scenario) if item.measure == name)


def of(name, scenario):
    return COMPONENTS[name](SCENARIOS[scenario], "" if name == "correlation_change" else "vector")


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", COMPONENTS)
def test_the_number_is_among_its_components_or_both_are_unknown(name, scenario):
    result, found = result_of(name, scenario), of(name, scenario)
    assert isinstance(result, Unmeasurable) is isinstance(found, Unmeasurable)
    if not isinstance(result, Unmeasurable):
        first = found.components[0]
        assert first.size == pytest.approx(result.value, rel=1e-12, abs=1e-15)
        sizes = [item.size for item in found.components if item.size is not None]
        assert 0 < len(sizes) <= found.number
        for item in found.components:
            if item.size is not None:
                assert abs(item.now - item.then) == pytest.approx(item.size, abs=1e-9)


def test_pairs_of_fields_are_those_whose_rows_numpy_correlates():
    rng = np.random.default_rng(3)
    then, now = (dict(log(3000, seed)) for seed in (7, 8))
    for side, r in ((then, 0.0), (now, 0.8)):
        one, two = rng.normal(size=(2, 3000))
        side["amount"] = one
        side["score"] = r * one + np.sqrt(1 - r**2) * two
    found = COMPONENTS["correlation_change"](held_against(then, now, drafted(then)), "")
    first = found.components[0]
    assert first.name == "amount × score"
    for side, told in ((then, first.then), (now, first.now)):
        assert told == pytest.approx(np.corrcoef(side["amount"], side["score"])[0, 1], abs=0.03)
    assert found.note.startswith("1 of ")
    assert found.components[1].size < 0.2


def test_the_mean_norm_stands_beside_the_projections():
    pair = SCENARIOS["drift"]
    for name in ("embedding_mean", "embedding_covariance"):
        *_, norm = COMPONENTS[name](pair, "vector").components
        assert (norm.name, norm.size) == ("(mean norm)", None)
        lengths = np.linalg.norm(np.array(column(BASELINE, "vector").to_pylist()), axis=1)
        assert norm.then == pytest.approx(lengths.mean(), rel=1e-6)  # counted in single precision
        assert norm.now > norm.then


def test_a_shift_of_all_vectors_moves_many_projections_and_none_is_moved_by_nothing():
    assert "0 projections moved" in of("embedding_mean", "no drift").note
    moved = int(of("embedding_mean", "drift").note.split()[0])
    assert moved > 20


def test_variances_and_correlations_of_projections_are_told_apart():
    names = [item.name for item in of("embedding_covariance", "drift").components]
    assert names[0].startswith("variance of projection ")  # vectors spread more
    assert len(set(names)) == len(names)
