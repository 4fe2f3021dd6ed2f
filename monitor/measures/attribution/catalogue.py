"""Which measures of a field can be taken apart, and how."""

from collections.abc import Callable, Mapping

from monitor.domain.estimate import Unmeasurable
from monitor.measures.attribution.cumulative import of_ks
from monitor.measures.attribution.divergence import (
    of_cramers_v,
    of_hellinger,
    of_js_distance,
    of_l_infinity,
    of_psi,
)
from monitor.measures.attribution.part import Attribution
from monitor.measures.attribution.transport import of_wasserstein
from monitor.measures.attribution.values import of_missing_rate, of_unseen_rate
from monitor.measures.measure import FieldPair

ATTRIBUTIONS: Mapping[str, Callable[[FieldPair], Attribution | Unmeasurable]] = {
    "psi": of_psi,
    "js_distance": of_js_distance,
    "ks": of_ks,
    "wasserstein": of_wasserstein,
    "hellinger": of_hellinger,
    "l_infinity": of_l_infinity,
    "cramers_v": of_cramers_v,
    "missing_rate": of_missing_rate,
    "unseen_rate": of_unseen_rate,
}
"""Measure to the function that takes it apart; a measure that is not here has no parts."""
