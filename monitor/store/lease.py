"""The lease in SQL: taken and renewed by the database's clock, and asked in every write."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, insert, literal_column, select, update

from monitor.domain.errors import FencedError, StoreError
from monitor.domain.lease import NEVER_HELD, Lease, Replica, Term
from monitor.engine.ports import Leases
from monitor.store.connection import connect_lazily, database_url, reported, retried, writing
from monitor.store.tables import LEASES

_NAME = "results"
"""The one lease there is: for writing results."""

_FIELDS = ("holder", "machine", "token", "acquired", "renewed", "expires")


class SqlLeases(Leases):
    """The lease of one database, on connections of its own: no long write holds up a renewal."""

    def __init__(self, url: str) -> None:
        """Connect when the lease is first asked for.

        Raises:
            StoreError: The URL is none, or its driver is not installed.
        """
        self._engine = connect_lazily(database_url(url))

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def ask(self, replica: Replica, ttl: timedelta) -> tuple[Lease, datetime]:
        """Renew the replica's lease or take a free one; return who has it, and the present.

        Whoever takes the lease over waits for the writes of the term before that are under way.

        Raises:
            StoreError: The database cannot be reached, or is a file that another machine uses.
        """
        with reported(self._engine.url, "asking for the lease"):
            return retried(self._engine, lambda to: _ask(to, replica, ttl))

    def known(self) -> tuple[Lease, datetime]:
        """Return the lease as it is, and the present; nobody asks for it.

        Raises:
            StoreError: The database cannot be reached.
        """
        query = select(*(LEASES.c[name] for name in _FIELDS)).where(LEASES.c.name == _NAME)
        with (
            reported(self._engine.url, "reading the lease"),
            self._engine.connect() as connection,
        ):
            row = connection.execute(query).first()
            return NEVER_HELD if row is None else Lease(*row), _now(connection)

    def release(self, term: Term) -> None:
        """Let any replica take the lease at once, if it still is of this term.

        Raises:
            StoreError: The database cannot be reached.
        """
        with (
            reported(self._engine.url, "releasing the lease"),
            writing(self._engine) as connection,
        ):
            lease = _read(connection)
            if lease is not None and lease.term == term:
                _write(connection, lease.released(_now(connection)))


def require_term(connection: Connection, term: Term) -> None:
    """Refuse to go on in a transaction when a term is over; until it ends, no other can begin.

    Raises:
        FencedError: Another replica has the lease, or nobody.
    """
    # KEY SHARE: renewals need not wait for this transaction, a takeover does.
    query = select(LEASES.c.holder, LEASES.c.token).where(LEASES.c.name == _NAME)
    found = connection.execute(query.with_for_update(read=True, key_share=True)).first()
    if found is not None and Term(*found) == term:
        return
    if found is None or not found.holder:
        now = "nobody leads"
    else:
        now = f"{found.holder} leads in term {found.token}"
    raise FencedError(
        f"term {term.token} of {term.holder} is over and {now}: nothing was written; "
        "the leader does the same work"
    )


def _ask(connection: Connection, replica: Replica, ttl: timedelta) -> tuple[Lease, datetime]:
    before = _read(connection)
    now = _now(connection)
    lease = (before or NEVER_HELD).asked_for(replica, now, ttl)
    if before is None:
        connection.execute(insert(LEASES), {"name": _NAME, **_row(lease)})
        return lease, now
    if lease.token != before.token:
        # Waits for transactions that `require_term` let go on. The clock has gone on meanwhile.
        connection.execute(select(LEASES.c.name).where(LEASES.c.name == _NAME).with_for_update())
        now = _now(connection)
        lease = before.asked_for(replica, now, ttl)
    if lease is before:
        _require_shared(connection, before, replica)
    else:
        _write(connection, lease)
    return lease, now


def _require_shared(connection: Connection, lease: Lease, replica: Replica) -> None:
    """Refuse a SQLite file that a live replica on another machine uses.

    Its write-ahead log is kept in step through memory that processes of one kernel share.
    """
    if connection.dialect.name == "sqlite" and lease.machine != replica.machine:
        raise StoreError(
            f"the SQLite file is in use by {lease.holder} on another machine, and is for one: "
            "stop that daemon, or name a PostgreSQL database in store.url"
        )


def _read(connection: Connection) -> Lease | None:
    query = select(*(LEASES.c[name] for name in _FIELDS)).where(LEASES.c.name == _NAME)
    # NO KEY UPDATE: replicas ask one after the other, and wait for no write of results.
    row = connection.execute(query.with_for_update(key_share=True)).first()
    return None if row is None else Lease(*row)


def _write(connection: Connection, lease: Lease) -> None:
    connection.execute(update(LEASES).where(LEASES.c.name == _NAME).values(_row(lease)))


def _row(lease: Lease) -> dict[str, object]:
    return {name: getattr(lease, name) for name in _FIELDS}


def _now(connection: Connection) -> datetime:
    """Return the present as the database has it; not the begin of the transaction."""
    if connection.dialect.name == "sqlite":
        told = connection.scalar(select(func.strftime("%Y-%m-%d %H:%M:%f", "now")))
        return datetime.fromisoformat(str(told)).replace(tzinfo=UTC)
    present: datetime = connection.execute(select(literal_column("clock_timestamp()"))).scalar_one()
    return present.astimezone(UTC)
