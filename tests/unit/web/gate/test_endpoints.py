"""What the gate says over HTTP, asked of a real server."""

import json
import threading
import time
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import unquote

import jwt
import pytest
from msgspec.structs import replace

from monitor.domain.errors import StoreError
from monitor.domain.governance import GateAction, Governance
from monitor.domain.lease import Term
from monitor.governance.standing import State
from monitor.web.gate import board as boards
from tests.gatehouse import SystemClock, open_gate, totals


class Asker:
    """A client that keeps its connection."""

    def __init__(self, port):
        self.connection = HTTPConnection("127.0.0.1", port, timeout=120)

    def get(self, path, method="GET", headers=None):
        self.connection.request(method, path, headers=headers or {})
        answer = self.connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def once(house, path):
    """Ask on a connection of its own."""
    asker = Asker(house.port)
    try:
        return asker.get(path)
    finally:
        asker.connection.close()


@pytest.fixture
def house():
    with open_gate() as made:
        made.versions.put("credit", "3", State.APPROVED)
        made.versions.put("credit", "4", State.HELD)
        made.versions.put("credit", "5", State.RESTRICTED)
        made.keeper.look()
        yield made


@pytest.fixture
def ask(house):
    asker = Asker(house.port)
    yield asker.get
    asker.connection.close()


def test_a_permit_can_be_checked_by_the_keys_that_the_gate_shows(ask):
    status, headers, body = ask("/v1/gate/credit/3")
    said = json.loads(body)
    assert (status, headers["content-type"]) == (200, "application/json")
    keys = jwt.PyJWKSet.from_json(ask("/v1/keys")[2].decode())
    key = keys[jwt.get_unverified_header(said["permit"])["kid"]]
    assert jwt.decode(said["permit"], key, algorithms=["EdDSA"]) == said["says"]
    assert said["says"]["action"] == "allow"
    assert said["says"]["exp"] - said["says"]["iat"] == 60
    assert (said["says"]["audit_size"], said["says"]["audit_root"]) == (7, "ab" * 32)
    assert said["says"]["iat"] <= SystemClock().now().timestamp() < said["says"]["iat"] + 60


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "action"),
    [("3", "allow"), ("4", "route_to_human"), ("5", "allow_with_conditions"), ("9", "deny")],
)
def test_every_answer_is_a_permit(ask, version, action):
    status, _, body = ask(f"/v1/gate/credit/{version}")
    assert (status, json.loads(body)["says"]["action"]) == (200, action)


def test_a_model_that_nobody_watches_has_no_permit(ask):
    status, _, body = ask("/v1/gate/debit/3")
    assert (status, json.loads(body)) == (404, {"error": "no model 'debit' is watched here"})
    assert ask("/v1/gate/check/debit/3")[0] == 403


@pytest.mark.slow
@pytest.mark.parametrize(("version", "status"), [("3", 204), ("4", 403), ("5", 403), ("9", 403)])
def test_a_proxy_is_told_yes_or_no(ask, version, status):
    assert ask(f"/v1/gate/check/credit/{version}")[0] == status


def test_conditions_pass_for_who_says_that_they_are_kept(ask):
    status, headers, _ = ask("/v1/gate/check/credit/5?keeps=conditions")
    assert (status, headers["modelmon-action"]) == (204, "allow_with_conditions")
    assert json.loads(headers["modelmon-conditions"]) == {"amount": 5000.0}
    assert unquote(headers["modelmon-reasons"]).startswith("restricted: since 2026-09-01")
    assert ask("/v1/gate/check/credit/4?keeps=conditions")[0] == 403


def test_a_proxy_may_use_its_own_method_and_add_its_own_path(ask):
    assert ask("/v1/gate/check/credit/3/v2/models/infer", method="POST")[0] == 204
    assert ask("/v1/gate/check/credit/4/v2/models/infer", method="POST")[0] == 403


def test_a_version_may_have_any_name():
    with open_gate() as house:
        house.versions.put("credit", "2026/09 ü?", State.APPROVED)
        house.keeper.look()
        path = "/v1/gate/{}credit/2026%2F09%20%C3%BC%3F"
        assert once(house, path.format("check/"))[0] == 204
        body = once(house, path.format(""))[2]
        assert json.loads(body)["says"]["version"] == "2026/09 ü?"


