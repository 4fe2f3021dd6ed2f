"""Fields in the order in which they deserve attention: how much each matters times how far it moved."""

from collections.abc import Mapping

from msgspec import Struct


class RankedField(Struct, frozen=True):
    """A field's place.

    Attributes:
        field: Its name.
        effect: How far it moved, free of the sampling bias; None when it could not be measured.
        importance: How much the model relies on it; None when nobody has said.
        weight: ``importance × effect``, or the effect where no importance is known; None without
            an effect.
        absence: Why there is no effect, as a sentence; "" when there is one.
    """

    field: str
    effect: float | None
    importance: float | None
    weight: float | None
    absence: str = ""


def ranked(
    effects: Mapping[str, float | str], importances: Mapping[str, float]
) -> tuple[RankedField, ...]:
    """Return fields by importance × effect, largest first; those without an effect last.

    Ties keep the larger effect, then the name, first. Importances are in any unit, for the order
    only depends on their ratios. A field that lacks one, while others have it, comes after those
    that have it: its place is not known.

    Args:
        effects: Field to how far it moved, not negative, or to why that is not known.
        importances: Field to how much the model relies on it, not negative; empty when nothing is
            known: then the effect alone ranks.
    """
    rows = []
    for field, effect in effects.items():
        importance = importances.get(field)
        if isinstance(effect, str):
            rows.append(RankedField(field, None, importance, None, effect))
            continue
        weight = effect if not importances else None if importance is None else importance * effect
        rows.append(RankedField(field, effect, importance, weight))
    return tuple(sorted(rows, key=_place))


def _place(row: RankedField) -> tuple[bool, bool, float, float, str]:
    return (
        row.effect is None,
        row.weight is None,
        -(row.weight or 0.0),
        -(row.effect or 0.0),
        row.field,
    )
