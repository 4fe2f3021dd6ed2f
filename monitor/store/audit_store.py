"""The audit log as it lies in the database, the database held against it, and its keys."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from monitor.domain.errors import AuditError
from monitor.governance.events import EventType
from monitor.governance.merkle import frontier_of, leaf_hash
from monitor.governance.note import Note, SigningKey, VerifyingKey, verifying_key_of
from monitor.governance.projection import Document, Key, differences, replayed
from monitor.governance.record import Actor, AuditRecord, RecordError, record_of
from monitor.governance.verification import Fault, Flaw, StoredLog
from monitor.store.access import flaws_of_tokens
from monitor.store.added_up import AddedUp
from monitor.store.audit import Auditing, Signed, append, recover, sign_from_here
from monitor.store.audit_pruned import Step, flaws_of_pruned, prunings, window_of_record
from monitor.store.changes import bump
from monitor.store.connection import (
    connect_lazily,
    database_url,
    of_one_instant,
    reported,
    retried,
)
from monitor.store.cosigned import cosigned_notes
from monitor.store.digest import results_digest
from monitor.store.governance import read_documents
from monitor.store.recorded_beside import flaws_of_answers
from monitor.store.restored import restore_entries
from monitor.store.tables import (
    AUDIT_LOGS,
    AUDIT_RECORDS,
    REGISTRATIONS,
    RUNS,
)
from monitor.store.words import erase_words, exported_words, resolved, told_of


class AuditStore:
    """The log beside everything that writes to it: for whoever examines, signs or recovers it."""

    def __init__(self, url: str) -> None:
        """Connect when something is first asked for.

        Raises:
            StoreError: The URL is none, or its driver is not installed.
        """
        self._named = url
        self._url = database_url(url)
        self._engine = connect_lazily(self._url)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def logs(self) -> Sequence[StoredLog]:
        """Return every log, oldest first.

        Raises:
            StoreError: The database cannot be read.
        """
        with reported(self._url, "reading the audit log"), self._engine.connect() as connection:
            rows = connection.execute(select(AUDIT_LOGS).order_by(AUDIT_LOGS.c.number)).mappings()
            return [_stored(connection, row) for row in rows.all()]

    def sign(self, keys: Sequence[SigningKey], actor: Actor, at: datetime) -> Signed:
        """Have the log signed by the last of some keys from here on; see `audit.sign_from_here`.

        Raises:
            AuditError: Another key signs it now, or a key is of another log.
            StoreError: The database cannot be written.
        """
        with reported(self._url, "signing the audit log"):
            return retried(self._engine, lambda to: sign_from_here(to, keys, actor, at))

    def recover(
        self, outside: Note, key: SigningKey, actor: Actor, why: str, at: datetime
    ) -> Signed:
        """Open another log after one that was lost; see `audit.recover`.

        Raises:
            AuditError: Nothing is lost.
            StoreError: The database cannot be written.
        """
        with reported(self._url, "recovering the audit log"):
            return retried(self._engine, lambda to: recover(to, outside, key, actor, why, at))

    def words(self) -> list[dict[str, str]]:
        """Return what people wrote, each with the digest that the log has of it, or what is left.

        Raises:
            StoreError: The database cannot be read.
        """
        doing = "reading what people wrote"
        with reported(self._url, doing), self._engine.connect() as connection:
            return exported_words(connection)

    def erase(  # noqa: PLR0917  # six nouns, each of another type
        self, model: str, sequence: int, actor: Actor, why: str, at: datetime, auditing: Auditing
    ) -> Signed:
        """Erase what a person wrote in a record of the newest log; see `words.erase_words`.

        Raises:
            RefusedError: There is nothing of it.
            AuditError: The log is signed by another key, or is not what was seen of it.
            StoreError: The database cannot be written.
        """

        def steps(connection: Connection) -> Signed:
            bump(connection, {model})
            happened = erase_words(connection, model, sequence, actor, why, at)
            signed = append(connection, [happened], auditing)
            assert signed is not None  # noqa: S101  # something happened
            return signed

        with reported(self._url, "erasing what a person wrote"):
            signed = retried(self._engine, steps)
        if signed.checkpoint is not None:
            auditing.witness(signed.checkpoint, signed.at)
        return signed

    def restore(self, actor: Actor, why: str, at: datetime, auditing: Auditing) -> Signed | None:
        """Put what is stored of versions back as it was recorded; None where it is so.

        Raises:
            AuditError: The log is not to be believed either, or something cannot be put back.
            StoreError: The database cannot be written.
        """

        def steps(connection: Connection) -> Signed | None:
            recorded = recorded_entries(connection)
            return append(
                connection, restore_entries(connection, recorded, actor, why, at), auditing
            )

        log = AddedUp(self._named, auditing)
        try:
            doubted = log.doubts().log
        finally:
            log.close()
        if doubted:
            raise AuditError(f"nothing is put back from a log that is in doubt: {doubted}")
        with reported(self._url, "putting back what was recorded"):
            signed = retried(self._engine, steps)
        if signed is not None and signed.checkpoint is not None:
            auditing.witness(signed.checkpoint, signed.at)
        return signed

    def compared(self) -> Sequence[Flaw]:
        """Return what in the database is not what its newest log recorded.

        Raises:
            StoreError: The database cannot be read.
        """
        doing = "holding the database against the audit log"
        with reported(self._url, doing), of_one_instant(self._engine) as connection:
            row = (
                connection.execute(select(AUDIT_LOGS).order_by(AUDIT_LOGS.c.number.desc()).limit(1))
                .mappings()
                .first()
            )
            return [] if row is None else list(_differences(connection, row))

    def replayed(self) -> tuple[int, Sequence[str]]:
        """Return how many entries the logs add up to, and where what is stored is another.

        Raises:
            StoreError: The database cannot be read.
        """
        doing = "adding up the audit log"
        with reported(self._url, doing), of_one_instant(self._engine) as connection:
            return state_differences(connection)


def state_differences(connection: Connection) -> tuple[int, Sequence[str]]:
    """Return how many entries the logs add up to, and where what is stored is another."""
    recorded = recorded_entries(connection)
    found = differences(recorded, read_documents(connection))
    return len(recorded), tuple(told for each in found.values() for told in each)


def recorded_entries(connection: Connection) -> Mapping[Key, Document]:
    """Return what the logs add up to, with people's words in it."""
    told = told_of(connection)
    return replayed(resolved(each, told) for each in _every_entry(connection))


