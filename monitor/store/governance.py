"""What versions may do, and who said so, as rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    RowMapping,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from monitor.domain.approval import ApprovalKind
from monitor.domain.errors import StoreError
from monitor.domain.governance import Rung
from monitor.domain.policy import Policy
from monitor.domain.role import Role
from monitor.governance.approvals import Request, RequestState, Vote
from monitor.governance.cases import Case, Disposition
from monitor.governance.consequences import Present
from monitor.governance.ledger import Change, Entry, Ledger
from monitor.governance.projection import NOUNS, Document, Key, Noun, document_of, key_of
from monitor.governance.standing import Event, Standing, State
from monitor.governance.waivers import Waiver
from monitor.store.alerts import read_alerts
from monitor.store.connection import reported
from monitor.store.evidence import digests_found
from monitor.store.governance_tables import CASES, REQUESTS, STANDINGS, WAIVERS
from monitor.store.tables import REGISTRATIONS, CanonicalJson, Instant

_TABLES: Mapping[Noun, Table] = {
    Noun.STANDING: STANDINGS,
    Noun.REQUEST: REQUESTS,
    Noun.CASE: CASES,
    Noun.WAIVER: WAIVERS,
}

_COLUMNS = {"limit": "limit_id"}
"""Attributes whose names a database has for itself."""


class SqlAuthorities:
    """What is read of the authority of versions."""

    _url: URL
    _engine: Engine

    def standings(self, model: str) -> Mapping[str, Standing]:
        """Return where each known version of a model stands."""
        return self.ledger(model).standings

    def known_models(self) -> frozenset[str]:
        """Return every model that a version is known of, whether or not a file names it still."""
        query = select(STANDINGS.c.model).distinct()
        with reported(self._url, "reading standings"), self._engine.connect() as connection:
            return frozenset(connection.scalars(query))

    def standing_changes(self) -> int:
        """Return a number that grows whenever a version of any model is registered or moved."""
        query = select(func.count(), func.coalesce(func.sum(STANDINGS.c.sequence), 0))
        with reported(self._url, "reading standings"), self._engine.connect() as connection:
            versions, moves = connection.execute(query.select_from(STANDINGS)).one()
            return int(versions) + int(moves)

    def requests(self, model: str) -> Sequence[Request]:
        """Return every request about a model, oldest first."""
        return tuple(self.ledger(model).requests.values())

    def cases(self, model: str) -> Sequence[Case]:
        """Return every case of a model, oldest first."""
        return tuple(self.ledger(model).cases.values())

    def waivers(self, model: str) -> Sequence[Waiver]:
        """Return every waiver of a model, oldest first."""
        return tuple(self.ledger(model).waivers.values())

    def ledger(self, model: str) -> Ledger:
        """Return all that is known of the authority of a model's versions."""
        doing = f"reading the standing of {model}"
        with reported(self._url, doing), self._engine.connect() as connection:
            return read_ledger(connection, model)

    def authority(self, policy: Policy, now: datetime) -> tuple[Ledger, Present]:
        """Return what is known of a model's authority, and what is there, at one instant."""
        doing = f"reading the standing of {policy.model}"
        with reported(self._url, doing), self._engine.connect() as connection:
            ledger = read_ledger(connection, policy.model)
            return ledger, read_present(connection, policy, now)


def read_ledger(connection: Connection, model: str) -> Ledger:
    """Return all that is known of the authority of a model's versions.

    Raises:
        StoreError: A row says what nobody can have written through this store.
    """
    try:
        standings = [_standing(row) for row in _rows(connection, Noun.STANDING, model)]
        requests = [_request(row) for row in _rows(connection, Noun.REQUEST, model)]
        cases = [_case(row) for row in _rows(connection, Noun.CASE, model)]
        waivers = [_waiver(row) for row in _rows(connection, Noun.WAIVER, model)]
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(f"what is stored of {model} cannot be read: {error}") from error
    return Ledger(
        model,
        {item.version: item for item in standings},
        {item.number: item for item in requests},
        {item.number: item for item in cases},
        {item.number: item for item in waivers},
    )


def read_present(
    connection: Connection, policy: Policy, now: datetime, seen: Iterable[str] = ()
) -> Present:
    """Return what is there of a model: its alerts, baselines, and what its approvals rest on."""
    newest = (
        select(func.max(REGISTRATIONS.c.sequence))
        .where(REGISTRATIONS.c.model == policy.model)
        .group_by(REGISTRATIONS.c.version)
    )
    registered = select(REGISTRATIONS.c.version, REGISTRATIONS.c.baseline).where(
        REGISTRATIONS.c.model == policy.model, REGISTRATIONS.c.sequence.in_(newest)
    )
    observed, gone = digests_found(connection, policy.model, policy.governance)
    return Present(
        policy,
        read_alerts(connection, policy.model),
        now,
        dict(connection.execute(registered).all()),
        observed,
        frozenset(seen),
        gone,
    )


