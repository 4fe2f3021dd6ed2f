"""Which version may act, decided over HTTP: by whom it takes, and by nobody else."""

from datetime import timedelta

import pytest

from monitor.domain.governance import Tier
from monitor.domain.role import Role
from tests.front_desk import FrontDesk
from tests.issuer import NOW, signed

MODEL = "/v1/models/credit"
VERSION = f"{MODEL}/versions/1"
WHY = {"why": "as the committee said"}
WEIGHTS, REPORT = (f"sha256:{each * 64}" for each in "ab")


def submit(desk):
    body = {**WHY, "digests": {"model": WEIGHTS}}
    made = desk.ask("POST", f"{VERSION}/submit", body, who=desk.login(Role.OWNER))
    assert made.status == 200, made
    return made.document["number"]


def vote(desk, number, role, how="approve", **more):
    body = {**WHY, **more}
    return desk.ask("POST", f"{MODEL}/requests/{number}/{how}", body, who=desk.login(role))


def approve(desk):
    number = submit(desk)
    for role in (Role.VALIDATOR, Role.ACCOUNTABLE):
        assert vote(desk, number, role).status == 200
    return number


def state(desk):
    listed = desk.ask("GET", f"{MODEL}/versions", who=desk.login(Role.AUDITOR)).document
    return next(item["state"] for item in listed["versions"] if item["version"] == "1")


def reasons(answer):
    assert answer.status == 403, answer
    return " ".join(answer.reasons)


@pytest.mark.slow
def test_a_version_acts_after_two_people_have_agreed(desk):
    assert state(desk) == "registered"
    number = submit(desk)
    assert state(desk) == "pending"
    half = vote(desk, number, Role.VALIDATOR, seen={"model": WEIGHTS}).document
    assert (half["state"], [item["person"] for item in half["votes"]]) == ("pending", ["vera"])
    whole = vote(desk, number, Role.ACCOUNTABLE).document
    assert (whole["state"], state(desk)) == ("granted", "approved")
    (granted,) = desk.recorded("approval.granted")
    assert granted.actor.id == "oidc|https://login.example|maria"


def test_a_no_ends_it_and_what_was_asked_is_taken_back_by_who_asked(desk):
    number = submit(desk)
    assert vote(desk, number, Role.VALIDATOR, "reject").document["state"] == "rejected"
    assert state(desk) == "registered"
    again = submit(desk)
    assert vote(desk, again, Role.OPERATOR, "withdraw").status == 403
    assert vote(desk, again, Role.OWNER, "withdraw").document["state"] == "withdrawn"


class TestSeparation:
    def test_who_asks_does_not_approve(self, desk):
        number = submit(desk)
        assert "up to" in reasons(vote(desk, number, Role.OWNER))

    def test_one_person_takes_one_seat(self, desk):
        number = submit(desk)
        vote(desk, number, Role.VALIDATOR)
        assert "one person takes one seat" in reasons(vote(desk, number, Role.VALIDATOR))

    @pytest.mark.parametrize("role", [Role.OPERATOR, Role.GOVERNANCE, Role.ADMIN, Role.AUDITOR])
    def test_nobody_approves_who_has_no_seat(self, desk, role):
        assert "is up to" in reasons(vote(desk, submit(desk), role))
        assert state(desk) == "pending"

    def test_an_administrator_who_is_a_validator_too_approves_nothing(self, desk):
        number = submit(desk)
        both = signed(account="vera", groups=["admins"], now=desk.at)
        answer = desk.ask("POST", f"{MODEL}/requests/{number}/approve", WHY, who=both)
        assert "administers access" in reasons(answer)

    def test_what_was_looked_at_is_what_was_asked_for(self, desk):
        answer = vote(desk, submit(desk), Role.VALIDATOR, seen={"model": REPORT})
        assert REPORT in reasons(answer)

    def test_a_refused_vote_is_recorded_once(self, desk):
        number = submit(desk)
        for _ in range(3):
            vote(desk, number, Role.OWNER)
        (denied,) = desk.recorded("access.denied")
        assert denied.data["action"] == "approve_version"