def _every_entry(connection: Connection) -> Iterator[AuditRecord]:
    """Yield the records that made an entry, of every log, the oldest first.

    What cannot be read is told where logs are examined.
    """
    made = AUDIT_RECORDS.c.body.contains('"entry":', autoescape=True)
    query = select(AUDIT_RECORDS.c.body).where(made)
    query = query.order_by(AUDIT_RECORDS.c.log, AUDIT_RECORDS.c.sequence)
    for body in connection.scalars(query):
        with suppress(RecordError):
            yield record_of(body.encode())


def _stored(connection: Connection, row: RowMapping) -> StoredLog:
    number = row["number"]
    bodies = select(AUDIT_RECORDS.c.body).where(AUDIT_RECORDS.c.log == number)
    stored = connection.scalars(bodies.order_by(AUDIT_RECORDS.c.sequence)).all()
    return StoredLog(
        row["origin"],
        _first_key(stored),
        tuple(body.encode() for body in stored),
        tuple(cosigned_notes(connection, number)),
    )


def _first_key(bodies: Sequence[str]) -> VerifyingKey | None:
    """Return the key that the log says it was opened with; None when it was not signed then."""
    try:
        opened = record_of(bodies[0].encode()).event.data.get("verifying_key")
    except (IndexError, RecordError):  # told where the records are examined
        return None
    return verifying_key_of(str(opened)) if opened else None


def _differences(connection: Connection, log: RowMapping) -> Iterator[Flaw]:
    query = select(AUDIT_RECORDS).where(AUDIT_RECORDS.c.log == log["number"])
    rows = connection.execute(query.order_by(AUDIT_RECORDS.c.sequence)).mappings().all()
    records: dict[int, AuditRecord] = {}
    for place, row in enumerate(rows):
        try:
            records[place] = record_of(row["body"].encode())
        except RecordError:  # told where the records are examined
            continue
        yield from _of_columns(row, records[place], place)
    tree = frontier_of([leaf_hash(row["body"].encode()) for row in rows])
    if (log["size"], log["hashes"]) != (tree.size, b"".join(tree.hashes)):
        yield Flaw(Fault.COLUMNS_DIFFER, None, "the log's head is not that of its records")
    yield from _of_runs(connection, records)
    yield from _of_baselines(connection, records)
    yield from flaws_of_answers(connection)
    yield from flaws_of_tokens(connection)
    for told in state_differences(connection)[1]:
        yield Flaw(Fault.STATE_DIFFERS, None, told)


