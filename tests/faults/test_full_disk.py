"""A disk that is full, a real one: what was stored stays readable, and the daemon goes on."""

import os
import signal
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest

from tests.e2e.deployment import get, make_deployment, register, samples, wait_for, write_day

pytestmark = pytest.mark.slow

PERIOD = ("--from", "2024-01-05", "--to", "2024-01-07")


def as_root(*command):
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*prefix, *map(str, command)], check=True, timeout=120)


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder that is a file system of its own, of 4 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    owner = f"size=4m,uid={os.getuid()},gid={os.getgid()}"
    as_root("mount", "-t", "tmpfs", "-o", owner, "tmpfs", folder)
    yield folder
    as_root("umount", "--lazy", folder)


@contextmanager
def filled(folder):
    """Leave no byte of a disk free."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (2**16, 2**10, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


def deployed(folder, database):
    made = make_deployment(folder, store=f"sqlite:///{database}", settings="lease: {ttl: 3s}\n")
    register(made)
    made.call("run")
    return made


def series(address):
    return samples(get(f"{address}/metrics")[1])


def about_data(address):
    page = get(f"{address}/metrics")[1].splitlines()
    return [line for line in page if line.startswith(("modelmon_feature", "modelmon_alarm"))]


def test_a_daemon_on_a_full_disk_says_so_serves_on_and_goes_on_when_there_is_room(
    tmp_path, small_disk
):
    deployment = deployed(tmp_path, small_disk / "m.db")
    failures = 'modelmon_check_errors_total{model="credit"}'
    with deployment.daemon() as (process, address, log):
        page = about_data(address)
        assert page and series(address)[failures] == 0
        with filled(small_disk):
            late = datetime(2024, 1, 6, tzinfo=UTC)
            write_day(deployment.folder / "log" / "late.parquet", late, rows=90)
            wait_for(lambda: series(address)[failures] >= 1, process, log)
            # The lease is not renewed either, and nobody checks until there is room.
            wait_for(lambda: series(address)["modelmon_store_reachable"] == 0, process, log)
            wait_for(lambda: series(address)["modelmon_leader"] == 0, process, log)
            assert get(f"{address}/-/healthy")[0] == get(f"{address}/-/ready")[0] == 200
            assert about_data(address) == page
            read = deployment.call("explain", "credit")
            assert "2024-01-08" in read.stdout
            refused = deployment.call("run", check=False)
            assert refused.returncode == 5
            assert "database or disk is full – make room on the disk" in refused.stderr
        wait_for(lambda: "revision 2" in log.read_text(), process, log)
        now = series(address)
        assert now["modelmon_store_reachable"] == now["modelmon_leader"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    told = log.read_text()
    assert "check failed, and that cannot be stored" in told and "make room on the disk" in told
    assert "0 windows, 0 with new results" in deployment.call("run").stderr
    with closing(sqlite3.connect(small_disk / "m.db")) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_a_file_for_others_is_the_old_one_or_the_new_one(tmp_path, small_disk):
    deployment = deployed(tmp_path, tmp_path / "m.db")
    report, results = small_disk / "bias.html", small_disk / "modelmon.prom"
    backup = small_disk / "store.gz"
    report.write_text("the report of last month")
    results.write_text("what was there")
    writing = ("report", "bias", "--model", "credit", *PERIOD, "-o", str(report))
    with filled(small_disk):
        refused = deployment.call(*writing, check=False)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert "bias.html cannot be written: No space left on device" in refused.stderr
        refused = deployment.call("run", "--textfile", str(results), check=False)
        assert refused.returncode == 2
        assert "modelmon.prom cannot be written: No space left on device" in refused.stderr
        refused = deployment.call("db", "backup", str(backup), check=False)
        assert refused.returncode == 2
        assert "store.gz cannot be written: No space left on device" in refused.stderr
    assert report.read_text() == "the report of last month"
    assert results.read_text() == "what was there"
    assert {path.name for path in small_disk.iterdir()} == {report.name, results.name}
    deployment.call(*writing)
    deployment.call("run", "--textfile", str(results))
    assert "<html" in report.read_text() and "modelmon_" in results.read_text()
    deployment.call("db", "backup", str(backup))
    deployment.call("db", "restore", "--check", str(backup))
