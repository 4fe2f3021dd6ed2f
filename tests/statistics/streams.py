"""Counts of many fields over many windows, drawn as a baseline and its windows would be.

No file is read: a field is a normal quantity cut at the deciles of a baseline of so many rows, and a
day may move it by a little, as days do.
"""

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from monitor.alerts.findings import findings_of
from monitor.alerts.persistence import alarms_over, verdicts_of
from monitor.domain.estimate import Estimate
from monitor.domain.reading import Reading, Subject
from monitor.measures.drift.psi import indices
from monitor.measures.grouping import DECILES, Groups
from monitor.measures.spreads import of_divergence
from monitor.measures.variability import CRITICAL_TAIL, WARNING_TAIL, Floor
from monitor.uncertainty.between import reach
from tests.stored import a_policy


def deciles(rng, rows, shape):
    """Return where the deciles of ``rows`` normal values lie: shape (*shape, DECILES - 1)."""
    spacings = rng.gamma(rows / DECILES, size=(*shape, DECILES))
    return ndtri(np.cumsum(spacings, axis=-1)[..., :-1] / spacings.sum(axis=-1, keepdims=True))


def shares(cuts, shift):
    """Return the shares of a normal population moved by a shift: shape (…, DECILES)."""
    inside = ndtr(cuts - np.asarray(shift)[..., None])
    ends = np.zeros((*inside.shape[:-1], 1))
    return np.diff(np.concatenate([ends, inside, ends + 1], axis=-1), axis=-1)


def shift_of(psi):
    """Return the shift that makes a true index of this size over the deciles."""
    even = np.full(DECILES, 1 / DECILES)
    cuts = ndtri(np.arange(1, DECILES) / DECILES)

    def apart(shift):
        moved = shares(cuts, shift)
        return float(np.sum((moved - even) * np.log(moved / even))) - psi

    return brentq(apart, 0, 5)


@dataclass(frozen=True)
class Stream:
    """The fields of one model: a baseline of days, and the days after it.

    Attributes:
        baseline: shape (days, fields, groups), rows.
        windows: shape (windows, fields, groups), rows.
    """

    baseline: np.ndarray
    windows: np.ndarray

    @classmethod
    def of_days(cls, rng, *, fields, days, windows, rows, noise, reference=None):
        """Return days of so many rows, each moved by ``noise`` standard deviations."""
        cuts = ndtri(np.arange(1, DECILES) / DECILES)
        moved = rng.normal(0, noise, (days, fields)), rng.normal(0, noise, (windows, fields))
        return cls(
            rng.multinomial(reference or rows, shares(cuts, moved[0])),
            rng.multinomial(rows, shares(cuts, moved[1])),
        )

    @property
    def floors(self):
        """What the days of the baseline reach, by field."""
        others = self.baseline.sum(axis=0) - self.baseline
        groups = Groups(others, self.baseline)
        squares = of_divergence(indices(*groups), groups, 1.0)
        reached = reach(squares, (WARNING_TAIL, CRITICAL_TAIL))
        return {
            ("psi", f"f{field}"): Floor(float(warning), float(critical), len(self.baseline))
            for field, (warning, critical) in enumerate(reached.T)
        }

    def judged(self, limits):
        """Return the findings of each window."""
        policy = replace(a_policy(), limits=limits)
        whole = self.baseline.sum(axis=0)
        floors = self.floors
        values = indices(whole, self.windows)
        rows = whole.sum(axis=-1), self.windows.sum(axis=-1)
        n_eff = rows[0] * rows[1] / (rows[0] + rows[1])
        return [
            findings_of(
                [
                    _psi(field, values[day, field], n_eff[day, field], rows[1][day, field])
                    for field in range(values.shape[1])
                ],
                policy,
                floors,
            )
            for day in range(len(values))
        ]


def _psi(field, value, n_eff, rows):
    detail = {"df": DECILES - 1, "n_eff": float(n_eff)}
    estimate = Estimate(float(value), int(rows), int(rows), low=0.0, detail=detail)
    return Reading("psi", Subject("credit", "1", f"f{field}"), estimate)


def firing(windows, rule):
    """Return, for each window's findings, whether any alarm is firing."""
    alarms = alarms_over([verdicts_of(findings) for findings in windows], rule)
    return np.array([any(alarm.firing for alarm in found.values()) for found in alarms])
