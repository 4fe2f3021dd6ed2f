"""A worker may die of anything: its job fails, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest

from monitor.compute.isolated import IsolatedCompute
from monitor.domain.errors import SourceError, WorkerCrashedError, WorkerMemoryError
from monitor.engine.counting import Counted, Task

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
TASKS = tuple(Task(f"{number}.parquet", (0,), number) for number in range(4))


@dataclass
class Told:
    rows: list[int] = field(default_factory=list)

    def advance(self, rows):
        self.rows.append(rows)


def reads(task):
    return Counted(read=task.rows)


def aborts(task):
    if task.rows == 2:
        os.abort()
    return reads(task)


def is_killed(task):
    os.kill(os.getpid(), signal.SIGKILL)
    return reads(task)


def leaves(task):
    os._exit(task.rows + 7)


def devours(_):
    return Counted(read=len(np.ones(2**27)))  # 1 GiB


def devours_through_arrow(_):
    return Counted(read=len(pa.allocate_buffer(2**30)))


def cannot_read(task):
    raise SourceError(f"{task.path} is away", retryable=True)


def outlives_signals(task):
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    return reads(task)


def sleeps(task):
    os.write(1, f"{os.getpid()}\n".encode())
    time.sleep(600)
    return reads(task)


def sleeps_after_the_first(task):
    if task.rows:
        time.sleep(600)
    return reads(task)


@pytest.fixture(autouse=True)
def _nothing_is_left():
    others = {child.pid for child in active_children()}  # fixtures of other tests may have some
    yield
    assert {child.pid for child in active_children()} == others
    # spawn keeps a tracker of shared memory; everything else must be gone, zombies as well
    left = [
        child
        for child in psutil.Process().children()
        if child.pid not in others and "tracker" not in _command(child)
    ]
    assert [child for child in left if child.status() == psutil.STATUS_ZOMBIE] == []


def _command(process):
    try:
        return " ".join(process.cmdline())
    except psutil.ZombieProcess:
        return ""


def test_a_job_gives_its_result_and_its_progress():
    told = Told()
    assert IsolatedCompute(2).count(TASKS, reads, told) == Counted(read=6)
    assert told.rows == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("count", "said"),
    [(aborts, "SIGABRT"), (is_killed, "SIGKILL: the system may"), (leaves, "ended with code 7")],
)
def test_a_worker_that_dies_fails_its_job(count, said):
    with pytest.raises(WorkerCrashedError, match=said):
        IsolatedCompute().count(TASKS, count, Told())
    assert IsolatedCompute().count(TASKS, reads, Told()).read == 6


@pytest.mark.parametrize("count", [devours, devours_through_arrow])
def test_memory_has_a_hard_bound(count):
    bounded = IsolatedCompute(memory_limit=2**29)
    with pytest.raises(WorkerMemoryError, match="536,870,912 bytes"):
        bounded.count(TASKS[:1], count, Told())
    assert IsolatedCompute(memory_limit=2**31).count(TASKS[:1], devours, Told()).read == 2**27


def test_what_a_job_raises_is_raised():
    with pytest.raises(SourceError, match=r"0\.parquet is away") as caught:
        IsolatedCompute().count(TASKS, cannot_read, Told())
    assert caught.value.retryable


def test_a_worker_is_not_ended_by_the_signals_that_end_the_daemon():
    assert IsolatedCompute().count(TASKS, outlives_signals, Told()).read == 6


def test_a_worker_ends_with_its_daemon():
    code = """
from monitor.compute.isolated import IsolatedCompute
from monitor.engine.progress import Silent
from tests.unit.compute.test_isolated import TASKS, sleeps
if __name__ == "__main__":
    IsolatedCompute().count(TASKS, sleeps, Silent())
"""
    script = [sys.executable, "-c", code]
    with subprocess.Popen(script, cwd=ROOT, stdout=subprocess.PIPE, text=True) as daemon:
        worker = psutil.Process(int(daemon.stdout.readline()))
        daemon.kill()
        worker.wait(timeout=300)
    assert not worker.is_running()


def test_a_worker_ends_when_nobody_waits_for_it_any_more():
    class Interrupted(Told):
        def advance(self, _):
            raise KeyboardInterrupt

    tasks = (TASKS[0], *TASKS)
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        IsolatedCompute().count(tasks, sleeps_after_the_first, Interrupted())
    assert time.monotonic() - begin < 300
