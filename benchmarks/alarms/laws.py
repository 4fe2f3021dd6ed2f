"""Forty fields whose true distribution is known, and changes of a known size.

Every value is a non-decreasing function of one uniform number, so a change of the uniform number is
a change of any field: a shift by δ standard deviations of the normal number behind it, or shares
of the reference groups that are tilted until their population stability index is what was asked
for. The true index of either is a sum over the groups, not an estimate.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from monitor.domain.field import FieldKind

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]

DECILES = np.arange(1, 10) / 10
DIRECTIONS = ("slope", "spread", "one group")


class Change(Protocol):
    """A distribution of the uniform number other than the uniform one."""

    def cdf(self, shares: Floats) -> Floats:
        """Return the probability at or below."""

    def quantile(self, probabilities: Floats) -> Floats:
        """Return the inverse of `cdf`."""


@dataclass(frozen=True)
class Shift:
    """The normal number behind the field moves by so many standard deviations."""

    size: float = 0.0

    def cdf(self, shares: Floats) -> Floats:
        return ndtr(ndtri(shares) - self.size)

    def quantile(self, probabilities: Floats) -> Floats:
        return ndtr(ndtri(probabilities) + self.size)


@dataclass(frozen=True, eq=False)
class Tilt:
    """The groups keep what is in them and change their shares.

    Attributes:
        ends: shape (groups + 1,), from 0 to 1: where the groups lay.
        below: shape (groups + 1,), from 0 to 1: the probability below each end now.
    """

    ends: Floats
    below: Floats

    def cdf(self, shares: Floats) -> Floats:
        return np.interp(shares, self.ends, self.below)

    def quantile(self, probabilities: Floats) -> Floats:
        return np.interp(probabilities, self.below, self.ends)


@dataclass(frozen=True)
class Both:
    """One change after the other."""

    first: Change
    second: Change

    def cdf(self, shares: Floats) -> Floats:
        return self.first.cdf(self.second.cdf(shares))

    def quantile(self, probabilities: Floats) -> Floats:
        return self.second.quantile(self.first.quantile(probabilities))


NOTHING = Shift()


@dataclass(frozen=True, eq=False)
class Law:
    """A field: its values as a function of a uniform number.

    Attributes:
        name: The column.
        kind: Numeric or categorical; a categorical field's values are places in ``texts``.
        value: Non-decreasing, of numbers in (0, 1).
        below: The probability of a value below a number.
        ends: shape (groups + 1,): the reference groups' bounds as probabilities, 0 and 1 included.
        nulls: Share of rows without a value.
        texts: The values of a categorical field.
    """

    name: str
    kind: FieldKind
    value: Curve
    below: Curve
    ends: Floats
    nulls: float = 0.0
    texts: tuple[str, ...] = field(default=())

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by name: functions do not travel to other processes, and `FIELDS` is there."""
        return law_of, (self.name,)

    def draw(self, rng: np.random.Generator, rows: int, change: Change) -> NDArray[np.generic]:
        """Return values; None or NaN where there is none."""
        values = self.value(change.quantile(rng.random(rows)))
        missing = rng.random(rows) < self.nulls if self.nulls else None
        if self.kind is FieldKind.CATEGORICAL:
            texts = np.array(self.texts, object)[values.astype(np.int64)]
            if missing is not None:
                texts[missing] = None
            return texts
        if missing is not None:
            values[missing] = np.nan
        return values


def true_psi(law: Law, change: Change) -> float:
    """Return the population stability index of a change, over the field's groups and missing."""
    before, after = np.diff(law.ends), np.diff(change.cdf(law.ends))
    return float((1 - law.nulls) * np.sum((after - before) * np.log(after / before)))


