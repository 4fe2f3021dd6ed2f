"""Which quantities a field or a model has at all."""

from monitor.profile.class_groups import favoured
from monitor.profile.grid import CategoricalGrid, FieldGrid, Grid, NumericGrid


def is_numeric(grid: FieldGrid) -> bool:
    """Return whether a field's values have an order and distances."""
    return isinstance(grid, NumericGrid)


def is_continuous(grid: FieldGrid) -> bool:
    """Return whether a field's values are known as a range, rather than one by one."""
    return isinstance(grid, NumericGrid) and not grid.discrete


def has_known_values(grid: FieldGrid) -> bool:
    """Return whether the baseline held certain values and no others, rather than a range of them."""
    return not grid.fixed if isinstance(grid, CategoricalGrid) else grid.discrete


def has_score(grid: Grid) -> bool:
    """Return whether the model gives a numeric score."""
    return isinstance(grid.fields.get(grid.score), NumericGrid)


def has_ids(grid: Grid) -> bool:
    """Return whether rows of one prediction can be told by its id."""
    return grid.identified


def has_decision(grid: Grid) -> bool:
    """Return whether the model decides."""
    return grid.decision is not None


def has_label(grid: Grid) -> bool:
    """Return whether the true outcome has a positive side."""
    return grid.label is not None and bool(grid.label.positive)


def has_any_label(grid: Grid) -> bool:
    """Return whether the true outcome is known at all, as one of two classes or as a number."""
    return grid.label is not None


def has_number_label(grid: Grid) -> bool:
    """Return whether the true outcome is a number."""
    return grid.label is not None and not grid.label.positive and grid.classes is None


def has_classes(grid: Grid) -> bool:
    """Return whether the model chooses one of several classes."""
    return grid.classes is not None


def has_classes_and_label(grid: Grid) -> bool:
    """Return whether the classes that were chosen can be held against those that came."""
    return grid.classes is not None and grid.label is not None


def has_probabilities_and_label(grid: Grid) -> bool:
    """Return whether the probabilities of classes can be held against those that came."""
    return has_classes_and_label(grid) and bool(grid.classes and grid.classes.probabilities)


def has_decision_and_label(grid: Grid) -> bool:
    """Return whether decisions can be held against outcomes."""
    return has_decision(grid) and has_label(grid)


def has_score_decision_and_label(grid: Grid) -> bool:
    """Return whether it can be estimated from scores which decisions were right."""
    return has_score(grid) and has_decision_and_label(grid)


def has_estimates_by_group(grid: Grid) -> bool:
    """Return whether it can be estimated which decisions about each group were right."""
    return has_score_decision_and_label(grid) or bool(favoured(grid))


def has_score_and_label(grid: Grid) -> bool:
    """Return whether scores can be held against outcomes."""
    return has_score(grid) and has_label(grid)


def has_pairs(grid: Grid) -> bool:
    """Return whether there are numeric fields that can move together."""
    return len(grid.scores) > 1 or sum(map(is_numeric, grid.fields.values())) > 1
