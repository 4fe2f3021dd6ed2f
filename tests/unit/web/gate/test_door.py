"""Who may ask the gate, where somebody has to say who they are."""

from datetime import timedelta
from http.client import HTTPConnection

import pytest

from monitor.app import SystemClock
from monitor.domain.role import Role
from monitor.governance.standing import State
from monitor.governance.tokens import Wanted, new_token
from monitor.web.access.asking import Doorkeeper
from monitor.web.gate import door as doors
from tests.gatehouse import open_gate, totals


class Kept:
    """Tokens in memory, and how often they were looked up."""

    def __init__(self):
        self.tokens, self.looked = {}, 0

    def make(self, role, models=None):
        wanted = Wanted("scorer", "x", frozenset({role}), models, timedelta(days=1))
        token, text = new_token(wanted, "root", SystemClock().now())
        self.tokens[token.id] = token
        return text

    def token(self, public):
        self.looked += 1
        return self.tokens.get(public)

    def used(self, token, at):
        return bool(token and at)


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def house(kept):
    with open_gate(door=Doorkeeper(SystemClock().now, kept)) as made:
        made.versions.put("credit", "3", State.APPROVED)
        made.keeper.look()
        yield made


def ask(house, path, token=None):
    connection = HTTPConnection("127.0.0.1", house.port, timeout=60)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


PATHS = ("/v1/gate/credit/3", "/v1/gate/check/credit/3")


def test_who_says_nothing_or_is_not_known_is_told_nothing(house):
    for path in PATHS:
        assert ask(house, path) == 401
        assert ask(house, path, "mon_nobody") == 401
    assert ask(house, "/v1/keys") == 200


def test_a_serving_layer_asks_with_its_token_and_is_counted_by_its_name(house, kept):
    text = kept.make(Role.GATE)
    assert [ask(house, path, text) for path in PATHS] == [200, 204]
    house.keeper.start()
    house.keeper.stop()
    (client,) = {asked.client for asked in totals(house.versions.used)}
    assert client.startswith("token")


def test_a_token_for_another_model_or_purpose_is_refused(house, kept):
    assert ask(house, PATHS[0], kept.make(Role.GATE, frozenset({"debit"}))) == 403
    assert ask(house, PATHS[0], kept.make(Role.GATE, frozenset({"credit"}))) == 200


def test_a_token_is_looked_up_once_in_a_while(house, kept):
    text = kept.make(Role.GATE)
    assert {ask(house, PATHS[1], text) for _ in range(20)} == {204}
    assert kept.looked == 1


def test_a_token_that_is_revoked_is_refused_when_it_is_looked_up_again(house, kept, monkeypatch):
    monkeypatch.setattr(doors, "REMEMBERED", -1.0)
    text = kept.make(Role.GATE)
    assert ask(house, PATHS[1], text) == 204
    kept.tokens.clear()
    assert ask(house, PATHS[1], text) == 401
