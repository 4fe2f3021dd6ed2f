"""The runs that were written for a peer, one by one; runs in the peers' environments.

A run is a folder with ``baseline.parquet`` and one file for each window. A script prints one line
of JSON for each run: for each window, in order, the fields that the tool alarms on.
"""

import json
from pathlib import Path

import pandas as pd


def runs(folder):
    """Yield each run's baseline and its windows."""
    for run in sorted(path for path in Path(folder).iterdir() if path.is_dir()):
        windows = sorted(run.glob("window-*.parquet"))
        yield pd.read_parquet(run / "baseline.parquet"), [pd.read_parquet(path) for path in windows]


def categorical(frame):
    """Return the names of the columns that hold text."""
    return [name for name in frame if name.startswith("cat_")]


def told(windows):
    """Print the fields in alarm, window by window."""
    print(json.dumps(windows), flush=True)
