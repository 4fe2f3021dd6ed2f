"""What a baseline froze must still be what the policy says."""

from monitor.domain.errors import BaselineError
from monitor.domain.field import Field, FieldKind
from monitor.domain.policy import Policy
from monitor.profile.grid import Derivation, Grid, NumericGrid


def check_frozen(policy: Policy, version: str, grid: Grid) -> None:
    """Refuse to compare rows counted by one rule with rows counted by another.

    A field that the baseline does not know is no fault: it is measured from the next baseline on,
    and until then its readings say that there is none.

    Raises:
        BaselineError: A field, the decision, the label or an attribute is read otherwise now.
    """
    changed = [*_fields(policy, grid), *_attributes(policy, grid), *_segments(policy, grid)]
    if policy.decision != grid.decision:
        changed.append("the decision")
    if policy.label != grid.label:
        changed.append("the label")
    if changed:
        raise BaselineError(
            f"{policy.model}: since the baseline of version {version} was registered the policy "
            f"changed how it reads {', '.join(changed)}; register the baseline again: "
            f"modelmon baseline register {policy.model} --from … --to … --why …"
        )


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
    frozen = {attribute.name: attribute for attribute in grid.attributes}
    changed: list[str] = []
    for name, attribute in policy.attributes.items():
        kept = frozen.get(name)
        if kept is None:
            changed.append(f"attribute {name} (new)")
            continue
        mapped = set(attribute.values.values())
        if (
            kept.column != attribute.column
            or kept.bins != attribute.bins
            or kept.unknown_values != attribute.unknown
            or (mapped and mapped != set(kept.groups))
        ):
            changed.append(f"attribute {name}")
    return changed
