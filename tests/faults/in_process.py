"""A daemon in the test's own process, whose store can be made to fail, and what it shows."""

import asyncio
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import event

from monitor import app
from monitor.daemon import Daemon
from monitor.exposition.vitals import Vitals
from tests.e2e.deployment import samples


class InProcess:
    """The daemon of a configuration without threads and sockets: what they do is called, one by one."""

    def __init__(self, config: Path):
        files = app.configuration(config)
        configured = files.read()
        self.models = [policy.model for policy in configured.policies]
        self.vitals = Vitals(self.models)
        self.outside, self._leadership = app.open_replicated(configured.settings)
        self.daemon = Daemon(files, configured, self.outside, self._leadership, self.vitals)
        self.engine = self.outside.store._engine
        self._pages = httpx.ASGITransport(self.daemon._app())
        assert self._leadership.ask()
        self.daemon.publish(self.models)

    def check(self, model="credit"):
        """Check a model as the schedule does: what is raised is counted, and nothing stops."""
        try:
            self.daemon.check(model)
        except Exception as error:  # noqa: BLE001  # APScheduler's part
            self.vitals.count_error(model)
            return error
        return None

    def follow(self):
        self.daemon.follow()

    def series(self):
        """Return every series of the metrics page, without its prefix."""
        page = self._ask("/metrics")
        assert page.status_code == 200
        found = samples(page.text)
        return {name.removeprefix("modelmon_"): value for name, value in found.items()}

    def answer(self, path):
        return self._ask(path).status_code

    def _ask(self, path):
        async def ask():
            async with httpx.AsyncClient(transport=self._pages, trust_env=False) as client:
                return await client.get(f"http://127.0.0.1{path}")

        return asyncio.run(ask())

    def close(self):
        self._leadership.stop()
        self._leadership._leases.close()
        self.outside.store.close()


@contextmanager
def running(config):
    daemon = InProcess(config)
    try:
        yield daemon
    finally:
        daemon.close()


class Broken:
    """Operations of an engine fail as its driver would have them fail.

    An operation is a statement or a commit; a rollback never fails.

    Args:
        engine: The engine.
        at: Number of the first operation that fails, from 1.
        lasting: Whether all after it fail as well.
    """

    def __init__(self, engine, at, *, lasting=False):
        self.operations = []
        self._engine, self._at, self._lasting = engine, at, lasting
        self._commit = engine.dialect.do_commit

    def __enter__(self):
        for kind in ("do_execute", "do_executemany", "do_execute_no_params"):
            event.listen(self._engine, kind, getattr(self, f"_{kind}"))
        self._engine.dialect.do_commit = self._committing
        return self

    def __exit__(self, *_):
        for kind in ("do_execute", "do_executemany", "do_execute_no_params"):
            event.remove(self._engine, kind, getattr(self, f"_{kind}"))
        self._engine.dialect.do_commit = self._commit

    def _do_execute(self, _cursor, statement, _parameters, _context):
        self._operate(statement)

    _do_executemany = _do_execute

    def _do_execute_no_params(self, _cursor, statement, _context):
        self._operate(statement)

    def _committing(self, connection):
        self._operate("COMMIT")
        self._commit(connection)

    def _operate(self, statement):
        name = " ".join(statement.split()[:3])
        if name == "ROLLBACK":
            return
        self.operations.append(name)
        number = len(self.operations)
        if number == self._at or (self._lasting and number > self._at):
            self._fail()

    def _fail(self):
        raise self._engine.dialect.dbapi.OperationalError("the disk has a hole")
