"""What somebody would try who may not: each attempt by its name, and what comes of it."""

import asyncio
import json
from datetime import timedelta

import pytest

from monitor.domain.role import Role
from monitor.web.api import serving
from monitor.web.api.catalogue import ENDPOINTS
from tests.front_desk import ORIGIN, SECRET, FrontDesk
from tests.issuer import NOW, OTHER, claims, forged, signed

UNTIL = (NOW + timedelta(days=2)).isoformat()
WANTED = {"until": UNTIL, "why": "x"}


@pytest.fixture
def mute(desk):
    return f"/v1/models/credit/findings/{desk.findings[0]}/mute"


class TestCrossSite:
    """A page from elsewhere makes somebody's browser send a request."""

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "", "Same-Origin"])
    def test_what_a_browser_sends_from_elsewhere_is_refused(self, desk, mute, site):
        owner = desk.login(Role.OWNER)
        answer = desk.ask("POST", mute, WANTED, who=owner, Sec_Fetch_Site=site)
        assert (answer.status, "from elsewhere" in answer.text) == (403, True)

    @pytest.mark.parametrize(
        "origin",
        ["https://evil.example", "null", "", "http://here", "https://monitor.example.evil"],
    )
    def test_an_origin_that_is_not_ours_is_refused_though_the_host_fits(self, desk, mute, origin):
        owner = desk.login(Role.OWNER)
        answer = desk.ask("POST", mute, WANTED, who=owner, Origin=origin)
        assert (answer.status, "access.origins" in answer.text) == (403, True)

    def test_our_own_page_may(self, desk, mute):
        headers = {"Origin": ORIGIN, "Sec_Fetch_Site": "same-origin"}
        assert desk.ask("POST", mute, WANTED, who=desk.login(Role.OWNER), **headers).status == 200

    @pytest.mark.parametrize(
        "media",
        ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
    )
    def test_what_a_form_can_send_is_refused(self, desk, mute, media):
        body = json.dumps(WANTED).encode()
        headers = {"Content_Type": media, "X_User": "olga", "X_Secret": SECRET}
        answer = desk.ask("POST", mute, body, peer="10.0.0.3", **headers)
        assert answer.status == 415

    def test_no_other_origin_is_told_that_it_may_read(self, desk, mute):
        headers = {"Origin": "https://evil.example", "Access_Control_Request_Method": "POST"}
        for method, path in (("OPTIONS", mute), ("GET", "/v1/me")):
            answer = desk.ask(method, path, who=desk.login(Role.OWNER), **headers)
            assert not any(name.startswith("access-control") for name in answer.headers)


class TestSpoofedHeaders:
    """Somebody says in a header who they are."""

    GOOD: dict[str, str] = {"X_User": "olga", "X_Secret": SECRET}  # noqa: RUF012  # not changed

    def test_the_proxy_may_say_who_asks(self, desk, mute):
        assert desk.ask("POST", mute, WANTED, peer="10.0.0.3", **self.GOOD).status == 200

    @pytest.mark.parametrize("name", ["X_Forwarded_For", "X_Real_IP", "Forwarded", "Client_IP"])
    def test_who_only_says_that_they_are_the_proxy_is_not(self, desk, mute, name):
        headers = {**self.GOOD, name: "10.0.0.3"}
        assert desk.ask("POST", mute, WANTED, peer="10.0.0.4", **headers).status == 401

    @pytest.mark.parametrize("name", ["X_User_", "X-User", "x_user", "X_USER"])
    def test_without_the_secret_nobody_is_believed(self, desk, mute, name):
        assert desk.ask("POST", mute, WANTED, peer="10.0.0.3", **{name: "olga"}).status == 401

    def test_a_header_beside_a_token_changes_nothing(self, desk):
        headers = {"X_User": "maria", "X_Secret": SECRET, "X_Forwarded_User": "maria"}
        me = desk.ask("GET", "/v1/me", who=desk.login(Role.VIEWER), peer="10.0.0.3", **headers)
        assert me.document["account"] == "uma"

    def test_a_header_gives_no_role_of_a_group(self, desk):
        me = desk.ask("GET", "/v1/me", peer="10.0.0.3", Groups="admins", **self.GOOD).document
        assert (me["roles"], me["models"]) == ([], {"credit": ["operator"]})


