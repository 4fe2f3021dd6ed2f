"""Stored results as pieces of the page that Prometheus scrapes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from monitor.domain.policy import Policy
from monitor.engine.alias import group_alias
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.budget import keep_worst
from monitor.exposition.page import Results
from monitor.exposition.results import add_model
from monitor.exposition.sheet import Sheet
from monitor.exposition.text import Chunk, chunk, lines
from monitor.measures.measure import Family

OWN_SERIES = 4
"""Series that say how many series there are, how many there may be and how many are left out."""


class Build(Struct, frozen=True):
    """Which code is running.

    Attributes:
        version: The version of the distribution.
        revision: The commit it was built from; "" when nobody knows.
    """

    version: str
    revision: str = ""


def render(
    snapshots: Sequence[ModelSnapshot],
    build: Build,
    families: Mapping[str, Family],
    most: int | None = None,
    size: int | None = None,
) -> Results:
    """Return the results part of the page: the same bytes for the same results.

    Args:
        snapshots: The models.
        build: The running code.
        families: As in `render_model`.
        most: As in `render_model`.
        size: As in `page_of`.
    """
    models = {item.policy.model: render_model(item, families, most) for item in snapshots}
    return page_of(models, build, size)


def page_of(
    models: Mapping[str, Mapping[str, Chunk]], build: Build, size: int | None = None
) -> Results:
    """Return the results part of the page from what was rendered of each model.

    Args:
        models: Model to what `render_model` returned of it.
        build: The running code.
        size: Bytes that the store takes; None where nobody asked it.
    """
    fleet = Sheet()
    fleet.add("build_info", 1, version=build.version, revision=build.revision)
    fleet.add("models", len(models))
    if size is not None:
        fleet.add("store_size_bytes", size)
    return Results((_pieces(fleet), *(models[model] for model in sorted(models))))


def exported(results: Results, at: datetime) -> Results:
    """Return results with the instant at which they were rendered, for a page without a process."""
    stamp = Sheet()
    stamp.add("results_exported_timestamp_seconds", at.timestamp())
    return Results((*results.pieces, _pieces(stamp)))


def render_model(
    snapshot: ModelSnapshot, families: Mapping[str, Family], most: int | None = None
) -> Mapping[str, Chunk]:
    """Return the lines of a model by metric: rendered once a run, whoever scrapes them how often.

    Args:
        snapshot: The model.
        families: Measure id to the section of ``limits`` it belongs to. A reading of any other
            measure has no score on the page, and is counted in ``modelmon_series_dropped``.
        most: How many series the model may have; None for any number.
    """
    sheet, model = Sheet(), snapshot.policy.model
    unplaced = add_model(sheet, snapshot, families)
    left_out = 0
    if most is not None:
        left_out = keep_worst(sheet, snapshot, most - OWN_SERIES)
        sheet.add("series_limit", most, model=model)
    sheet.add("series_dropped", left_out, model=model, reason="limit")
    sheet.add("series_dropped", unplaced, model=model, reason="unplaced")
    sheet.add("series", len(sheet) + 1, model=model)
    name_groups(sheet, snapshot.policy)
    return _pieces(sheet)


def name_groups(sheet: Sheet, policy: Policy) -> None:
    """Call groups by their aliases where the policy wants it."""
    if policy.alias_groups:
        sheet.rename(
            lambda labels, label: group_alias(policy.model, labels["attribute"], labels[label])
        )


def _pieces(sheet: Sheet) -> Mapping[str, Chunk]:
    return {name: chunk(lines(name, series)) for name, series in sheet.series.items()}
