"""whylogs: both profiles and their drift scores."""

import sys

import frames
import whylogs
from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

reference, current = frames.both(sys.argv[1])
views = [whylogs.log(frame).view() for frame in (reference, current)]
calculate_drift_scores(target_view=views[1], reference_view=views[0])
