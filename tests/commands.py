"""The real command in a process of its own, without the second that Python takes to load it.

A process that has loaded every module, and done nothing else, forks itself for each command. What
comes of it is a process like any other: it has its own memory, files and signals, and does what it has
left for its end. How long the command takes to load is what other tests ask
(`test_commands_are_light`, and those of the README).
"""

import atexit
import gc
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
ALSO = ("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "psycopg", "pandas")


class Command:
    """A running command: as much of `subprocess.Popen` as tests use."""

    def __init__(self, *arguments, stdout, stderr, cwd=None):
        self.args = list(arguments)
        self.returncode = None
        self._answers = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._answers.connect(_address())
        asked = json.dumps([self.args, str(cwd or Path.cwd()), dict(os.environ)]) + "\n"
        files = [stdout.fileno(), stderr.fileno()]
        socket.send_fds(self._answers, [b"\n"], files)
        self._answers.sendall(asked.encode())
        self._lines = self._answers.makefile()
        self.pid = int(self._lines.readline())

    def wait(self, timeout=None):
        """Return the exit code, once there is one."""
        if self.returncode is None:
            self._answers.settimeout(timeout)
            try:
                line = self._lines.readline()
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout) from None
            assert line, "the process that starts commands has ended"
            self.returncode = int(line)
            self._lines.close()
            self._answers.close()
        return self.returncode

    def poll(self):
        """Return the exit code, or None while it runs."""
        if self.returncode is None:
            with suppress(BlockingIOError):
                self._answers.settimeout(0)
                if self._answers.recv(1, socket.MSG_PEEK):
                    self.wait(60)
        return self.returncode

    def send_signal(self, number):
        """Send a signal to one that runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self):
        """End it."""
        self.send_signal(signal.SIGKILL)


def modelmon(*arguments, cwd=None, check=False, timeout=600):
    """Run a command to its end, as ``subprocess.run(..., capture_output=True, text=True)``."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        command = Command(*arguments, cwd=cwd, stdout=out, stderr=err)
        try:
            code = command.wait(timeout)
        except subprocess.TimeoutExpired:
            command.kill()
            raise
        out.seek(0)
        err.seek(0)
        done = subprocess.CompletedProcess(list(arguments), code, out.read(), err.read())
    if check:
        done.check_returncode()
    return done


@cache
def _address():
    """Return where commands are started, having started what does it."""
    folder = tempfile.TemporaryDirectory(prefix="modelmon-commands-")
    address = f"{folder.name}/s"
    starter = subprocess.Popen(
        [sys.executable, "-m", "tests.commands", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert starter.stdout.readline() == b"ready\n"

    def end():
        starter.stdin.close()
        starter.wait(60)
        starter.stdout.close()
        folder.cleanup()

    atexit.register(end)
    return address


def load():
    """Load every module, so that a process that is forked has none to load."""
    from pydantic import BaseModel

    import monitor

    for module in pkgutil.walk_packages(monitor.__path__, "monitor."):
        if module.name != "monitor.__main__":
            import_module(module.name)
    for name in ALSO:
        import_module(name)
    _build(BaseModel)
    gc.freeze()  # what is loaded is shared with every command, and no garbage in any


def _build(above):
    """Build the validators that pydantic builds when they are first used."""
    for model in above.__subclasses__():
        if model.__module__.startswith("monitor."):
            model.model_rebuild()
        _build(model)


class Asked(NamedTuple):
    """What a process is to be: arguments, folder, environment, and files for what it says."""

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    files: list[int]


def _serve(address):
    """Fork a process for each connection; in that process, return what was asked of it.

    Its id is written to the connection, and later its exit code.
    """
    ended, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(address)
        listening.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            ready, _, _ = select.select([sys.stdin, listening, ended], [], [])
            if sys.stdin in ready:
                break  # whoever wanted commands has gone
            if ended in ready:
                os.read(ended, 4096)
                _tell(running)
            if listening in ready:
                connection, _ = listening.accept()
                asked = _asked(connection)
                pid = os.fork()
                if not pid:
                    return asked
                for number in asked.files:
                    os.close(number)
                running[pid] = connection
                connection.sendall(f"{pid}\n".encode())
    for pid in running:
        os.kill(pid, signal.SIGKILL)
    return None


def _asked(connection):
    _, files, _, _ = socket.recv_fds(connection, 1, 2)
    with connection.makefile() as lines:
        return Asked(*json.loads(lines.readline()), files)


def _tell(running):
    """Tell of those that have ended."""
    for pid in list(running):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            with running.pop(pid) as connection, suppress(BrokenPipeError):
                connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(asked):
    """Be a process that was started with a command."""
    from monitor.cli.main import run

    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, target in zip(asked.files, (1, 2), strict=True):
        os.dup2(number, target)
        os.close(number)
    os.chdir(asked.folder)
    os.environ.clear()
    os.environ.update(asked.environment)
    sys.argv = ["modelmon", *asked.arguments]
    _end(_code_of(lambda: run(asked.arguments)))


def _code_of(command):
    """Return the exit code of a command, however it ends."""
    try:
        return command()
    except SystemExit as ended:
        return ended.code
    except BaseException:  # noqa: BLE001  # as Python itself does
        sys.excepthook(*sys.exc_info())
        return 1


def _end(code):
    """End as Python does, but for taking all modules apart: that alone costs a tenth of a second."""
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code or 0))


if __name__ == "__main__":
    load()
    found = _serve(sys.argv[1])
    if found:
        _become(found)
