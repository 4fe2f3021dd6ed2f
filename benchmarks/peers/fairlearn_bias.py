"""Fairlearn: the four-fifths benchmark on its demographic parity ratio, lowest over highest rate."""

import bias_windows
from fairlearn.metrics import demographic_parity_ratio

for frame in bias_windows.windows():
    ratio = demographic_parity_ratio(
        frame["decision"], frame["decision"], sensitive_features=frame["group"]
    )
    bias_windows.told(ratio < 0.8)
