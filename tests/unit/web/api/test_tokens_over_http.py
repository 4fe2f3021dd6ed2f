"""Tokens made over HTTP: told once, kept nowhere, and never more than who makes them."""

from datetime import timedelta

import pytest

from monitor.domain.role import Role
from tests.front_desk import SECRET
from tests.issuer import NOW

WEEK = (NOW + timedelta(days=7)).isoformat()
WANTED = {"holder": "robot", "purpose": "scrapes", "roles": ["viewer"], "expires": WEEK}


def made(desk, who=None, **more):
    return desk.ask("POST", "/v1/tokens", {**WANTED, **more}, who=who or desk.login(Role.ADMIN))


def test_a_token_is_told_once_and_is_nowhere_in_the_store(desk):
    answer = made(desk, roles=["operator", "gate"], models=["credit"])
    assert answer.status == 200
    said = answer.document
    assert (said["state"], said["created_by"], said["models"]) == ("valid", "uma", ["credit"])
    text = said["token"]
    me = desk.ask("GET", "/v1/me", who=text).document
    assert me["models"] == {"credit": ["gate", "operator"]}
    secret = text.split("_")[2]
    listed = desk.ask("GET", "/v1/tokens", who=desk.login(Role.ADMIN))
    assert said["id"] in listed.text and secret not in listed.text
    (event,) = desk.recorded("access.token_created")
    assert (event.actor.method, event.data["purpose"]) == ("oidc", "scrapes")
    stored = [path.read_bytes() for path in desk.folder.iterdir()]
    assert not [each for each in stored if secret.encode() in each]


def test_who_sends_the_same_request_again_gets_no_second_token_and_no_text(desk):
    who, headers = desk.login(Role.ADMIN), {"Idempotency_Key": "k-1"}
    first = desk.ask("POST", "/v1/tokens", WANTED, who=who, **headers)
    again = desk.ask("POST", "/v1/tokens", WANTED, who=who, **headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.document == {**first.document, "token": None}
    assert len(desk.access.tokens()) == 1
    secret = first.document["token"].split("_")[2]
    stored = [path.read_bytes() for path in desk.folder.iterdir()]
    assert not [each for each in stored if secret.encode() in each]


@pytest.mark.parametrize("role", ["owner", "validator", "accountable", "governance"])
def test_who_administers_access_makes_no_token_to_approve_in_anothers_name(desk, role):
    answer = made(desk, holder="vera", roles=["viewer", role])
    assert (answer.status, "in the name of vera" in answer.text) == (403, True)
    assert desk.access.tokens() == []
    (denied,) = desk.recorded("access.denied")
    assert denied.data["action"] == "manage_tokens"


@pytest.mark.slow
def test_a_token_makes_none_that_is_more_or_lasts_longer_than_itself(desk):
    robot = desk.token(Role.ADMIN, lasting=timedelta(days=3))
    for more, told in (
        ({"roles": ["admin"]}, "takes a person's login"),
        ({}, "ends with it at the latest"),
    ):
        answer = made(desk, robot, **more)
        assert (answer.status, told in answer.text) == (403, True)
    soon = (NOW + timedelta(days=3)).isoformat()
    assert made(desk, robot, expires=soon).status == 200


def test_an_administrator_who_logged_in_makes_one_for_another(desk):
    text = made(desk, roles=["admin"]).document["token"]
    assert desk.ask("GET", "/v1/tokens", who=text).status == 200


def test_a_proxy_gives_nobody_the_right(desk):
    headers = {"X_User": "uma", "X_Secret": SECRET}
    answer = desk.ask("POST", "/v1/tokens", WANTED, peer="10.0.0.3", **headers)
    assert answer.status == 403


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        ({"expires": (NOW + timedelta(days=400)).isoformat()}, 409, "366 days at most"),
        ({"expires": NOW.isoformat()}, 409, "a minute at least"),
        ({"expires": "2026-09-01T00:00:00"}, 422, "expires"),
        ({"roles": []}, 422, "roles"),
        ({"roles": ["system"]}, 403, "system"),
        ({"roles": ["root"]}, 422, "roles"),
        ({"models": []}, 409, "no model at all"),
        ({"models": ["nobody's"]}, 409, "no model of this name"),
        ({"holder": "a\r\nb"}, 409, "characters that can be seen"),
        ({"holder": ""}, 409, "characters that can be seen"),
        ({"purpose": "x" * 201}, 409, "characters that can be seen"),
        ({"scope": "all"}, 422, "scope"),
    ],
)
def test_what_is_not_to_be_is_refused_and_nothing_is_made(desk, more, status, told):
    answer = made(desk, **more)
    assert (answer.status, told in answer.text) == (status, True), answer.text
    assert desk.access.tokens() == []
