"""JSON Schema of the files, for editors and for the reference."""

from collections.abc import Callable, Mapping
from typing import Any

from monitor.config.daemon_file import DaemonSection
from monitor.config.defaults import DEFAULT_LIMITS
from monitor.config.section import Section
from monitor.config.sections import ModelSection
from monitor.config.values import NEVER
from monitor.measures.names import MEASURE_NAMES, MeasureName

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def model_schema(measures: Mapping[str, MeasureName] = MEASURE_NAMES) -> dict[str, Any]:
    """Return the JSON Schema of a model's file, with the names of all measures."""
    schema = _schema(ModelSection, "modelmon: a model")
    families = schema["$defs"]["LimitsSection"]["properties"]
    for family in ("drift", "quality", "performance"):
        _name_measures(families[family], family, measures, _limit_description)
    reference = schema["$defs"]["ReferenceSection"]["properties"]
    _name_measures(reference["limits"], "drift", measures, lambda _: "the model's unless given")
    return schema


def _name_measures(
    section: dict[str, Any],
    family: str,
    measures: Mapping[str, MeasureName],
    described: Callable[[str], str],
) -> None:
    """Let a section of limits have the measures of a family as its keys, and no other."""
    limit = section.pop("additionalProperties")
    section["additionalProperties"] = False
    section["properties"] = {
        name: {**limit, "description": described(name)}
        for name, measure in measures.items()
        if measure.family == family
    }


def daemon_schema() -> dict[str, Any]:
    """Return the JSON Schema of the daemon's file."""
    return _schema(DaemonSection, "modelmon: the daemon")


def _schema(section: type[Section], title: str) -> dict[str, Any]:
    return {"$schema": _DIALECT, **_as_written(section.model_json_schema()), "title": title}


def _as_written(node: Any) -> Any:
    """Return a schema of what may stand in a file: a key that is not given is left out, not null.

    Titles that only repeat a key are dropped as well.
    """
    if isinstance(node, list):
        return [_as_written(item) for item in node if item != {"type": "null"}]
    if not isinstance(node, dict):
        return node
    written = {
        key: _as_written(value)
        for key, value in node.items()
        if not (key == "default" and value is None)
        and not (key == "title" and isinstance(value, str))
    }
    variants = written.get("anyOf", ())
    return {**variants[0], **_without(written, "anyOf")} if len(variants) == 1 else written


def _without(node: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != key}


def _limit_description(name: str) -> str:
    limit = DEFAULT_LIMITS.get(name)
    if limit is None:
        return "measured, and judged only when it is given a limit"
    warning, critical = (
        NEVER if bound is None else f"{bound:g}" for bound in (limit.warning, limit.critical)
    )
    return f"warning {warning} and critical {critical} unless it is said"
