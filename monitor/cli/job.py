"""A command that is run for as long as something holds, with all that it starts.

It is in a process group of its own: a shell that is ended alone would leave what it has started.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

from monitor.libraries import given_environment

PATIENCE = 10.0
"""Seconds that a job has to end after SIGTERM before it is killed."""

_HANDED_ON = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_LOOK = 0.05
_STDIN = 0


class Job:
    """A command in a process group of its own.

    Args:
        command: The program and its arguments.
        environment: Added to the environment that it is given.

    Raises:
        OSError: It cannot be run.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # what the caller asked for
            command, env=given_environment() | dict(environment), process_group=0
        )
        self._ending: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Return whether the command itself has not ended."""
        return self._process.poll() is None

    def send(self, number: int) -> None:
        """Send a signal to all of it; to nobody when it has ended."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def end(self) -> None:
        """Begin to end it: SIGTERM to all of it, and SIGKILL to what is left after some seconds."""
        self._ending = threading.Thread(target=self._end, name="modelmon-job-end")
        self._ending.start()

    def wait(self) -> int:
        """Return its exit code as a shell has it, once it and what is being ended have ended."""
        code = self._process.wait()
        if self._ending is not None:
            self._ending.join()
        return code if code >= 0 else 128 - code

    def _end(self) -> None:
        self.send(signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while self._is_there():
            if time.monotonic() > until:
                self.send(signal.SIGKILL)
                return
            time.sleep(_LOOK)

    def _is_there(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True

    @contextmanager
    def before_the_terminal(self) -> Iterator[None]:
        """Let it read the terminal, where there is one, and what is typed there reach it."""
        if not os.isatty(_STDIN) or os.tcgetpgrp(_STDIN) != os.getpgrp():
            yield
            return
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            os.tcsetpgrp(_STDIN, self._process.pid)
            self.send(signal.SIGCONT)  # it may have asked for the terminal already
            yield
        finally:
            os.tcsetpgrp(_STDIN, os.getpgrp())
            signal.signal(signal.SIGTTOU, before)


class SignalsHandedOn:
    """While it is entered, the signals by which somebody ends this process go on to a job."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Begin, before there is a job: what is sent meanwhile waits for it."""
        self._before = {number: signal.signal(number, self._hand_on) for number in _HANDED_ON}
        return self

    def to(self, job: Job) -> None:
        """Hand them on to a job."""
        self._job = job
        for number in self._early:
            job.send(number)

    def __exit__(self, *_: object) -> None:
        """Receive them again; what no job got is received now."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._job is None:
            for number in self._early:
                signal.raise_signal(number)

    def _hand_on(self, number: int, _: object) -> None:
        if self._job is None:
            self._early.append(number)
        else:
            self._job.send(number)