def _of_columns(row: RowMapping, record: AuditRecord, place: int) -> Iterator[Flaw]:
    said = {
        "sequence": record.sequence,
        "leaf": record.leaf,
        "at": record.at,
        "type": record.event.type.value,
        "subject": record.event.subject,
        "actor": record.event.actor.id,
    }
    differ = sorted(name for name, value in said.items() if row[name] != value)
    if differ:
        told = f"the columns {', '.join(differ)} are not what the body says"
        yield Flaw(Fault.COLUMNS_DIFFER, place, told)


def _of_runs(connection: Connection, records: Mapping[int, AuditRecord]) -> Iterator[Flaw]:
    opened = records.get(0)
    before = 0 if opened is None else int(str(opened.event.data.get("runs_before", 0)))
    columns = ("id", "model", "window_start", "window_end", "revision", "identity", "policy")
    query = select(*(RUNS.c[name] for name in columns), RUNS.c.manifest_digest, RUNS.c.pruned)
    stored = {
        (row["model"], row["window_start"], row["window_end"], row["revision"]): row
        for row in connection.execute(query).mappings()
    }
    pruned = prunings(records)
    for place, record in records.items():
        if record.event.type is EventType.RUN_COMPLETED:
            window = window_of_record(record)
            row = stored.pop(window, None)
            yield from _of_run(connection, row, record, place, pruned.pop(window, []))
    for window, steps in pruned.items():  # of runs from before there was a log
        row = stored.get(window)
        if row is None:
            told = "the run that was pruned is no longer stored"
            yield Flaw(Fault.STATE_DIFFERS, steps[0].place, told)
        else:
            yield from flaws_of_pruned(connection, row, steps[0].before, steps)
    for (model, start, end, revision), row in stored.items():
        if row["id"] <= before:
            continue  # from before there was a log
        told = f"revision {revision} of {model} for {start} to {end} was never recorded"
        yield Flaw(Fault.STATE_DIFFERS, None, told)


def _of_run(
    connection: Connection,
    row: RowMapping | None,
    record: AuditRecord,
    place: int,
    pruned: Sequence[Step],
) -> Iterator[Flaw]:
    if row is None:
        yield Flaw(Fault.STATE_DIFFERS, place, "the run that was recorded is no longer stored")
        return
    data = record.event.data
    found = {"run": row["identity"], "manifest": row["manifest_digest"]}
    if not pruned:
        found["results"] = results_digest(connection, row["id"])
    differ = sorted(name for name, value in found.items() if data.get(name) != value)
    if row["policy"] != record.event.policy:
        differ.append("policy")
    if row["pruned"] is not None and not pruned:
        differ.append("that it was pruned")
    if differ:
        told = f"of the run that was recorded, {', '.join(differ)} is stored otherwise"
        yield Flaw(Fault.STATE_DIFFERS, place, told)
    if pruned:
        yield from flaws_of_pruned(connection, row, str(data.get("results")), pruned)


def _of_baselines(connection: Connection, records: Mapping[int, AuditRecord]) -> Iterator[Flaw]:
    query = select(REGISTRATIONS.c.model, REGISTRATIONS.c.version, REGISTRATIONS.c.baseline)
    stored = connection.execute(
        query.order_by(REGISTRATIONS.c.model, REGISTRATIONS.c.sequence)
    ).all()
    registered = {(f"model/{model}/version/{version}", digest) for model, version, digest in stored}
    for place, record in records.items():
        named = (record.event.subject, str(record.event.data.get("baseline")))
        if record.event.type is EventType.BASELINE_REGISTERED and named not in registered:
            told = "the baseline that was recorded is no longer registered"
            yield Flaw(Fault.STATE_DIFFERS, place, told)
