"""What all the peers are given: windows as groups with their rows and positive decisions."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd


def windows():
    """Yield each window of the file as a frame with the columns group and decision."""
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        window = json.loads(line)
        groups, decisions = [], []
        for name, rows, positive in zip(
            window["groups"], window["rows"], window["positive"], strict=True
        ):
            groups += [name] * rows
            decisions += [1] * positive + [0] * (rows - positive)
        yield pd.DataFrame({"group": groups, "decision": np.array(decisions)})


def told(verdict):
    """Print what a tool says of one window."""
    print(json.dumps(bool(verdict)))
