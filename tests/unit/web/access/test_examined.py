"""What the doctor sees of access: who could not log in, and which tokens end."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from monitor.config.daemon_file import load_settings
from monitor.domain.role import Role
from monitor.domain.settings import AccessSettings
from monitor.engine.examine import Condition
from monitor.governance.tokens import Wanted, new_token, revoked
from monitor.web.access.examined import examine_access
from tests.issuer import ISSUER, KEYS, NOW


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "modelmon.yaml"
    path.write_text("")
    return load_settings(path, {})


def seen(settings, **access):
    made = replace(settings, access=AccessSettings(writes=True, **access))
    return [
        (item.condition, item.found, bool(item.advice)) for item in examine_access(made, (), NOW)
    ]


def a_token(days):
    wanted = Wanted("olga", "x", frozenset({Role.OPERATOR}), None, timedelta(days=days))
    return new_token(wanted, "root", NOW)[0]


def test_without_access_nothing_can_be_changed_and_that_is_well(settings):
    ((condition, found, advice),) = seen(settings)
    assert (condition, advice) == (Condition.OK, False)
    assert "nothing can be changed" in found


def test_the_ways_are_named(settings):
    made = replace(settings, access=AccessSettings(tokens=True, writes=True))
    (found,) = examine_access(made, [a_token(90)], NOW)
    assert found.found == "changes are taken by tokens"
    made = replace(settings, access=AccessSettings(tokens=True, writes=False))
    (found,) = examine_access(made, [], NOW)
    assert found.found == "nothing can be changed; reads are by tokens"


def test_tokens_that_end_soon_are_counted_and_those_that_are_over_are_not(settings):
    tokens = [a_token(90), a_token(6), a_token(2), revoked(a_token(1), "root", NOW)]
    made = replace(settings, access=AccessSettings(tokens=True, writes=True))
    (found,) = examine_access(made, tokens, NOW)
    assert found.condition is Condition.WARN
    assert found.found == "2 of 3 tokens end soon, the first at 2026-09-03T03:00Z"


def test_an_issuer_whose_keys_cannot_be_had_lets_nobody_in(settings, tmp_path):
    keys = tmp_path / "keys.json"
    issuer = structs.replace(ISSUER, keys=str(keys))
    for body, told in (
        (None, "No such file"),
        (b"<html>", "cannot be had"),
        (b'{"keys": []}', "no key for RS256"),
    ):
        if body is not None:
            keys.write_bytes(body)
        ((condition, found, _),) = seen(settings, oidc=issuer)
        assert condition is Condition.FAIL
        assert told in found
    keys.write_bytes(KEYS)
    ((condition, found, _),) = seen(settings, oidc=issuer)
    assert (condition, found) == (Condition.OK, "changes are taken by logins")
    ((condition, found, _),) = seen(settings, oidc=structs.replace(issuer, algorithms=("ES384",)))
    assert (condition, "no key for ES384" in found) == (Condition.FAIL, True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_needs_no_tls(settings, host):
    made = replace(settings, host=host, access=AccessSettings(tokens=True, writes=True))
    (found,) = examine_access(made, [], NOW)
    assert found.condition is Condition.OK


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "monitor.example"])  # noqa: S104
def test_beyond_it_somebody_has_to_speak_tls(settings, host):
    made = replace(settings, host=host, access=AccessSettings(tokens=True, writes=True))
    (found,) = examine_access(made, [], NOW)
    assert (found.condition, "speaks no TLS" in found.found) == (Condition.WARN, True)
