import io
import json
import logging
import sys
import threading
import warnings
from collections import Counter
from datetime import UTC, datetime

import pytest

from monitor import logs
from monitor.domain.window import Window
from monitor.engine.under_way import UNDER_WAY, Work


@pytest.fixture
def log():
    """Configure logging to a buffer; afterwards everything is as it was."""
    hooks = sys.excepthook, threading.excepthook
    root, library = logging.getLogger(), logging.getLogger("apscheduler")
    server = logging.getLogger("uvicorn")
    kept = root.handlers[:], root.level, library.level, server.level
    root.handlers = []

    def configure(level="info", *, as_json=True):
        stream, counts = io.StringIO(), Counter()
        logs.configure(level, stream, lambda name: counts.update([name]), as_json=as_json)
        return stream, counts

    yield configure
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook = hooks
    root.handlers, level, library_level, server_level = kept
    root.setLevel(level)
    library.setLevel(library_level)
    server.setLevel(server_level)


def test_a_message_is_one_json_object_with_what_it_is_about(log):
    stream, _ = log()
    about = {"run": 7, "model": "credit", "window": "[a, b)", "other": "no"}
    logging.getLogger("monitor.engine").warning("late by %d s", 3, extra=about)
    line = json.loads(stream.getvalue())
    assert line.pop("ts").endswith("+00:00")
    assert line == {
        "level": "warning",
        "msg": "late by 3 s",
        "logger": "monitor.engine",
        "run": "7",
        "model": "credit",
        "window": "[a, b)",
    }


def test_a_traceback_and_a_forged_line_stay_within_one_line(log):
    stream, _ = log()
    try:
        int("\ud800 gone\nlevel=info")
    except ValueError:
        logging.getLogger("x").exception("two\nlines")
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told["msg"] == "two\nlines"
    assert "ValueError" in told["exception"]


def test_messages_are_counted_by_level_and_those_below_it_are_not(log):
    stream, counts = log("warning")
    logger = logging.getLogger("x")
    logger.info("unheard")
    logger.error("one")
    logger.error("two")
    assert counts == {"error": 2}
    assert len(stream.getvalue().splitlines()) == 2


def test_a_terminal_gets_plain_lines(log):
    stream, _ = log(as_json=False)
    logging.getLogger("x").info("hello")
    assert stream.getvalue().endswith("INFO     x: hello\n")


def test_no_name_begins_a_line_on_a_terminal_or_colours_it(log):
    stream, _ = log(as_json=False)
    forged = "3\n2026-01-01 00:00:00,000 INFO     modelmon: all is well\r\x1b[31m\u2028\u202e"
    logging.getLogger("x").warning("version %s is unknown", forged, extra={"model": "credit"})
    first, second = stream.getvalue().splitlines()
    assert first.endswith("WARNING  x: version 3")
    told = r"modelmon: all is well\r\x1b[31m\u2028\u202e is unknown"
    assert second == f"    2026-01-01 00:00:00,000 INFO     {told}"


def test_strangers_cannot_fill_the_log_with_requests_that_are_none(log):
    stream, counts = log()
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")
    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == ["error"]
    assert counts == {"error": 1}


def test_the_scheduler_does_not_report_every_heartbeat(log):
    stream, _ = log("debug")
    logging.getLogger("apscheduler.executors.heartbeat").info("Running job")
    assert not stream.getvalue()


def test_a_line_says_what_the_thread_is_at_work_on_whoever_logs_it(log):
    stream, _ = log()
    day = Window(datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 1, 6, tzinfo=UTC))
    UNDER_WAY.set(None)  # windows that were run outside a check leave their model there
    token = UNDER_WAY.set(Work("credit", day))
    logging.getLogger("some.library").warning("retrying")
    logging.getLogger("x").warning("of another", extra={"model": "other"})
    UNDER_WAY.set(Work("credit"))
    logging.getLogger("x").warning("between windows")
    UNDER_WAY.reset(token)
    logging.getLogger("x").warning("of none")
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    about = [{key: line[key] for key in ("model", "window") if key in line} for line in told]
    assert about == [
        {"model": "credit", "window": str(day)},
        {"model": "other"},
        {"model": "credit"},
        {},
    ]


def test_warnings_and_what_nobody_caught_are_lines_too(log):
    stream, counts = log()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("division", RuntimeWarning, stacklevel=1)
    thread = threading.Thread(target=lambda: int("x"), name="late")
    thread.start()
    thread.join()
    try:
        int("y")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert "RuntimeWarning: division" in told[0]["msg"]
    assert told[1]["msg"] == "uncaught in thread late"
    assert "invalid literal for int() with base 10: 'y'" in told[2]["exception"]
    assert counts == {"warning": 1, "critical": 2}
