"""What a baseline froze must still be what the policy says."""

from msgspec.structs import replace

from monitor.domain.errors import BaselineError
from monitor.domain.field import Attribute, Field, FieldKind, Label
from monitor.domain.naming import DECLINED
from monitor.domain.policy import Policy
from monitor.profile.draft import attribute_grid
from monitor.profile.grid import AttributeGrid, Derivation, Grid, NumericGrid


def check_frozen(policy: Policy, version: str, grid: Grid) -> None:
    """Refuse to compare rows counted by one rule with rows counted by another.

    A field that the baseline does not know is no fault: it is measured from the next baseline on,
    and until then its readings say that there is none.

    Raises:
        BaselineError: A field, the decision, the label, an attribute or a stratum is read
            otherwise now.
    """
    changed = [*_fields(policy, grid), *_attributes(policy, grid), *_segments(policy, grid)]
    if policy.decision != grid.decision:
        changed.append("the decision")
    if _read_by(policy.label) != _read_by(grid.label):
        changed.append("the label")
    if policy.classes != grid.classes:
        changed.append("the classes")
    if changed:
        raise BaselineError(
            f"{policy.model}: since the baseline of version {version} was registered the policy "
            f"changed how it reads {', '.join(changed)}; register the baseline again: "
            f"modelmon baseline register {policy.model} --from … --to … --why …"
        )


def _read_by(label: Label | None) -> Label | None:
    return label and replace(label, observed_when=None)  # when it can be known changes no count


def _fields(policy: Policy, grid: Grid) -> list[str]:
    return [
        f"field {field.name}"
        for field in policy.fields
        if field.name in grid.fields
        and (
            grid.columns[field.name] != field.column
            or isinstance(grid.fields[field.name], NumericGrid)
            is not (field.kind is FieldKind.NUMERIC)
            or (field.name in grid.booleans) is not (field.kind is FieldKind.BOOLEAN)
            or _derivation(field) != grid.derived.get(field.name)
        )
    ]


def _derivation(field: Field) -> Derivation | None:
    return None if field.part is None else Derivation(field.part, field.zone)


def _segments(policy: Policy, grid: Grid) -> list[str]:
    frozen = {segment.name: (segment.columns, segment.most) for segment in grid.segments}
    return [
        f"segment {segment.name}" + ("" if segment.name in frozen else " (new)")
        for segment in policy.segments
        if frozen.get(segment.name) != (segment.columns, segment.most)
    ]


def _attributes(policy: Policy, grid: Grid) -> list[str]:
    frozen = {axis.name: axis for axis in grid.axes}
    kinds = {
        **dict.fromkeys(policy.attributes, "attribute"),
        **dict.fromkeys(policy.strata, "stratum"),
    }
    return [
        f"{kinds[name]} {name}" + ("" if name in frozen else " (new)")
        for name, attribute in policy.axes.items()
        if name not in frozen or _reads_otherwise(attribute, frozen[name])
    ]


def _reads_otherwise(attribute: Attribute, kept: AttributeGrid) -> bool:
    """Return whether a value may belong to another group now than when groups were registered."""
    declared = attribute_grid(attribute, {})
    if _reading(declared) != _reading(kept):
        return True
    if attribute.values or attribute.bins:
        return _groups(declared) != _groups(kept)
    return _declined(declared) != _declined(kept)


def _reading(grid: AttributeGrid) -> tuple[str, bool, tuple[float, ...], frozenset[str]]:
    return grid.column, grid.protected, grid.bins, frozenset(grid.unknown_values)


def _groups(grid: AttributeGrid) -> tuple[frozenset[str], dict[str, str]]:
    """Return the groups and whose each value is, in whatever order they were declared."""
    return frozenset(grid.groups), {text: grid.groups[code] for text, code in grid.values.items()}


def _declined(grid: AttributeGrid) -> set[str]:
    return {text for text, code in grid.values.items() if grid.groups[code] == DECLINED}
