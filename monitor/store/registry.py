"""What is remembered of model registries, in SQL."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from msgspec import to_builtins
from sqlalchemy import URL, Connection, Engine, RowMapping, Select, func, insert, select, update

from monitor.domain.registry import Errand, ErrandKind, Lineage, Origin, RunStage, UsedData
from monitor.engine.registry import Backlog, Look, Observed
from monitor.governance.events import EventType
from monitor.governance.log import Happened
from monitor.governance.registry_changes import document_of, model_of
from monitor.governance.registry_events import (
    registry_found_again,
    registry_lost,
    registry_subject,
)
from monitor.store.audit import Journal
from monitor.store.connection import reported
from monitor.store.registry_tables import REGISTRY_ERRANDS, REGISTRY_LOOKS, REGISTRY_ORIGINS
from monitor.store.tables import AUDIT_CHECKPOINTS, AUDIT_LOGS, AUDIT_RECORDS

_Written = TypeVar("_Written")


class SqlRegistry:
    """What is remembered of model registries."""

    _url: URL
    _engine: Engine

    @abstractmethod
    def _write(
        self, doing: str, models: Collection[str], write: Callable[[Connection, Journal], _Written]
    ) -> _Written:
        """Write in one transaction."""

    def look(self, model: str) -> Look | None:
        """Return what was found when the registry was last asked for a model; None before."""
        with reported(self._url, "reading a registry"), self._engine.connect() as connection:
            row = _last_look(connection, model)
        if row is None:
            return None
        document = row["document"]
        found = None if document is None else model_of(document)
        return Look(row["looked_at"], found, row["digest"])

    def observe(self, observed: Observed) -> bool:
        """Store a look with all that follows from it; False when somebody has looked in between."""
        doing = f"storing what a registry has of {observed.model}"
        return self._write(
            doing, {observed.model}, lambda to, journal: _observe(to, observed, journal)
        )

    def origins(self, model: str) -> Mapping[str, Origin]:
        """Return where the versions of a model came from, by version; those that were seen."""
        return {origin.version: origin for origin in self.every_origin(model)}

    def every_origin(self, model: str) -> Sequence[Origin]:
        """Return the same of each time that a number named something new, oldest first."""
        query = select(REGISTRY_ORIGINS).where(REGISTRY_ORIGINS.c.model == model)
        with reported(self._url, "reading a registry"), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(REGISTRY_ORIGINS.c.id)).mappings().all()
        return [_origin_of(row) for row in rows]

    def send(self, errands: Sequence[Errand]) -> int:
        """Store what the registry is to be told; return how many of them were not stored yet."""
        if not errands:
            return 0
        return self._write("storing errands", set(), lambda to, _: _send(to, errands))

    def errands(self, model: str, kinds: Collection[ErrandKind]) -> Sequence[Errand]:
        """Return everything of some kinds that the registry was to be told of a model."""
        query = select(REGISTRY_ERRANDS).where(
            REGISTRY_ERRANDS.c.model == model,
            REGISTRY_ERRANDS.c.kind.in_([kind.value for kind in kinds]),
        )
        return self._errands(query)

    def waiting(self, kinds: Collection[ErrandKind], most: int | None = None) -> Sequence[Errand]:
        """Return what the registry has not taken yet of some kinds, oldest first."""
        query = select(REGISTRY_ERRANDS).where(
            REGISTRY_ERRANDS.c.done_at.is_(None),
            REGISTRY_ERRANDS.c.kind.in_([kind.value for kind in kinds]),
        )
        return self._errands(query.limit(most))

    def backlog(self) -> Backlog:
        """Return how much the registry has not taken yet."""
        with reported(self._url, "counting errands"), self._engine.connect() as connection:
            return _backlog(connection)

    def outage(self, registry: str) -> datetime | None:
        """Return since when a registry cannot be looked at, as the audit log says; None if it can."""
        with reported(self._url, "reading the audit log"), self._engine.connect() as connection:
            return _outage(connection, registry)

    def note_outage(self, registry: str, at: datetime, told: str) -> bool:
        """Record that a registry cannot be looked at, or that it can again; once an outage."""

        def steps(connection: Connection, journal: Journal) -> bool:
            connection.execute(
                select(AUDIT_LOGS.c.number).with_for_update()
            )  # one says so, not two
            since = _outage(connection, registry)
            if (since is not None) == bool(told):
                return False
            if since is None:
                journal.add(registry_lost(registry, at, told))
            else:
                journal.add(registry_found_again(registry, at, since, _backlog(connection).waiting))
            return True

        return self._write("recording whether a registry can be looked at", set(), steps)

    def newest_checkpoint(self) -> str:
        """Return the audit log's newest signed checkpoint; "" where nothing is signed."""
        query = select(AUDIT_CHECKPOINTS.c.note).order_by(
            AUDIT_CHECKPOINTS.c.log.desc(), AUDIT_CHECKPOINTS.c.size.desc()
        )
        with reported(self._url, "reading the audit log"), self._engine.connect() as connection:
            return connection.scalar(query.limit(1)) or ""

    def settle(self, errand: Errand, happened: Sequence[Happened]) -> None:
        """Store how a try has ended, with what the audit log is to say of it."""
        ours = (REGISTRY_ERRANDS.c.model == errand.model) & (
            REGISTRY_ERRANDS.c.errand == errand.key
        )

        def steps(connection: Connection, journal: Journal) -> None:
            changed = {
                name: getattr(errand, name) for name in ("due_at", "attempts", "error", "done_at")
            }
            connection.execute(update(REGISTRY_ERRANDS).where(ours), changed)
            for each in happened:
                journal.add(each)

        self._write("storing how an errand ended", set(), steps)

    def _errands(self, query: Select[Any]) -> Sequence[Errand]:
        with reported(self._url, "reading errands"), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(REGISTRY_ERRANDS.c.id)).mappings().all()
        return [_errand_of(row) for row in rows]


