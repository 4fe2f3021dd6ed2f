"""Databases to run the stores' contract on."""

import multiprocessing
import shutil
from dataclasses import dataclass

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
    process.join(120)
    assert process.exitcode == 0


@pytest.fixture(scope="session")
def a_file(tmp_path_factory):
    """A database in a file, to be copied: the schema is made once."""
    file = tmp_path_factory.mktemp("schema") / "modelmon.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def on_server(postgres_server):
    """The name of a database of the server, to be copied."""
    url = postgres_server.new_database(named="with_the_schema")
    upgrade(url)
    return "with_the_schema"


def new_database(kind, request, tmp_path):
    """Return the URL of a new database with the schema, in a file or on a server."""
    if kind == "postgres":
        template = request.getfixturevalue("on_server")
        return request.getfixturevalue("postgres_server").new_database(template)
    file = tmp_path / "modelmon.db"
    shutil.copy(request.getfixturevalue("a_file"), file)
    return f"sqlite:///{file}"


@pytest.fixture(params=["memory", "file", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request, tmp_path):
    """Return the URL of a database with the schema, and nothing in it."""
    if request.param == "memory":
        return "sqlite://"
    return new_database(request.param, request, tmp_path)


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
    url = "sqlite://"
    if request.param != "memory":
        kind = "postgres" if request.param.startswith("postgres") else "file"
        url = new_database(kind, request, tmp_path)
    writer = SqlStore(url)
    reader = writer
    if request.param.endswith("two processes"):
        reader = request.getfixturevalue("other_process")
        reader.open(url)
    yield Pair(writer, reader, url)
    if reader is not writer:
        reader.close()
    writer.close()
