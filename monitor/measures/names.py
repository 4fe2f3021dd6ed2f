"""Names of all measures, as plain data: configuration is checked without loading statistics."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MeasureName:
    """A measure as configuration sees it.

    Attributes:
        family: Section of ``limits`` it belongs to.
        subject: What one reading of it is about; only a measure of fields can have another limit
            for some of them.
        floor: Whether a low value is the bad one, so that its limits are floors.
        labels: Whether it rests on labels: it is not judged before enough of them have arrived.
        together: Whether it is about how fields move together: it is tested apart from the model's
            own output.
    """

    family: Literal["drift", "quality", "performance", "disparity"]
    subject: Literal["field", "model", "group"]
    floor: bool = False
    labels: bool = False
    together: bool = False


_DRIFT_OF_FIELD = MeasureName("drift", "field")
_DRIFT_OF_MODEL = MeasureName("drift", "model")
_DRIFT_TOGETHER = MeasureName("drift", "model", together=True)
_QUALITY_OF_FIELD = MeasureName("quality", "field")
_DISPARITY = MeasureName("disparity", "group")

MEASURE_NAMES: Mapping[str, MeasureName] = {
    "psi": _DRIFT_OF_FIELD,
    "js_distance": _DRIFT_OF_FIELD,
    "ks": _DRIFT_OF_FIELD,
    "wasserstein": _DRIFT_OF_FIELD,
    "hellinger": _DRIFT_OF_FIELD,
    "l_infinity": _DRIFT_OF_FIELD,
    "cramers_v": _DRIFT_OF_FIELD,
    "decision_rate": _DRIFT_OF_MODEL,
    "label_rate": MeasureName("drift", "model", labels=True),
    "score_mean": _DRIFT_OF_MODEL,
    "correlation_change": _DRIFT_TOGETHER,
    "reconstruction_error": _DRIFT_TOGETHER,
    "missing_rate": _QUALITY_OF_FIELD,
    "absent_rate": _QUALITY_OF_FIELD,
    "mistyped_rate": _QUALITY_OF_FIELD,
    "unseen_rate": _QUALITY_OF_FIELD,
    "out_of_range_rate": _QUALITY_OF_FIELD,
    "duplicate_rate": MeasureName("quality", "model"),
    "rows": MeasureName("quality", "model"),
    "freshness": MeasureName("quality", "model"),
    "label_coverage": MeasureName("quality", "model", floor=True),
    "auc_drop": MeasureName("performance", "model", labels=True),
    "selection_rate": _DISPARITY,
    "selection_rate_ratio": _DISPARITY,
    "selection_rate_difference": _DISPARITY,
    "selection_rate_ratio_change": _DISPARITY,
    "group_label_coverage": _DISPARITY,
}
"""Id to family and subject, one for each entry of the catalogue."""
