"""AIF360: disparate impact of each group against all others, below 0.8."""

import logging
import warnings

import bias_windows
import pandas as pd

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")
from aif360.sklearn.metrics import disparate_impact_ratio  # noqa: E402  # it warns when imported

for frame in bias_windows.windows():
    index = pd.MultiIndex.from_arrays([frame["group"]], names=["group"])
    decisions = pd.Series(frame["decision"].to_numpy(), index=index)
    ratios = [
        disparate_impact_ratio(decisions, prot_attr="group", priv_group=name)
        for name in frame["group"].unique()
    ]
    bias_windows.told(any(ratio < 0.8 or ratio > 1.25 for ratio in ratios))
