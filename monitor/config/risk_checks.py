"""Limits on risk: each is about something that this policy measures and judges."""

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.defaults import DEFAULT_LIMITS
from monitor.config.document import Document, KeyPath
from monitor.config.governance_sections import GovernanceSections, RiskLimitSection
from monitor.config.metric_checks import compared, needed
from monitor.config.population_checks import population_names
from monitor.config.wording import quoted, suggestion
from monitor.domain.errors import Problem
from monitor.domain.field import Field, FieldKind, Population
from monitor.governance.cases import Cause
from monitor.measures.names import MeasureName


def risk_problems(
    document: Document, given: GovernanceSections, measures: Mapping[str, MeasureName]
) -> Iterator[Problem]:
    """Yield limits on risk that no alert could ever fit, and names that are not of this policy."""
    limits = given.risk.limits
    first: dict[str, int] = {}
    for place, limit in enumerate(limits):
        path: KeyPath = ("risk", "limits", place)
        if first.setdefault(limit.id, place) != place:
            message = f"{quoted(limit.id)} is the id of limit {first[limit.id] + 1} as well"
            yield document.problem((*path, "id"), message)
        if limit.id in set(Cause):
            message = f"{limit.id} is what cases are called that no limit leads to; take another id"
            yield document.problem((*path, "id"), message)
        yield from _measures(document, path, limit, measures)
        yield from _names(document, path, "fields", limit.fields, _fields(document))
        yield from _names(document, path, "populations", limit.populations, _populations(document))
        yield from _subjects(document, path, limit, measures)


def _measures(
    document: Document,
    path: KeyPath,
    limit: RiskLimitSection,
    measures: Mapping[str, MeasureName],
) -> Iterator[Problem]:
    for place, name in enumerate(limit.measures):
        below = (*path, "measures", place)
        if name not in measures:
            yield document.problem(below, f"unknown measure{suggestion(name, measures)}")
            continue
        lacking = list(needed(document, measures[name]))
        if lacking:
            yield document.problem(below, f"{name} {lacking[0]}")
        elif not _judged(document, name, measures[name]):
            yield document.problem(below, _unjudged(name, measures[name]))


def _judged(document: Document, name: str, measure: MeasureName) -> bool:
    if measure.family == "disparity":
        listed = compared(document)
        return not measure.metric or listed is None or measure.metric in listed
    limits = document.value.get("limits")
    family = limits.get(measure.family) if isinstance(limits, dict) else None
    return name in DEFAULT_LIMITS or (isinstance(family, dict) and name in family)


def _unjudged(name: str, measure: MeasureName) -> str:
    if measure.family == "disparity":
        return f"{name} is not compared here; list {measure.metric} under limits.disparity.metrics"
    return f"{name} is not judged here; give it a limit under limits.{measure.family}"


def _names(
    document: Document, path: KeyPath, key: str, named: list[str], known: tuple[str, ...]
) -> Iterator[Problem]:
    for place, name in enumerate(named):
        if name not in known:
            message = f"{quoted(name)} is none of this model's {key}{suggestion(name, known)}"
            yield document.problem((*path, key, place), message)


def _fields(document: Document) -> tuple[str, ...]:
    """Return the names that alerts call fields by: their parts', and embeddings as a whole."""
    names: dict[str, None] = {}
    fields = document.value.get("fields")
    for name, entry in fields.items() if isinstance(fields, dict) else ():
        kind: Any = entry.get("kind") if isinstance(entry, dict) else entry
        if kind in tuple(FieldKind):
            names |= dict.fromkeys(
                part.name for part in Field(name, name, FieldKind(kind)).in_parts()
            )
        if kind not in tuple(FieldKind) or kind == FieldKind.EMBEDDING:
            names[name] = None
    return tuple(names)


def _populations(document: Document) -> tuple[str, ...]:
    crossings = document.value.get("crossings")
    crossed = [
        Population(tuple(map(str, names))).name
        for names in (crossings if isinstance(crossings, list) else ())
        if isinstance(names, list)
    ]
    return (*population_names(document.value), *crossed)


def _subjects(
    document: Document,
    path: KeyPath,
    limit: RiskLimitSection,
    measures: Mapping[str, MeasureName],
) -> Iterator[Problem]:
    """Yield that nothing is about a field and a population, or about what no measure is of."""
    if limit.fields and limit.populations:
        message = "is about fields and populations at once, which no alert is; make it two limits"
        yield document.problem(path, message)
        return
    subjects = {measures[name].subject for name in limit.measures if name in measures}
    for key, of in (("fields", {"field", "embedding"}), ("populations", {"group"})):
        if getattr(limit, key) and subjects and not subjects & of:
            message = f"none of the limit's measures is of {key}; leave one of them out"
            yield document.problem((*path, key), message, at_key=True)
