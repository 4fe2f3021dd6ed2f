"""A log in an object store that is slow, breaks, or names only half of its files."""

import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.domain.finding import Verdict
from monitor.domain.run import Outcome
from monitor.domain.window import Window
from monitor.sources import reaching
from tests.e2e.deployment import get, make_deployment, register, wait_for, write_day
from tests.faults.bad_network import between
from tests.faults.in_process import running

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("s3")]

SEVENTH = Window(*(datetime(2024, 1, 7, tzinfo=UTC) + day * timedelta(days=1) for day in (0, 1)))


@pytest.fixture
def network(s3):
    found, server = between(s3.port)
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def deployment(tmp_path, s3, network):
    """Return a deployment whose model ``credit`` is on S3, and ``other`` in a folder."""
    made = make_deployment(tmp_path, models=("credit", "other"))
    register(made, "other")
    for file in sorted((tmp_path / "log").iterdir()):
        s3.put(f"{tmp_path.name}/log/{file.name}", file.read_bytes())
    uri = replace(s3, port=network.port).uri(f"{tmp_path.name}/log")
    model = tmp_path / "models" / "credit.yaml"
    model.write_text(model.read_text().replace("path: ../log", f"path: '{uri}'"))
    register(made)
    return made


def windows(daemon, model="credit"):
    """Return each window's newest revision and outcome, and the rows that it has."""
    store = daemon.outside.store
    return {
        window.start.day: (head.revision, head.outcome, store.run(model, window).accounting.read)
        for window, head in store.heads(model).items()
    }


DONE = dict.fromkeys((5, 6, 7, 8), (1, Outcome.COMPLETED, 600))


@pytest.mark.parametrize("trouble", ["refused", "reset", "silent"])
def test_storage_in_trouble_ends_the_check_in_bounded_time_and_no_window_is_judged_without_a_file(
    deployment, network, monkeypatch, caplog, trouble
):
    monkeypatch.setattr(reaching, "SILENCE_SECONDS", 1)
    network.seconds = 300
    setattr(network, trouble, "2024-01-07")
    with running(deployment.config) as daemon:
        begun = time.monotonic()
        assert daemon.check() is None
        assert time.monotonic() - begun < 240
        assert all(found == DONE[day] for day, found in windows(daemon).items())
        assert 7 not in windows(daemon)
        assert not daemon.outside.store.quarantine("credit")
        failures = 'check_run_failures_total{model="credit",reason="SourceError"}'
        assert daemon.series()[failures] == 1
        assert "2024-01-07.parquet: the storage does not answer as it should" in caplog.text

        assert daemon.check("other") is None
        assert windows(daemon, "other") == DONE
        network.heal()
        assert daemon.check() is None
        assert windows(daemon) == DONE
        assert daemon.series()[failures] == 1


def test_storage_that_cannot_be_listed_ends_the_check_and_tells_nothing_of_the_windows(
    deployment, network
):
    network.refused = "list-type|delimiter|prefix="
    with running(deployment.config) as daemon:
        assert daemon.check() is None
        assert windows(daemon) == {}
        assert daemon.series()['check_run_failures_total{model="credit",reason="SourceError"}'] == 1
        network.heal()
        assert daemon.check() is None
        assert windows(daemon) == DONE


@pytest.mark.parametrize("requests", [4, 9, 14])
def test_credentials_that_run_out_tell_against_no_file(deployment, network, requests):
    network.refused, network.status, network.after = ".", 403, requests
    with running(deployment.config) as daemon:
        assert daemon.check() is None
        assert all(found == (1, Outcome.COMPLETED, 600) for found in windows(daemon).values())
        assert daemon.series()['check_run_failures_total{model="credit",reason="SourceError"}'] == 1
        assert not daemon.outside.store.quarantine("credit")
        network.heal()
        assert daemon.check() is None
        assert windows(daemon) == DONE


def test_a_file_that_a_listing_leaves_out_opens_its_window_again_when_it_is_named(
    deployment, network, s3, tmp_path
):
    more = tmp_path / "more.parquet"
    write_day(more, datetime(2024, 1, 6, tzinfo=UTC), rows=300)
    s3.put(f"{tmp_path.name}/log/more.parquet", more.read_bytes())
    network.hidden = "log/(?:more|2024-01-07).parquet"
    with running(deployment.config) as daemon:
        assert daemon.check() is None
        assert windows(daemon) == {**DONE, 7: (1, Outcome.NO_DATA, 0)}
        assert daemon.outside.store.run("credit", SEVENTH).findings[0].verdict is Verdict.UNKNOWN
        network.heal()
        assert daemon.check() is None
        whole = {
            **DONE,
            6: (2, Outcome.COMPLETED, 900),
            7: (2, Outcome.COMPLETED, 600),
        }
        assert windows(daemon) == whole
        network.hidden = "log/2024-01-0[78].parquet"
        assert daemon.check() is None
        assert windows(daemon) == whole
        assert daemon.series()['closed_windows_changed{model="credit"}'] == 2
        network.hidden = "log/more.parquet"
        assert daemon.check() is None
        assert windows(daemon) == {**whole, 6: (3, Outcome.COMPLETED, 600)}
        network.heal()
        assert daemon.check() is None
        assert windows(daemon) == {**whole, 6: (4, Outcome.COMPLETED, 900)}
        assert daemon.series()['closed_windows_changed{model="credit"}'] == 0


def test_a_daemon_that_waits_for_a_silent_store_ends_in_bounded_time_when_told(deployment, network):
    network.silent, network.seconds = "2024-01-07", 300
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: any("2024-01-07" in path for _, path in network.asked), process, log)
        assert get(f"{address}/-/healthy")[0] == get(f"{address}/-/ready")[0] == 200
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(280) == 0
        assert time.monotonic() - told < 240
        assert "a check did not end in time; its window will be run again" in log.read_text()
    network.heal()
    assert "4 with new results" in deployment.call("run", "--model", "credit").stderr
