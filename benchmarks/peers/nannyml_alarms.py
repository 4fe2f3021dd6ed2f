"""NannyML: the fields that univariate drift alerts on, with its defaults.

A chunk is a window where the baseline has ten of them; otherwise chunks are the default ten on
each side, and a window is in alarm when any of its ten is.
"""

import sys
import warnings

import nannyml
import streams

warnings.filterwarnings("ignore")
DEFAULT_CHUNKS = 10

for baseline, windows in streams.runs(sys.argv[1]):
    whole = len(baseline) >= DEFAULT_CHUNKS * len(windows[0])
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(baseline),
        treat_as_categorical=streams.categorical(baseline),
        chunk_size=len(windows[0]) if whole else None,
        chunk_number=None if whole else DEFAULT_CHUNKS,
    )
    calculator.fit(baseline)
    found = []
    for window in windows:
        results = calculator.calculate(window).filter(period="analysis").to_df()
        alerts = results.xs("alert", axis=1, level=2).any()
        found.append(sorted({column for (column, _), alert in alerts.items() if alert}))
    streams.told(found)
