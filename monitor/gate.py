"""Ask the gate whether a model version may act, from the code that serves it.

This file stands alone: it imports the standard library, and `cryptography` when the first permit is
verified, so that it can be copied into a serving image that has nothing else of modelmon.

    gate = Gate("http://modelmon:9108", "credit", "3")
    if gate.decide().allowed: ...

A permit is used while it is fresh. When the monitor cannot be asked it is used a while longer, and
then what follows is what the permit itself said would: mostly that the version no longer acts. Who
never had a permit does not act.
"""

import base64
import functools
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

FORM = 1
"""The form of permits that this file knows."""

_TYPE = "modelmon-permit+jwt"
_MOST_BYTES = 65_536
_PAUSE = 1.0
"""Seconds from one try that failed to the next, so that no request pays for each."""

_KEYS_PAUSE = 10.0
_WAIT = 30.0
_SKEW = 60.0
"""Seconds by which this machine's clock may be wrong."""

_ALLOWING = ("allow", "allow_with_conditions")
_RESULT = TypeVar("_RESULT")


class Freshness(StrEnum):
    """How old the permit is that a decision rests on."""

    FRESH = "fresh"
    STALE = "stale"
    """It ended, the monitor cannot be asked, and the policy lets it be used a while longer."""
    EXPIRED = "expired"
    """That is over as well: what follows is what the permit said would."""
    NONE = "none"
    """There never was one."""


class GateError(Exception):
    """The gate could not be asked, or what it said cannot be believed."""


class RefusedError(Exception):
    """The version may not act."""

    def __init__(self, decision: "Decision") -> None:
        self.decision = decision
        super().__init__(str(decision))


@dataclass(frozen=True)
class Decision:
    """Whether the version may act now.

    Attributes:
        allowed: Whether it may, within the conditions.
        action: What the gate said: ``allow``, ``allow_with_conditions``, ``route_to_human`` or
            ``deny``.
        freshness: How old the permit is.
        conditions: Name of a column to the most it may be, and ``human_review_share`` to the least
            share of decisions that a person looks at.
        reasons: Why it may do no more.
        permit: What the permit says; empty without one.
    """

    allowed: bool
    action: str
    freshness: Freshness
    conditions: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    permit: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it in words."""
        return "; ".join([f"{self.action} ({self.freshness.value})", *self.reasons])


@dataclass(frozen=True)
class _Held:
    """A permit as it is kept: until when by this machine's two clocks, and what it says."""

    says: Mapping[str, Any]
    body: bytes
    tag: str
    asked: float

    def freshness(self, monotonic: float, wall: float) -> Freshness:
        says = self.says
        # A clock that is set back makes no permit longer, and a machine that slept none either.
        age = max(monotonic - self.asked, wall - _SKEW - says["iat"])
        if age < says["exp"] - says["iat"]:
            return Freshness.FRESH
        return Freshness.STALE if age < says["stale_until"] - says["iat"] else Freshness.EXPIRED

    def half_used(self, monotonic: float) -> bool:
        return monotonic - self.asked > _life(self) / 2


