"""What the gate answered, as rows, and how often somebody asked, as records."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import URL, Connection, Engine, RowMapping, func, insert, select

from monitor.domain.governance import GateAction
from monitor.engine.answering import Answered, Usage
from monitor.governance.checkpoint import unverified_checkpoint
from monitor.governance.note import note_of
from monitor.governance.permit import Answer
from monitor.governance.recorded import answer_changed, gate_used
from monitor.governance.standing import State
from monitor.store.audit import Journal
from monitor.store.connection import reported
from monitor.store.gate_tables import GATE_ANSWERS
from monitor.store.tables import AUDIT_CHECKPOINTS


class SqlGate:
    """What is read and written of the gate."""

    _url: URL
    _engine: Engine
    _write: Callable[[str, Collection[str], Callable[[Connection, Journal], Any]], Any]

    def checkpoint(self) -> tuple[int, str]:
        """Return size and root, in hexadecimal, of the audit log's newest checkpoint; 0 for none."""
        newest = select(AUDIT_CHECKPOINTS.c.note).order_by(
            AUDIT_CHECKPOINTS.c.log.desc(), AUDIT_CHECKPOINTS.c.size.desc()
        )
        doing = "reading the newest checkpoint"
        with reported(self._url, doing), self._engine.connect() as connection:
            note: str | None = connection.scalar(newest.limit(1))
        if note is None:
            return 0, ""
        found = unverified_checkpoint(note_of(note))
        return found.size, found.root.hex()

    def gate_answers(self, model: str) -> Sequence[Answered]:
        """Return everything that the gate answered for a model, oldest first."""
        doing = "reading what the gate answered"
        with reported(self._url, doing), self._engine.connect() as connection:
            return read_answers(connection, model)

    def newest_answers(self, model: str) -> Mapping[str, Answered]:
        """Return each version of a model to what the gate answered last."""
        newest = (
            select(func.max(GATE_ANSWERS.c.id))
            .where(GATE_ANSWERS.c.model == model)
            .group_by(GATE_ANSWERS.c.version)
        )
        query = select(GATE_ANSWERS).where(GATE_ANSWERS.c.id.in_(newest))
        doing = "reading what the gate answered"
        with reported(self._url, doing), self._engine.connect() as connection:
            found = [answered_of(row) for row in connection.execute(query).mappings()]
        return {each.answer.version: each for each in found}

    def record_answers(self, answers: Sequence[Answered]) -> None:
        """Record answers that differ from those before, each with its audit record."""

        def write(connection: Connection, journal: Journal) -> None:
            connection.execute(insert(GATE_ANSWERS), [_row(each) for each in answers])
            for each in answers:
                journal.add(answer_changed(each.answer, each.at))

        self._write("recording what the gate answers", (), write)

    def record_usage(self, usage: Usage) -> None:
        """Record how often somebody asked: one audit record a model, and no rows beside them."""

        def write(_: Connection, journal: Journal) -> None:
            for happened in gate_used(usage.hour, usage.replica, usage.at, _told(usage)):
                journal.add(happened)

        self._write("recording how the gate was used", (), write)


def read_answers(connection: Connection, model: str) -> list[Answered]:
    """Return everything that the gate answered for a model, oldest first."""
    query = select(GATE_ANSWERS).where(GATE_ANSWERS.c.model == model).order_by(GATE_ANSWERS.c.id)
    return [answered_of(row) for row in connection.execute(query).mappings()]


def _told(usage: Usage) -> Mapping[str, Mapping[tuple[str, str, str], int]]:
    """Return model to version, client and action to how often."""
    found: dict[str, dict[tuple[str, str, str], int]] = {}
    for asked, times in usage.asked.items():
        key = (asked.version, asked.client, asked.action.value)
        found.setdefault(asked.model, {})[key] = times
    return found


def _row(each: Answered) -> dict[str, Any]:
    answer = each.answer
    return {
        "model": answer.model,
        "version": answer.version,
        "at": each.at,
        "digest": answer.digest,
        "action": answer.action.value,
        "conditions": dict(answer.conditions),
        "state": None if answer.state is None else answer.state.value,
        "reasons": list(answer.reasons),
        "policy": answer.policy,
        "model_digest": answer.model_digest,
        "sequence": answer.sequence,
        "lasts": round(each.lasts.total_seconds()),
    }


def answered_of(row: RowMapping) -> Answered:
    """Return what a row says that the gate answered."""
    answer = Answer(
        model=row["model"],
        version=row["version"],
        action=GateAction(row["action"]),
        conditions=row["conditions"],
        state=None if row["state"] is None else State(row["state"]),
        reasons=tuple(row["reasons"]),
        policy=row["policy"],
        model_digest=row["model_digest"],
        sequence=row["sequence"],
    )
    return Answered(row["at"], answer, timedelta(seconds=row["lasts"]))
