"""What each group adds to the divergences that are taken over groups."""

from collections.abc import Callable

import numpy as np
from msgspec.structs import replace

from monitor.domain.estimate import Unmeasurable
from monitor.measures.attribution.bins import parts_by_group
from monitor.measures.attribution.part import Attribution, Rule
from monitor.measures.drift import cramers_v, hellinger, js_distance, psi
from monitor.measures.measure import FieldPair
from monitor.profile.counts import CategoricalCounts
from monitor.profile.grid import FloatArray, IntArray

_NAMED = 3
"""Unseen values that are named."""

Terms = Callable[[IntArray, IntArray], FloatArray]


def of_psi(pair: FieldPair) -> Attribution | Unmeasurable:
    """Return what each group adds to the population stability index, in nats.

    ``(qᵢ − pᵢ) ln(qᵢ / pᵢ)``, never negative; the sum is the index itself, to the last bit. Shares
    are shown as they are, the terms are those of the smoothed ones.
    """
    return _taken_apart(pair, psi.terms, "population stability index", "nats")


def of_js_distance(pair: FieldPair) -> Attribution | Unmeasurable:
    """Return what each group adds to the squared Jensen-Shannon distance, in bits.

    The distance is the root of the sum.
    """
    return _taken_apart(pair, js_distance.terms, "squared Jensen-Shannon distance", "bits")


def of_hellinger(pair: FieldPair) -> Attribution | Unmeasurable:
    """Return what each group adds to the squared Hellinger distance: ``(√pᵢ − √qᵢ)² / 2``.

    The distance is the root of the sum.
    """
    return _taken_apart(pair, hellinger.terms, "squared Hellinger distance", "1")


def of_cramers_v(pair: FieldPair) -> Attribution | Unmeasurable:
    """Return what each group adds to the chi-square that Cramér's V is made of.

    V is the root of chi-square over the rows, after a correction that has no parts.
    """
    return _taken_apart(pair, cramers_v.terms, "chi-square", "1")


def of_l_infinity(pair: FieldPair) -> Attribution | Unmeasurable:
    """Return the size of the change of each group's share; the distance is the largest of them."""

    def sizes(reference: IntArray, current: IntArray) -> FloatArray:
        each: FloatArray = np.abs(current / current.sum() - reference / reference.sum())
        return each

    return _taken_apart(pair, sizes, "largest change of a share", "1", Rule.LARGEST)


def _taken_apart(
    pair: FieldPair, terms: Terms, quantity: str, unit: str, rule: Rule = Rule.SUM
) -> Attribution | Unmeasurable:
    found = parts_by_group(pair)
    if isinstance(found, Unmeasurable):
        return found
    each = terms(*found.groups)
    parts = tuple(
        replace(part, contribution=term)
        for part, term in zip(found.parts, each.tolist(), strict=True)
    )
    total = float(np.sum(each) if rule is Rule.SUM else np.max(each))
    return Attribution(quantity, unit, rule, total, parts, _new_values(pair))


def _new_values(pair: FieldPair) -> str:
    counts = pair.current
    if not (isinstance(counts, CategoricalCounts) and counts.unseen.rows):
        return ""
    named = [f"{value!r} ({rows:,})" for value, rows in counts.unseen.most_frequent(_NAMED)]
    return f"Unseen, with their rows: {', '.join(named)}{', …' * (len(counts.unseen.counts) > _NAMED)}."
