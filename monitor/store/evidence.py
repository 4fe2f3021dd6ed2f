"""What was found of what approvals rest on, as rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Connection, Engine, delete, insert, select

from monitor.domain.governance import Governance
from monitor.engine.evidence import MODEL_FILE, REGISTRY, Found
from monitor.store.audit import Journal
from monitor.store.connection import reported
from monitor.store.governance_tables import FOUND


class SqlEvidence:
    """What was found of what approvals rest on."""

    _url: URL
    _engine: Engine
    _write: Callable[[str, Collection[str], Callable[[Connection, Journal], Any]], Any]

    def found(self, model: str) -> Sequence[Found]:
        """Return what was found last of everything that approvals of a model rest on."""
        doing = f"reading what approvals of {model} rest on"
        with reported(self._url, doing), self._engine.connect() as connection:
            return read_found(connection, model)

    def note_found(self, model: str, found: Sequence[Found]) -> None:
        """Remember what was found, in the place of what was found before."""
        doing = f"storing what approvals of {model} rest on"
        self._write(doing, {model}, lambda to, _: _note(to, model, found))


def read_found(connection: Connection, model: str) -> tuple[Found, ...]:
    """Return what was found last of everything that approvals of a model rest on."""
    query = select(FOUND).where(FOUND.c.model == model).order_by(FOUND.c.version, FOUND.c.name)
    return tuple(
        Found(row["version"], row["name"], row["digest"], row["since"], row["trouble"])
        for row in connection.execute(query).mappings()
    )


_ByVersion = Mapping[str, Mapping[str, str]]
_Gone = Mapping[str, Mapping[str, datetime]]


def digests_found(
    connection: Connection, model: str, governance: Governance
) -> tuple[_ByVersion, _Gone]:
    """Return version to the digests that were found of it, of what the policy has looked at.

    What was never seen is left out: nobody can say that it is another. With it comes since when
    files are gone that the policy names: a registry that has a version no more says so, and a file
    that is not there may be a share that is not mounted.
    """
    looked = set(governance.rests_on)
    looked |= set() if governance.registry is None else {REGISTRY, MODEL_FILE}
    digests: dict[str, dict[str, str]] = {}
    gone: dict[str, dict[str, datetime]] = {}
    for each in read_found(connection, model):
        if each.name in looked and each.digest is not None:
            digests.setdefault(each.version, {})[each.name] = each.digest
        if each.name in governance.rests_on and not each.digest and each.digest is not None:
            gone.setdefault(each.version, {})[each.name] = each.since
    return digests, gone


def _note(connection: Connection, model: str, found: Sequence[Found]) -> None:
    for each in found:
        connection.execute(
            delete(FOUND).where(
                FOUND.c.model == model, FOUND.c.version == each.version, FOUND.c.name == each.name
            )
        )
        row = {"version": each.version, "name": each.name, "digest": each.digest}
        more = {"model": model, "since": each.since, "trouble": each.trouble}
        connection.execute(insert(FOUND), {**row, **more})
