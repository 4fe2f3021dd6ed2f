"""Which signed tokens are believed, and every way to forge one that is known by name."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.role import Role
from monitor.governance.authorisation import Method
from monitor.web.access.keys import IssuerKeys
from monitor.web.access.login import MOST_BYTES, Logins
from monitor.web.access.unknown import UnknownError
from tests.issuer import EC, ED, ISSUER, KEYS, NOW, OTHER, RSA, claims, forged, signed

ROLES = {"risk": frozenset({Role.GOVERNANCE, Role.AUDITOR}), "ops": frozenset({Role.VIEWER})}


def logins(issuer=ISSUER, now=NOW):
    return Logins(issuer, IssuerKeys(lambda: KEYS, lambda: now), lambda: now, ROLES)


def refused(text, **more):
    with pytest.raises(UnknownError) as error:
        logins(**more).who(text)
    return str(error.value)


@pytest.mark.parametrize(
    ("key", "name", "algorithm"), [(RSA, "rsa", "RS256"), (EC, "ec", "ES256"), (ED, "ed", "EdDSA")]
)
def test_somebody_who_logged_in_is_known_by_issuer_and_subject(key, name, algorithm):
    who = logins().who(signed(key=key, name=name, algorithm=algorithm, groups=["risk", "other"]))
    assert (who.account, who.method, who.authenticated_at) == ("vera", Method.OIDC, NOW)
    assert who.id == "oidc|https://login.example|vera"
    assert who.roles == {Role.GOVERNANCE, Role.AUDITOR}
    assert who.groups == {"risk", "other"}


def test_an_account_is_the_claim_that_the_settings_name():
    named = logins(replace(ISSUER, account="preferred_username"))
    who = named.who(signed(account="7f3a", preferred_username="vera"))
    assert (who.account, who.id) == ("vera", "oidc|https://login.example|7f3a")


class TestForgeries:
    def test_none_is_no_signature(self):
        for name in ("none", "None", "NONE", "nOnE"):
            assert "must be signed by" in refused(forged({"alg": name, "kid": "rsa"}, claims()))

    def test_a_public_key_is_no_secret_that_both_sides_share(self):
        pem = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for secret in (pem, pem.strip(), json.dumps(json.loads(KEYS)["keys"][0]).encode()):
            body = forged({"alg": "HS256", "kid": "rsa"}, claims()).rpartition(".")[0]
            text = forged(
                {"alg": "HS256", "kid": "rsa"},
                claims(),
                hmac.digest(secret, body.encode(), hashlib.sha256),
            )
            assert "must be signed by" in refused(text)

    def test_another_key_under_a_name_of_the_issuers_signs_nothing(self):
        assert "not believed" in refused(signed(key=OTHER))

    def test_a_key_of_one_kind_is_not_used_as_another(self):
        text = signed(key=OTHER, name="ec")
        assert "not for signatures by RS256" in refused(text)
        assert "not for signatures by ES256" in refused(
            signed(key=EC, name="rsa", algorithm="ES256")
        )

    def test_an_algorithm_that_was_not_agreed_on_is_not_taken_though_the_key_could(self):
        assert "must be signed by" in refused(signed(algorithm="PS256"))
        assert "must be signed by" in refused(
            signed(), issuer=replace(ISSUER, algorithms=("ES256",))
        )

    def test_a_token_brings_no_key_of_its_own(self):
        head = {"alg": "RS256", "kid": "mine", "jku": "https://evil.example", "jwk": {}}
        assert "not one of the issuer's" in refused(forged(head, claims(), b"x" * 256))
        assert "name its key" in refused(forged({"alg": "RS256"}, claims(), b"x"))
        refused(forged({"alg": "RS256", "kid": ["rsa"]}, claims()))

    def test_a_changed_claim_breaks_the_signature(self):
        head, _, signature = signed().split(".")
        body = forged({}, claims("gita")).split(".")[1]
        assert "not believed" in refused(f"{head}.{body}.{signature}")

    @pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c", "é.é.é", "..", "." * 50])
    def test_what_is_no_token_is_refused_and_not_repeated(self, text):
        assert "<" not in refused(text)

    def test_a_token_that_is_too_long_is_not_looked_at(self):
        assert "too long" in refused("a" * (MOST_BYTES + 1))


class TestClaims:
    @pytest.mark.parametrize(
        ("claim", "value"),
        [
            ("iss", "https://login.example/"),
            ("iss", ["https://login.example"]),
            ("aud", "other"),
            ("aud", ["other", "modelmo"]),
            ("sub", ""),
            ("sub", "a\nb"),
            ("sub", "x" * 201),
            ("exp", "soon"),
            ("exp", True),
            ("exp", 1e300),
            ("nbf", "now"),
        ],
    )
    def test_a_wrong_claim_is_refused(self, claim, value):
        refused(signed(**{claim: value}))

    @pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp"])
    def test_a_missing_claim_is_refused(self, claim):
        refused(signed({name: value for name, value in claims().items() if name != claim}))

    def test_it_ends_and_begins_with_half_a_minute_between_clocks(self):
        text = signed()
        assert logins(now=NOW + timedelta(seconds=329)).who(text)
        assert "is over" in refused(text, now=NOW + timedelta(seconds=330))
        assert logins(now=NOW - timedelta(seconds=30)).who(text)
        assert "time to come" in refused(text, now=NOW - timedelta(seconds=31))
        later = int(NOW.timestamp()) + 60
        assert "time to come" in refused(signed(nbf=later))

    @pytest.mark.parametrize("auth_time", [None, "now", True, float("1e300"), []])
    def test_when_somebody_logged_in_is_not_guessed(self, auth_time):
        assert logins().who(signed(auth_time=auth_time)).authenticated_at is None

    def test_a_mail_address_counts_when_it_was_verified(self):
        mail = replace(ISSUER, account="email")
        for wrong in ({}, {"email_verified": False}, {"email_verified": "true"}):
            text = signed(email="vera@bank.example", **wrong)
            assert "never verified" in refused(text, issuer=mail)
        text = signed(email="vera@bank.example", email_verified=True)
        assert logins(mail).who(text).account == "vera@bank.example"

    @pytest.mark.parametrize("groups", [None, 7, {"risk": True}, [["risk"]], ["ris", "RISK"]])
    def test_groups_of_another_form_give_no_role(self, groups):
        assert logins().who(signed(groups=groups)).roles == frozenset()

    def test_one_group_may_come_as_a_text(self):
        assert logins().who(signed(groups="ops")).roles == {Role.VIEWER}


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_refused_without_another_error(text):
    refused(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=4,
    ),
    st.sampled_from(["alg", "kid", "typ", "crit", "b64"]),
)
def test_any_head_is_refused_without_another_error(value, name):
    refused(forged({"alg": "RS256", "kid": "rsa", name: value}, claims(), b"x" * 256))
