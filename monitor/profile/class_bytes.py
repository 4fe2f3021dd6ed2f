"""The bytes form of the classes of a model and of their counts."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from monitor.domain.field import Classes
from monitor.profile.class_scores import ClassScores
from monitor.profile.classes import ClassCounts
from monitor.profile.counts import OutcomeTable
from monitor.profile.errors import ErrorSums, SquareSums
from monitor.profile.group_bytes import add_group_scores, group_scores_of
from monitor.profile.packing import Arrays


def classes_of(described: dict[str, Any] | None) -> Classes | None:
    """Return the classes of a grid, of what was said of them; None of nothing."""
    if described is None:
        return None
    return Classes(
        described["column"],
        tuple(described["values"]),
        tuple(described["probabilities"]),
        tuple((text, name) for text, name in described.get("labels", ())),
    )


def described_classes(classes: Classes) -> dict[str, Any]:
    """Return what is said of the classes of a grid; where labels are the classes it is what it was."""
    described = asdict(classes)
    if not classes.labels:
        del described["labels"]
    return described


def add_classes(
    header: dict[str, Any], arrays: Arrays, counts: ClassCounts | None, prefix: str
) -> None:
    """Add the table of classes; a profile without one has the bytes it always had."""
    if counts is None:
        return
    arrays[f"{prefix}\x1fclass codes"] = counts.table.codes
    arrays[f"{prefix}\x1fclass counts"] = counts.table.counts
    errors = None if counts.errors is None else asdict(counts.errors)
    header["classes"] = {"shape": counts.table.shape, "errors": errors}
    if counts.scores is not None:
        header["classes"]["outside"] = counts.scores.outside
        arrays[f"{prefix}\x1fclass scores"] = counts.scores.rows
        arrays[f"{prefix}\x1fclass score sums"] = counts.scores.sums
    if counts.groups is not None:
        header["classes"]["groups"] = add_group_scores(arrays, counts.groups, f"{prefix}\x1fclass ")
    if counts.squares is not None:
        header["classes"]["squares"] = asdict(counts.squares)


def class_counts(
    described: Mapping[str, Any] | None, attributes: tuple[str, ...], arrays: Arrays, prefix: str
) -> ClassCounts | None:
    """Return the table of classes of what was said of it; None of nothing."""
    if described is None:
        return None
    table = OutcomeTable(
        attributes,
        tuple(described["shape"]),
        arrays[f"{prefix}\x1fclass codes"],
        arrays[f"{prefix}\x1fclass counts"],
        {},
    )
    errors = described["errors"]
    scores = None
    if "outside" in described:  # not in what was stored before probabilities were counted
        scores = ClassScores(
            arrays[f"{prefix}\x1fclass scores"],
            arrays[f"{prefix}\x1fclass score sums"],
            described["outside"],
        )
    squares = described.get("squares")  # as are these, and those by group
    return ClassCounts(
        table,
        None if errors is None else ErrorSums(**errors),
        scores,
        None if squares is None else SquareSums(**squares),
        group_scores_of(described.get("groups"), arrays, f"{prefix}\x1fclass "),
    )
