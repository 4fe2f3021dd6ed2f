"""What the catalogs of Iceberg tables may say, and what only the environment may."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.document import Document
from monitor.config.wording import described, suggestion
from monitor.domain.errors import Problem
from monitor.domain.policy import TableFormat

_TYPES = ("rest", "sql", "glue", "hive", "dynamodb", "bigquery")

_SECRET = re.compile(
    r"token|secret|password|credential|authorization|connection-string"
    r"|(access|account|api|private|client)[-_]?key",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"://[^/@:]*:[^/@]*@")

_OURS = {
    "py-io-impl": "files are read by pyarrow; leave it out",
    "py-catalog-impl": f"say which type it is: {', '.join(_TYPES)}",
}


def catalog_problems(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the catalogs of a model's file."""
    source = document.value.get("source")
    catalogs = source.get("catalogs") if isinstance(source, dict) else None
    if not isinstance(source, dict) or not isinstance(catalogs, dict):
        return
    used = set(_used(source))
    for name, properties in catalogs.items():
        path = ("source", "catalogs", name)
        if name not in used:
            message = (
                "no table is in it: the path of an Iceberg table begins with the name of its "
                f"catalog{suggestion(str(name), sorted(used))}"
            )
            yield document.problem(path, message, at_key=True)
        for key, value in (properties if isinstance(properties, dict) else {}).items():
            message = _wrong(str(name), str(key), value)
            if message:
                yield document.problem((*path, key), message, at_key=True)


def _wrong(name: str, key: str, value: Any) -> str:
    variable = f"PYICEBERG_CATALOG__{_variable(name)}__{_variable(key)}"
    if key in _OURS:
        return _OURS[key]
    if _SECRET.search(key) or (isinstance(value, str) and _PASSWORD.search(value)):
        return (
            "is or holds a secret, and this file is stored with every result; set "
            f"{variable} in the environment instead"
        )
    if key == "type" and value not in _TYPES:
        said = described(value)
        return f"must be one of {', '.join(_TYPES)}, not {said}{suggestion(str(value), _TYPES)}"
    return ""


def _variable(text: str) -> str:
    return text.upper().replace("-", "_").replace(".", "__")


def _used(source: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the catalogs that the model's tables are in."""
    for table in (source, source.get("labels"), source.get("protected")):
        if isinstance(table, dict) and table.get("format") == TableFormat.ICEBERG:
            place = table.get("path")
            if isinstance(place, str) and "/" in place and not place.endswith(".metadata.json"):
                yield place.partition("/")[0]