class TestTokens:
    def test_a_token_that_is_over_or_revoked_is_used_again(self, desk, mute):
        robot, short = (
            desk.token(Role.OPERATOR),
            desk.token(Role.OPERATOR, lasting=timedelta(hours=1)),
        )
        assert desk.ask("POST", mute, WANTED, who=robot).status == 200
        public = robot.split("_")[1]
        admin = desk.login(Role.ADMIN)
        desk.ask("POST", f"/v1/tokens/{public}/revoke", {"why": "lost"}, who=admin)
        desk.at += timedelta(hours=1)
        for text in (robot, short):
            assert desk.ask("POST", mute, WANTED, who=text).status == 401

    def test_the_secret_of_one_under_the_name_of_another(self, desk):
        one, other = desk.token(Role.VIEWER), desk.token(Role.ADMIN)
        mixed = f"mon_{other.split('_')[1]}_{one.split('_')[2]}"
        assert desk.ask("GET", "/v1/tokens", who=mixed).status == 401

    def test_one_for_a_model_is_used_for_another(self, desk):
        robot = desk.token(Role.AUDITOR, models=frozenset({"credit"}))
        assert desk.ask("GET", "/v1/models/credit/mutes", who=robot).status == 200
        answer = desk.ask("GET", "/v1/models/other%2Fone/mutes", who=robot)
        assert (answer.status, "not for the model" in answer.text) == (403, True)

    def test_an_administrators_token_gives_itself_no_more(self, desk, mute):
        robot = desk.token(Role.ADMIN, Role.VALIDATOR, Role.ACCOUNTABLE)
        assert desk.ask("POST", mute, WANTED, who=robot).status == 403

    def test_a_token_in_the_address_or_a_cookie_is_nobodys(self, desk):
        robot = desk.token(Role.ADMIN)
        for path, headers in (
            (f"/v1/me?access_token={robot}", {}),
            ("/v1/me", {"Cookie": f"token={robot}"}),
        ):
            assert desk.ask("GET", path, **headers).status == 401


class TestForgedLogins:
    def test_none_of_them_is_anybody(self, desk):
        wrong = (
            forged({"alg": "none"}, claims("maria")),
            forged({"alg": "HS256", "kid": "rsa"}, claims("maria"), b"x" * 32),
            signed(key=OTHER),
            signed(aud="other"),
            signed(iss="https://evil.example"),
            signed(now=NOW - timedelta(hours=1)),
        )
        for text in wrong:
            answer = desk.ask("GET", "/v1/me", who=text)
            assert answer.status == 401
            assert text not in answer.text


class TestPaths:
    @pytest.mark.parametrize(
        "path",
        [
            "/v1/../-/reload",
            "/v1/models/..%2F..%2Fetc%2Fpasswd/mutes",
            "/v1/models/%00/mutes",
            "/v1/models/%0a/mutes",
            "/v1/models/%ff%fe/mutes",
            "/v1/models/credit/quarantine/..%2Fretry",
            "/v1/models/credit'%20OR%201=1--/mutes",
            "/v1/tokens/%2e%2e/revoke",
        ],
    )
    def test_a_way_out_leads_nowhere(self, desk, path):
        answer = desk.ask("GET", path, who=desk.token(Role.AUDITOR))
        assert answer.status in {404, 405}

    def test_a_file_outside_the_log_is_not_in_quarantine(self, desk):
        for path in ("../../etc/passwd", "/etc/passwd", "torn.parquet\x00", "file:///etc/passwd"):
            body = {"path": path, "why": "x"}
            owner = desk.login(Role.OWNER)
            answer = desk.ask("POST", "/v1/models/credit/quarantine/drop", body, who=owner)
            assert answer.status == 404


