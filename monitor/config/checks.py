"""What one key of a model's file demands of another.

The checks look at the document as it was read and pass over whatever has the wrong shape, so that
they run, and report, beside the errors of single keys.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from pydantic_core import PydanticCustomError

from monitor.config.bound_checks import bound_problems
from monitor.config.catalog_checks import catalog_problems
from monitor.config.class_checks import class_problems
from monitor.config.defaults import DEFAULT_LIMITS, UNJUDGED
from monitor.config.document import Document, KeyPath
from monitor.config.metric_checks import metric_problems, needed
from monitor.config.population_checks import population_names, population_problems
from monitor.config.reference_checks import reference_problems
from monitor.config.segment_checks import segment_problems
from monitor.config.values import MAX_NAME, checked_zone, in_zone, parse_instant
from monitor.config.wording import described, quoted, suggestion
from monitor.domain.disparity import REPRESENTATION, UNKNOWN_SHARE
from monitor.domain.errors import Problem
from monitor.domain.field import PARTS, FieldKind, FieldRole
from monitor.domain.limit import Limit
from monitor.domain.naming import scalar_text
from monitor.domain.policy import TableFormat
from monitor.domain.reference import VOLUME
from monitor.domain.schedule import CalendarUnit
from monitor.measures.names import MeasureName

Raw = Mapping[str, Any]

_PACKAGES: Mapping[str, str] = {TableFormat.DELTA: "deltalake", TableFormat.ICEBERG: "pyiceberg"}
_ICEBERG = re.compile(r"\.metadata\.json$|^[^/:\s]+/[^/:\s]+$")
_NAMED = 3  # fields that are listed before the others are counted
_CREDENTIALS = re.compile(r"[a-z0-9]+://[^/@]*:[^/@]*@")


def problems_between_keys(
    document: Document, measures: Mapping[str, MeasureName]
) -> Iterator[Problem]:
    """Yield every problem that one key alone cannot show."""
    value = document.value
    populations = population_names(value)
    yield from _fields(document)
    yield from _source(document)
    yield from catalog_problems(document)
    yield from _decision(document, populations)
    yield from _outcome_values(document, "decision")
    yield from _label(document)
    yield from _outcome_values(document, "label")
    yield from class_problems(document)
    yield from _name_list(document, "populations")
    yield from _name_list(document, "segments")
    yield from segment_problems(document)
    yield from population_problems(document)
    yield from _schedule(document)
    yield from _limits(document, measures)
    yield from _references(document, measures)


def _section(value: Any, *keys: str) -> Raw:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _texts(section: Raw, key: str) -> list[str | None]:
    """Return the canonical texts of a list, None for entries that are none."""
    values = section.get(key)
    return [
        scalar_text(value) if isinstance(value, bool | int | float | str) else None
        for value in (values if isinstance(values, list) else [])
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fields(document: Document) -> Iterator[Problem]:
    source = _section(document.value, "source")
    fields = _declared(document.value)
    for name, section in fields.items():
        path = ("fields", name)
        column = section.get("column", name)
        for key in ("event_time", "id"):
            if column == source.get(key):
                message = f"is source.{key} and cannot be watched as a field too; leave it out"
                yield document.problem(path, message, at_key=True)
        if "timezone" in section and section.get("kind") != FieldKind.DATETIME:
            message = "timezone is for fields of the kind datetime"
            yield document.problem((*path, "timezone"), message, at_key=True)
        yield from _parts(document, name, section, fields)
        yield from bound_problems(document, path, section)
    yield from _scores(document, fields)


def _declared(value: Raw) -> dict[str, Raw]:
    """Return the sections of the declared fields, in either form."""
    return {
        name: {"kind": entry} if isinstance(entry, str) else _section({"": entry}, "")
        for name, entry in _section(value, "fields").items()
    }


def _parts_of(name: str, section: Raw) -> list[str]:
    """Return the names that a field is counted by."""
    kind = section.get("kind")
    parts = PARTS[FieldKind(str(kind))] if kind in tuple(PARTS) else ()
    return [f"{name}.{part}" for part in parts] or [name]


def _parts(
    document: Document, name: str, section: Raw, fields: Mapping[str, Raw]
) -> Iterator[Problem]:
    path = ("fields", name)
    for part in _parts_of(name, section):
        if part == name:
            continue
        if part in fields:
            message = (
                f"has the name of a part of {quoted(name)}, which is counted as {quoted(part)}"
            )
            yield document.problem(("fields", part), message, at_key=True)
        if len(part) > MAX_NAME:
            message = f"is counted as {quoted(part)}, which has more than {MAX_NAME} characters"
            yield document.problem(path, message, at_key=True)


def _scores(document: Document, fields: Mapping[str, Raw]) -> Iterator[Problem]:
    scores = [name for name, entry in fields.items() if entry.get("role") == FieldRole.SCORE]
    for place, name in enumerate(scores):
        kind = fields[name].get("kind")
        if kind in tuple(FieldKind) and kind != FieldKind.NUMERIC:
            yield document.problem(("fields", name, "kind"), "a score must be numeric")
        if place:
            message = f"is a second score, after {quoted(scores[0])}; a model has one"
            yield document.problem(("fields", name, "role"), message)
    yield from _importance(document)


def _importance(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with importances: they rank features, so all have one or none has."""
    entries = _section(document.value, "fields")
    sections = {name: _section({"": entry}, "") for name, entry in entries.items()}
    given = {name: item for name, item in sections.items() if "importance" in item}
    for name, section in given.items():
        if section.get("role", FieldRole.FEATURE) != FieldRole.FEATURE:
            message = "only features have an importance; this field is what the model puts out"
            yield document.problem(("fields", name, "importance"), message, at_key=True)
    features = [
        name
        for name, section in sections.items()
        if section.get("role", FieldRole.FEATURE) == FieldRole.FEATURE
    ]
    lacking = [name for name in features if name not in given]
    if 0 < len(lacking) < len(features):
        listed = [quoted(name) for name in lacking[:_NAMED]]
        if len(lacking) > _NAMED:
            listed.append(f"{len(lacking) - _NAMED} more")
        message = (
            "fields are ranked by importance, which all features have or none; "
            f"without one: {', '.join(listed)}"
        )
        yield document.problem(("fields",), message, at_key=True)
    weights = [item["importance"] for item in given.values()]
    if weights and not lacking and all(_is_number(item) and item == 0 for item in weights):
        message = "every importance is 0, which ranks nothing; leave them out"
        yield document.problem(("fields",), message, at_key=True)


