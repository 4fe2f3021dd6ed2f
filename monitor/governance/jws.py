"""Permits as they travel: JSON Web Signatures with Ed25519, and the set of keys to check them by.

Sources: RFC 7515 (compact form), RFC 8037 (EdDSA in JOSE), RFC 7517 (key sets), RFC 7638 (a key's
thumbprint, by which it is named).
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.governance.note import SigningKey, VerifyingKey

TYPE = "modelmon-permit+jwt"
"""What the header says that it is, so that no other token passes for a permit (RFC 8725, 3.11)."""


def signed(claims: Mapping[str, Any], key: SigningKey) -> str:
    """Return claims as a compact JWS.

    Args:
        claims: What is said: JSON without NaN.
        key: Who says so.
    """
    header = {"alg": "EdDSA", "kid": thumbprint(key.verifying), "typ": TYPE}
    said = f"{_encoded(_json(header))}.{_encoded(_json(claims))}"
    return f"{said}.{_encoded(key.sign_bytes(said.encode('ascii')))}"


def key_set(keys: Sequence[VerifyingKey]) -> dict[str, Any]:
    """Return the JSON Web Key Set of some keys."""
    return {
        "keys": [
            {**_key(key), "kid": thumbprint(key), "use": "sig", "alg": "EdDSA"} for key in keys
        ]
    }


def thumbprint(key: VerifyingKey) -> str:
    """Return the name that a key has by its content alone."""
    return _encoded(hashlib.sha256(_json(_key(key))).digest())


def _key(key: VerifyingKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _encoded(key.public)}


def _json(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
