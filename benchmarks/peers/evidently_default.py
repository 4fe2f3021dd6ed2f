"""Evidently: the preset for data drift with its defaults."""

import sys
import warnings

import frames
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")
reference, current = frames.both(sys.argv[1])
definition = DataDefinition(
    numerical_columns=frames.NUMERIC, categorical_columns=frames.CATEGORICAL
)
datasets = [
    Dataset.from_pandas(frame, data_definition=definition) for frame in (current, reference)
]
Report([DataDriftPreset()]).run(*datasets).dict()
