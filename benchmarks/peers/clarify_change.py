"""SageMaker Clarify: "violation" when a metric is farther from zero than that of the baseline.

The library has the metric; the rule is the one that Model Monitor documents for bias drift, for a
constraint that was suggested from a baseline. Lines are pairs: a baseline, then a window.
"""

import bias_windows
from smclarify.bias.report import FacetColumn, LabelColumn, StageType, bias_report


def difference(frame):
    """Return the difference in positive proportions of the second group."""
    frame["label"] = frame["decision"]
    report = bias_report(
        frame,
        FacetColumn("group", ["group 1"]),
        LabelColumn("label", frame["label"], [1]),
        StageType.POST_TRAINING,
        LabelColumn("decision", frame["decision"], [1]),
        metrics=["DPPL"],
    )
    return report[0]["metrics"][0]["value"]


frames = bias_windows.windows()
for before, now in zip(frames, frames, strict=True):
    bias_windows.told(abs(difference(now)) > abs(difference(before)))
