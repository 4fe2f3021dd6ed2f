"""fairpipe: demographic parity difference above 0.10, groups of fewer than 30 rows left out."""

import bias_windows
from fairness_pipeline_dev_toolkit.metrics import FairnessAnalyzer

analyzer = FairnessAnalyzer()
for frame in bias_windows.windows():
    found = analyzer.demographic_parity_difference(
        y_pred=frame["decision"].to_numpy(),
        sensitive=frame["group"].to_numpy(),
        with_ci=False,
        with_effect_size=False,
        with_pvalue=False,
    )
    bias_windows.told(found.value > 0.10)
