"""How often each model was written to: what was read before a change is old."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, insert, select, update

from monitor.store.tables import CHANGES


def bump(connection: Connection, models: Collection[str]) -> None:
    """Count a write to each model. It comes first in its transaction.

    In a database that lets several write at once, writers of one model wait here for each other,
    and so each sees all that was written before it.
    """
    for model in sorted(models):  # one order for all writers: no deadlock
        ours = update(CHANGES).where(CHANGES.c.model == model)
        if not connection.execute(ours.values(change=CHANGES.c.change + 1)).rowcount:
            connection.execute(insert(CHANGES), {"model": model, "change": 1})


def read_changes(connection: Connection) -> Mapping[str, int]:
    """Return model to the number of writes to it."""
    found: dict[str, int] = dict(
        connection.execute(select(CHANGES.c.model, CHANGES.c.change)).all()
    )
    return found
