"""``/v1/gate/…`` and ``/v1/keys``: permits for who keeps them, yes or no for proxies.

Answers come from memory and none is written. The path is taken apart before it is decoded, so that
a version may have a slash in its name.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs, quote, unquote

from msgspec import Struct
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.domain.errors import StoreError
from monitor.domain.governance import GateAction, Governance
from monitor.engine.answering import OTHERS
from monitor.governance.jws import key_set
from monitor.governance.permit import Answer
from monitor.web.gate.board import Board, CrowdedError
from monitor.web.gate.door import GateDoor
from monitor.web.gate.issue import Issuer
from monitor.web.gate.usage import UsageCount

LONGEST_WAIT = 60.0
"""Seconds that a request may wait for another answer."""

KEEPS = "conditions"
"""What ``keeps`` says on a check of who hands the conditions on and has them kept."""

_GATE = "/v1/gate/"
_KEYS = "/v1/keys"
_NO_KEY = "this gate signs nothing: modelmon gate init makes a key, and gate.key names it"

_READS = ("GET", "HEAD")
_WITHOUT_BODY = (204, 304)
_READABLE = " :;,.()'/+-"
_TAG_DIGITS = 32

_LOOK_AGAIN = 1.0
"""Seconds after which who waits looks whether the gate is in trouble: nobody is woken for that."""

Headers = Sequence[tuple[bytes, bytes]]


_JSON = (b"content-type", b"application/json")
_OK, _WHO = 200, 401
_CHALLENGE: Headers = ((b"www-authenticate", b"Bearer"),)
_SOON: Headers = ((b"retry-after", b"1"),)
_ALWAYS: Headers = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class Reply(Struct, frozen=True):
    """What is sent."""

    status: int
    body: bytes = b""
    headers: Headers = ()


class GateEndpoints:
    """Answers what is asked of the gate, and hands everything else on.

    Args:
        rest: Everything else.
        board: What is answered.
        issuer: Signs permits; None where no key is configured: only yes and no is told then.
        usage: Counts who asked.
        now: The present.
        door: Lets those ask who may.
    """

    def __init__(  # noqa: PLR0917  # six nouns, each of another type
        self,
        rest: ASGIApp,
        board: Board,
        issuer: Issuer | None,
        usage: UsageCount,
        now: Callable[[], datetime],
        door: GateDoor,
    ) -> None:
        self._rest = rest
        self._board = board
        self._issuer = issuer
        self._usage = usage
        self._now = now
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path.startswith(_GATE) or path == _KEYS):
            await self._rest(scope, receive, send)
            return
        reply = self._keys(scope) if path == _KEYS else await self._gate(scope, receive)
        await _send(reply, send, head=scope["method"] == "HEAD")

    def _keys(self, scope: Scope) -> Reply:
        if scope["method"] not in _READS:
            return _WRONG_METHOD
        keys = [] if self._issuer is None else [self._issuer.key.verifying]
        return _json(200, key_set(keys))

    async def _gate(self, scope: Scope, receive: Receive) -> Reply:
        parts = [unquote(part) for part in _raw_path(scope).removeprefix(_GATE).split("/")]
        checks = parts[0] == "check" and len(parts) > 2  # noqa: PLR2004  # a proxy may add its own path
        named = parts[1:3] if checks else parts
        if len(named) != 2 or not all(named):  # noqa: PLR2004  # model and version
            return _error(404, f"ask for {_GATE}MODEL/VERSION or {_GATE}check/MODEL/VERSION")
        if not checks and scope["method"] not in _READS:
            return _WRONG_METHOD
        model, version = named
        known = self._board.known.models.get(model)
        try:
            client = await self._door.admit(scope, None if known is None else known.policy)
        except StoreError as error:
            return _error(503, str(error), _SOON)
        if client.status != _OK:
            challenge = _CHALLENGE if client.status == _WHO else ()
            return _error(client.status, client.reason, challenge)
        if checks:
            return self._check(model, version, scope, client.name)
        return await self._permit(model, version, scope, receive, client.name)

    def _check(self, model: str, version: str, scope: Scope, client: str) -> Reply:
        if self._board.trouble:
            return _error(503, self._board.trouble, _SOON)
        answer, _ = self._answer(model, version)
        self._count(answer, client)
        keeps = parse_qs(scope["query_string"].decode("latin-1")).get("keeps", [])
        allowed = answer.action is GateAction.ALLOW or (answer.acts and KEEPS in keeps)
        said = json.dumps(dict(answer.conditions), separators=(",", ":"))
        headers = (
            (b"modelmon-action", answer.action.value.encode()),
            (b"modelmon-conditions", said.encode()),
            (b"modelmon-reasons", quote("; ".join(answer.reasons), safe=_READABLE).encode()),
        )
        return Reply(204 if allowed else 403, headers=headers)

    async def _permit(
        self, model: str, version: str, scope: Scope, receive: Receive, client: str
    ) -> Reply:
        issuer = self._issuer
        if issuer is None:
            return _error(503, _NO_KEY)
        try:
            wait = _wait_of(scope)
        except ValueError as error:
            return _error(400, str(error))
        try:
            await self._wait(model, version, _tags(scope), wait, receive)
        except CrowdedError:
            return _error(503, "too many wait for the gate already", _SOON)
        if self._board.trouble or self._board.closed:
            return _error(503, self._board.trouble or "the daemon is stopping", _SOON)
        answer, governance = self._answer(model, version)
        self._count(answer, client)
        if governance is None:
            return _error(404, f"no model {model!r} is watched here")
        tag = _tag(answer)
        same = tag in _tags(scope)
        log, now = self._board.known.log, self._now()
        body = b"" if same else issuer.issue(answer, governance, log, now)
        return Reply(304 if same else 200, body, (_JSON, (b"etag", tag.encode())))

    async def _wait(
        self, model: str, version: str, tags: frozenset[str], wait: float, receive: Receive
    ) -> None:
        """Wait while the answer is the one that the asker has, but no longer than it said."""
        board = self._board
        end, gone = board.monotonic() + wait, asyncio.ensure_future(_gone(receive))
        try:
            while not (gone.done() or board.closed or board.trouble):
                generation, left = board.generation, end - board.monotonic()
                answer, _ = self._answer(model, version)
                if _tag(answer) not in tags or left <= 0:
                    return
                await board.changed(generation, min(left, _LOOK_AGAIN), gone)
        finally:
            gone.cancel()

    def _answer(self, model: str, version: str) -> tuple[Answer, Governance | None]:
        known = self._board.known.models.get(model)
        if known is None:
            reason = f"unknown_model: no model {model} is watched here"
            return Answer(model, version, GateAction.DENY, reasons=(reason,)), None
        return known.of(version), known.governance

    def _count(self, answer: Answer, client: str) -> None:
        watched = answer.model in self._board.known.models
        self._usage.count(
            (answer.model if watched else OTHERS, answer.version, answer.action),
            client,
            self._now(),
            known=answer.state is not None,
        )


def _raw_path(scope: Scope) -> str:
    """Return the path as it was sent; a server that does not tell it has decoded it."""
    raw: bytes | None = scope.get("raw_path")
    return quote(scope["path"]) if raw is None else raw.partition(b"?")[0].decode("latin-1")


def _wait_of(scope: Scope) -> float:
    """Return how long the request may wait; 0 where it does not say.

    Raises:
        ValueError: It says something else than seconds.
    """
    said = parse_qs(scope["query_string"].decode("latin-1")).get("wait", ["0"])[-1]
    try:
        seconds = float(said)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT:
        raise ValueError(f"wait is a number of seconds from 0 to {LONGEST_WAIT:g}, not {said!r}")
    return seconds


def _tag(answer: Answer) -> str:
    """Return the entity tag of an answer: weak, because each permit of it has another end."""
    return f'W/"{answer.digest[:_TAG_DIGITS]}"'


def _tags(scope: Scope) -> frozenset[str]:
    """Return the tags of ``If-None-Match``, compared weakly as RFC 9110 has it."""
    found = [
        value.decode("latin-1") for name, value in scope["headers"] if name == b"if-none-match"
    ]
    tags = (tag.strip() for value in found for tag in value.split(","))
    return frozenset(tag if tag.startswith("W/") else f"W/{tag}" for tag in tags)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _json(status: int, document: Mapping[str, object], headers: Headers = ()) -> Reply:
    return Reply(status, json.dumps(document).encode() + b"\n", (_JSON, *headers))


def _error(status: int, sentence: str, headers: Headers = ()) -> Reply:
    return _json(status, {"error": sentence}, headers)


_WRONG_METHOD = _error(405, "only GET and HEAD are answered here", ((b"allow", b"GET, HEAD"),))


async def _send(reply: Reply, send: Send, *, head: bool) -> None:
    bare = reply.status in _WITHOUT_BODY
    length = () if bare else ((b"content-length", str(len(reply.body)).encode()),)
    headers = [*reply.headers, *length, *_ALWAYS]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})
