"""Stored results as Prometheus text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest

from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.family import Part
from monitor.exposition.results import add_model
from monitor.exposition.sheet import Sheet, SheetCollector
from monitor.measures.measure import Family


@dataclass(frozen=True, slots=True)
class Build:
    """Which code is running.

    Attributes:
        version: The version of the distribution.
        revision: The commit it was built from; "" when nobody knows.
    """

    version: str
    revision: str = ""


def render(
    snapshots: Sequence[ModelSnapshot], build: Build, families: Mapping[str, Family]
) -> bytes:
    """Return the results part of the page: text format 0.0.4, the same bytes for the same results.

    It is rendered once a run, because the page of a large fleet takes longer than a scrape may.

    Args:
        snapshots: The models.
        build: The running code.
        families: Measure id to the section of ``limits`` it belongs to. A reading of any other
            measure has no score on the page, and is counted in ``modelmon_series_dropped``.
    """
    sheet = Sheet()
    sheet.add("build_info", 1, version=build.version, revision=build.revision)
    sheet.add("models", len(snapshots))
    for snapshot in sorted(snapshots, key=lambda each: each.policy.model):
        add_model(sheet, snapshot, families)
    return text_of(sheet, Part.RESULTS)


def text_of(sheet: Sheet, part: Part) -> bytes:
    """Return one part of the page as Prometheus text."""
    registry = CollectorRegistry()
    registry.register(SheetCollector(tuple(sheet.metrics(part))))
    return generate_latest(registry)
