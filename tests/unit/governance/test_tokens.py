"""Tokens: shown once, kept as a digest, for some roles and models, and only for a while."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from monitor.domain.errors import RefusedError
from monitor.domain.role import Role
from monitor.governance.authorisation import Method
from monitor.governance.tokens import LONGEST, Wanted, fits, id_of, new_token, revoked

NOW = datetime(2026, 9, 1, tzinfo=UTC)
WANTED = Wanted("olga", "pager", frozenset({Role.OPERATOR}), None, timedelta(days=90))


def test_a_token_is_its_own_text_and_no_other():
    token, text = new_token(WANTED, "root", NOW)
    other, other_text = new_token(WANTED, "root", NOW)
    assert fits(text, token) and fits(other_text, other)
    assert not fits(other_text, token)
    assert not fits(text[:-1] + ("0" if text[-1] != "0" else "1"), token)
    assert not fits("", token) and not fits(f"mon_{token.id}_", token)
    assert id_of(text) == token.id != other.id


def test_nothing_that_is_kept_has_the_secret_in_it():
    token, text = new_token(WANTED, "root", NOW)
    assert text.rpartition("_")[2] not in repr(token)
    assert len(text.rpartition("_")[2]) * 4 == 256


@pytest.mark.parametrize(
    "text", ["", "mon_", "Bearer x", "mon_0123456789abcdef_short", "mon_../../etc_" + "0" * 64]
)
def test_what_is_no_token_has_no_id(text):
    assert id_of(text) is None


def test_who_uses_it_has_by_itself_only_what_gives_no_authority():
    roles = frozenset(Role) - {Role.SYSTEM}
    token, _ = new_token(replace(WANTED, roles=roles, models=frozenset({"credit"})), "root", NOW)
    who = token.who
    assert who.roles == {Role.VIEWER, Role.OPERATOR, Role.AUDITOR, Role.GATE, Role.ADMIN}
    assert (who.within, who.models, who.method) == (roles, {"credit"}, Method.TOKEN)
    assert who.named == f"token|{token.id}|olga"
    assert who.authenticated_at is None


def test_it_ends_by_itself_or_when_somebody_ends_it():
    token, _ = new_token(WANTED, "root", NOW)
    assert token.state(NOW + timedelta(days=89)) == "valid"
    assert token.state(NOW + timedelta(days=90)) == "expired"
    ended = revoked(token, "root", NOW)
    assert ended.state(NOW) == "revoked"
    with pytest.raises(RefusedError, match="revoked already, by root"):
        revoked(ended, "ann", NOW)


def test_a_token_that_would_be_wrong_is_refused_with_every_reason():
    wrong = Wanted(" ", "a\nb", frozenset(), frozenset(), LONGEST + timedelta(1))
    with pytest.raises(RefusedError) as refused:
        new_token(wrong, "root", NOW)
    assert len(refused.value.reasons) == 5


@pytest.mark.parametrize("roles", [set(), {Role.SYSTEM}, {Role.SYSTEM, Role.VIEWER}])
def test_nobody_is_the_system(roles):
    with pytest.raises(RefusedError, match="a token needs roles"):
        new_token(replace(WANTED, roles=frozenset(roles)), "root", NOW)
