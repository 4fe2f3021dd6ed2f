"""Which errands that a registry has taken need not be remembered any more."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from monitor.domain.registry import ErrandKind
from monitor.store.registry_tables import REGISTRY_ERRANDS


def old_errands(connection: Connection, model: str, until: datetime) -> Sequence[int]:
    """Return the ids of errands of a model that were settled, and that nothing asks for again.

    Those on windows that end by an instant go with these windows' results: they are never asked
    for again. Of those on tags and aliases that were settled before it the last of each kind and
    version stays: it says what the registry was told, and that it was. What waits stays.

    Args:
        connection: Where.
        model: The model.
        until: No result of a window that ends by then is kept.
    """
    errand = REGISTRY_ERRANDS.c
    query = (
        select(errand.id, errand.errand, errand.kind, errand.version, errand.payload)
        .add_columns(errand.done_at)
        .where(errand.model == model, errand.done_at.is_not(None))
        .order_by(errand.id.desc())
    )
    return sorted(_gone(connection.execute(query).mappings(), until))


def _gone(rows: Iterator[RowMapping], until: datetime) -> Iterator[int]:
    newer: set[tuple[str, str, str]] = set()
    for row in rows:
        if row["kind"] == ErrandKind.RESULTS.value:
            if datetime.fromisoformat(str(row["payload"]["end"])) <= until:
                yield row["id"]
            continue
        what = row["kind"], row["version"], str(row["errand"]).partition(":")[0]
        if what in newer and row["done_at"] <= until:
            yield row["id"]
        newer.add(what)
