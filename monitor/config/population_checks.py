"""What the keys of populations, strata and crossings demand of one another."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from monitor.config.document import Document, KeyPath
from monitor.config.values import BIN_PRESETS
from monitor.config.wording import quoted, suggestion
from monitor.domain.errors import Problem
from monitor.domain.naming import CROSS, DECLINED, bin_names, scalar_text, uncrossed

Raw = Mapping[str, Any]


def population_names(value: Raw) -> list[str]:
    """Return the names of the declared populations, in either form."""
    populations = value.get("populations")
    names = populations if isinstance(populations, list | dict) else []
    return [name for name in names if isinstance(name, str)]


def population_problems(document: Document) -> Iterator[Problem]:
    """Yield what is wrong between the keys of populations, strata and crossings."""
    names = population_names(document.value)
    for name in names:
        path = ("populations", name)
        section = _section(document.value, *path)
        yield from _factor(document, path, section)
        yield from _declined(document, path, section)
        yield from _crossed_names(document, path, section)
        yield from _reference(document, path, section)
    for name in _section(document.value, "strata"):
        path = ("strata", name)
        yield from _factor(document, path, _section(document.value, *path))
        if name in names:
            message = "is a population; what outcomes are compared within needs another name"
            yield document.problem(path, message, at_key=True)
    if not names and "strata" in document.value:
        message = "outcomes of populations are compared within strata; add populations:"
        yield document.problem(("strata",), message, at_key=True)
    yield from _crossings(document, names)
    yield from _protected(document, names)


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


def _cuts(section: Raw) -> list[float]:
    """Return the cut points that are meant; none where they are wrong on their own."""
    bins = section.get("bins")
    if isinstance(bins, str):
        return list(BIN_PRESETS.get(bins, ()))
    numbers = bins if isinstance(bins, list) else []
    return [float(cut) for cut in numbers] if all(map(_is_number, numbers)) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _factor(document: Document, path: KeyPath, section: Raw) -> Iterator[Problem]:
    values, bins = _section(section, "values"), section.get("bins")
    if "values" in section and "bins" in section:
        message = "values and bins exclude each other"
        yield document.problem((*path, "bins"), message, at_key=True)
    for place, text in enumerate(_texts(section, "unknown")):
        if text in values:
            message = f"{quoted(str(text))} has a group in values; it cannot be unknown as well"
            yield document.problem((*path, "unknown", place), message)
    if isinstance(bins, list):
        yield from _increasing(document, (*path, "bins"), bins)
    yield from _labels(document, path, section)


def _increasing(document: Document, path: KeyPath, bins: list[Any]) -> Iterator[Problem]:
    for place, (low, high) in enumerate(pairwise(bins), start=1):
        if _is_number(low) and _is_number(high) and low >= high:
            message = f"cut points must increase: {scalar_text(high)} follows {scalar_text(low)}"
            yield document.problem((*path, place), message)


def _labels(document: Document, path: KeyPath, section: Raw) -> Iterator[Problem]:
    labels, cuts = section.get("labels"), _cuts(section)
    if not isinstance(labels, list):
        return
    here = (*path, "labels")
    if "bins" not in section:
        message = "labels are names of bins; name the groups of values under values"
        yield document.problem(here, message, at_key=True)
    elif cuts and len(labels) != len(cuts) + 1:
        message = f"name each group: the bins make {len(cuts) + 1}, the names are {len(labels)}"
        yield document.problem(here, message)
    for place, name in enumerate(labels):
        if isinstance(name, str) and name in labels[:place]:
            yield document.problem((*here, place), f"{quoted(name)} is listed twice")


def _declined(document: Document, path: KeyPath, section: Raw) -> Iterator[Problem]:
    values, unknown = _section(section, "values"), _texts(section, "unknown")
    for place, text in enumerate(_texts(section, "declined")):
        where = "a group in values" if text in values else "listed under unknown"
        if text in values or (text is not None and text in unknown):
            has = "has" if text in values else "is"
            message = f"{quoted(str(text))} {has} {where}; it cannot be declined as well"
            yield document.problem((*path, "declined", place), message)
    if "declined" in section and DECLINED in (*values.values(), *_names(section)):
        message = f"{quoted(DECLINED)} is the name of their group; name the other one otherwise"
        yield document.problem((*path, "declined"), message, at_key=True)


def _crossed_names(document: Document, path: KeyPath, section: Raw) -> Iterator[Problem]:
    """Yield names that would pass for those of a crossing, or of one of its groups."""
    values, labels = _section(section, "values"), enumerate(_names(section))
    named = {path: path[-1], (*path, "reference"): section.get("reference")}
    named |= {(*path, "values", value): name for value, name in values.items()}
    named |= {(*path, "labels", place): name for place, name in labels}
    for where, name in named.items():
        if isinstance(name, str) and (closed := uncrossed(name)) != name:
            message = f"{quoted(CROSS)} joins the names of a crossing; write {quoted(closed)}"
            yield document.problem(where, message, at_key=where == path)


def _names(section: Raw) -> list[Any]:
    labels = section.get("labels")
    return labels if isinstance(labels, list) else []


def _reference(document: Document, path: KeyPath, section: Raw) -> Iterator[Problem]:
    reference, cuts = section.get("reference"), _cuts(section)
    groups = [name for name in _section(section, "values").values() if isinstance(name, str)]
    if cuts:
        named = [name for name in _names(section) if isinstance(name, str)]
        groups = named or list(bin_names(tuple(cuts)))
    if groups and "declined" in section:
        groups.append(DECLINED)
    if groups and isinstance(reference, str) and reference not in groups:
        near = suggestion(reference, dict.fromkeys(groups))
        message = f"{quoted(reference)} is none of the groups{near}"
        yield document.problem((*path, "reference"), message)


def _crossings(document: Document, populations: list[str]) -> Iterator[Problem]:
    crossings = document.value.get("crossings")
    seen: list[set[str]] = []
    for place, crossing in enumerate(crossings if isinstance(crossings, list) else []):
        if not isinstance(crossing, list):
            continue
        path: KeyPath = ("crossings", place)
        names = [name for name in crossing if isinstance(name, str)]
        for index, name in enumerate(crossing):
            if isinstance(name, str) and name not in populations:
                message = f"{quoted(name)} is no declared population{suggestion(name, populations)}"
                yield document.problem((*path, index), message)
        if len(crossing) == 1 or not crossing or len(set(names)) < len(names):
            yield document.problem(path, "a crossing needs two or more different populations")
        elif set(names) in seen:
            yield document.problem(path, "is the same crossing as one before")
        seen.append(set(names))


def _protected(document: Document, populations: list[str]) -> Iterator[Problem]:
    source = _section(document.value, "source")
    apart = [
        ("populations", name, "source")
        for name in populations
        if _section(document.value, "populations", name).get("source") == "protected"
    ]
    path: KeyPath = ("source", "protected")
    if "protected" not in source:
        for key in apart:
            message = "there is no protected table; add source.protected"
            yield document.problem(key, message)
    elif not apart:
        message = "nothing is read from it; give a population source: protected"
        yield document.problem(path, message, at_key=True)
    elif "id" not in source and "key" not in _section(source, "protected"):
        message = (
            "it is joined by id; add source.id, or key: with the column of the log that has it"
        )
        yield document.problem(path, message, at_key=True)