async def slowly(app, path, headers, parts, pause):
    """Send a body in parts, and return the answer's status."""
    sent = iter(parts)
    told = {}

    async def receive():
        part = next(sent, None)
        if part is None:
            await asyncio.sleep(pause)
            part = b" "
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(message):
        if message["type"] == "http.response.start":
            told["status"] = message["status"]

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    await app(scope, receive, send)
    return told["status"]


class TestBodies:
    def headers(self, desk):
        who = f"Bearer {desk.login(Role.OWNER)}"
        return {"authorization": who, "content-type": "application/json"}

    def test_one_without_an_end_is_cut_off(self, desk, mute):
        parts = [b" " * 1000] * 100
        assert asyncio.run(slowly(desk.app, mute, self.headers(desk), parts, 0)) == 413

    def test_of_one_that_is_announced_as_too_long_no_byte_is_asked_for(self, desk, mute):
        headers = {**self.headers(desk), "content-length": "999999999"}
        assert asyncio.run(slowly(desk.app, mute, headers, [], 9)) == 413

    def test_one_that_does_not_come_is_not_waited_for(self, desk, mute, monkeypatch):
        monkeypatch.setattr(serving, "PATIENCE", 0.2)
        assert asyncio.run(slowly(desk.app, mute, self.headers(desk), [b"{"], 0.3)) == 408

    def test_of_who_is_not_known_no_byte_is_read(self, desk, mute):
        headers = {"content-type": "application/json"}
        assert asyncio.run(slowly(desk.app, mute, headers, [], 9)) == 401


HOSTILE = [
    "<script>alert(1)</script>",
    "'; DROP TABLE modelmon_mutes; --",
    '" onmouseover="alert(1)',
    "{{7*7}} ${7*7} %s %n",
    "\x00\x1b[31mred\x07",
    "\u202eevil\u2066\ufeff",
    "x" * 4_000,
    "a\r\nSet-Cookie: a=b",
]


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_any_text_comes_back_as_it_was_and_harms_nothing(desk, mute, text):
    owner = desk.login(Role.OWNER)
    made = desk.ask("POST", mute, {**WANTED, "why": text}, who=owner)
    assert (made.status, made.document["why"]) == (200, text)
    assert made.headers["content-type"] == "application/json"
    (listed,) = desk.ask("GET", "/v1/models/credit/mutes", who=owner).document["mutes"]
    assert listed["why"] == text
    assert desk.recorded("alert.muted")[0].data["why"] == text


@pytest.mark.parametrize("text", HOSTILE[:6], ids=repr)
def test_any_account_of_an_issuer_is_refused_or_stored_as_it_is(desk, mute, text):
    robot = signed(account=text, now=desk.at)
    answer = desk.ask("POST", mute, WANTED, who=robot)
    assert answer.status in {401, 403}
    assert answer.headers["content-type"] == "application/problem+json"
    for event in desk.recorded("access.denied"):
        assert event.actor.id == f"oidc|https://login.example|{text}"


def test_without_any_way_to_tell_who_asks_nothing_is_read_or_written(tmp_path):
    desk = FrontDesk(tmp_path, writes=False, tokens=None, logins=None, proxy=None)
    robot = desk.token(Role.ADMIN, Role.OPERATOR)
    headers = {"X_User": "olga", "X_Secret": SECRET}
    for each in ENDPOINTS:
        path = each.path.replace("{model}", "credit").replace("{finding}", desk.findings[0])
        path = path.replace("{version}", "1").replace("{number}", "1")
        answer = desk.ask(each.method, path, WANTED, who=robot, peer="10.0.0.3", **headers)
        assert answer.status == (403 if each.writes else 401)
    assert desk.ask("GET", "/v1/openapi.json").status == 200
    desk.close()


def test_where_writes_are_off_an_owner_reads_and_writes_nothing(tmp_path):
    desk = FrontDesk(tmp_path, writes=False)
    owner = desk.login(Role.OWNER)
    assert desk.ask("GET", "/v1/models/credit/mutes", who=owner).status == 200
    path = f"/v1/models/credit/findings/{desk.findings[0]}/mute"
    answer = desk.ask("POST", path, WANTED, who=owner)
    assert (answer.status, "nothing can be changed" in answer.text) == (403, True)
    desk.close()
