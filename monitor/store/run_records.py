"""Where in the audit log runs were recorded, as rows."""

from sqlalchemy import URL, Engine, func, select

from monitor.domain.run import Run
from monitor.engine.recorded_at import RecordedAt
from monitor.governance.events import EventType
from monitor.governance.recorded import subject_of
from monitor.store.connection import reported
from monitor.store.tables import AUDIT_CHECKPOINTS, AUDIT_LOGS, AUDIT_RECORDS


class SqlRunRecords:
    """The records of runs."""

    _url: URL
    _engine: Engine

    def recorded_at(self, run: Run) -> RecordedAt | None:
        """Return the record of a run; None for one from before there was a log."""
        of_run = AUDIT_RECORDS.c.body.contains(f'"run":"{run.identity}"', autoescape=True)
        covered = (
            select(func.max(AUDIT_CHECKPOINTS.c.size))
            .where(AUDIT_CHECKPOINTS.c.log == AUDIT_RECORDS.c.log)
            .scalar_subquery()
        )
        query = (
            select(AUDIT_LOGS.c.origin, AUDIT_RECORDS.c.sequence, covered)
            .join(AUDIT_LOGS, AUDIT_LOGS.c.number == AUDIT_RECORDS.c.log)
            .where(
                AUDIT_RECORDS.c.subject == subject_of(run.model),
                AUDIT_RECORDS.c.type == EventType.RUN_COMPLETED.value,
                of_run,
            )
            .order_by(AUDIT_RECORDS.c.log.desc(), AUDIT_RECORDS.c.sequence)
            .limit(1)
        )
        doing = f"reading where a run of {run.model} was recorded"
        with reported(self._url, doing), self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else RecordedAt(*row)
