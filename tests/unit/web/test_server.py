import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import AF_INET6, create_connection, create_server
from threading import Event, Thread

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from monitor.web import server as server_module
from monitor.web.server import ListenError, WebServer, stop_signals


class Slow:
    """An application whose one answer takes its time."""

    def __init__(self, seconds):
        self.entered = Event()

        async def answer(_):
            self.entered.set()
            await asyncio.sleep(seconds)
            return PlainTextResponse("done")

        self.app = Starlette(routes=[Route("/", answer)])


def ask(port, answers):
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/")
        answers.append(connection.getresponse().read())
    except (OSError, HTTPException) as error:
        answers.append(error)
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\nX: "])
def test_who_never_ends_the_head_of_a_request_is_cut_off(monkeypatch, sent):
    monkeypatch.setattr(server_module, "HEAD", timedelta(seconds=0.2))
    server = WebServer(Slow(0).app, ended=Event().set)
    _, port = server.start()
    cut = suppress(ConnectionError)  # on a busy machine it is cut off before it sends anything
    with create_connection(("127.0.0.1", port), timeout=60) as slow, cut:
        slow.sendall(sent)
        assert slow.recv(100) == b""
    assert server.stop()


def test_a_request_that_ends_in_two_places_is_refused_with_all_that_follows_it():
    slow = Slow(0)
    server = WebServer(slow.app, ended=Event().set)
    _, port = server.start()
    smuggled = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    ends = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % (5 + len(smuggled))
    with create_connection(("127.0.0.1", port), timeout=60) as proxy:
        proxy.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + ends + b"0\r\n\r\n" + smuggled)
        said = b""
        while part := proxy.recv(1000):
            said += part
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1
    assert b"not both" in said
    assert not slow.entered.is_set()
    assert server.stop()


@pytest.mark.slow
def test_one_request_is_no_leave_to_be_slow_with_the_next(monkeypatch):
    monkeypatch.setattr(server_module, "HEAD", timedelta(seconds=1))
    server = WebServer(Slow(0).app, ended=Event().set)
    _, port = server.start()
    with create_connection(("127.0.0.1", port), timeout=60) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTT")
        said = b""
        while part := slow.recv(1000):
            said += part
    assert said.count(b"HTTP/1.1 200") == 1
    assert server.stop()


@pytest.mark.slow
def test_an_answer_that_takes_long_is_not_cut_off(monkeypatch):
    monkeypatch.setattr(server_module, "HEAD", timedelta(seconds=1))
    server = WebServer(Slow(2).app, ended=Event().set)
    _, port = server.start()
    answers = []
    ask(port, answers)
    assert answers == [b"done"]
    assert server.stop()


def test_an_answer_does_not_wait_for_the_client_to_acknowledge_its_head():
    server = WebServer(Slow(0).app, ended=Event().set)
    _, port = server.start()
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    took = []
    # Delayed acknowledgements cost 0.04 each, but for the first ones; a busy machine delays some.
    while len(took) < 41 or (min(took[20:]) >= 0.03 and sum(took) < 60):
        started = time.monotonic()
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"done"
        took.append(time.monotonic() - started)
    connection.close()
    assert server.stop()
    assert min(took[20:]) < 0.03


def stop_while_asking(seconds, drain):
    slow, ended, answers = Slow(seconds), Event(), []
    server = WebServer(slow.app, drain=timedelta(seconds=drain), ended=ended.set)
    host, port = server.start()
    assert host == "127.0.0.1"
    client = Thread(target=ask, args=(port, answers))
    client.start()
    assert slow.entered.wait(60)
    started = time.monotonic()
    assert server.stop()
    took = time.monotonic() - started
    client.join(60)
    assert ended.is_set()
    return answers[0], took


@pytest.mark.slow
def test_a_request_that_is_under_way_is_answered_before_the_server_ends():
    answer, _ = stop_while_asking(seconds=0.5, drain=50)
    assert answer == b"done"


@pytest.mark.slow
def test_a_request_that_does_not_end_is_cut_off_at_the_bound():
    answer, took = stop_while_asking(seconds=60, drain=1)
    assert answer != b"done"
    assert took < 55


def test_an_address_in_use_is_named():
    with create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = WebServer(Slow(0).app, port=port, ended=lambda: None)
        with pytest.raises(ListenError, match=f"127.0.0.1 port {port}: .*in use"):
            server.start()


