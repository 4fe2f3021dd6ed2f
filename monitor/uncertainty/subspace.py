"""How well principal components reproduce rows that they were not taken from."""

from collections.abc import Iterator

import numpy as np

from monitor.uncertainty.interval import FloatArray

FOLDS = 10
"""Parts that a sample is divided into, each reproduced from components of the nine others."""

_SEED = 20_261_122


def leading(moments: FloatArray, kept: int) -> FloatArray:
    """Return the directions of the largest moments as columns, shape (fields, kept)."""
    _, directions = np.linalg.eigh(moments)
    return np.asarray(directions[:, ::-1][:, :kept])


def unseen_error(moments: FloatArray, rows: float, kept: int) -> float:
    """Return the mean squared error of rows that the components were not taken from.

    Components fit the rows that they are taken from too well: by a fifth with 300 rows of 40
    fields. Cross-validation says by how much, and needs no rows. The moments of normal rows
    have Wishart's law, and parts of them that are divided by a matrix-variate Dirichlet law are
    independent of each other, as those of disjoint rows are. Each of `FOLDS` parts is reproduced
    from the components of the others. The draws of the division are fixed: the result is a
    function of the arguments alone.

    Args:
        moments: shape (fields, fields), mean products of standardised fields; a matrix of pairwise
            moments may be a little indefinite.
        rows: How many rows they are the mean of; at least `FOLDS` times the fields.
        kept: Components, fewer than fields.

    Raises:
        ValueError: Too few rows.

    Source:
        A. Neufeld, A. Dharamshi, L. L. Gao and D. Witten (2024), J. Mach. Learn. Res. 25(57), on
        thinning; A. K. Gupta and D. K. Nagar (2000), Matrix Variate Distributions, chapter 6.
    """
    fields = len(moments)
    if rows < FOLDS * fields:
        raise ValueError(f"{rows:g} rows are fewer than {FOLDS} for each of {fields} fields")
    values, directions = np.linalg.eigh(moments)
    root = (directions * np.sqrt(np.maximum(values, 0.0))) @ directions.T
    total = 0.0
    for share in _divided(fields, rows):
        part = root @ share @ root
        basis = leading(moments - part, kept)
        total += float(np.trace(part) - np.einsum("ij,ik,kj->", basis, part, basis))
    return total


def _divided(fields: int, rows: float) -> Iterator[FloatArray]:
    """Yield shares of a whole, symmetric matrices that add up to the identity."""
    # Not a Generator: the numbers of a RandomState are the same in every version of numpy.
    draws = np.random.RandomState(_SEED)
    parts = []
    for _ in range(FOLDS):  # Bartlett's decomposition of Wishart's law
        triangle = np.tril(draws.standard_normal((fields, fields)), -1)
        triangle[np.diag_indices(fields)] = np.sqrt(
            draws.chisquare(rows / FOLDS - np.arange(fields))
        )
        parts.append(triangle @ triangle.T)
    values, directions = np.linalg.eigh(np.sum(parts, axis=0))
    inverse_root = (directions / np.sqrt(values)) @ directions.T
    for part in parts:
        yield inverse_root @ part @ inverse_root
