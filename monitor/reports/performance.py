"""How well a model does: what its labels show, beside what its scores let expect."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from monitor.domain.estimate import Estimate
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.domain.run import Run
from monitor.reports.slices import SHOWN_SLICES
from monitor.reports.table import Table
from monitor.reports.wording import slice_name, window_name

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

_Numbers = Mapping[str, Estimate]
"""Of all rows, or of a slice, by measure."""

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
        ((window_name(run.window), result.version), _of_all_rows(result.readings))
        for run in runs
        for result in run.results
    ]
    return _table(policy, f"{policy.model}, how well it does", ("window", "version"), found)


def slice_performance_table(policy: Policy, runs: Sequence[Run]) -> Table:
    """Return the same of the slices of segments in the last window that has any.

    Args:
        policy: The policy in force.
        runs: The newest revision of each window, oldest first.
    """
    latest = next((run for run in reversed(runs) if run.results), None)
    found = [
        ((name, version, f"{numbers['label_coverage'].n:,}"), numbers)
        for name, version, numbers in _of_slices(latest)
        if len(numbers) > 1 and "label_coverage" in numbers
    ]
    title = "" if latest is None else f", in {window_name(latest.window)}"
    leading = ("slice", "version", "rows")
    table = _table(policy, f"How well it does by slice{title}", leading, found[:SHOWN_SLICES])
    hidden = len(found[SHOWN_SLICES:])
    more = f" {hidden:,} more slices are in modelmon export parquet." if hidden else ""
    return replace(table, note=table.note + more)


def _table(
    policy: Policy,
    title: str,
    leading: tuple[str, ...],
    found: Sequence[tuple[tuple[str, ...], _Numbers]],
) -> Table:
    shown = [
        name
        for name in _LEVELS
        if any(name in numbers or f"estimated_{name}" in numbers for _, numbers in found)
    ]
    rows = [
        (*where, _coverage(numbers), *(_cell(policy, numbers, name) for name in shown))
        for where, numbers in found
        if shown
    ]
    return Table(
        title,
        (*leading, "labels", *(_LEVELS[name] for name in shown)),
        tuple(rows),
        _NOTE.format(policy.min_label_coverage),
    )


def _of_all_rows(readings: Iterable[Reading]) -> _Numbers:
    return _numbers(item for item in readings if not item.subject.segment)


def _of_slices(run: Run | None) -> Iterator[tuple[str, str, _Numbers]]:
    """Yield each slice's name and version with its numbers, in the order in which they are stored."""
    for result in () if run is None else run.results:
        slices: dict[str, list[Reading]] = {}
        for item in result.readings:
            if item.subject.scanned:
                slices.setdefault(slice_name(item.subject), []).append(item)
        for name, items in slices.items():
            yield name, result.version, _with_levels(_numbers(items))


def _with_levels(numbers: _Numbers) -> _Numbers:
    """Return numbers with the levels that only a change was measured of: what it is now."""
    levels = {
        name: replace(found, value=found.now)
        for name in _LEVELS
        for suffix in ("drop", "rise", "change")
        if (found := numbers.get(f"{name}_{suffix}")) is not None and found.now is not None
    }
    return {**levels, **numbers}


def _numbers(readings: Iterable[Reading]) -> _Numbers:
    return {
        item.measure: item.result
        for item in readings
        if isinstance(item.result, Estimate) and not (item.subject.field or item.subject.population)
    }


def _coverage(numbers: _Numbers) -> str:
    coverage = numbers.get("label_coverage")
    return "–" if coverage is None else f"{coverage.value:.0%}"


def _cell(policy: Policy, numbers: _Numbers, name: str) -> str:
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