def tilted(law: Law, psi: float, direction: str) -> Tilt:
    """Return a change whose true index is the one asked for.

    The shares become ``p exp(θ t)``, scaled to 1. The density is changed by one factor within a
    group, so no finer or other grouping can have a larger index.

    Args:
        law: The field.
        psi: The true index wanted.
        direction: What t is: ``slope`` (the rank: values grow), ``spread`` (the distance from the
            median: they scatter) or ``one group`` (a middle one grows).
    """
    shares = np.diff(law.ends)
    ranks = (law.ends[1:] + law.ends[:-1]) / 2
    middle = (np.arange(len(shares)) == len(shares) // 2).astype(np.float64)
    towards = {"slope": ranks, "spread": (ranks - 0.5) ** 2 * 4, "one group": middle}[direction]

    def tilt(strength: float) -> Tilt:
        raw = shares * np.exp(strength * towards)
        below = np.concatenate([[0.0], np.cumsum(raw / raw.sum())])
        below[-1] = 1.0
        return Tilt(law.ends, below)

    return tilt(brentq(lambda strength: true_psi(law, tilt(strength)) - psi, 0.0, 30.0, xtol=1e-13))


def shift_of(law: Law, psi: float) -> Shift:
    """Return the shift whose true index is the one asked for."""
    return Shift(brentq(lambda size: true_psi(law, Shift(size)) - psi, 0.0, 5.0, xtol=1e-13))


def law_of(name: str) -> Law:
    """Return one of `FIELDS`."""
    return next(law for law in FIELDS if law.name == name)


def _numeric(name: str, value: Curve, below: Curve, ends: Floats = DECILES) -> Law:
    return Law(name, FieldKind.NUMERIC, value, below, np.concatenate([[0.0], ends, [1.0]]))


def normal(name: str, mean: float, spread: float) -> Law:
    """Return a normal field."""
    return _numeric(name, lambda u: mean + spread * ndtri(u), lambda x: ndtr((x - mean) / spread))


def lognormal(name: str, spread: float) -> Law:
    """Return a lognormal field."""
    return _numeric(name, lambda u: np.exp(spread * ndtri(u)), lambda x: _log_below(x, spread))


def uniform(name: str, low: float, high: float) -> Law:
    """Return a uniform field."""
    width = high - low
    return _numeric(name, lambda u: low + width * u, lambda x: np.clip((x - low) / width, 0, 1))


def exponential(name: str, mean: float) -> Law:
    """Return an exponential field."""
    return _numeric(
        name, lambda u: -mean * np.log1p(-u), lambda x: -np.expm1(-np.maximum(x, 0) / mean)
    )


def zero_inflated(name: str, zeros: float, spread: float) -> Law:
    """Return a field that is zero in a share of rows and lognormal in the others."""
    rest = 1 - zeros

    def value(u: Floats) -> Floats:
        positive = np.exp(spread * ndtri(np.clip((u - zeros) / rest, 1e-300, 1.0)))
        return np.where(u <= zeros, 0.0, positive)

    def below(x: Floats) -> Floats:
        return np.where(x > 0, zeros + rest * _log_below(x, spread), 0.0)

    return _numeric(name, value, below, np.unique(np.maximum(DECILES, zeros)))


def small_integers(name: str, shares: Floats) -> Law:
    """Return a numeric field of the values 0, 1, 2, … with these shares."""
    ends = _ends(shares)

    def below(x: Floats) -> Floats:
        return ends[np.clip(np.ceil(x), 0, len(shares)).astype(np.int64)]

    return Law(name, FieldKind.NUMERIC, _place_in(ends), below, ends)


def categories(name: str, shares: Floats) -> Law:
    """Return a categorical field."""
    ends = _ends(shares)
    texts = tuple(f"{name}_{place}" for place in range(len(shares)))
    nothing = np.zeros_like  # its values have no order that a grid could cut
    return Law(name, FieldKind.CATEGORICAL, _place_in(ends), nothing, ends, texts=texts)


def zipf(values: int, exponent: float) -> Floats:
    """Return the shares of values whose k-th is ``k ** -exponent`` as frequent as the first."""
    raw = np.arange(1, values + 1) ** -exponent
    return np.asarray(raw / raw.sum(), np.float64)


def _log_below(x: Floats, spread: float) -> Floats:
    with np.errstate(divide="ignore"):
        return ndtr(np.log(np.maximum(x, 0.0)) / spread)


def _ends(shares: Floats) -> Floats:
    ends = np.concatenate([[0.0], np.cumsum(shares)])
    ends[-1] = 1.0
    return ends


def _place_in(ends: Floats) -> Curve:
    inner = ends[1:-1]
    return lambda u: np.searchsorted(inner, u, side="right").astype(np.float64)


def _with_nulls(laws: Sequence[Law], nulls: dict[str, float]) -> tuple[Law, ...]:
    return tuple(replace(law, nulls=nulls.get(law.name, 0.0)) for law in laws)


FIELDS = _with_nulls(
    [
        *(normal(f"normal_{k}", 10.0 * k, 1.0 + k) for k in range(10)),
        *(lognormal(f"lognormal_{k}", 0.25 * (k + 1)) for k in range(6)),
        *(uniform(f"uniform_{k}", -float(k), 10.0**k) for k in range(4)),
        *(exponential(f"exponential_{k}", 10.0 ** (k - 2)) for k in range(4)),
        *(zero_inflated(f"zeros_{k}", z, 1.0) for k, z in enumerate((0.2, 0.35, 0.6, 0.85))),
        *(small_integers(f"count_{v}", zipf(v, 1.0)) for v in (3, 6, 9, 15)),
        *(categories(f"cat_{v}", zipf(v, e)) for v, e in ((2, 2.0), (3, 0.5), (5, 1.0), (8, 1.5))),
        *(categories(f"cat_{v}", zipf(v, e)) for v, e in ((12, 1.0), (20, 0.8), (35, 1.2))),
        categories("cat_50", zipf(50, 1.0)),
    ],
    {"normal_1": 0.01, "normal_2": 0.08, "lognormal_1": 0.03, "zeros_1": 0.05, "cat_5": 0.02}
    | {"cat_20": 0.1},
)
"""The fields of every stream: 10 normal, 6 lognormal, 4 uniform, 4 exponential, 4 with many zeros,
4 of few integers, 8 categorical ones of 2 to 50 values; six have nulls."""
