"""Permits as they travel, held against the specification's example and against PyJWT."""

import base64
import json

import jwt
import pytest

from monitor.governance.jws import key_set, signed, thumbprint
from monitor.governance.note import SigningKey, new_signing_key

# RFC 8037, appendix A: the key, its thumbprint, and what it signs.
D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
SAID = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
SIGNATURE = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
KEY = SigningKey("gate", base64.urlsafe_b64decode(D + "="))


def test_the_key_of_the_specification_has_its_thumbprint_and_signature():
    (found,) = key_set([KEY.verifying])["keys"]
    assert found == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": X,
        "kid": THUMBPRINT,
        "use": "sig",
        "alg": "EdDSA",
    }
    assert thumbprint(KEY.verifying) == THUMBPRINT
    signature = base64.urlsafe_b64encode(KEY.sign_bytes(SAID)).rstrip(b"=").decode()
    assert signature == SIGNATURE


def test_another_implementation_believes_it_by_the_key_set_alone():
    token = signed({"model": "crédit", "conditions": {"amount": 5000.5}}, KEY)
    keys = jwt.PyJWKSet.from_json(
        json.dumps(key_set([new_signing_key("old").verifying, KEY.verifying]))
    )
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=["EdDSA"]) == {
        "model": "crédit",
        "conditions": {"amount": 5000.5},
    }


@pytest.mark.parametrize("part", [0, 1, 2])
def test_another_implementation_believes_nothing_that_was_changed(part):
    parts = signed({"action": "deny"}, KEY).split(".")
    place = len(parts[part]) // 2
    other = "A" if parts[part][place] != "A" else "B"
    parts[part] = parts[part][:place] + other + parts[part][place + 1 :]
    key = jwt.PyJWKSet.from_dict(key_set([KEY.verifying])).keys[0]
    with pytest.raises(jwt.InvalidTokenError):
        jwt.decode(".".join(parts), key, algorithms=["EdDSA"])


def test_what_has_no_json_is_not_signed():
    with pytest.raises(ValueError, match="not JSON compliant"):
        signed({"bound": float("nan")}, KEY)
