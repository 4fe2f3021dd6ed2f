"""The public keys of an issuer: kept for a while, and asked for again when one is not known."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from monitor.domain.errors import ModelmonError

FRESH = timedelta(hours=1)
"""How long keys are used without asking again: how long a key that was withdrawn is still good."""

STALE = timedelta(hours=24)
"""How long they are used when the issuer cannot be asked."""

PAUSE = timedelta(seconds=30)
"""How long the issuer is left alone after it was asked: strangers can send unknown keys' names."""

_PATIENCE = 5
_MOST_BYTES = 1_000_000
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
_CURVES = {"ES256": "P-256", "ES384": "P-384"}


class KeysError(ModelmonError):
    """An issuer's keys cannot be had, or the one that is wanted is not among them."""


class IssuerKeys:
    """An issuer's public keys by their names.

    Args:
        fetch: Returns the issuer's key set (JWKS), as it is now.
        now: Returns the present.
    """

    def __init__(self, fetch: Callable[[], bytes], now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._known: Mapping[str, Mapping[str, Any]] = {}
        self._fetched: datetime | None = None
        self._asked: datetime | None = None
        self._trouble = ""
        self._lock = Lock()

    def key(self, name: str, algorithm: str) -> PyJWK:
        """Return a key for an algorithm.

        Raises:
            KeysError: There is none, it is for another algorithm, or the issuer cannot be asked.
        """
        now = self._now()
        # Whoever has a key that is known waits for nobody who asks the issuer.
        if self._lock.acquire(blocking=name not in self._known):
            try:
                if self._is_older(FRESH, now) or name not in self._known:
                    self._ask(now)
            finally:
                self._lock.release()
        if self._is_older(STALE, now):
            raise KeysError(f"the issuer's keys cannot be had: {self._trouble}")
        found = self._known.get(name)
        if found is None:
            raise KeysError("the key that signed it is not one of the issuer's")
        return _for(found, algorithm)

    def _is_older(self, than: timedelta, now: datetime) -> bool:
        return self._fetched is None or now - self._fetched >= than

    def _ask(self, now: datetime) -> None:
        if self._asked is not None and now - self._asked < PAUSE:
            return
        self._asked = now
        try:
            self._known = _named(self._fetch())
            self._fetched = now
        except (OSError, ValueError) as error:
            self._trouble = f"{type(error).__name__}: {error}"


def fetcher(at: str) -> Callable[[], bytes]:
    """Return what reads a key set from an address or a file."""
    if "://" not in at:
        return Path(at).read_bytes
    opener = build_opener(_NoRedirect)

    def fetch() -> bytes:
        request = Request(at, headers={"Accept": "application/json"})  # noqa: S310  # https, by the settings
        with opener.open(request, timeout=_PATIENCE) as answer:
            found: bytes = answer.read(_MOST_BYTES + 1)
        if len(found) > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES:,} bytes")
        return found

    return fetch


def usable_keys(fetch: Callable[[], bytes], algorithms: Sequence[str]) -> int:
    """Return how many keys an issuer has that some algorithms can use.

    Raises:
        KeysError: They cannot be had.
    """
    try:
        known = _named(fetch())
    except (OSError, ValueError) as error:
        raise KeysError(f"the issuer's keys cannot be had: {error}") from error
    return sum(any(_fits(key, name) for name in algorithms) for key in known.values())


class _NoRedirect(HTTPRedirectHandler):
    """The settings say where the keys are, and nobody else."""

    def redirect_request(self, *_: Any) -> None:  # urllib's signature
        """Refuse.

        Raises:
            URLError: Always.
        """
        raise URLError("the address of the keys leads elsewhere")


def _named(body: bytes) -> Mapping[str, Mapping[str, Any]]:
    """Return the keys for signing by their names; what is no public key is left out.

    Raises:
        ValueError: It is no key set.
    """
    document = json.loads(body)
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("not a key set: it has no list `keys`")  # noqa: TRY004  # of content, not type
    return {
        str(key["kid"]): key
        for key in keys
        if isinstance(key, dict)
        and key.get("kty") in set(_KINDS.values())
        and key.get("use", "sig") == "sig"
        and isinstance(key.get("kid"), str)
    }


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = _KINDS[algorithm[:2]], _CURVES.get(algorithm)
    of_kind: bool = key["kty"] == kind and curve in {None, key.get("crv")}
    return of_kind and key.get("alg", algorithm) == algorithm


def _for(key: Mapping[str, Any], algorithm: str) -> PyJWK:
    if not _fits(key, algorithm):
        raise KeysError(f"the issuer's key is not for signatures by {algorithm}")
    try:
        return PyJWK(dict(key), algorithm)
    except (PyJWTError, ValueError) as error:  # the latter from cryptography itself
        raise KeysError(f"the issuer's key cannot be used: {error}") from error
