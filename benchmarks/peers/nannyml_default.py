"""NannyML: univariate drift with its defaults (Jensen-Shannon)."""

import sys
import warnings

import frames
import nannyml

warnings.filterwarnings("ignore")
reference, current = frames.both(sys.argv[1])
calculator = nannyml.UnivariateDriftCalculator(
    column_names=frames.FEATURES,
    treat_as_categorical=frames.CATEGORICAL,
    chunk_number=1,
)
calculator.fit(reference)
calculator.calculate(current).to_df()
