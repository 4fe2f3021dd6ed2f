"""How the daemon logs: one line a message, as JSON or for a terminal, each message counted."""

import json
import logging
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

from monitor.engine.under_way import UNDER_WAY

_EXTRAS = ("run", "model", "window")


def _at_work(record: logging.LogRecord) -> bool:
    """Let every line say of which model and window it is, whoever in the thread logs it."""
    at = UNDER_WAY.get()
    if at is not None and "model" not in record.__dict__:
        record.__dict__["model"] = at.model
        if at.window is not None and "window" not in record.__dict__:
            record.__dict__["window"] = at.window
    return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with run, model and window where the message has them."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "msg": record.getMessage(),
            "logger": record.name,
        }
        line |= {key: str(record.__dict__[key]) for key in _EXTRAS if key in record.__dict__}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class LineFormatter(logging.Formatter):
    """A line for a terminal, which no name in it can begin anew or colour.

    Further lines of a message are indented, so that none of them can pass for one of the log's own.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        """Return the line."""
        return "".join(map(_shown, super().formatMessage(record)))


def _shown(letter: str) -> str:
    if letter == "\n":
        return "\n    "
    return letter if letter.isprintable() else ascii(letter)[1:-1]


class CountingHandler(logging.Handler):
    """Tells someone the level of every message that is logged."""

    def __init__(self, count: Callable[[str], None]) -> None:
        super().__init__()
        self._count = count

    def emit(self, record: logging.LogRecord) -> None:
        """Count the message."""
        self._count(record.levelname.lower())


def configure(level: str, stream: TextIO, count: Callable[[str], None], *, as_json: bool) -> None:
    """Send the messages of the whole process to a stream, and count them.

    Args:
        level: ``debug``, ``info``, ``warning``, ``error`` or ``critical``: the least that is logged.
        stream: Where the lines go.
        count: Called with the level of each message.
        as_json: JSON for machines, or a plain line for a terminal.
    """
    lines = logging.StreamHandler(stream)
    plain = LineFormatter("%(asctime)s %(levelname)-8s %(name)s: %(message)s")
    lines.setFormatter(JsonFormatter() if as_json else plain)
    lines.addFilter(_at_work)
    # A line of another form would be lost on whoever reads the lines: warnings and what nobody caught.
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    logging.basicConfig(level=level.upper(), handlers=[lines, CountingHandler(count)], force=True)
    # The scheduler reports every start and end of every job, the heartbeat's too.
    logging.getLogger("apscheduler").setLevel(max(logging.WARNING, logging.root.level))
    # The web server warns of each request that is none: strangers could fill the log with them.
    logging.getLogger("uvicorn").setLevel(max(logging.ERROR, logging.root.level))


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("modelmon").critical("uncaught", exc_info=(kind, error, trace))


def _uncaught_in_thread(thrown: threading.ExceptHookArgs) -> None:
    if thrown.exc_value is not None:
        error = thrown.exc_value
        logging.getLogger("modelmon").critical(
            "uncaught in thread %s",
            "?" if thrown.thread is None else thrown.thread.name,
            exc_info=(thrown.exc_type, error, thrown.exc_traceback),
        )