def _outage(connection: Connection, registry: str) -> datetime | None:
    log = AUDIT_RECORDS.c
    query = (
        select(log.type, log.at)
        .where(log.subject == registry_subject(registry))
        .order_by(log.log.desc(), log.sequence.desc())
        .limit(1)
    )
    last = connection.execute(query).first()
    return last.at if last is not None and last.type == EventType.REGISTRY_UNREACHABLE else None


def _backlog(connection: Connection) -> Backlog:
    made = REGISTRY_ERRANDS.c.made_at
    query = select(func.count(), func.min(made)).where(REGISTRY_ERRANDS.c.done_at.is_(None))
    waiting, oldest = connection.execute(query).one()
    return Backlog(waiting, oldest)


def _observe(connection: Connection, observed: Observed, journal: Journal) -> bool:
    last = _last_look(connection, observed.model)
    if (None if last is None else last["digest"]) != observed.before:
        return False
    found = observed.look.found
    connection.execute(
        insert(REGISTRY_LOOKS),
        {
            "model": observed.model,
            "number": 1 if last is None else last["number"] + 1,
            "looked_at": observed.look.at,
            "digest": observed.look.digest,
            "document": None if found is None else document_of(found),
        },
    )
    for origin in observed.origins:
        connection.execute(insert(REGISTRY_ORIGINS), _origin_row(origin))
    _send(connection, observed.errands)
    for each in observed.happened:
        journal.add(each)
    return True


def _last_look(connection: Connection, model: str) -> RowMapping | None:
    query = select(REGISTRY_LOOKS).where(REGISTRY_LOOKS.c.model == model)
    newest = query.order_by(REGISTRY_LOOKS.c.number.desc()).limit(1)
    return connection.execute(newest).mappings().first()


def _send(connection: Connection, errands: Sequence[Errand]) -> int:
    """Write those errands whose key the model has not had."""
    new = 0
    for model in sorted({errand.model for errand in errands}):
        given = {errand.key: errand for errand in errands if errand.model == model}
        known = select(REGISTRY_ERRANDS.c.errand).where(
            REGISTRY_ERRANDS.c.model == model, REGISTRY_ERRANDS.c.errand.in_(list(given))
        )
        there = set(connection.scalars(known))
        rows = [_errand_row(errand) for key, errand in given.items() if key not in there]
        if rows:
            connection.execute(insert(REGISTRY_ERRANDS), rows)
        new += len(rows)
    return new


def _errand_row(errand: Errand) -> dict[str, Any]:
    row = {name: getattr(errand, name) for name in _COPIED}
    return {**row, "errand": errand.key, "kind": errand.kind.value, "payload": dict(errand.payload)}


_COPIED = ("model", "version", "made_at", "due_at", "attempts", "error", "done_at")


def _errand_of(row: RowMapping) -> Errand:
    copied = {name: row[name] for name in _COPIED}
    return Errand(key=row["errand"], kind=ErrandKind(row["kind"]), payload=row["payload"], **copied)


def _origin_row(origin: Origin) -> dict[str, Any]:
    row = {name: getattr(origin, name) for name in ("model", "version", "source", "seen_at")}
    return {**row, "lineage": to_builtins(origin.lineage)}


def _origin_of(row: RowMapping) -> Origin:
    said = dict(row["lineage"])
    said["stage"] = None if said["stage"] is None else RunStage(said["stage"])
    said["data"] = tuple(UsedData(**each) for each in said["data"])
    lineage = Lineage(**said)
    return Origin(row["model"], row["version"], row["source"], lineage, row["seen_at"])
