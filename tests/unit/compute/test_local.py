import platform
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import pytest

from monitor.compute.isolated import IsolatedCompute
from monitor.compute.local import AHEAD, LARGE_ROWS, LocalCompute
from monitor.domain.manifest import UnreadableFile
from monitor.engine.counting import Counted, Task

TASKS = tuple(Task(f"{number}.parquet", (0,), number) for number in range(8))


class Told:
    def __init__(self):
        self.rows = []

    def advance(self, rows):
        self.rows.append(rows)


def name_of(task):
    """Count a task as its rows, with its name in the order of merging."""
    return Counted(read=task.rows, unreadable=[UnreadableFile(task.path, "", "")])


def slow_first(task):
    time.sleep(0.02 if task.rows % 2 == 0 else 0)
    return name_of(task)


@dataclass(frozen=True)
class Fails:
    path: str

    def __call__(self, task):
        if task.path == self.path:
            raise ValueError(f"cannot count {task.path}")
        return name_of(task)


@pytest.mark.parametrize(
    "compute",
    [
        LocalCompute(),
        LocalCompute(3),
        LocalCompute(20),
        pytest.param(IsolatedCompute(2), marks=pytest.mark.slow),
    ],
)
def test_results_are_added_in_the_order_of_the_tasks(compute):
    told = Told()
    total = compute.count(TASKS, slow_first, told)
    assert total.read == sum(task.rows for task in TASKS)
    assert [file.path for file in total.unreadable] == [task.path for task in TASKS]
    assert told.rows == [task.rows for task in TASKS]


@pytest.mark.parametrize("compute", [LocalCompute(), IsolatedCompute(2)])
def test_no_tasks_give_nothing(compute):
    assert compute.count((), name_of, Told()) == Counted()


@pytest.mark.parametrize(
    "compute",
    [
        LocalCompute(),
        LocalCompute(2),
        pytest.param(IsolatedCompute(), marks=pytest.mark.slow),
    ],
)
def test_what_a_task_raises_is_raised(compute):
    with pytest.raises(ValueError, match=r"cannot count 3\.parquet"):
        compute.count(TASKS, Fails("3.parquet"), Told())


def test_few_results_wait_to_be_added():
    made = []
    waiting = []
    lock = threading.Lock()

    def note(task):
        with lock:
            made.append(task)
        return name_of(task)

    class Watch(Told):
        def advance(self, rows):
            super().advance(rows)
            time.sleep(0.01)
            with lock:
                waiting.append(len(made) - len(self.rows))

    LocalCompute(2).count(TASKS, note, Watch())
    assert max(waiting) <= 2 * AHEAD


def test_a_large_file_is_counted_alone_by_all_threads():
    rows = [5, LARGE_ROWS, LARGE_ROWS + 1, 6, 7]
    seen = []

    def note(task):
        seen.append((task.rows, task.threads))
        return name_of(task)

    tasks = [Task(f"{number}.parquet", (0,), size) for number, size in enumerate(rows)]
    total = LocalCompute(4).count(tasks, note, Told())
    assert [file.path for file in total.unreadable] == [task.path for task in tasks]
    assert sorted(seen) == [(5, 1), (6, 1), (7, 1), (LARGE_ROWS, 4), (LARGE_ROWS + 1, 4)]


def test_two_jobs_share_the_workers():
    compute = LocalCompute(4)
    tasks = [Task("a.parquet", (0,), LARGE_ROWS)]
    meet = threading.Barrier(2, timeout=60)
    shares = []

    def note(task):
        shares.append(task.threads)
        return name_of(task)

    def job():
        class Waits(Told):
            def advance(self, _):
                meet.wait()  # both have begun, neither has ended

        compute.count(tasks * 2, note, Waits())

    jobs = [threading.Thread(target=job) for _ in range(2)]
    for item in jobs:
        item.start()
    for item in jobs:
        item.join()
    assert shares[-2:] == [2, 2]
    compute.count(tasks, note, Told())
    assert shares[-1] == 4


def test_there_is_at_least_one_worker():
    with pytest.raises(ValueError, match="at least one"):
        LocalCompute(0)


FAULTS = """
import resource
import numpy as np
from monitor.compute.local import LocalCompute
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        [np.ones(2**18) for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
once = faults()
LocalCompute()
faults()
print(once, faults())
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep it or not")
def test_memory_that_is_freed_is_used_again():
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True
    )
    before, after = map(int, done.stdout.split())
    assert before > 10_000
    assert after < 5_000


def test_a_thread_waits_for_the_interpreter_no_longer_than_what_it_does_with_it():
    before = sys.getswitchinterval()
    try:
        LocalCompute()
        assert sys.getswitchinterval() == before, "nothing of the interpreter is changed for one"
        LocalCompute(2)
        assert sys.getswitchinterval() == pytest.approx(0.0005, rel=0.05)
        sys.setswitchinterval(0.0001)  # somebody's choice, which is as good
        LocalCompute(2)
        assert sys.getswitchinterval() == pytest.approx(0.0001, rel=0.05)
    finally:
        sys.setswitchinterval(before)