def test_wrong_requests_are_told_what_would_be_right(ask):
    assert ask("/v1/gate/credit")[0] == 404
    assert ask("/v1/gate/credit/")[0] == 404
    assert ask("/v1/gate/")[0] == 404
    status, headers, _ = ask("/v1/gate/credit/3", method="POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    for wait in ("soon", "-1", "61", "nan", "inf"):
        status, _, body = ask(f"/v1/gate/credit/3?wait={wait}")
        assert (status, "from 0 to 60" in body.decode()) == (400, True)
    assert ask("/v1/gate/credit/3", method="HEAD")[::2] == (200, b"")
    assert ask("/anything/else")[0] == 404


def test_a_second_has_one_permit_of_what_is_the_same(house, ask):
    found = {ask("/v1/gate/credit/3")[2] for _ in range(50)}
    assert len(found) <= 1 + len({json.loads(body)["says"]["iat"] for body in found})
    house.versions.put("credit", "3", State.HELD)
    house.keeper.look()
    assert json.loads(ask("/v1/gate/credit/3")[2])["says"]["action"] == "route_to_human"


def test_who_has_the_answer_is_told_that_it_is_the_same(ask):
    tag = ask("/v1/gate/credit/3")[1]["etag"]
    assert tag.startswith('W/"')
    assert ask("/v1/gate/credit/3", headers={"If-None-Match": tag})[::2] == (304, b"")
    both = f'"other", {tag.removeprefix("W/")}'
    assert ask("/v1/gate/credit/3", headers={"If-None-Match": both})[0] == 304
    assert ask("/v1/gate/credit/4", headers={"If-None-Match": tag})[0] == 200


@pytest.mark.slow
def test_who_waits_is_told_of_a_hold_at_once(house, ask):
    house.keeper.start()
    tag = ask("/v1/gate/credit/3")[1]["etag"]
    held = []

    def hold():
        time.sleep(0.3)
        held.append(time.monotonic())
        house.versions.put("credit", "3", State.HELD)

    threading.Thread(target=hold).start()
    status, _, body = ask("/v1/gate/credit/3?wait=60", headers={"If-None-Match": tag})
    assert time.monotonic() - held[0] < 50, "it waited for the end"
    assert (status, json.loads(body)["says"]["action"]) == (200, "route_to_human")


@pytest.mark.slow
def test_who_waits_for_nothing_is_told_that_nothing_changed(house, ask):
    tag = ask("/v1/gate/credit/3")[1]["etag"]
    started = time.monotonic()
    house.versions.put("credit", "4", State.STOPPED)
    house.keeper.look()  # of another version
    assert ask("/v1/gate/credit/3?wait=0.4", headers={"If-None-Match": tag})[0] == 304
    assert time.monotonic() - started > 0.35
    assert ask("/v1/gate/credit/3?wait=20")[0] == 200  # without a tag there is nothing to wait for


def test_who_hangs_up_leaves_no_trace(house, ask):
    tag = ask("/v1/gate/credit/3")[1]["etag"]
    leaving = Asker(house.port)
    leaving.connection.request("GET", "/v1/gate/credit/3?wait=60", headers={"If-None-Match": tag})
    _until(lambda: len(house.board._waiting) == 1)
    leaving.connection.close()
    _until(lambda: not house.board._waiting)


def test_a_crowd_that_waits_is_bounded(ask, monkeypatch):
    monkeypatch.setattr(boards, "MOST_WAITING", 0)
    tag = ask("/v1/gate/credit/3")[1]["etag"]
    status, headers, _ = ask("/v1/gate/credit/3?wait=9", headers={"If-None-Match": tag})
    assert (status, headers["retry-after"]) == (503, "1")


@pytest.mark.slow
def test_a_daemon_that_stops_keeps_nobody_waiting(house, ask):
    tag = ask("/v1/gate/credit/3")[1]["etag"]
    threading.Timer(0.3, house.board.close).start()
    assert ask("/v1/gate/credit/3?wait=30", headers={"If-None-Match": tag})[0] == 503


def test_nothing_is_answered_before_the_store_was_read():
    with open_gate() as house:
        for path in ("/v1/gate/credit/3", "/v1/gate/check/credit/3"):
            status, _, body = once(house, path)
            assert (status, b"has not read the store" in body) == (503, True)


def test_nothing_is_answered_when_the_store_was_not_read_for_long(house, ask, monkeypatch):
    house.keeper.look()
    assert ask("/v1/gate/check/credit/3")[0] == 204
    house.versions.failing = StoreError("the database is gone")
    with pytest.raises(StoreError):
        house.keeper.look()
    with monkeypatch.context() as patched:
        patched.setattr(boards, "OLDEST", timedelta(0))
        assert ask("/v1/gate/check/credit/3")[0] == 503
        assert ask("/v1/gate/credit/3")[0] == 503
    house.versions.failing = None
    house.keeper.look()
    assert ask("/v1/gate/check/credit/3")[0] == 204


def test_a_daemon_that_no_longer_checks_gives_no_permits(house, ask):
    house.alive.append((False, "unhealthy: the last scheduler heartbeat is 90 s old"))
    status, _, body = ask("/v1/gate/credit/3")
    assert (status, b"heartbeat" in body) == (503, True)


def test_without_a_key_proxies_are_told_and_nothing_is_signed():
    with open_gate(key=None) as house:
        house.versions.put("credit", "3", State.APPROVED)
        house.keeper.look()
        assert once(house, "/v1/gate/check/credit/3")[0] == 204
        status, _, body = once(house, "/v1/gate/credit/3")
        assert (status, b"modelmon gate init" in body) == (503, True)
        assert json.loads(once(house, "/v1/keys")[2]) == {"keys": []}


def test_an_ungoverned_model_is_told_what_is_missing():
    with open_gate(governance=Governance()) as house:
        house.versions.put("credit", "3", State.APPROVED)
        house.keeper.look()
        says = json.loads(once(house, "/v1/gate/credit/3")[2])["says"]
        assert says["action"] == "deny"
        assert "accountability.accountable" in says["reasons"][0]


def test_another_policy_is_answered_at_the_next_look(house, ask):
    house.models["credit"] = replace(
        house.models["credit"], governance=Governance(), digest="q" * 64
    )
    house.keeper.look()
    says = json.loads(ask("/v1/gate/credit/3")[2])["says"]
    assert (says["action"], says["policy_digest"]) == ("deny", "q" * 64)


def test_usage_is_counted_by_who_asked_and_written_when_the_gate_is_kept_no_longer(house, ask):
    for path in ("credit/3", "check/credit/3", "check/credit/3", "check/credit/9", "check/x/1"):
        ask(f"/v1/gate/{path}")
    assert house.versions.used == []
    house.keeper.start()
    house.keeper.stop()
    found = {
        (asked.model, asked.version, asked.action.value): count
        for asked, count in totals(house.versions.used).items()
    }
    assert found == {
        ("credit", "3", "allow"): 3,
        ("credit", "9", "deny"): 1,
        ("(others)", "1", "deny"): 1,
    }
    assert {asked.client for asked in totals(house.versions.used)} == {"127.0.0.1"}
    assert house.usage.totals["credit", GateAction.ALLOW] == 3


def test_who_leads_records_each_change_of_an_answer_once():
    with open_gate(term=lambda: Term("here", 1)) as house:
        house.versions.put("credit", "3", State.APPROVED)
        for _ in range(3):
            house.keeper.look()
        house.versions.put("credit", "3", State.HELD)
        house.versions.put("credit", "4", State.REGISTERED)
        for _ in range(3):
            house.keeper.look()
        recorded = [
            (each.answer.version, each.answer.action.value) for each in house.versions.recorded
        ]
        assert recorded == [("3", "allow"), ("3", "route_to_human"), ("4", "deny")]


def test_who_does_not_lead_answers_and_records_nothing(house, ask):
    assert ask("/v1/gate/check/credit/3")[0] == 204
    assert house.versions.recorded == []


def _until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
