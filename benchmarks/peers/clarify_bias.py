"""SageMaker Clarify's library: disparate impact of each group against the rest, 0.8 to 1.25."""

import bias_windows
from smclarify.bias.report import FacetColumn, LabelColumn, StageType, bias_report

for frame in bias_windows.windows():
    frame["label"] = frame["decision"]
    report = bias_report(
        frame,
        FacetColumn("group"),
        LabelColumn("label", frame["label"], [1]),
        StageType.POST_TRAINING,
        LabelColumn("decision", frame["decision"], [1]),
        metrics=["DI"],
    )
    values = [facet["metrics"][0]["value"] for facet in report]
    bias_windows.told(any(not 0.8 <= value <= 1.25 for value in values))