def _source(document: Document) -> Iterator[Problem]:
    source = _section(document.value, "source")
    yield from _table(document, ("source",), source)
    yield from _table(document, ("source", "labels"), _section(source, "labels"))
    yield from _table(document, ("source", "protected"), _section(source, "protected"))
    if "labels" not in source:
        return
    path = ("source", "labels")
    if "id" not in source:
        message = "labels are joined by id; add source.id, the column of the log with it"
        yield document.problem(path, message, at_key=True)
    if "label" not in document.value:
        message = "a label table needs a label: section that names its column"
        yield document.problem(path, message, at_key=True)


def _table(document: Document, path: KeyPath, section: Raw) -> Iterator[Problem]:
    kind, place = section.get("format"), section.get("path")
    package = _PACKAGES.get(kind) if isinstance(kind, str) else None
    if package and find_spec(package) is None:
        message = f"{kind} tables need the package {package}; install modelmon[{kind}]"
        yield document.problem((*path, "format"), message)
    if kind == TableFormat.ICEBERG and isinstance(place, str) and not _ICEBERG.search(place):
        message = (
            "of an Iceberg table it is catalog/namespace.table, or a metadata file that ends in "
            f".metadata.json, not {described(place)}"
        )
        yield document.problem((*path, "path"), message)
    if isinstance(place, str) and _CREDENTIALS.match(place):
        message = (
            "credentials do not belong in the file; give them to the process, for instance as "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
        yield document.problem((*path, "path"), message)


def _decision(document: Document, populations: list[str]) -> Iterator[Problem]:
    decision = document.value.get("decision")
    if not isinstance(decision, dict):
        return
    path = ("decision",)
    if populations and "positive_is" not in decision:
        message = (
            "is missing: with populations, say whether a positive decision is favourable or harmful"
        )
        yield document.problem((*path, "positive_is"), message, at_key=True)
    if "at_least" not in decision and "positive" not in decision:
        message = "is missing: list the values of a positive decision, or give at_least"
        yield document.problem((*path, "positive"), message, at_key=True)
    for key in ("positive", "negative"):
        if "at_least" in decision and key in decision:
            message = f"at_least and {key} exclude each other"
            yield document.problem((*path, key), message, at_key=True)


def _label(document: Document) -> Iterator[Problem]:
    label = document.value.get("label")
    if not isinstance(label, dict) or "positive" in label or "classes" in document.value:
        return
    if "negative" in label:
        message = "negative without positive says nothing; add positive"
        yield document.problem(("label", "negative"), message, at_key=True)
    fields = _section(document.value, "fields")
    numbers = [
        name
        for name in _fields_in_role(document, FieldRole.PREDICTION)
        if fields[name].get("kind") == FieldKind.NUMERIC
    ]
    if not _fields_in_role(document, FieldRole.SCORE):
        for name in numbers[1:]:
            message = (
                f"is a second number predicted, after {quoted(numbers[0])}, and a numeric label is "
                "held against one; give that one role: score"
            )
            yield document.problem(("fields", name), message, at_key=True)


def _outcome_values(document: Document, name: str) -> Iterator[Problem]:
    section = _section(document.value, name)
    positive = _texts(section, "positive")
    for place, text in enumerate(_texts(section, "negative")):
        if text is not None and text in positive:
            message = f"{quoted(text)} is in positive as well; it can be one only"
            yield document.problem((name, "negative", place), message)


def _name_list(document: Document, key: str) -> Iterator[Problem]:
    names = document.value.get(key)
    if not isinstance(names, list):
        return
    for place, name in enumerate(names):
        path = (key, place)
        if name is None:  # named by the reader
            continue
        if not isinstance(name, str):
            yield document.problem(path, f"must be a name, not {described(name)}")
        elif name in names[:place]:
            yield document.problem(path, f"{quoted(name)} is listed twice")


def _schedule(document: Document) -> Iterator[Problem]:
    schedule = _section(document.value, "schedule")
    if "anchor" in schedule and schedule.get("window") in tuple(CalendarUnit):
        message = "anchor is for windows of a fixed length; calendar windows begin at midnight"
        yield document.problem(("schedule", "anchor"), message, at_key=True)
    try:
        zone = checked_zone(schedule.get("timezone", "UTC"))
        start, end = (in_zone(parse_instant(schedule.get(key)), zone) for key in ("start", "end"))
        ordered = start < end
    except (PydanticCustomError, TypeError):
        return  # absent, or named as wrong on its own
    if not ordered:
        yield document.problem(("schedule", "end"), "must be after schedule.start")


def _limits(document: Document, measures: Mapping[str, MeasureName]) -> Iterator[Problem]:
    limits = _section(document.value, "limits")
    for family in ("drift", "quality", "performance"):
        here = [name for name, measure in measures.items() if measure.family == family]
        for name, entry in _section(limits, family).items():
            path = ("limits", family, name)
            if name in here:
                base = DEFAULT_LIMITS.get(name, UNJUDGED)
                yield from _limit(document, path, _section({"": entry}, ""), measures[name], base)
                yield from _lacking(document, path, measures[name])
            else:
                yield document.problem(path, _unknown_measure(name, here, measures), at_key=True)
    of_groups = _section(limits, "disparity")
    for name, base in (("representation", REPRESENTATION), ("unknown_share", UNKNOWN_SHARE)):
        path = ("limits", "disparity", name)
        yield from _bounds(document, path, _section(of_groups, name), base)
    yield from metric_problems(document)


def _lacking(document: Document, path: KeyPath, measure: MeasureName) -> Iterator[Problem]:
    """Yield why a limit would never judge anything: what it is of, the model does not have.

    Default limits may stand in any file, since a file in full has them.
    """
    if path[-1] not in DEFAULT_LIMITS:
        for why in needed(document, measure):
            yield document.problem(path, f"{path[-1]} {why}", at_key=True)


def _fields_in_role(document: Document, role: FieldRole) -> list[str]:
    return [
        name
        for name, entry in _section(document.value, "fields").items()
        if isinstance(entry, dict) and entry.get("role") == role
    ]


def _references(document: Document, measures: Mapping[str, MeasureName]) -> Iterator[Problem]:
    drift = [name for name, measure in measures.items() if measure.family == "drift"]
    whole = _section(document.value, "limits", "drift")
    for name, entry in _section(document.value, "references").items():
        path = ("references", name)
        section = {"kind": entry} if isinstance(entry, str) else _section({"": entry}, "")
        yield from reference_problems(document, path, section)
        for measure, own in _section(section, "limits").items():
            below = (*path, "limits", measure)
            if measure in drift or (measure == VOLUME and section.get("kind") != "segment"):
                default = DEFAULT_LIMITS.get(measure, UNJUDGED)
                given = {} if measure == VOLUME else _section(whole, measure)
                base = _whole(given, default)
                yield from _limit(document, below, _section({"": own}, ""), measures[measure], base)
            elif measure in measures:
                message = f"{measure} is no drift, and is held against the registered baseline only"
                yield document.problem(below, message, at_key=True)
            else:
                message = _unknown_measure(measure, drift, measures)
                yield document.problem(below, message, at_key=True)


def _unknown_measure(name: str, here: list[str], measures: Mapping[str, MeasureName]) -> str:
    if name not in measures:
        return f"unknown measure{suggestion(name, here)}"
    if measures[name].family == "disparity":
        return f"{name} is judged by limits.disparity.band"
    return f"{name} belongs under limits.{measures[name].family}"


def _limit(
    document: Document, path: KeyPath, entry: Raw, measure: MeasureName, base: Limit
) -> Iterator[Problem]:
    yield from _bounds(document, path, entry, base, floor=measure.floor)
    if "fields" not in entry:
        return
    if measure.subject not in ("field", "embedding"):
        message = f"{path[-1]} is measured on the model as a whole and has no fields"
        yield document.problem((*path, "fields"), message, at_key=True)
        return
    declared = _declared(document.value)
    whole = _whole(entry, base)
    for name, own in _section(entry, "fields").items():
        below = (*path, "fields", name)
        if declared and (wrong := _not_measured(name, declared, measure)):
            yield document.problem(below, wrong, at_key=True)
        yield from _bounds(document, below, _section({"": own}, ""), whole)


def _not_measured(name: str, declared: Mapping[str, Raw], measure: MeasureName) -> str:
    """Return why a measure has no reading of a field of this name; "" when it has."""
    parts = {part for other, section in declared.items() for part in _parts_of(other, section)}
    if measure.subject == "embedding":
        parts = {name for name, section in declared.items() if _is_embedding(section)}
    if name in parts:
        return ""
    if name not in declared:
        return f"is no declared field{suggestion(name, dict.fromkeys(sorted(parts)))}"
    if measure.subject == "embedding":
        return "is no embedding"
    return f"is counted as {', '.join(_parts_of(name, declared[name]))}; name one of these"


def _is_embedding(section: Raw) -> bool:
    return section.get("kind") == FieldKind.EMBEDDING


def _whole(entry: Raw, base: Limit) -> Limit:
    return Limit(_bound(entry, "warning", base.warning), _bound(entry, "critical", base.critical))


def _bounds(
    document: Document, path: KeyPath, entry: Raw, base: Limit, *, floor: bool = False
) -> Iterator[Problem]:
    warning = _bound(entry, "warning", base.warning)
    critical = _bound(entry, "critical", base.critical)
    given = [key for key in ("warning", "critical") if key in entry]
    if not given or warning is None or critical is None:
        return
    if (warning < critical) if floor else (warning > critical):
        missing = next((key for key in ("warning", "critical") if key not in entry), "")
        other = f"; {missing} is not given here, give it too" if missing else ""
        side = "below" if floor else "above"
        message = f"warning {warning:g} is {side} critical {critical:g}{other}"
        yield document.problem((*path, given[0]), message)


def _bound(entry: Raw, key: str, otherwise: float | None) -> float | None:
    """Return a bound, None for never and for one that is named as wrong on its own."""
    bound = entry.get(key, otherwise)
    return float(bound) if isinstance(bound, int | float) and _is_number(bound) else None
