"""Whoever may write everything in a database, and perhaps has the key, at work on its audit log."""

import json

from sqlalchemy import create_engine, delete, insert, text, update
from sqlalchemy.pool import NullPool

from monitor.governance.checkpoint import Checkpoint
from monitor.governance.merkle import frontier_of, leaf_hash, root_of
from monitor.governance.record import FIRST as NO_RECORD
from monitor.governance.record import canonical, record_of
from monitor.store.audit_store import AuditStore
from monitor.store.tables import AUDIT_CHECKPOINTS, AUDIT_LOGS, AUDIT_RECORDS


class Attacker:
    """Somebody with the database's password."""

    def __init__(self, url):
        self.url = url

    def engine(self):
        return create_engine(self.url, poolclass=NullPool)

    def do(self, statement):
        """Do what somebody may who can write everything in the database."""
        with self.engine().begin() as connection:
            assert connection.execute(text(statement)).rowcount

    def change(self, *statements):
        with self.engine().begin() as connection:
            for statement in statements:
                connection.execute(statement)

    def asked(self, look):
        store = AuditStore(self.url)
        try:
            return look(store)
        finally:
            store.close()

    @property
    def log(self):
        return self.asked(AuditStore.logs)[-1]

    @property
    def bodies(self):
        return [body.decode() for body in self.log.bodies]

    @property
    def compared(self):
        return {flaw.fault for flaw in self.asked(AuditStore.compared)}

    def replace(self, bodies):
        """Write other records with all that the database has beside them, but the checkpoints."""
        leaves = [leaf_hash(body.encode()) for body in bodies]
        frontier = frontier_of(leaves)
        last = record_of(bodies[-1].encode())
        rows = [row_of(place, body) for place, body in enumerate(bodies)]
        self.change(
            delete(AUDIT_RECORDS),
            insert(AUDIT_RECORDS).values(rows),
            update(AUDIT_LOGS).values(
                size=len(bodies), hashes=b"".join(frontier.hashes), last=leaves[-1], at=last.at
            ),
        )

    def forge(self, *, without=None, reason=None, at=None):
        """Write the chain anew: a record is gone, says something else, or is of another day."""
        documents = [json.loads(body) for body in self.bodies]
        if reason is not None:
            documents[7]["data"]["forged"] = reason
        if at is not None:
            documents[-1]["ts"] = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        if without is not None:
            del documents[without]
        self.replace(chained(documents))

    def write_on(self, record):
        """Append what a record says once more: at its place in the chain, and signed by nobody."""
        documents = [json.loads(body) for body in self.bodies]
        again = {**json.loads(record.body), "ts": documents[-1]["ts"]}
        self.replace(chained([*documents, again]))

    def drop_checkpoints(self, after=0):
        self.change(delete(AUDIT_CHECKPOINTS).where(AUDIT_CHECKPOINTS.c.size > after))

    def sign(self, key):
        """Sign the log as it lies, as whoever has the key can."""
        leaves = [leaf_hash(body.encode()) for body in self.bodies]
        note = Checkpoint(key.name, len(leaves), root_of(leaves)).signed(key)
        row = {
            "log": 1,
            "size": len(leaves),
            "note": str(note),
            "at": record_of(self.bodies[-1].encode()).at,
        }
        self.change(insert(AUDIT_CHECKPOINTS).values(row))
        return note

    def truncate(self, size):
        self.replace(self.bodies[:size])


def row_of(place, body):
    record = record_of(body.encode())
    return {
        "log": 1,
        "sequence": place,
        "leaf": leaf_hash(body.encode()),
        "body": body,
        "at": record.at,
        "type": record.event.type.value,
        "subject": record.event.subject,
        "actor": record.event.actor.id,
    }


def chained(documents):
    """Return bodies in one chain, each at its place."""
    previous, bodies = NO_RECORD, []
    for place, document in enumerate(documents):
        body = canonical({**document, "seq": place, "prev": previous.hex()})
        previous = leaf_hash(body)
        bodies.append(body.decode())
    return bodies
