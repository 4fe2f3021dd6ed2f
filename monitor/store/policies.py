"""Which policies runs were made under."""

from collections.abc import Sequence

from sqlalchemy import URL, Engine, func, select

from monitor.engine.used import UsedPolicy
from monitor.store.connection import reported
from monitor.store.tables import RUNS


class SqlPolicies:
    """What is read of the policies that were in force."""

    _url: URL
    _engine: Engine

    def last_policy(self, model: str) -> str:
        """Return the digest of the policy of the run that was stored last; "" before the first."""
        query = select(RUNS.c.policy).where(RUNS.c.model == model).order_by(RUNS.c.id.desc())
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            digest: str | None = connection.scalar(query.limit(1))
            return digest or ""

    def policies(self, model: str) -> Sequence[UsedPolicy]:
        """Return every policy that runs of a model were made under, in the order of their first."""
        query = (
            select(RUNS.c.policy, func.min(RUNS.c.started), func.max(RUNS.c.finished), func.count())
            .where(RUNS.c.model == model)
            .group_by(RUNS.c.policy)
            .order_by(func.min(RUNS.c.id))
        )
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return [UsedPolicy(*row) for row in connection.execute(query)]
