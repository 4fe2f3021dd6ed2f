"""The bytes form of grids and profiles: versioned, compressed, the same on every machine."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from msgspec.structs import asdict, replace

from monitor.domain.field import Decision, Effect, Label, Part
from monitor.domain.schema import KnownColumn, Schema
from monitor.profile.class_bytes import add_classes, class_counts, classes_of, described_classes
from monitor.profile.comoments import CoMoments
from monitor.profile.counts import (
    CategoricalCounts,
    FieldCounts,
    NumericCounts,
    OutcomeTable,
    ValueSample,
)
from monitor.profile.errors import ErrorSums
from monitor.profile.grid import (
    AttributeGrid,
    CategoricalGrid,
    Derivation,
    FieldGrid,
    Grid,
    NumericGrid,
    SegmentGrid,
    VectorGrid,
)
from monitor.profile.group_bytes import add_group_scores, group_scores_of
from monitor.profile.packing import Arrays, content_digest, pack, unpack
from monitor.profile.profile import Profile
from monitor.profile.slice_bytes import read_slices, slice_prefix
from monitor.profile.vectors import VectorCounts

GRID_FORMAT = b"MMG1"
"""First bytes of a grid; the digit is the version of the layout."""

PROFILE_FORMAT = b"MMP1"
"""First bytes of a profile; the digit is the version of the layout."""

_NUMERIC_SCALARS = tuple(
    name for name in NumericCounts.__struct_fields__ if name not in {"cells", "sums"}
)
_FROZEN = ("center", "scale")
_SUMS = ("sums", "products", "cubes", "fourths")
_VECTOR_ROWS = tuple(name for name in VectorCounts.__struct_fields__ if name not in _SUMS)


def grid_to_bytes(grid: Grid) -> bytes:
    """Return the bytes form of a grid; its digest is not part of it."""
    arrays: Arrays = {}
    described: dict[str, Any] = {}
    for name, cells in grid.fields.items():
        match cells:
            case NumericGrid():
                arrays[f"{name}\x1fedges"] = cells.edges
                arrays[f"{name}\x1fatoms"] = cells.atoms
                described[name] = {
                    "kind": "numeric",
                    "center": cells.center,
                    "scale": cells.scale,
                    "discrete": cells.discrete,
                }
            case CategoricalGrid():
                described[name] = {
                    "kind": "categorical",
                    "values": cells.values,
                    "complete": cells.complete,
                }
                if cells.known:  # without them the bytes are as they always were
                    described[name]["known"] = cells.known
                if cells.fixed:
                    described[name]["fixed"] = True
    header: dict[str, Any] = {
        "fields": described,
        "columns": dict(grid.columns),
        "booleans": sorted(grid.booleans),
        "attributes": [_axis(attribute) for attribute in grid.attributes],
        "decision": None if grid.decision is None else asdict(grid.decision),
        "label": None if grid.label is None else _read_by(grid.label),
        "score": grid.score,
        "schema": {
            "columns": {
                name: [column.types, column.everywhere, column.repeated]
                for name, column in grid.schema.columns.items()
            },
            "complete": grid.schema.complete,
        },
    }
    if grid.scores:
        header["pairs"] = list(grid.scores)
        arrays |= {f"{name}\x1fscores": scores for name, scores in grid.scores.items()}
    if grid.identified:
        header["identified"] = True
    _add_parts(header, arrays, grid)
    return pack(GRID_FORMAT, header, arrays)


def grid_from_bytes(data: bytes) -> Grid:
    """Return the grid of a bytes form, its digest filled in.

    Raises:
        ValueError: The bytes are no grid, or of a layout this version does not read.
    """
    header, body = unpack(GRID_FORMAT, data)
    arrays = body.arrays(header["arrays"])
    cells: dict[str, FieldGrid] = {}
    for name, described in header["fields"].items():
        if described["kind"] == "numeric":
            cells[name] = NumericGrid(
                arrays[f"{name}\x1fedges"],
                arrays[f"{name}\x1fatoms"],
                described["center"],
                described["scale"],
                described["discrete"],
            )
        else:
            cells[name] = CategoricalGrid(
                tuple(described["values"]),
                described["complete"],
                tuple(described.get("known", ())),
                described.get("fixed", False),
            )
    grid = Grid(
        fields=cells,
        columns=header["columns"],
        booleans=frozenset(header["booleans"]),
        attributes=tuple(_attribute(attribute) for attribute in header["attributes"]),
        decision=_decision(header["decision"]),
        label=_label(header["label"]),
        score=header["score"],
        schema=_schema(header.get("schema")),
        # Grids of before fields were counted in pairs have no scores.
        scores={name: arrays[f"{name}\x1fscores"] for name in header.get("pairs", ())},
        identified=header.get("identified", False),
        derived={
            name: Derivation(Part(part), zone)
            for name, (part, zone) in header.get("derived", {}).items()
        },
        vectors={
            name: VectorGrid(dimension, *(arrays[f"{name}\x1fvector {item}"] for item in _FROZEN))
            for name, dimension in header.get("vectors", {}).items()
        },
        segments=tuple(_segment(segment) for segment in header.get("segments", ())),
        strata=tuple(_attribute(factor) for factor in header.get("strata", ())),
        classes=classes_of(header.get("classes")),
    )
    return replace(grid, digest=content_digest(data))


def profile_to_bytes(profile: Profile) -> bytes:
    """Return the bytes form of a profile."""
    arrays: Arrays = {}
    return pack(PROFILE_FORMAT, _profile_header(profile, arrays, ""), arrays)


def _profile_header(profile: Profile, arrays: Arrays, prefix: str) -> dict[str, Any]:
    """Return what is said of a profile, and add its arrays under names with a prefix."""
    table = profile.outcomes
    arrays |= {
        f"{prefix}\x1fcodes": table.codes,
        f"{prefix}\x1fcounts": table.counts,
        f"{prefix}\x1fscore": profile.score_by_label,
    }
    arrays |= _decided_arrays(profile, prefix)
    described: dict[str, Any] = {}
    for name, counts in profile.fields.items():
        match counts:
            case NumericCounts():
                arrays[f"{prefix}{name}\x1fcells"] = counts.cells
                arrays[f"{prefix}{name}\x1fsums"] = counts.sums
                described[name] = {item: getattr(counts, item) for item in _NUMERIC_SCALARS}
            case CategoricalCounts():
                arrays[f"{prefix}{name}\x1fvalues"] = counts.values
                described[name] = {
                    "other": counts.other,
                    "unseen": asdict(counts.unseen),
                    "null": counts.null,
                    "invalid": counts.invalid,
                    "absent": counts.absent,
                }
    header: dict[str, Any] = {
        "grid": profile.grid,
        "rows": profile.rows,
        "fields": described,
        "attributes": table.attributes,
        "shape": table.shape,
        "unmapped": {name: asdict(sample) for name, sample in table.unmapped.items()},
        "first_event": _instant_text(profile.first_event),
        "last_event": _instant_text(profile.last_event),
    }
    if profile.pairs.fields:
        header["pairs"] = profile.pairs.fields
        arrays |= _pairs_arrays(profile.pairs)
    if profile.duplicates:
        header["duplicates"] = profile.duplicates
    if profile.errors is not None:
        header["errors"] = asdict(profile.errors)
    add_classes(header, arrays, profile.classes, prefix)
    _add_vectors(header, arrays, profile)
    if profile.group_scores is not None:  # a profile without has the bytes it always had
        header["group_scores"] = add_group_scores(arrays, profile.group_scores, "\x1f")
    _add_slices(header, arrays, profile)
    return header


def _decided_arrays(profile: Profile, prefix: str) -> Arrays:
    """Return scores by decision, of all rows and of those with a label, where they were counted."""
    counted = {
        "decided": profile.score_by_decision,
        "decided and labelled": profile.labelled_by_decision,
    }
    return {f"{prefix}\x1f{name}": rows for name, rows in counted.items() if rows is not None}


def _add_slices(header: dict[str, Any], arrays: Arrays, profile: Profile) -> None:
    """Add the slices of segments; a profile without any has the bytes it always had."""
    if profile.segments:
        header["segments"] = {
            name: {
                str(code): _profile_header(part, arrays, slice_prefix(name, code))
                for code, part in slices.items()
            }
            for name, slices in profile.segments.items()
        }


def profile_from_bytes(data: bytes) -> Profile:
    """Return the profile of a bytes form.

    Each of its slices is decoded when it is asked for, and not held: all of them take ten times more
    memory than their bytes.

    Raises:
        ValueError: The bytes are no profile, or of a layout this version does not read.
        zlib.error: They are damaged.
    """
    header, body = unpack(PROFILE_FORMAT, data)
    arrays, slices = read_slices(header, body, _profile)
    profile = _profile(header, arrays, "")
    profile.segments = slices
    return profile


def profile_without_slices(data: bytes) -> Profile:
    """Return the profile of a bytes form for a sum in which slices are not wanted.

    Adding profiles up decodes all of their slices. Errors as of `profile_from_bytes`.
    """
    return replace(profile_from_bytes(data), segments={})


def _profile(header: Mapping[str, Any], arrays: Arrays, prefix: str) -> Profile:
    counts: dict[str, FieldCounts] = {}
    for name, described in header["fields"].items():
        if f"{prefix}{name}\x1fcells" in arrays:
            counts[name] = NumericCounts(
                arrays[f"{prefix}{name}\x1fcells"], arrays[f"{prefix}{name}\x1fsums"], **described
            )
        else:
            unseen = ValueSample(**described["unseen"])
            values = arrays[f"{prefix}{name}\x1fvalues"]
            counts[name] = CategoricalCounts(values, **{**described, "unseen": unseen})
    table = OutcomeTable(
        tuple(header["attributes"]),
        tuple(header["shape"]),
        arrays[f"{prefix}\x1fcodes"],
        arrays[f"{prefix}\x1fcounts"],
        {name: ValueSample(**sample) for name, sample in header["unmapped"].items()},
    )
    return Profile(
        header["grid"],
        header["rows"],
        counts,
        table,
        arrays[f"{prefix}\x1fscore"],
        _instant(header["first_event"]),
        _instant(header["last_event"]),
        _pairs(header.get("pairs", 0), arrays),
        header.get("duplicates", 0),
        score_by_decision=arrays.get(f"{prefix}\x1fdecided"),
        labelled_by_decision=arrays.get(f"{prefix}\x1fdecided and labelled"),
        errors=ErrorSums(**header["errors"]) if "errors" in header else None,
        vectors={
            name: _vectors(name, rows, arrays) for name, rows in header.get("vectors", {}).items()
        },
        group_scores=group_scores_of(header.get("group_scores"), arrays, "\x1f"),
        classes=class_counts(header.get("classes"), table.attributes, arrays, prefix),
    )


def _add_parts(header: dict[str, Any], arrays: Arrays, grid: Grid) -> None:
    """Add parts, segments, strata and classes; a grid without has the bytes it always had."""
    if grid.classes is not None:
        header["classes"] = described_classes(grid.classes)
    if grid.segments:
        header["segments"] = [asdict(segment) for segment in grid.segments]
    if grid.strata:
        header["strata"] = [_axis(factor) for factor in grid.strata]
    if grid.derived:
        header["derived"] = {name: [item.part, item.zone] for name, item in grid.derived.items()}
    if grid.vectors:
        header["vectors"] = {name: item.dimension for name, item in grid.vectors.items()}
    for name, vectors in grid.vectors.items():
        for item in _FROZEN:
            arrays[f"{name}\x1fvector {item}"] = getattr(vectors, item)


def _add_vectors(header: dict[str, Any], arrays: Arrays, profile: Profile) -> None:
    """Add the embeddings; a profile without any has the bytes it always had."""
    if profile.vectors:
        header["vectors"] = {
            name: {item: getattr(counts, item) for item in _VECTOR_ROWS}
            for name, counts in profile.vectors.items()
        }
    for name, vectors in profile.vectors.items():
        for item in _SUMS:
            arrays[f"{name}\x1fvector {item}"] = getattr(vectors, item)


def _vectors(name: str, rows: Mapping[str, Any], arrays: Arrays) -> VectorCounts:
    sums: list[Any] = [arrays[f"{name}\x1fvector {item}"] for item in _SUMS]
    return VectorCounts(*sums, **rows)


def _pairs_arrays(pairs: CoMoments) -> Arrays:
    """Return the sums over pairs, of those that are symmetric one half."""
    half = np.triu_indices(pairs.fields)
    return {
        "\x1fpairs rows": pairs.rows[half],
        "\x1fpairs sums": pairs.sums,
        "\x1fpairs squares": pairs.squares,
        "\x1fpairs products": pairs.products[half],
    }


def _pairs(fields: int, arrays: Arrays) -> CoMoments:
    pairs = CoMoments.empty(fields)
    if not fields:  # a profile of before fields were counted in pairs
        return pairs
    half = np.triu_indices(fields)
    for name, sums in (("rows", pairs.rows), ("products", pairs.products)):
        sums[half] = arrays[f"\x1fpairs {name}"]
        sums.T[half] = sums[half]
    pairs.sums, pairs.squares = arrays["\x1fpairs sums"], arrays["\x1fpairs squares"]
    return pairs


def _axis(axis: AttributeGrid) -> dict[str, Any]:
    described = asdict(axis)
    if not axis.protected:  # without it the bytes are as they always were
        del described["protected"]
    return described


def _attribute(described: dict[str, Any]) -> AttributeGrid:
    return AttributeGrid(
        described["name"],
        described["column"],
        tuple(described["groups"]),
        described["values"],
        tuple(described["bins"]),
        tuple(described["unknown_values"]),
        described.get("protected", False),
    )


def _segment(described: dict[str, Any]) -> SegmentGrid:
    return SegmentGrid(
        described["name"],
        tuple(described["columns"]),
        tuple(tuple(value) for value in described["values"]),
        described["most"],
    )


def _schema(described: dict[str, Any] | None) -> Schema:
    if described is None:  # a grid of before schemas were kept
        return Schema()
    columns = {
        name: KnownColumn(tuple(types), everywhere, repeated)
        for name, (types, everywhere, repeated) in described["columns"].items()
    }
    return Schema(columns, described["complete"])


def _decision(described: dict[str, Any] | None) -> Decision | None:
    if described is None:
        return None
    effect = described["effect"]
    return Decision(
        described["column"],
        tuple(described["positive"]),
        tuple(described["negative"]),
        described["at_least"],
        None if effect is None else Effect(effect),
    )


def _read_by(label: Label) -> dict[str, Any]:
    """Return what labels are read by; when they can be known changes no count."""
    described = asdict(label)
    del described["observed_when"]
    return described


def _label(described: dict[str, Any] | None) -> Label | None:
    if described is None:
        return None
    return Label(described["column"], tuple(described["positive"]), tuple(described["negative"]))


def _instant_text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
