"""How well a model does: what its labels show, beside what its scores let expect."""

from collections.abc import Iterable, Mapping, Sequence

from monitor.domain.estimate import Estimate
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.domain.run import Run
from monitor.reports.table import Table
from monitor.reports.wording import window_name

_LEVELS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "accuracy": "accuracy",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "multiclass_accuracy": "right classes",
    "macro_auc": "mean AUC",
    "macro_f1": "mean F1",
    "macro_recall": "mean recall",
    "brier": "Brier score",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "mean_error": "mean error",
}
"""The levels that are shown, and their names."""

_NOTE = (
    "est.: estimated from the scores as the baseline's labels explain them, assuming no concept drift. "
    "A realised number is shown once {:.0%} of a window's rows have a label; until then adj.: the same "
    "with the labels that have come."
)


def performance_table(policy: Policy, runs: Sequence[Run]) -> Table:
    """Return realised performance by window, with what was estimated where something was.

    Args:
        policy: The policy in force.
        runs: The newest revision of each window, oldest first.
    """
    found = [
        (window_name(run.window), result.version, _of_model(result.readings))
        for run in runs
        for result in run.results
    ]
    shown = [
        name
        for name in _LEVELS
        if any(name in numbers or f"estimated_{name}" in numbers for _, _, numbers in found)
    ]
    rows = [
        (window, version, _coverage(numbers), *(_cell(policy, numbers, name) for name in shown))
        for window, version, numbers in found
        if shown
    ]
    return Table(
        f"{policy.model}, how well it does",
        ("window", "version", "labels", *(_LEVELS[name] for name in shown)),
        tuple(rows),
        _NOTE.format(policy.min_label_coverage),
    )


def _of_model(readings: Iterable[Reading]) -> Mapping[str, Estimate]:
    return {
        item.measure: item.result
        for item in readings
        if isinstance(item.result, Estimate) and not (item.subject.field or item.subject.population)
    }


def _coverage(numbers: Mapping[str, Estimate]) -> str:
    coverage = numbers.get("label_coverage")
    return "–" if coverage is None else f"{coverage.value:.0%}"


def _cell(policy: Policy, numbers: Mapping[str, Estimate], name: str) -> str:
    coverage = numbers.get("label_coverage")
    matured = coverage is not None and coverage.value >= policy.min_label_coverage
    realised, estimated = numbers.get(name), numbers.get(f"estimated_{name}")
    said = "–" if realised is None or not matured else _digits(realised.value)
    if estimated is None:
        return said
    told = f"est. {_digits(estimated.value)}"
    adjusted = None if matured else numbers.get(f"{name}_delay_adjusted")
    if adjusted is not None and adjusted.detail["labelled"]:
        told += f", adj. {_digits(adjusted.value)}"
    return f"{said} ({told})"


def _digits(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.4g}"
