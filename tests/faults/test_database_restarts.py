"""A real PostgreSQL that is killed in the middle of a check, and started again."""

import pytest

from tests.e2e.deployment import make_deployment, register
from tests.e2e.test_killed_at_every_step import OnPostgres
from tests.faults.in_process import Broken, running
from tests.faults.test_every_operation import shown, stored, told
from tests.postgres_server import running as running_server

pytestmark = pytest.mark.slow


class Struck(Broken):
    """Something happens before an operation, which is then tried all the same."""

    def __init__(self, engine, at, strike):
        super().__init__(engine, at)
        self._fail = strike


@pytest.fixture(scope="module")
def server():
    """A server of these tests' own."""
    with running_server() as found:
        yield found


def test_a_server_that_is_killed_in_a_check_costs_that_check_and_nothing_else(tmp_path, server):
    database = OnPostgres(server)
    deployment = make_deployment(tmp_path, days=6, store=database.url)
    register(deployment)
    database.keep()
    with running(deployment.config) as daemon:
        with Broken(daemon.engine, 0) as counted:
            assert daemon.check() is None
        page = shown(daemon)
    undisturbed = stored(database.url)
    operations = counted.operations
    moments = {
        "reading": next(n for n, name in enumerate(operations) if name.startswith("SELECT")),
        "a run": operations.index("INSERT INTO modelmon_runs"),
        "findings": operations.index("INSERT INTO modelmon_findings"),
        "commit": operations.index("COMMIT"),
        "the last one": len(operations) - 1,
    }

    def restart():
        server.stop()
        server.start()

    for moment, place in moments.items():
        database.begin_again()
        with running(deployment.config) as daemon:
            with Struck(daemon.engine, place + 1, restart):
                assert daemon.check() is None, moment
                daemon.follow()
            assert told(daemon) == 1, moment
            assert daemon.check() is None, moment
            assert stored(database.url) == undisturbed, moment
            assert shown(daemon) == page, moment


def test_while_the_server_is_gone_the_last_results_are_shown_and_nobody_leads(
    tmp_path, server, caplog
):
    deployment = make_deployment(tmp_path, days=6, store=server.new_database())
    register(deployment)
    with running(deployment.config) as daemon:
        assert daemon.check() is None
        page = shown(daemon)
        server.stop()
        try:
            assert daemon.check() is None
            daemon.follow()
            assert not daemon._leadership._try()
            now = daemon.series()
            assert (told(daemon), now["store_reachable"]) == (1, 0)
            assert shown(daemon) == page
            assert daemon.answer("/-/healthy") == daemon.answer("/-/ready") == 200
            assert "is the server up" in caplog.text
        finally:
            server.start()
        assert not daemon._leadership._try()
        assert daemon.series()["store_reachable"] == 1
        assert daemon.check() is None
        assert (told(daemon), shown(daemon)) == (1, page)
