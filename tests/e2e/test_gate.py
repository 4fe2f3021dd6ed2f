"""The gate of a real daemon, asked by a real nginx and by the client, with the daemon killed."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from monitor.gate import Freshness, Gate
from tests.e2e.deployment import get, make_deployment, register, samples, wait_for
from tests.e2e.governed import GOVERNANCE, Board
from tests.ports import free_port

pytestmark = pytest.mark.slow

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "put-the-gate-before-a-model.md"
TTL, GRACE = 2, 3

NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{guide}
}}
"""


OTHERWISE = (
    "/models/credit/2/x/../../1/score",
    "/models/credit/2/..%2f1/score",
    "/models/credit/2%2f..%2f1/score",
    "/models/credit/%31/score",
    "/models/credit/1%3Fkeeps=conditions/score",
    "/models/credit/./1/score",
    "/models//credit/1/score",
    "/models/credit/1/..",
    "/models/credit/1/..?x",
    "/models/credit/1/score#x",
)
"""Paths that are the one that is allowed once they are written otherwise."""


def asked_as_is(front, path):
    """Return the status that is answered for a path which no client has made sense of."""
    host, port = urlsplit(front).netloc.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: model\r\nConnection: close\r\n\r\n".encode()
        )
        return int(connection.makefile("rb").readline().split()[1])


class Model(BaseHTTPRequestHandler):
    """A model server that decides whatever it is asked."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        said = {"approved": True, "conditions": self.headers.get("Modelmon-Conditions")}
        self.wfile.write(json.dumps(said).encode())

    def log_message(self, *_):
        pass


def guide_block():
    """Return the configuration of nginx that the guide shows."""
    return GUIDE.read_text().partition("```nginx\n")[2].partition("```")[0]


@contextmanager
def a_model():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@contextmanager
def nginx(folder, gate, model):
    """Run nginx with the guide's configuration before a model; yield its address."""
    folder.mkdir()
    port = free_port()
    block = guide_block()
    for shown, here in (
        ("listen 8080", f"listen 127.0.0.1:{port}"),
        ("127.0.0.1:9108", urlsplit(gate).netloc),
        ("127.0.0.1:8000", f"127.0.0.1:{model}"),
    ):
        assert shown in block
        block = block.replace(shown, here)
    path = folder / "nginx.conf"
    path.write_text(NGINX.format(folder=folder, guide=block))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([program, "-c", str(path), "-p", str(folder)])
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: get(f"{address}/nothing")[0])
        yield address
    finally:
        process.terminate()
        process.wait(120)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gate")
    key = folder / "gate.key"
    models = ("credit", "cards")
    made = make_deployment(folder / "made", models, 5, settings=f"gate: {{key: {key}}}\n")
    made.call("gate", "init", "--key", str(key))
    for model in models:
        register(made, model)
        path = made.folder / "models" / f"{model}.yaml"
        path.write_text(path.read_text() + GOVERNANCE.format(ttl=TTL, grace=GRACE))
    return made


def test_a_version_acts_from_its_approval_to_its_hold_and_no_longer_than_its_permit(
    deployment, tmp_path
):
    board = Board(deployment)
    with (
        deployment.daemon() as (process, gate, _),
        a_model() as model,
        nginx(tmp_path / "nginx", gate, model) as front,
    ):
        score, check = f"{front}/models/credit/1/score", f"{gate}/v1/gate/check/credit/1"
        wait_for(lambda: get(check)[0] == 403)
        assert get(score)[0] == 403  # nobody has approved it
        assert deployment.call(
            "gate", "check", "--url", gate, "credit", "1", check=False
        ).returncode

        board.approve()
        wait_for(lambda: get(check)[0] == 204)
        assert json.loads(get(score)[1])["approved"]
        assert get(f"{front}/models/credit/2/score")[0] == 403  # a version that nobody knows
        for path in OTHERWISE:  # one version would be checked, and another one asked for
            assert (path, asked_as_is(front, path)) == (path, 400)
        assert asked_as_is(front, "/models/credit/1/score?of=50%25&by=/../2") == 200
        client = Gate(gate, "credit", "1")
        assert client.decide().allowed
        told = []
        client.follow(lambda decision: told.append((time.monotonic(), decision)))
        page = samples(get(f"{gate}/metrics")[1])
        assert page['modelmon_gate_answer{action="allow",model="credit",version="1"}'] == 1
        assert page['modelmon_gate_max_stop_seconds{model="credit"}'] == TTL + GRACE
        wait_for(lambda: told)

        board.hold()
        held = time.monotonic()
        wait_for(lambda: not told[-1][1].allowed)
        assert (
            told[-1][0] - held < 10
        )  # all is read again every 30 s, whether it has changed or not
        assert get(score)[0] == 403
        assert not client.decide().allowed
        client.close()
        process.terminate()
        assert process.wait(120) == 0
    answers = records(deployment, "gate.answer_changed", "model/credit/version/1")
    told = [(each["data"]["state"], each["data"]["action"]) for each in answers]
    assert told[0] == ("registered", "deny")
    assert told[-2:] == [("approved", "allow"), ("held", "route_to_human")]
    now = deployment.call("authority", "--model", "credit", "--output", "json").stdout
    stands = json.loads(now)[0]["versions"]["1"]
    assert (stands["acts"], stands["state"]) == (False, "held")
    assert [vote["person"] for vote in stands["approval"]["votes"]] == ["vera", "anna"]
    allowed_at = next(each["ts"] for each in answers if each["data"]["action"] == "allow")
    then = deployment.call("authority", "--model", "credit", "--at", allowed_at).stdout
    assert "allow" in then
    assert "anna (accountable)" in then
    usage = records(deployment, "gate.usage_rollup", "model/credit")
    assert {asked["action"] for each in usage for asked in each["data"]["asked"]} == {
        "allow",
        "deny",
        "route_to_human",
    }


def test_permits_lapse_when_the_daemon_is_killed(deployment, tmp_path):
    Board(deployment, "cards").approve()
    with (
        deployment.daemon() as (process, gate, _),
        a_model() as model,
        nginx(tmp_path / "nginx", gate, model) as front,
    ):
        score = f"{front}/models/cards/1/score"
        wait_for(lambda: get(score)[0] == 200)
        client = Gate(gate, "cards", "1")
        seen = []

        def look():
            found = client.decide()
            if not seen or seen[-1] != (found.freshness, found.allowed):
                seen.append((found.freshness, found.allowed))
            return found.freshness

        assert look() is Freshness.FRESH
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert get(score)[0] == 500
        wait_for(lambda: look() is Freshness.EXPIRED)
        assert seen == [
            (Freshness.FRESH, True),
            (Freshness.STALE, True),
            (Freshness.EXPIRED, False),
        ]
        assert not Gate(gate, "cards", "1").decide().allowed  # a cold start is closed


def records(deployment, kind, subject):
    exported = deployment.call("audit", "export").stdout.splitlines()
    bodies = [json.loads(line).get("record") for line in exported]
    found = [json.loads(body) for body in bodies if body]
    return [each for each in found if (each["type"], each["subject"]) == (kind, subject)]
