"""An issuer that people log in to: real keys, and whatever is to be signed or forged with them."""

import base64
import json
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt import api_jws
from jwt.algorithms import get_default_algorithms

from monitor.domain.settings import Issuer

NOW = datetime(2026, 9, 1, 3, tzinfo=UTC)
ISSUER = Issuer(
    issuer="https://login.example",
    audience="modelmon",
    keys="https://login.example/keys",
    algorithms=("RS256", "ES256", "EdDSA"),
    account="sub",
    groups="groups",
)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def jwk(key, name, algorithm, **more):
    """Return the public half of a key as an issuer publishes it."""
    document = get_default_algorithms()[algorithm].to_jwk(key.public_key(), as_dict=True)
    return {**document, "kid": name, "use": "sig", **more}


def key_set(*keys):
    return json.dumps({"keys": keys}).encode()


KEYS = key_set(
    jwk(RSA, "rsa", "RS256"), jwk(EC, "ec", "ES256"), jwk(ED, "ed", "EdDSA", alg="EdDSA")
)


def claims(account="vera", now=NOW, **more):
    at = int(now.timestamp())
    return {
        "iss": ISSUER.issuer,
        "aud": ISSUER.audience,
        "sub": account,
        "exp": at + 300,
        "iat": at,
        "auth_time": at,
        **more,
    }


def signed(said=None, key=RSA, name="rsa", algorithm="RS256", **more):
    body = json.dumps(said or claims(**more)).encode()  # also claims that no issuer would sign
    return api_jws.encode(body, key, algorithm=algorithm, headers={"kid": name})


def forged(head, said, signature=b""):
    """Return a token put together by hand."""
    parts = [json.dumps(head).encode(), json.dumps(said).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
