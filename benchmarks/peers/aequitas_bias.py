"""Aequitas: its own judgement of impact parity (0.8 to 1.25), against the largest group."""

import warnings

import bias_windows
from aequitas.bias import Bias
from aequitas.fairness import Fairness
from aequitas.group import Group

warnings.filterwarnings("ignore")

for frame in bias_windows.windows():
    rows = frame.rename(columns={"decision": "score"}).assign(label_value=frame["decision"])
    table, _ = Group().get_crosstabs(rows, attr_cols=["group"])
    compared = Bias().get_disparity_major_group(table, rows, check_significance=False)
    judged = Fairness().get_group_value_fairness(compared)
    bias_windows.told((~judged["Impact Parity"].astype(bool)).any())
