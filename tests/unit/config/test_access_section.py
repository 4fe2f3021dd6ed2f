"""Who may use the HTTP interface: what the file says, and what it may not say."""

import pytest

from monitor.config.daemon_file import load_settings, settings_as_yaml
from monitor.domain.errors import ConfigError
from monitor.domain.role import Role
from monitor.domain.settings import AccessSettings

SECRET = "0123456789abcdef" * 4
FULL = """
access:
  tokens: true
  origins: [https://monitor.example]
  roles: {model-risk: [governance, auditor]}
  oidc: {issuer: "https://login.example", audience: modelmon, keys: "https://login.example/keys"}
  header: {secret: "${PROXY}", trusted_proxies: [10.0.0.3, "fd00::/64"]}
"""


@pytest.fixture
def load(tmp_path):
    def read(text):
        path = tmp_path / "modelmon.yaml"
        path.write_text(text)
        return load_settings(path, {"PROXY": SECRET, "SHORT": "x" * 31})

    return read


def problems(load, text):
    with pytest.raises(ConfigError) as error:
        load(text)
    return {problem.key: problem.message for problem in error.value.problems}


def test_by_default_nobody_changes_anything_over_http(load):
    assert load("").access == AccessSettings()
    assert not load("").access.configured and not load("").access.writes


@pytest.mark.parametrize(
    "way",
    [
        "tokens: true",
        'oidc: {issuer: i, audience: a, keys: "https://x/keys"}',
        'header: {secret: "${PROXY}", trusted_proxies: [10.0.0.3]}',
    ],
)
def test_with_a_way_to_tell_who_asks_people_change_what_they_may(load, way):
    assert load(f"access: {{{way}}}").access.writes
    assert not load(f"access: {{{way}, writes: false}}").access.writes


def test_a_full_section_reads_as_it_is_shown_without_the_secret(load):
    settings = load(FULL)
    assert settings.access.roles == {"model-risk": frozenset({Role.GOVERNANCE, Role.AUDITOR})}
    assert settings.access.header.secret == SECRET
    shown = settings_as_yaml(settings)
    assert SECRET not in shown + repr(settings)
    assert load(shown).access == settings.access


def test_writes_without_a_way_to_tell_who_asks_are_refused(load):
    assert "nobody could be told" in problems(load, "access: {writes: true}")["access.writes"]


@pytest.mark.parametrize(
    "proxies",
    ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "fc00::/7", "everybody", "10.0.0.3/8"],
)
def test_everybody_is_no_proxy(load, proxies):
    text = f'access: {{header: {{secret: "${{PROXY}}", trusted_proxies: ["{proxies}"]}}}}'
    assert "such as 10.0.0.3" in problems(load, text)["access.header.trusted_proxies[0]"]


def test_there_is_no_header_without_proxies_and_a_secret(load):
    found = problems(load, "access: {header: {trusted_proxies: []}}")
    assert set(found) == {"access.header.secret", "access.header.trusted_proxies"}
    assert set(problems(load, "access: {header: {}}")) == set(found)


@pytest.mark.parametrize("secret", ["admin", SECRET, "${SHORT}", "${NOWHERE}", "${file:/nowhere}"])
def test_a_secret_is_long_and_elsewhere(load, secret):
    text = f'access: {{header: {{secret: "{secret}", trusted_proxies: [10.0.0.3]}}}}'
    (told,) = problems(load, text).values()
    assert "x" * 31 not in told and SECRET not in told


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "a b", "", "X-Modelmon-Proxy-Secret"])
def test_a_header_is_the_proxys_own(load, name):
    text = f'access: {{header: {{account: "{name}", secret: "${{PROXY}}", trusted_proxies: [10.0.0.3]}}}}'
    assert problems(load, text)


@pytest.mark.parametrize("algorithm", ["HS256", "none", "RS1"])
def test_a_signature_that_both_sides_could_make_is_refused(load, algorithm):
    oidc = f'{{issuer: i, audience: a, keys: "https://x/k", algorithms: [{algorithm}]}}'
    found = problems(load, f"access: {{oidc: {oidc}}}")
    assert "must be one of RS256" in found["access.oidc.algorithms[0]"]


@pytest.mark.parametrize("keys", ["http://login.example/keys", "ftp://x/y", "nowhere.json"])
def test_keys_come_by_a_way_that_nobody_else_is_on(load, keys):
    found = problems(load, f'access: {{oidc: {{issuer: i, audience: a, keys: "{keys}"}}}}')
    assert set(found) == {"access.oidc.keys"}


def test_keys_may_come_from_this_machine(load, tmp_path):
    (tmp_path / "keys.json").write_text("{}")
    for keys in ("http://127.0.0.1:8080/keys", "keys.json"):
        assert load(f'access: {{oidc: {{issuer: i, audience: a, keys: "{keys}"}}}}').access.oidc


@pytest.mark.parametrize("origin", ["monitor.example", "https://x/", "https://X", "null", "*"])
def test_an_origin_is_a_scheme_and_a_host(load, origin):
    assert "no path" in problems(load, f'access: {{origins: ["{origin}"]}}')["access.origins[0]"]


@pytest.mark.parametrize("role", ["operator", "validator", "accountable", "owner", "system", "god"])
def test_a_group_gets_no_role_that_a_policy_gives(load, role):
    assert problems(load, f"access: {{roles: {{all: [{role}]}}}}")
