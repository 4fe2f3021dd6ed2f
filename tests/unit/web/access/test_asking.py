"""Who asks: tokens, logins, and headers that only a proxy may send."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from starlette.requests import Request

from monitor.domain.role import Role
from monitor.domain.settings import ProxyHeader
from monitor.governance.authorisation import Method
from monitor.governance.tokens import Wanted, new_token, revoked
from monitor.web.access.asking import Doorkeeper
from monitor.web.access.keys import IssuerKeys
from monitor.web.access.login import Logins
from monitor.web.access.unknown import UnknownError
from tests.issuer import ISSUER, KEYS, NOW, signed

SECRET = "s" * 40
PROXY = ProxyHeader("X-User", "X-Secret", SECRET, "${S}", ("10.0.0.3", "fd00::/64"))
LOGINS = Logins(ISSUER, IssuerKeys(lambda: KEYS, lambda: NOW), lambda: NOW)


class Kept:
    """Tokens in memory."""

    def __init__(self):
        wanted = Wanted("olga", "x", frozenset({Role.OPERATOR}), None, timedelta(days=1))
        self.token_, self.text = new_token(wanted, "root", NOW)
        self.uses = []

    def token(self, public):
        return self.token_ if public == self.token_.id else None

    def used(self, token, at):
        self.uses.append((token.id, at))


def request(*headers, peer="10.0.0.3"):
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    client = None if peer is None else (peer, 1)
    return Request({"type": "http", "headers": pairs, "client": client})


def bearer(text):
    return request(("Authorization", f"Bearer {text}"))


def refused(door, asked):
    with pytest.raises(UnknownError) as error:
        door.who(asked)
    return str(error.value)


def door(**ways):
    return Doorkeeper(lambda: NOW, **ways)


def test_who_says_nothing_is_nobody():
    assert door(tokens=Kept(), logins=LOGINS, proxy=PROXY).who(request()) is None


def test_without_any_way_the_door_is_closed():
    assert not door().open
    assert "no such token" in refused(door(), bearer("mon_x"))
    assert "no such token" in refused(door(), bearer(signed()))


class TestTokens:
    def test_a_token_is_its_holder_and_its_use_is_noted(self):
        kept = Kept()
        who = door(tokens=kept).who(bearer(kept.text))
        assert (who.account, who.method) == ("olga", Method.TOKEN)
        assert kept.uses == [(kept.token_.id, NOW)]

    def test_each_token_that_is_not_valid_is_refused_in_the_same_words(self):
        kept, told = Kept(), set()
        wrong = [kept.text[:-1] + "g", kept.text[:-1], f"mon_{'0' * 16}_{'0' * 64}", "mon_x"]
        wrong.append(f"mon_{kept.token_.id}_{'0' * 64}")
        told.update(refused(door(tokens=kept), bearer(text)) for text in wrong)
        kept.token_ = revoked(kept.token_, "root", NOW)
        told.add(refused(door(tokens=kept), bearer(kept.text)))
        kept.token_ = replace(kept.token_, revoked_at=None, expires_at=NOW)
        told.add(refused(door(tokens=kept), bearer(kept.text)))
        assert len(told) == 1
        assert kept.uses == []

    @pytest.mark.parametrize("said", ["", "mon_x", "Basic b2xnYTpvbGdh", "Bearer", "Bearer "])
    def test_another_form_is_refused(self, said):
        assert "must be: Bearer" in refused(door(tokens=Kept()), request(("Authorization", said)))

    def test_two_are_refused(self):
        kept = Kept()
        header = ("Authorization", f"Bearer {kept.text}")
        assert "twice" in refused(door(tokens=kept), request(header, header))


def test_a_login_is_believed():
    assert door(logins=LOGINS).who(bearer(signed())).account == "vera"


class TestHeaders:
    GOOD = (("X-User", "olga"), ("X-Secret", SECRET))

    @pytest.mark.parametrize("peer", ["10.0.0.3", "fd00::7", "::ffff:10.0.0.3"])
    def test_the_proxy_says_who_asks_and_that_is_no_login(self, peer):
        who = door(proxy=PROXY).who(request(*self.GOOD, peer=peer))
        assert (who.account, who.method, who.roles) == ("olga", Method.HEADER, frozenset())
        assert who.authenticated_at is None

    @pytest.mark.parametrize(
        "peer", ["10.0.0.4", "127.0.0.1", "::1", "fd01::7", "testclient", None]
    )
    def test_nobody_else_may_say_so(self, peer):
        asked = request(*self.GOOD, ("X-Forwarded-For", "10.0.0.3"), peer=peer)
        assert "of the proxy alone" in refused(door(proxy=PROXY), asked)

    @pytest.mark.parametrize("shown", [(), ("",), ("wrong",), (SECRET, SECRET), ("é" * 40,)])
    def test_nor_the_proxy_without_its_secret(self, shown):
        asked = request(("X-User", "olga"), *(("X-Secret", text) for text in shown))
        assert "secret alone" in refused(door(proxy=PROXY), asked)

    @pytest.mark.parametrize("names", [(), ("",), ("olga", "vera"), ("x" * 201,)])
    def test_it_names_one_account(self, names):
        asked = request(("X-Secret", SECRET), *(("X-User", name) for name in names))
        assert "names one account" in refused(door(proxy=PROXY), asked)

    def test_an_account_can_be_seen(self):
        asked = request(("X-Secret", SECRET), ("X-User", "ol\x85ga"))
        assert "cannot be seen" in refused(door(proxy=PROXY), asked)

    def test_where_no_proxy_is_configured_a_header_is_nothing(self):
        assert door(tokens=Kept()).who(request(*self.GOOD)) is None
