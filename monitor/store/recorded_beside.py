"""What is stored beside ledgers and results held against its records: tokens, and what the gate answered."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, or_, select

from monitor.governance.events import EventType
from monitor.governance.projection import subject_of
from monitor.governance.record import AuditRecord, Json, RecordError, record_of
from monitor.governance.tokens import Token
from monitor.governance.verification import SKEW, Fault, Flaw
from monitor.store.gate import answered_of
from monitor.store.gate_tables import GATE_ANSWERS
from monitor.store.tables import AUDIT_RECORDS


def said_of(token: Token) -> dict[str, Json]:
    """Return what the log says of a token that is made: its secret is random, and so is the digest."""
    return {
        "holder": token.holder,
        "roles": list[Json](sorted(token.roles)),
        "models": None if token.models is None else list[Json](sorted(token.models)),
        "expires": token.expires_at.isoformat(),
        "digest": token.digest,
    }


def differs(connection: Connection, token: Token) -> str:
    """Return in words where a token is not what its records say; "" where it is that."""
    mine = AUDIT_RECORDS.c.subject == f"token/{token.id}"
    query = select(AUDIT_RECORDS.c.body).where(mine)
    found = connection.scalars(query.order_by(AUDIT_RECORDS.c.log, AUDIT_RECORDS.c.sequence))
    records = {record.event.type: record.event.data for record in _read(found)}
    made = records.get(EventType.TOKEN_CREATED)
    if made is None:
        return "the log never recorded that it was made"
    # Records of before the digest of the secret was in them do not have it.
    other = sorted(
        name for name, is_now in said_of(token).items() if made.get(name, is_now) != is_now
    )
    if token.revoked_at is None and EventType.TOKEN_REVOKED in records:
        other.append("that it was revoked")
    return f"{', '.join(other)}: not what was recorded" if other else ""


def flaws_of_answers(connection: Connection) -> Iterator[Flaw]:
    """Yield each version of which the gate's answers are not stored as they were recorded."""
    stored: dict[str, list[RowMapping]] = {}
    rows = connection.execute(select(GATE_ANSWERS).order_by(GATE_ANSWERS.c.id)).mappings()
    for row in rows:
        stored.setdefault(subject_of(row["model"], row["version"]), []).append(row)
    recorded = _recorded_answers(connection)
    for subject in sorted(stored.keys() | recorded.keys()):
        are, were = stored.get(subject, []), recorded.get(subject, [])
        if len(are) != len(were):
            told = (
                f"{len(are)} answers of the gate about {subject} are stored, {len(were)} recorded"
            )
            yield Flaw(Fault.STATE_DIFFERS, None, told)
            continue
        for row, (record, since) in zip(are, were, strict=True):
            said = record.event.data.get("answer")
            known = (row["digest"], answered_of(row).answer.digest) == (said, said)
            if not (known and since <= row["at"] <= record.at):
                told = f"an answer of the gate about {subject} is stored otherwise than recorded"
                yield Flaw(Fault.STATE_DIFFERS, record.sequence, told)


def _recorded_answers(connection: Connection) -> dict[str, list[tuple[AuditRecord, datetime]]]:
    """Return the recorded answers of each version, each with the earliest that it can be of."""
    kinds = (EventType.GATE_ANSWER_CHANGED, EventType.CLOCK_REGRESSED)
    body = AUDIT_RECORDS.c.body
    named = [body.contains(f'"type":"{kind}"', autoescape=True) for kind in kinds]
    query = select(body).where(or_(*named))
    ordered = connection.scalars(query.order_by(AUDIT_RECORDS.c.log, AUDIT_RECORDS.c.sequence))
    found: dict[str, list[tuple[AuditRecord, datetime]]] = {}
    clock, place = "", -1
    for record in _read(ordered):
        if record.event.type is EventType.CLOCK_REGRESSED:  # it says what the clock of the next was
            clock, place = str(record.event.data["clock"]), record.sequence
            continue
        late = place + 1 == record.sequence
        since = datetime.fromisoformat(clock) if late else record.at - SKEW
        found.setdefault(record.event.subject, []).append((record, since))
    return found


def _read(bodies: Any) -> Iterator[AuditRecord]:
    for body in bodies:
        try:
            yield record_of(body.encode())
        except RecordError:  # told where the records are examined
            continue
