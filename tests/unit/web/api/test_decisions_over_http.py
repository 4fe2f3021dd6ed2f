"""What people decide over HTTP: the same as by the command line, once, and recorded with who."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from monitor.domain.errors import StoreError
from monitor.domain.role import Role
from monitor.exposition.page import ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.vitals import Vitals
from monitor.governance.authorisation import WITHOUT_MODEL, allowed
from monitor.store.access import AccessStore
from monitor.web.api.catalogue import ENDPOINTS
from monitor.web.app import create_app
from monitor.web.health import Health
from tests.issuer import NOW
from tests.reading_room import an_empty_library

UNTIL = (NOW + timedelta(days=2)).isoformat()
WANTED = {"until": UNTIL, "why": "a known outage"}
FILE = {"path": "torn.parquet", "why": "mended"}


def mute_of(desk, place=0):
    return f"/v1/models/credit/findings/{desk.findings[place]}/mute"


def test_a_mute_is_made_listed_and_ended(desk):
    operator, owner = desk.login(Role.OPERATOR), desk.login(Role.OWNER)
    made = desk.ask("POST", mute_of(desk), WANTED, who=operator)
    assert (made.status, made.document["by"], made.document["holds"]) == (200, "olga", True)
    (listed,) = desk.ask("GET", "/v1/models/credit/mutes", who=owner).document["mutes"]
    assert listed == {key: made.document[key] for key in listed}
    desk.at += timedelta(hours=1)
    owner = desk.login(Role.OWNER)
    ended = desk.ask("POST", mute_of(desk).replace("/mute", "/unmute"), {"why": "over"}, who=owner)
    assert (ended.status, ended.document["holds"]) == (200, False)
    (muted,) = desk.recorded("alert.muted")
    assert (muted.actor.id, muted.actor.method) == ("oidc|https://login.example|olga", "oidc")
    assert len(desk.recorded("alert.unmuted")) == 1


def test_a_file_is_dropped_and_tried_again(desk):
    robot = desk.token(Role.OPERATOR)
    dropped = desk.ask("POST", "/v1/models/credit/quarantine/drop", FILE, who=robot)
    assert (dropped.status, dropped.document["state"]) == (200, "dropped")
    again = desk.ask("POST", "/v1/models/credit/quarantine/retry", FILE, who=robot)
    assert (again.status, again.document["state"]) == (200, "waiting")
    (listed,) = desk.ask("GET", "/v1/models/credit/quarantine", who=robot).document["files"]
    assert listed["path"] == "torn.parquet"
    assert [event.actor.method for event in desk.recorded("quarantine.changed")[1:]] == [
        "token",
        "token",
    ]


def test_somebody_sees_who_they_are_and_what_they_may(desk):
    me = desk.ask("GET", "/v1/me", who=desk.login(Role.VALIDATOR)).document
    assert (me["account"], me["models"]) == ("vera", {"credit": ["validator"]})
    assert "approve_version" in me["actions"]["credit"] and "mute" not in me["actions"]["credit"]


def test_a_model_is_named_with_a_slash_in_its_name(desk):
    reader = desk.token(Role.AUDITOR)
    assert desk.ask("GET", "/v1/models/other%2Fone/mutes", who=reader).status == 200
    assert desk.ask("GET", "/v1/models/other/one/mutes", who=reader).status == 404


class TestTheTable:
    """Role × endpoint, over HTTP."""

    @staticmethod
    def asked(desk, endpoint, who):
        path = endpoint.path.replace("{model}", "credit").replace("{finding}", desk.findings[0])
        body = None if endpoint.body is None else {}  # of no form: only who may is told that
        path = path.replace("{version}", "1").replace("{number}", "1")
        path = path.replace("{sequence}", "0")
        return desk.ask(endpoint.method, path.replace("{token}", "0" * 16), body, who=who)

    @pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda item: f"{item.method} {item.path}")
    def test_each_role_may_what_the_table_says(self, desk, endpoint):
        for role in set(Role) - {Role.SYSTEM}:
            who = desk.token(role) if role is Role.GATE else desk.login(role)
            answer = self.asked(desk, endpoint, who)
            by_policy = {Role.OWNER, Role.OPERATOR, Role.VALIDATOR, Role.ACCOUNTABLE}
            nobody = endpoint.action in WITHOUT_MODEL and role in by_policy
            may = endpoint.action is None or (allowed(endpoint.action, role) and not nobody)
            assert (answer.status != 403) == may, (role, answer)
            assert answer.status in ({200, 404, 422} if may else {403})

    @pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda item: f"{item.method} {item.path}")
    def test_nobody_who_is_not_known_is_answered(self, desk, endpoint):
        answer = self.asked(desk, endpoint, None)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_refusal_is_recorded_and_the_same_one_not_again_at_once(desk):
    viewer = desk.login(Role.VIEWER)
    for _ in range(5):
        assert desk.ask("POST", mute_of(desk), WANTED, who=viewer).status == 403
    (denied,) = desk.recorded("access.denied")
    assert (denied.subject, denied.data["action"]) == ("model/credit", "mute")
    assert "uma is viewer" in denied.data["reasons"][0]
    desk.at += timedelta(minutes=1)
    desk.ask("POST", mute_of(desk), WANTED, who=desk.login(Role.VIEWER))
    assert len(desk.recorded("access.denied")) == 2


def test_what_cannot_be_done_is_told_with_every_reason(desk):
    path = mute_of(desk).replace("/mute", "/unmute")
    answer = desk.ask("POST", path, {"why": "x"}, who=desk.login(Role.OWNER))
    assert (answer.status, answer.reasons) == (409, [f"{desk.findings[0]} is not muted"])
    late = {**WANTED, "until": (NOW + timedelta(days=91)).isoformat()}
    assert desk.ask("POST", mute_of(desk), late, who=desk.login(Role.OWNER)).status == 409


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/nobody/mutes",
        "/v1/models/credit/findings/0000000000000000/mute",
        "/v1/models/other%2Fone/findings/FINDING/mute",
        "/v1/nothing",
        "/v1/",
        "/v1/models",
    ],
)
def test_what_is_not_there_is_not_there(desk, path):
    method = "POST" if path.endswith("/mute") else "GET"
    path = path.replace("FINDING", desk.findings[0])
    admin = desk.token(*(set(Role) - {Role.SYSTEM}))
    body = WANTED if method == "POST" else None
    assert desk.ask(method, path, body, who=admin).status == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_told_the_right_one(desk, method):
    answer = desk.ask(method, mute_of(desk), who=desk.login(Role.OWNER))
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "Invalid JSON"),
        (b"{", "Invalid JSON"),
        (b"[]", "object"),
        (b'{"until": 5, "why": 7, "more": 1}', "until"),
        (b'{"until": "2026-09-02", "why": "x"}', "until"),
        (b'{"until": "2026-09-02T00:00:00", "why": "x"}', "timezone"),
        (b'{"until": "2026-09-02T00:00:00Z", "why": " "}', "why"),
        (b'{"until": "2026-09-02T00:00:00Z", "why": "\\ud800"}', "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b'{"why":' * 30_000, "413"),
        (b"[" * 60_000, "Invalid JSON"),
    ],
)
def test_a_body_of_another_form_is_refused_with_everything_that_is_wrong(desk, body, told):
    headers = {"Content_Type": "application/json; charset=utf-8"}
    answer = desk.ask("POST", mute_of(desk), body, who=desk.login(Role.OWNER), **headers)
    assert answer.status == (413 if told == "413" else 422)
    assert told in answer.text
    if b"more" in body:
        assert len(answer.reasons) == 3
    assert not desk.store.mutes("credit")


class TestOnce:
    KEY: dict[str, str] = {"Idempotency_Key": "req-1"}  # noqa: RUF012  # not changed

    def test_a_request_with_an_id_is_carried_out_once(self, desk):
        owner = desk.login(Role.OWNER)
        first = desk.ask("POST", mute_of(desk), WANTED, who=owner, **self.KEY)
        desk.at += timedelta(minutes=1)
        again = desk.ask("POST", mute_of(desk), WANTED, who=owner, **self.KEY)
        assert first.text == again.text
        assert again.headers["idempotent-replayed"] == "true"
        assert len(desk.recorded("alert.muted")) == 1

    def test_another_request_under_the_same_id_is_refused(self, desk):
        owner = desk.login(Role.OWNER)
        desk.ask("POST", mute_of(desk), WANTED, who=owner, **self.KEY)
        for path, body in ((mute_of(desk, 1), WANTED), (mute_of(desk), {**WANTED, "why": "y"})):
            answer = desk.ask("POST", path, body, who=owner, **self.KEY)
            assert (answer.status, "another request" in answer.text) == (409, True)

    def test_ids_are_each_persons_own(self, desk):
        for role in (Role.OWNER, Role.OPERATOR):
            assert (
                desk.ask("POST", mute_of(desk), WANTED, who=desk.login(role), **self.KEY).status
                == 200
            )
        assert len(desk.recorded("alert.muted")) == 2

    def test_one_that_was_refused_may_be_asked_again(self, desk):
        owner, path = desk.login(Role.OWNER), mute_of(desk).replace("/mute", "/unmute")
        assert desk.ask("POST", path, {"why": "x"}, who=owner, **self.KEY).status == 409
        desk.ask("POST", mute_of(desk), WANTED, who=owner)
        assert desk.ask("POST", path, {"why": "x"}, who=owner, **self.KEY).status == 200

    def test_one_that_broke_off_is_not_carried_out_again(self, desk, monkeypatch):
        owner = desk.login(Role.OWNER)

        def dies(*_):
            raise StoreError("gone")

        monkeypatch.setattr(AccessStore, "end", dies)
        assert desk.ask("POST", mute_of(desk), WANTED, who=owner, **self.KEY).status == 503
        monkeypatch.undo()
        answer = desk.ask("POST", mute_of(desk), WANTED, who=owner, **self.KEY)
        assert (answer.status, "broke off" in answer.text) == (409, True)
        assert len(desk.recorded("alert.muted")) == 1

    @pytest.mark.parametrize("key", ["", "a b", "x" * 101, "a'b"])
    def test_an_id_has_a_form(self, desk, key):
        sent = {"Idempotency_Key": key}
        assert (
            desk.ask("POST", mute_of(desk), WANTED, who=desk.login(Role.OWNER), **sent).status
            == 400
        )


def test_other_parts_have_addresses_of_their_own_below_v1(desk):
    room = an_empty_library()
    page = ResultsPage()
    vitals = Vitals([], monotonic=lambda: 0.0)
    further = [Route("/v1/registry/webhook", lambda _: PlainTextResponse("heard"))]
    health = Health(vitals, page, timedelta(seconds=30))
    desk.app = create_app(
        page, ProcessMetrics(vitals, page), health, room, api=desk.api, further=further
    )
    assert desk.ask("GET", "/v1/registry/webhook").text == "heard"
    assert desk.ask("GET", "/v1/me").status == 401
    assert desk.ask("GET", "/-/healthy").status in {200, 503}


def test_a_token_is_listed_and_revoked(desk):
    robot, admin = desk.token(Role.OPERATOR, Role.AUDITOR), desk.login(Role.ADMIN)
    public = robot.split("_")[1]
    listed = desk.ask("GET", "/v1/tokens", who=admin)
    assert [item["id"] for item in listed.document["tokens"]] == [public]
    assert robot.split("_")[2] not in listed.text
    done = desk.ask("POST", f"/v1/tokens/{public}/revoke", {"why": "lost"}, who=admin)
    assert (done.status, done.document["state"]) == (200, "revoked")
    assert desk.ask("GET", "/v1/tokens", who=robot).status == 401
    assert desk.recorded("access.token_revoked")[0].data["why"] == "lost"
    again = desk.ask("POST", f"/v1/tokens/{public}/revoke", {"why": "lost"}, who=admin)
    assert (again.status, "already" in again.text) == (409, True)


def test_while_the_database_is_away_nothing_is_decided_and_that_is_said(desk, monkeypatch):
    def away(*_, **__):
        raise StoreError("secret host name in here")

    owner = desk.login(Role.OWNER)
    monkeypatch.setattr(type(desk.store), "mute", away)
    answer = desk.ask("POST", mute_of(desk), WANTED, who=owner)
    assert (answer.status, "secret" in answer.text) == (503, False)
    monkeypatch.setattr(AccessStore, "token", away)
    assert desk.ask("GET", "/v1/me", who=f"mon_{'0' * 16}_{'0' * 64}").status == 503


def test_a_refusal_that_cannot_be_recorded_is_a_refusal(desk, monkeypatch):
    def away(*_):
        raise StoreError("gone")

    monkeypatch.setattr(AccessStore, "denied", away)
    assert desk.ask("POST", mute_of(desk), WANTED, who=desk.login(Role.VIEWER)).status == 403


def test_a_policy_without_people_lets_nobody_but_a_token_for_operators(desk):
    desk.policy = replace(desk.policy, governance=type(desk.policy.governance)())
    assert desk.ask("POST", mute_of(desk), WANTED, who=desk.login(Role.OPERATOR)).status == 403
    assert desk.ask("POST", mute_of(desk), WANTED, who=desk.token(Role.OPERATOR)).status == 200