class Gate:
    """Whether one version may act, asked of the monitor and remembered.

    It may be used by several threads. `decide` takes microseconds while the permit is fresh: it is
    renewed in the background from its half on.

    Args:
        url: The monitor, such as ``http://modelmon:9108``.
        model: Name of the model.
        version: The version that is served.
        keys: The monitor's key set, as ``/v1/keys`` shows it: give what you got another way, and
            nobody between can sign. None: it is asked for.
        token: Sent as a bearer token, where the monitor asks for one.
        timeout: Seconds that an answer may take.
        monotonic: A clock that never jumps, in seconds.
        wall: The time of day, in seconds since 1970.
    """

    def __init__(
        self,
        url: str,
        model: str,
        version: str,
        *,
        keys: Mapping[str, Any] | None = None,
        token: str = "",
        timeout: float = 2.0,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,  # noqa: TID251  # where it runs there is no other
    ) -> None:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"the monitor is at http://… or https://…, not at {url!r}")
        self._url = url.rstrip("/")
        self._model, self._version = model, version
        self._path = f"/v1/gate/{quote(model, safe='')}/{quote(version, safe='')}"
        self._pinned = keys is not None
        self._keys = {} if keys is None else _keys_of(keys)
        self._keys_asked = float("-inf")
        self._token, self._timeout = token, timeout
        self._monotonic, self._wall = monotonic, wall
        self._held: _Held | None = None
        self._trouble = ""
        self._tried = float("-inf")
        self._keeping, self._turn = threading.Lock(), threading.Lock()
        self._renewing = threading.Event()
        self._closed = threading.Event()
        self._opener = urllib.request.build_opener(_NoRedirect)

    def __str__(self) -> str:
        """Return which version of which model it is about."""
        return f"{self._model} {self._version}"

    def decide(self) -> Decision:
        """Return whether the version may act now. It never raises: who cannot ask is refused."""
        held = self._held
        now = self._monotonic()
        if held is None or held.freshness(now, self._wall()) is not Freshness.FRESH:
            self._try(now)
        elif held.half_used(now) and not self._renewing.is_set():
            self._renewing.set()
            threading.Thread(target=self._renew, name="modelmon-gate", daemon=True).start()
        return self._decision()

    def guard(
        self, function: Callable[..., _RESULT] | None = None, *, keeps_conditions: bool = False
    ) -> Any:
        """Return a function that is called only while the version may act.

        Args:
            function: The function.
            keeps_conditions: Whether it keeps conditions: it is then called with the decision as
                ``decision=``. A function that does not is refused whatever has some.

        Raises:
            RefusedError: By the returned function, when the version may not act.
        """
        if function is None:
            return functools.partial(self.guard, keeps_conditions=keeps_conditions)

        @functools.wraps(function)
        def guarded(*arguments: Any, **named: Any) -> _RESULT:
            decision = self.decide()
            if not decision.allowed or (decision.conditions and not keeps_conditions):
                raise RefusedError(decision)
            if keeps_conditions:
                named["decision"] = decision
            return function(*arguments, **named)

        return guarded

    def follow(self, changed: Callable[[Decision], None] = lambda _: None) -> None:
        """Be told of changes at once instead of at the next renewal, in a thread of its own.

        Args:
            changed: Called with each decision that differs from the one before.
        """
        thread = threading.Thread(
            target=self._follow, args=(changed,), name="modelmon-gate-follow", daemon=True
        )
        thread.start()

    def close(self) -> None:
        """End what `follow` has begun, at its next answer."""
        self._closed.set()

    @property
    def document(self) -> bytes:
        """Return the newest permit as the monitor sent it; empty without one."""
        return b"" if self._held is None else self._held.body

    def ask(self, wait: float = 0.0) -> None:
        """Ask the monitor for a permit now.

        Args:
            wait: Seconds to wait while the answer is the one that is known.

        Raises:
            GateError: It cannot be asked, or what it says cannot be believed.
        """
        held, started = self._held, self._monotonic()
        headers, path = {}, self._path
        if wait and held is not None:
            headers["If-None-Match"] = held.tag
            path = f"{path}?wait={wait:g}"
        status, tag, body = self._get(path, headers, self._timeout + wait)
        if status == _UNCHANGED:
            return
        if status != _OK:
            raise GateError(f"the monitor answered {status}: {_said(body)}")
        self._keep(_Held(self._believed(body), body, tag, started))

    def _keep(self, new: _Held) -> None:
        with self._keeping:
            old = self._held
            # Of two replicas one may lag behind: what it says does not undo what is known.
            lags = old is not None and new.says["seq"] < old.says["seq"]
            if old is None or not lags or self._freshness(old) is not Freshness.FRESH:
                self._held = new
            self._trouble = ""

    def _freshness(self, held: _Held) -> Freshness:
        return held.freshness(self._monotonic(), self._wall())

    def _try(self, now: float) -> None:
        """Ask unless that failed a moment ago; one thread asks for all.

        The others wait for it where they have nothing that may be used meanwhile.
        """
        held = self._held
        needed = held is None or self._freshness(held) is Freshness.EXPIRED
        if not self._turn.acquire(blocking=needed):
            return
        try:
            if self._held is held and not (self._trouble and now - self._tried < _PAUSE):
                self._tried = self._monotonic()
                self.ask()
        except GateError as error:
            self._trouble = str(error)
        finally:
            self._turn.release()

    def _renew(self) -> None:
        try:
            self._try(self._monotonic())
        finally:
            self._renewing.clear()

    def _follow(self, changed: Callable[[Decision], None]) -> None:
        last = None
        while not self._closed.is_set():
            try:
                held = self._held
                renew = held is None or held.half_used(self._monotonic())
                self.ask(0.0 if renew or held is None else min(_WAIT, _life(held) / 2))
            except GateError as error:
                self._trouble = str(error)
                self._closed.wait(_PAUSE)
            decision = self._decision()
            said = (decision.allowed, decision.action, dict(decision.conditions))
            if said != last and not self._closed.is_set():
                changed(decision)
            last = said

    def _decision(self) -> Decision:
        held = self._held
        if held is None:
            reason = self._trouble or "the monitor was not asked yet"
            return Decision(False, "deny", Freshness.NONE, reasons=(f"no_permit: {reason}",))  # noqa: FBT003
        says, freshness = held.says, self._freshness(held)
        allowed = says["action"] in _ALLOWING
        reasons = tuple(says["reasons"])
        if freshness is not Freshness.FRESH:
            reasons = (f"{freshness.value}: {self._trouble}", *reasons)
        if freshness is Freshness.EXPIRED and says["on_expiry"] != "open":
            allowed = False
        conditions = says["conditions"] if allowed else {}
        return Decision(allowed, says["action"], freshness, conditions, reasons, says)

    def _believed(self, body: bytes) -> Mapping[str, Any]:
        """Return what a permit says, if its signature is the monitor's and it is about us.

        Raises:
            GateError: It is not.
        """
        try:
            token = json.loads(body)["permit"]
            head, claims, signature = token.split(".")
            header, says = json.loads(_decoded(head)), json.loads(_decoded(claims))
            signed, by = f"{head}.{claims}".encode("ascii"), _decoded(signature)
            kid, kind = header["kid"], (header["alg"], header["typ"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GateError(f"what the monitor sent is no permit: {error}") from error
        if kind != ("EdDSA", _TYPE):
            raise GateError(f"what the monitor sent is no permit but {kind}")
        _verify(self._key(kid), by, signed)
        about = (says.get("v"), says.get("model"), says.get("version"))
        if about != (FORM, self._model, self._version):
            raise GateError(f"the permit is about {about}, not {self._model} {self._version}")
        if says["exp"] < self._wall() - _SKEW:
            raise GateError("the permit ended a while ago, or the clock of this machine is wrong")
        return says  # type: ignore[no-any-return]

    def _key(self, kid: str) -> bytes:
        if kid not in self._keys and not self._pinned:
            now = self._monotonic()
            if now - self._keys_asked > _KEYS_PAUSE:
                self._keys_asked = now
                status, _, body = self._get("/v1/keys", {}, self._timeout)
                if status == _OK:
                    self._keys = _keys_of(_json(body))
        if kid not in self._keys:
            raise GateError("the permit is signed by a key that is not the monitor's")
        return self._keys[kid]

    def _get(self, path: str, headers: Mapping[str, str], timeout: float) -> tuple[int, str, bytes]:
        sent = dict(headers)
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._url + path, headers=sent)  # noqa: S310  # http or https
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                return answer.status, answer.headers.get("ETag", ""), answer.read(_MOST_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, "", error.read(_MOST_BYTES)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise GateError(f"the monitor at {self._url} cannot be asked: {reason}") from error


_OK, _UNCHANGED = 200, 304


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a token is for the monitor alone."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Return nothing to go on with."""


def _life(held: _Held) -> float:
    return float(held.says["exp"] - held.says["iat"])


def _json(body: bytes) -> Any:
    """Return what a body holds.

    Raises:
        GateError: It is no JSON.
    """
    try:
        return json.loads(body)
    except ValueError as error:
        raise GateError(f"what the monitor sent is no JSON: {error}") from error


def _said(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace")


def _keys_of(document: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the Ed25519 keys of a key set by their names.

    Raises:
        GateError: It is no key set.
    """
    try:
        return {
            str(key["kid"]): _decoded(key["x"])
            for key in document["keys"]
            if (key["kty"], key["crv"]) == ("OKP", "Ed25519")
        }
    except (KeyError, TypeError, ValueError) as error:
        raise GateError(f"not a key set as /v1/keys shows it: {error}") from error


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _verify(key: bytes, signature: bytes, signed: bytes) -> None:
    """Make sure that a key has signed something.

    Raises:
        GateError: It has not, or nothing here can tell.
    """
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  # only who verifies
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PublicKey,
        )
    except ImportError as error:
        raise GateError("permits are verified by the package cryptography: install it") from error
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError) as error:
        raise GateError("the permit's signature is not the monitor's") from error
