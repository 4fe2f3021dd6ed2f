"""The real command in a process that is killed or paused at a step, or whose clock is wrong.

What happens to it is told by the environment:

- ``DIE_AT``: number of the step before which it kills itself, from 1.
- ``PAUSE_BEFORE``: name of the step before which it stops itself, the first time.
- ``PAUSE_WHEN``: a file that it waits for before it does so.
- ``CLOCK_OFF``: seconds by which its clock is fast.
- ``STEPS``: a file that the names of its steps are written to, a line each.
- ``ONCE``: leave with SIGTERM after the first check as leader, and do without the gate's thread: what
  it records, and whether before that check or after it, is not for the check to say.
- ``MACHINE``: the machine that it says it runs on.
- ``LEASE``: seconds that its lease is good for, shorter than a configuration may have it.

A step is a call of a port or an SQL statement, in the thread that checks.

Without arguments it has all modules loaded, and forks such a process for each line of JSON that it
reads: arguments, environment, and a file for what it says. The answer is how the process ended.
"""

import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from pathlib import Path

from msgspec import structs
from sqlalchemy import Engine, event

from monitor import app
from monitor.cli.main import run
from monitor.daemon import Daemon
from monitor.engine.ports import Source, Store
from monitor.gatekeeper import Gatekeeper
from monitor.sources.parquet import ParquetSource
from monitor.store.sql import SqlStore
from tests.commands import load

SOON = "SET LOCAL idle_in_transaction_session_timeout = '1s'"
"""Has a server give up soon the writer that is about to be paused, and no other that is only slow."""


class Steps:
    """Counts the steps of checks, and does at one of them what the environment wants."""

    def __init__(self):
        self.number = 0
        self.here = threading.local()
        self.die_at = int(os.environ.get("DIE_AT", "0"))
        self.pause_before = os.environ.get("PAUSE_BEFORE", "")
        self.told = os.environ.get("STEPS", "")
        self.once = "ONCE" in os.environ
        self.ended = False

    def step(self, name, cursor=None):
        if not getattr(self.here, "checking", False):
            return
        self.number += 1
        if self.told:
            with Path(self.told).open("a", encoding="utf-8") as file:
                file.write(name + "\n")
        if self.number == self.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if name == self.pause_before:
            self.pause_before = ""
            while not Path(os.environ["PAUSE_WHEN"]).exists():
                time.sleep(0.02)
            if cursor is not None:
                cursor.execute(SOON)
            os.kill(os.getpid(), signal.SIGSTOP)

    def around(self, check):
        @wraps(check)
        def checked(daemon, model):
            leads = daemon._leadership.term is not None
            self.here.checking = not self.ended
            try:
                check(daemon, model)
            finally:
                self.here.checking = False
                if leads and self.once:
                    # A second signal would end it before it has stopped, and a check that is begun
                    # before the first is heard has no steps.
                    self.once, self.ended = False, True
                    os.kill(os.getpid(), signal.SIGTERM)

        return checked

    def before(self, name, call):
        @wraps(call)
        def counted(*arguments, **named):
            self.step(name)
            return call(*arguments, **named)

        return counted

    def watch(self, owner, port):
        for name in vars(port):
            if not name.startswith("_"):
                setattr(owner, name, self.before(name, getattr(owner, name)))


def go_wrong():
    """Change the classes of this process."""
    steps = Steps()
    steps.watch(SqlStore, Store)
    steps.watch(ParquetSource, Source)
    Daemon.check = steps.around(Daemon.check)
    event.listen(
        Engine,
        "before_cursor_execute",
        lambda _connection, cursor, text, *_: steps.step(" ".join(text.split()[:3]), cursor),
    )
    event.listen(Engine, "commit", lambda _: steps.step("COMMIT"))
    off = timedelta(seconds=float(os.environ.get("CLOCK_OFF", "0")))
    now = app.SystemClock.now
    app.SystemClock.now = lambda clock: now(clock) + off
    if steps.once:
        Gatekeeper.start = lambda _: None
    if "MACHINE" in os.environ:
        found = structs.replace(app.this_replica(), machine=os.environ["MACHINE"])
        app.this_replica = lambda: found
    if "LEASE" in os.environ:
        ttl = timedelta(seconds=float(os.environ["LEASE"]))
        opened = app.open_replicated
        app.open_replicated = lambda settings: opened(replace(settings, lease=ttl))


def fork_for_each_line():
    """Start a process for each line, and write what became of it."""
    load()
    for line in sys.stdin:
        arguments, environment, log = json.loads(line)
        child = os.fork()
        if not child:
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.environ.update(environment)
            go_wrong()
            os._exit(run(arguments))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:]:
        go_wrong()
        sys.exit(run(sys.argv[1:]))
    fork_for_each_line()
