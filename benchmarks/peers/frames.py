"""The logs as pandas frames, and what is in them; runs in the peers' environments."""

from pathlib import Path

import pandas as pd

NUMERIC = [
    f"{kind}_{place}"
    for kind, many in (("normal", 10), ("lognormal", 8), ("heavy", 6), ("count", 6))
    for place in range(many)
]
CATEGORICAL = [f"cat_{place}" for place in range(15)] + ["flag_0", "flag_1", "flag_2"]
FEATURES = NUMERIC + CATEGORICAL


def both(folder, columns=None):
    """Return the features of the baseline and of the window."""
    return tuple(frame(Path(folder, name), columns or FEATURES) for name in ("baseline", "window"))


def frame(folder, columns):
    """Return some columns of a log; flags as text, as these tools want categories."""
    parts = [pd.read_parquet(path, columns=columns) for path in sorted(folder.glob("*.parquet"))]
    whole = pd.concat(parts, ignore_index=True)
    for name in set(columns) & {"flag_0", "flag_1", "flag_2"}:
        whole[name] = whole[name].astype(str)
    return whole
