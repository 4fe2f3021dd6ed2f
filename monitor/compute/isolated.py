"""A job in a process of its own: what kills it, or what it devours, stays there."""

import os
import resource
import signal
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
from msgspec import Struct

from monitor.compute.local import Count, LocalCompute
from monitor.domain.errors import WorkerCrashedError, WorkerMemoryError
from monitor.engine.counting import Counted, Task
from monitor.engine.progress import Progress

_SPAWN = get_context("spawn")  # a fork would copy locks that other threads hold
_PATIENCE = 5.0  # seconds for a worker that has said its last word to end

_SIGNALS = {
    signal.SIGKILL: "the system may have run out of memory",
    signal.SIGSEGV: "a library crashed; a file may be broken in a way that it does not survive",
    signal.SIGBUS: "a file may have been cut short while it was read",
}


class IsolatedCompute(Struct, frozen=True):
    """Does each job in a worker process, as `monitor.engine.ports.Compute`.

    A worker costs half a second to start. It inherits nothing but its job, ignores the signals that
    end the daemon (the daemon waits for it, or it ends with the daemon), and is always waited for.

    Attributes:
        workers: Threads of a worker.
        memory_limit: Bytes that a job may take beyond what its libraries hold when they are
            loaded, some 150 MB; None for no bound. An allocation beyond it fails.
    """

    workers: int = 1
    memory_limit: int | None = None

    def count(self, tasks: Sequence[Task], count: Count, progress: Progress) -> Counted:
        """Return the sum of ``count(task)`` over all tasks.

        Raises:
            WorkerCrashedError: The worker died.
            WorkerMemoryError: It needed more memory than it may have.
        """
        if not tasks:
            return Counted()
        receiving, sending = _SPAWN.Pipe(duplex=False)
        job = (tuple(tasks), count, self.workers, self.memory_limit)
        worker = _SPAWN.Process(
            target=_work, args=(sending, *job), name="modelmon-worker", daemon=True
        )
        try:
            worker.start()
            sending.close()  # so that a dead worker is an end of file
            total = _received(receiving, progress)
        except EOFError:
            worker.join(_PATIENCE)
            raise WorkerCrashedError(_death(worker.exitcode)) from None
        else:
            worker.join(_PATIENCE)
            return total
        finally:
            receiving.close()
            _end(worker)


def _received(receiving: Connection, progress: Progress) -> Counted:
    while True:
        match receiving.recv():
            case int() as rows:
                progress.advance(rows)
            case Counted() as total:
                return total
            case Exception() as error:
                raise error
            case other:
                raise TypeError(f"a worker said {type(other).__name__}")


def _death(exitcode: int | None) -> str:
    if exitcode is None or exitcode >= 0:
        return f"the worker process ended with code {exitcode} and without a result"
    number = signal.Signals(-exitcode)
    hint = _SIGNALS.get(number, "a library crashed")
    return f"the worker process was ended by {number.name}: {hint}"


def _end(worker: Any) -> None:
    """Leave no process behind, dead or alive."""
    if worker.pid is None:  # it never started
        return
    if worker.is_alive():
        worker.kill()
    worker.join()
    worker.close()


class _Told:
    """Progress that is told to the parent."""

    def __init__(self, sending: Connection) -> None:
        self._sending = sending

    def advance(self, rows: int) -> None:
        self._sending.send(rows)


def _work(
    sending: Connection,
    tasks: Sequence[Task],
    count: Count,
    workers: int,
    memory_limit: int | None,
) -> None:
    """Do a job, in the worker process."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    pa.set_cpu_count(workers)
    with suppress(BrokenPipeError):  # the parent has gone, and wants nothing more
        sending.send(_outcome(tasks, count, LocalCompute(workers), _Told(sending), memory_limit))


def _outcome(
    tasks: Sequence[Task],
    count: Count,
    compute: LocalCompute,
    told: _Told,
    memory_limit: int | None,
) -> Counted | Exception:
    """Return the result, or what the parent shall raise."""
    try:
        if memory_limit is not None:
            _bound_memory(memory_limit)
        return compute.count(tasks, count, told)
    except MemoryError as error:
        allowed = "there is" if memory_limit is None else f"{memory_limit:,} bytes"
        return WorkerMemoryError(f"the worker process needs more memory than {allowed}: {error}")
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  # raised again in the parent
        return error


def _bound_memory(limit: int) -> None:
    """Make allocations fail that would take more than ``limit`` bytes from now on."""
    # Arrow's own allocator reserves a gigabyte at a time, of which it uses little.
    pa.set_memory_pool(pa.system_memory_pool())
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = _held() + limit
    resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))


def _held() -> int:
    """Return the bytes of private memory that this process has reserved by now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmData:"))
    return int(line.split()[1]) * 1024


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
