"""Evidently: the fields that the preset for data drift calls drifted, with its defaults."""

import sys
import warnings

import streams
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")


def drifted(reference, current, definition):
    """Return the drifted columns of one window, which must be as many as the report counts."""
    datasets = [
        Dataset.from_pandas(frame, data_definition=definition) for frame in (current, reference)
    ]
    whole, *columns = Report([DataDriftPreset()]).run(*datasets).dict()["metrics"]
    found = []
    for metric in columns:
        told, value = metric["config"], metric["value"]
        small = told["method"].endswith("p_value")
        if value < told["threshold"] if small else value >= told["threshold"]:
            found.append(told["column"])
    assert len(found) == whole["value"]["count"], (found, whole)
    return found


for baseline, windows in streams.runs(sys.argv[1]):
    texts = streams.categorical(baseline)
    kinds = DataDefinition(
        numerical_columns=[name for name in baseline if name not in texts],
        categorical_columns=texts,
    )
    streams.told([drifted(baseline, window, kinds) for window in windows])