def read_documents(connection: Connection) -> Mapping[Key, Document]:
    """Return every stored entry of every ledger, as the audit log would have it."""
    found: dict[Key, Document] = {}
    for model in _models(connection):
        found.update(documents_of(read_ledger(connection, model)))
    return found


def documents_of(ledger: Ledger) -> Mapping[Key, Document]:
    """Return every entry of a ledger, as the audit log would have it."""
    found: dict[Key, Document] = {}
    for entries in (ledger.standings, ledger.requests, ledger.cases, ledger.waivers):
        for entry in entries.values():
            document = document_of(entry)
            found[key_of(NOUNS[type(entry)], document)] = document
    return found


def write_changes(connection: Connection, changes: Iterable[Change]) -> None:
    """Write what some changes have made of the entries of a ledger."""
    for change in changes:
        if change.after is not None:
            _write(connection, change.after)


def write_document(connection: Connection, key: Key, document: Document) -> None:
    """Write an entry as the audit log has it."""
    table = _TABLES[key[0]]
    row: dict[str, Any] = {_COLUMNS.get(name, name): value for name, value in document.items()}
    for name, value in row.items():
        if isinstance(table.c[name].type, Instant) and value is not None:
            row[name] = datetime.fromisoformat(str(value))
    _write_row(connection, table, row)


def delete_entry(connection: Connection, key: Key) -> None:
    """Delete an entry that the audit log does not have."""
    noun, model, which = key
    table = _TABLES[noun]
    number = table.c.version == which if noun is Noun.STANDING else table.c.number == int(which)
    connection.execute(delete(table).where(table.c.model == model, number))


def _write(connection: Connection, entry: Entry) -> None:
    noun = NOUNS[type(entry)]
    table, document = _TABLES[noun], document_of(entry)
    row: dict[str, Any] = {}
    for name, value in document.items():
        column = table.c[_COLUMNS.get(name, name)]
        as_json = isinstance(column.type, CanonicalJson)
        row[column.name] = value if as_json else getattr(entry, name)
    _write_row(connection, table, row)


def _write_row(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    key = [column.name for column in table.primary_key]
    this = update(table).where(*(table.c[name] == row[name] for name in key))
    if not connection.execute(this.values(row)).rowcount:
        connection.execute(insert(table), row)


def _rows(connection: Connection, noun: Noun, model: str) -> Sequence[RowMapping]:
    table = _TABLES[noun]
    query = select(table).where(table.c.model == model).order_by(*table.primary_key)
    return connection.execute(query).mappings().all()


def _models(connection: Connection) -> list[str]:
    models: set[str] = set()
    for table in _TABLES.values():
        models.update(connection.scalars(select(table.c.model).distinct()))
    return sorted(models)


def _standing(row: RowMapping) -> Standing:
    event = row["event"]
    return Standing(
        model=row["model"],
        version=row["version"],
        state=State(row["state"]),
        sequence=row["sequence"],
        since=row["since"],
        by=row["by"],
        event=None if event is None else Event(event),
        reason=row["reason"],
    )


def _request(row: RowMapping) -> Request:
    return Request(
        kind=ApprovalKind(row["kind"]),
        subject=row["subject"],
        requested_by=row["requested_by"],
        at=row["at"],
        bound_to=row["bound_to"],
        reason=row["reason"],
        votes=tuple(_vote(item) for item in row["votes"]),
        withdrawn_at=row["withdrawn_at"],
        model=row["model"],
        version=row["version"],
        number=row["number"],
        account=row["account"],
        terms=row["terms"],
        recorded=RequestState(row["recorded"]),
        recorded_at=row["recorded_at"],
    )


def _vote(item: Mapping[str, Any]) -> Vote:
    return Vote(
        account=item["account"],
        person=item["person"],
        role=Role(item["role"]),
        granted=item["granted"],
        at=datetime.fromisoformat(item["at"]),
        reason=item["reason"],
    )


def _case(row: RowMapping) -> Case:
    disposition = row["disposition"]
    return Case(
        model=row["model"],
        number=row["number"],
        version=row["version"],
        cause=row["cause"],
        rung=Rung[row["rung"].upper()],
        accountable=row["accountable"],
        opened_at=row["opened_at"],
        reason=row["reason"],
        findings=tuple(row["findings"]),
        deadline=row["deadline"],
        escalated=row["escalated"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
        disposition=None if disposition is None else Disposition(disposition),
        closing=row["closing"],
        evidence=row["evidence"],
    )


def _waiver(row: RowMapping) -> Waiver:
    return Waiver(
        model=row["model"],
        number=row["number"],
        limit=row["limit_id"],
        version=row["version"],
        reason=row["reason"],
        control=row["control"],
        requested_by=row["requested_by"],
        approved_by=tuple(row["approved_by"]),
        starts=row["starts"],
        ends=row["ends"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
        ending=row["ending"],
    )