def test_stopping_a_server_that_never_started_is_no_error():
    assert WebServer(Slow(0).app, ended=lambda: None).stop()


def test_a_signal_ends_the_wait_and_the_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with stop_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait() == "SIGTERM"
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_another_thread_receives_ends_the_wait_of_the_main_one():
    # A signal to the process goes to any of its threads; here to one that is not the main one.
    sleep = Event()
    bystander = Thread(target=sleep.wait)
    bystander.start()
    with stop_signals() as stop:
        timer = threading.Timer(0.2, lambda: signal.pthread_kill(bystander.ident, signal.SIGTERM))
        timer.start()
        assert stop.wait() == "SIGTERM"
        timer.join()
    sleep.set()
    bystander.join()


def test_hanging_up_is_told_and_ends_nothing():
    told = []
    with stop_signals() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(lambda: told.append("hung up")) == "SIGTERM"
    assert told == ["hung up"]


def test_another_thread_can_ask_to_stop_and_other_signals_do_not():
    previous = signal.signal(signal.SIGUSR1, lambda *_: None)
    with stop_signals() as stop:
        os.kill(os.getpid(), signal.SIGUSR1)
        threading.Timer(0.1, lambda: stop.ask("enough")).start()
        assert stop.wait() == "enough"
    signal.signal(signal.SIGUSR1, previous)


DAEMON = """
import sys, time
from datetime import UTC, datetime, timedelta
from monitor.exposition.page import Results, ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.vitals import Vitals
from monitor.scheduling.checks import CheckSchedule
from monitor.web.app import create_app
from monitor.web.health import Health
from monitor.web.server import WebServer, stop_signals
from tests.reading_room import an_empty_library

class Clock:
    def now(self):
        return datetime.now(UTC)

def check(model):
    print("begun", flush=True)
    sys.stdin.readline()
    print("ended", flush=True)

vitals, page = Vitals(["m"]), ResultsPage()
page.publish(Results(), datetime.now(UTC))
app = create_app(page, ProcessMetrics(vitals, page), Health(vitals, page, timedelta(seconds=30)), an_empty_library())
with stop_signals() as stop:
    server = WebServer(app, ended=lambda: stop.ask("ended"))
    print(server.start()[1], flush=True)
    checks = CheckSchedule(check, {"m": timedelta(hours=1)}, vitals, Clock())
    checks.start()
    stop.wait()
    drained = checks.stop(timedelta(seconds=60))
    sys.exit(0 if drained and server.stop() else 1)
"""


@pytest.fixture
def daemon():
    """Return a function that starts a daemon whose check lasts until it is told a line."""
    processes = []

    def start():
        command = [sys.executable, "-c", DAEMON]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        processes.append(process)
        port = int(process.stdout.readline())
        assert process.stdout.readline() == "begun\n"
        return process, port

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_running_check_end_and_the_daemon_exits_with_0(daemon, number):
    process, port = daemon()
    process.send_signal(number)
    time.sleep(0.3)
    # While the check drains, Prometheus still finds the page.
    url = f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert b"modelmon_scheduler_heartbeat" in answer.read()
    process.stdin.write("enough\n")
    process.stdin.flush()
    assert process.stdout.read() == "ended\n"
    assert process.wait(60) == 0


def is_handled(pid, number):
    """Return whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (number - 1) & 1)


@pytest.mark.slow
def test_a_second_signal_ends_the_daemon_at_once(daemon):
    process, _ = daemon()
    process.terminate()
    # Two that come together are one to Linux: the first must have been taken.
    until = time.monotonic() + 60
    while is_handled(process.pid, signal.SIGTERM):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert process.poll() is None
    process.terminate()
    assert process.wait(60) == -signal.SIGTERM


def test_an_address_of_ipv6_is_listened_on_or_said_to_be_out_of_reach():
    server = WebServer(Starlette(), "::1", ended=Event().set)
    try:
        create_server(("::1", 0), family=AF_INET6).close()
    except OSError:
        with pytest.raises(ListenError, match=r"^cannot listen on ::1 port 0: "):
            server.start()
    else:
        host, port = server.start()
        with create_connection((host, port), timeout=60):
            assert host == "::1"
        assert server.stop()
