"""frouros: a KS or chi-square test for every feature."""

import sys

import frames
import numpy as np
import pandas as pd
from frouros.detectors.data_drift import ChiSquareTest, KSTest

reference, current = frames.both(sys.argv[1])
for name in frames.NUMERIC:
    detector = KSTest()
    detector.fit(X=reference[name].dropna().to_numpy(np.float64))
    detector.compare(X=current[name].dropna().to_numpy(np.float64))
for name in frames.CATEGORICAL:
    detector = ChiSquareTest()
    both = pd.concat([reference[name], current[name]]).astype("category")
    codes = both.cat.codes.to_numpy()
    before, after = codes[: len(reference)], codes[len(reference) :]
    detector.fit(X=before[before >= 0])
    detector.compare(X=after[after >= 0])
