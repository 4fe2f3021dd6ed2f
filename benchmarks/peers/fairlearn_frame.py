"""Fairlearn: selection, true and false positive rates by sex, race, and both; the computation only.

Prints the CPU seconds of the computation.
"""

import sys
import time
from pathlib import Path

import frames
from fairlearn.metrics import (
    MetricFrame,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)

columns = ["sex", "race", "decision", "label"]
log = frames.frame(Path(sys.argv[1], "window"), columns)
rates = {"selection": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate}
begin = time.process_time()
for attributes in (["sex"], ["race"], ["sex", "race"]):
    frame = MetricFrame(
        metrics=rates,
        y_true=log["label"],
        y_pred=log["decision"],
        sensitive_features=log[attributes],
    )
    frame.by_group, frame.difference(), frame.ratio()
print(time.process_time() - begin)
