"""How the daemon logs: one line a message, as JSON or for a terminal, each message counted."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

_EXTRAS = ("run", "model", "window")


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
    plain = logging.Formatter("%(asctime)s %(levelname)-8s %(name)s: %(message)s")
    lines.setFormatter(JsonFormatter() if as_json else plain)
    logging.basicConfig(level=level.upper(), handlers=[lines, CountingHandler(count)], force=True)
    # The scheduler reports every start and end of every job, the heartbeat's too.
    logging.getLogger("apscheduler").setLevel(max(logging.WARNING, logging.root.level))