class TestHighRisk:
    @pytest.fixture
    def desk(self, tmp_path):
        opened = FrontDesk(tmp_path, tier=Tier.HIGH)
        yield opened
        opened.close()

    def test_it_takes_a_login_of_the_last_minutes(self, desk):
        number = submit(desk)
        address = f"{MODEL}/requests/{number}/approve"
        held = (
            desk.token(Role.VALIDATOR, holder="vera"),
            signed(account="vera", auth_time=int(NOW.timestamp()) - 16 * 60),
            signed(account="vera", auth_time=None),
        )
        for who in held:
            assert "high" in reasons(desk.ask("POST", address, WHY, who=who))
        proxied = {"X_User": "vera", "X_Secret": "s" * 40}
        assert "high" in reasons(desk.ask("POST", address, WHY, peer="10.0.0.3", **proxied))
        assert desk.ask("POST", address, WHY, who=desk.login(Role.VALIDATOR)).status == 200

    def test_it_is_stopped_by_a_token(self, desk):
        approve(desk)
        robot = desk.token(Role.OPERATOR)
        assert desk.ask("POST", f"{VERSION}/stop", WHY, who=robot).document["acts"] is False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "role", "after"),
    [
        ("hold", Role.OPERATOR, "held"),
        ("stop", Role.GOVERNANCE, "stopped"),
        ("retire", Role.OWNER, "retired"),
    ],
)
def test_one_person_takes_authority_away(desk, how, role, after):
    approve(desk)
    answer = desk.ask("POST", f"{VERSION}/{how}", WHY, who=desk.login(role))
    assert (answer.status, answer.document["state"], state(desk)) == (200, after, after)


def test_what_was_held_is_released_by_another_person(desk):
    approve(desk)
    desk.ask("POST", f"{VERSION}/hold", WHY, who=desk.login(Role.OPERATOR))
    (case,) = desk.ask("GET", f"{MODEL}/cases", who=desk.login(Role.OWNER)).document["cases"]
    assert (case["accountable"], case["cause"], case["rung"]) == ("maria", "person", "hold")
    closing = {"disposition": "fix", **WHY, "evidence": REPORT}
    address = f"{MODEL}/cases/{case['number']}/close"
    assert desk.ask("POST", address, closing, who=desk.login(Role.OPERATOR)).status == 403
    closed = desk.ask("POST", address, closing, who=desk.login(Role.ACCOUNTABLE))
    assert (closed.status, closed.document["disposition"]) == (200, "fix")
    asked = desk.ask("POST", f"{VERSION}/release", WHY, who=desk.login(Role.OPERATOR)).document
    assert vote(desk, asked["number"], Role.ACCOUNTABLE).status == 200
    assert state(desk) == "restricted"


def test_a_waiver_is_asked_for_granted_and_ended(desk):
    ends = (NOW + timedelta(days=7)).isoformat()
    wanted = {"limit": "drift", "ends": ends, **WHY, "control": "each is looked at"}
    asked = desk.ask("POST", f"{MODEL}/waivers", wanted, who=desk.login(Role.OWNER))
    assert (asked.status, asked.document["kind"]) == (200, "waiver")
    number = asked.document["number"]
    assert vote(desk, number, Role.ACCOUNTABLE).status == 403
    assert vote(desk, number, Role.GOVERNANCE).status == 200
    (known,) = desk.ask("GET", f"{MODEL}/waivers", who=desk.login(Role.AUDITOR)).document["waivers"]
    assert (known["holds"], known["approved_by"]) == (True, ["gita"])
    ended = desk.ask(
        "POST", f"{MODEL}/waivers/{number}/revoke", WHY, who=desk.login(Role.GOVERNANCE)
    )
    assert (ended.status, ended.document["holds"]) == (200, False)


@pytest.mark.slow
@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "1e1", "01", "9" * 40, "\u0661"])
def test_what_is_not_there_is_not_decided_on(desk, number):
    submit(desk)
    assert vote(desk, number, Role.VALIDATOR).status == 404
    for what in ("waivers", "cases"):
        how = "revoke" if what == "waivers" else "close"
        body = WHY if what == "waivers" else {**WHY, "disposition": "fix", "evidence": REPORT}
        address = f"{MODEL}/{what}/{number}/{how}"
        assert desk.ask("POST", address, body, who=desk.login(Role.ACCOUNTABLE)).status == 404
    unknown = f"{MODEL}/versions/{number}x/stop"
    assert desk.ask("POST", unknown, WHY, who=desk.login(Role.OPERATOR)).status == 404


def test_nobody_says_that_a_case_is_cleared_but_the_system(desk):
    body = {**WHY, "disposition": "cleared", "evidence": REPORT}
    answer = desk.ask("POST", f"{MODEL}/cases/1/close", body, who=desk.login(Role.ACCOUNTABLE))
    assert (answer.status, "disposition" in answer.text) == (422, True)


def test_of_two_requests_with_one_id_one_is_made(desk):
    owner, key = desk.login(Role.OWNER), {"Idempotency_Key": "submit-1"}
    one, two = (desk.ask("POST", f"{VERSION}/submit", WHY, who=owner, **key) for _ in range(2))
    assert one.text == two.text
    listed = desk.ask("GET", f"{MODEL}/requests", who=owner).document["requests"]
    assert len(listed) == 1
