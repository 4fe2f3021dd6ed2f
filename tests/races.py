"""Processes that begin at the same moment, forked from one that has loaded what they need."""

import multiprocessing
import traceback

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        "monitor.store.schema",
        "monitor.store.sql",
        "psycopg",
        "sqlalchemy.dialects.postgresql",
        "sqlalchemy.dialects.sqlite",
        "tests.stored",
    ]
)

PATIENCE = 300
"""Seconds that a writer waits for another: which comes first is what is seen, and not how soon."""


def race(*racing):
    """Call each function with its arguments, in a process of its own; return what they returned."""
    pipes = [_FORKING.Pipe() for _ in racing]
    racers = [
        _FORKING.Process(target=_run, args=(there, *called))
        for (_, there), called in zip(pipes, racing, strict=True)
    ]
    for racer, (_, there) in zip(racers, pipes, strict=True):
        racer.start()
        there.close()
    for here, _ in pipes:
        assert here.recv() == "ready"
    for here, _ in pipes:
        here.send("go")
    ended = [here.recv() for here, _ in pipes]
    for racer, (here, _) in zip(racers, pipes, strict=True):
        here.close()
        racer.join(PATIENCE)
    assert [trouble for _, trouble in ended if trouble] == []
    return [answer for answer, _ in ended]


def _run(connection, function, *arguments):
    from monitor.store import connection as reached

    reached.WAIT_SECONDS = PATIENCE
    connection.send("ready")
    connection.recv()
    try:
        connection.send((function(*arguments), ""))
    except Exception:  # noqa: BLE001  # every kind of end is told where it is asked for
        connection.send((None, traceback.format_exc()))
