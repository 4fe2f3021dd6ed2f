"""Requests to the JSON interface: understood, of somebody who is known, carried out once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from hashlib import sha256
from re import fullmatch
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from monitor.domain.errors import ModelmonError, RefusedError
from monitor.domain.policy import Policy
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action, Who, authorise
from monitor.governance.receipt import Receipt
from monitor.web.access.asking import Doorkeeper
from monitor.web.access.unknown import UnknownError
from monitor.web.api.endpoint import Answer, Asked, Body, Desk, Endpoint, MissingError
from monitor.web.api.openapi import openapi
from monitor.web.api.problem import ProblemError, problem
from monitor.web.api.receipts import with_receipts
from monitor.web.api.refusals import Refusals
from monitor.web.pages.address import segments

MOST_BYTES = 65_536
"""Of a body: the longest reason, written with escapes, is shorter."""

_TOO_LONG = f"a body has {MOST_BYTES:,} bytes at most"

PATIENCE = 10.0
"""Seconds that a body may take to come."""

_KEY = "[A-Za-z0-9._:-]{1,100}"
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="modelmon"'}

_log = logging.getLogger("modelmon")


class Api(Struct, frozen=True):
    """The JSON interface.

    Attributes:
        endpoints: What can be asked.
        desk: What it is answered from.
        door: Tells who asks.
        refusals: Where it is recorded that somebody may not.
        version: Of modelmon.
        writes: Whether anything can be changed.
        origins: Addresses of the daemon as browsers know it.
        count: Called with the status of each answer.
    """

    endpoints: Sequence[Endpoint]
    desk: Desk
    door: Doorkeeper
    refusals: Refusals
    version: str
    writes: bool = False
    origins: tuple[str, ...] = ()
    count: Callable[[int], None] = lambda _: None

    def routes(self) -> list[BaseRoute]:
        """Return what leads to it."""

        @cache
        def document() -> dict[str, Any]:
            return dict(openapi(self.endpoints, self.version))

        def described(_: Request) -> Response:
            return JSONResponse(document())

        return [
            Route("/v1/openapi.json", described),
            Below("/v1/", self._answer),
        ]

    async def _answer(self, request: Request) -> Response:
        answer = await self._answered(request)
        self.count(answer.status_code)
        return answer

    async def _answered(self, request: Request) -> Response:
        try:
            endpoint, parts = self._meant(request)
            if endpoint.writes:
                self._require_own_page(request)
            # Who asks is known before anything else is said or read.
            who = await run_in_threadpool(self._who, request)
            body = await _body(request) if endpoint.writes else b""
            return await run_in_threadpool(self._done, endpoint, request, parts, who, body)
        except ProblemError as error:
            return problem(error)
        except ClientDisconnect:
            return problem(ProblemError(400, "the body broke off"))

    def _meant(self, request: Request) -> tuple[Endpoint, dict[str, str]]:
        sent = segments(_sent(request))
        found = [(each, each.matches(sent)) for each in self.endpoints]
        here = [(each, dict(parts)) for each, parts in found if parts is not None]
        if not here:
            raise ProblemError(404, "there is no such address; see /v1/openapi.json")
        for each, parts in here:
            if each.method == request.method:
                return each, parts
        right = ", ".join(sorted(each.method for each, _ in here))
        raise ProblemError(405, f"right is {right}", headers={"Allow": right})

    def _require_own_page(self, request: Request) -> None:
        """Refuse what a page from elsewhere makes a browser send."""
        if not self.writes:
            raise ProblemError(
                403,
                "nothing can be changed over HTTP here; see the section access of modelmon.yaml",
            )
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site not in {None, "same-origin", "none"}:
            raise ProblemError(403, f"a browser sends this from elsewhere (Sec-Fetch-Site: {site})")
        if origin is not None and origin not in self.origins:
            raise ProblemError(
                403, "a browser sends this from an address that is not in access.origins"
            )

    def _who(self, request: Request) -> Who:
        try:
            who = self.door.who(request)
        except UnknownError as error:
            raise ProblemError(401, str(error), headers=_CHALLENGE) from error
        except ModelmonError as error:
            raise _unavailable(error) from error
        if who is None:
            told = "say who asks: Authorization: Bearer, and a token"
            raise ProblemError(401, told, headers=_CHALLENGE)
        return who

    def _done(  # what is known of a request, in the order in which it is
        self, endpoint: Endpoint, request: Request, parts: dict[str, str], who: Who, body: bytes
    ) -> Response:
        try:
            asked = self._asked(endpoint, parts, who, body)
            key = request.headers.get("idempotency-key") if endpoint.writes else None
            if key is None:
                return _said(_handled(endpoint, asked).model_dump_json())
            return self._once(asked, key, request, body, endpoint)
        except NotAllowedError as error:
            if endpoint.action is not None:
                self._record(who, endpoint.action, parts, error)
            raise ProblemError(403, *error.reasons) from error
        except RefusedError as error:
            raise ProblemError(409, *error.reasons) from error
        except MissingError as error:
            raise ProblemError(404, str(error)) from error
        except ModelmonError as error:
            raise _unavailable(error) from error

    def _asked(self, endpoint: Endpoint, parts: dict[str, str], who: Who, body: bytes) -> Asked:
        at, policy = self.desk.now(), self._policy(parts)

        def may(action: Action) -> None:
            try:
                authorise(who, action, policy, at)
            except NotAllowedError as error:
                self._record(who, action, parts, error)
                raise

        if endpoint.action is not None:
            may(endpoint.action)  # before it is said what there is
        wanted = None if endpoint.body is None else _understood(endpoint.body, body)
        return Asked(self.desk, who, at, parts, policy, wanted, may)

    def _policy(self, parts: dict[str, str]) -> Policy | None:
        if "model" not in parts:
            return None
        known = self.desk.models().get(parts["model"])
        if known is None:
            raise MissingError("no model of this name is watched here")
        return known.policy

    def _once(  # what is known of a request, in the order in which it is
        self, asked: Asked, key: str, request: Request, body: bytes, endpoint: Endpoint
    ) -> Response:
        if not fullmatch(_KEY, key):
            raise ProblemError(400, "Idempotency-Key has 1 to 100 letters, digits, and . _ : -")
        whose, access = asked.who.named, self.desk.access
        what = sha256(b"\0".join((_sent(request), body)))
        before = access.begin(whose, key, what.hexdigest(), asked.at)
        if before is None:
            return self._first(asked, key, endpoint)
        if before.digest != what.hexdigest():
            raise ProblemError(409, "another request was sent with this Idempotency-Key")
        if before.status is None:
            told = "this request is being carried out, or broke off: look what has become of it"
            raise ProblemError(409, told)
        return _said(before.body, again=True)

    def _first(self, asked: Asked, key: str, endpoint: Endpoint) -> Response:
        whose, access = asked.who.named, self.desk.access
        try:
            answer = _handled(endpoint, asked)
        except (RefusedError, MissingError):
            access.end(whose, key, None, "")  # nothing was done: it may be asked again
            raise
        access.end(whose, key, 200, endpoint.kept(answer).model_dump_json())
        return _said(answer.model_dump_json())

    def _record(
        self, who: Who, action: Action, parts: dict[str, str], error: NotAllowedError
    ) -> None:
        try:
            self.refusals.note(who, action, parts.get("model", ""), error, self.desk.now())
        except ModelmonError as trouble:
            _log.error("a refusal cannot be recorded: %s", trouble, exc_info=trouble)


class Below(BaseRoute):
    """Every address that begins so, by any method: a path may hold a line break."""

    def __init__(self, begin: str, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self._begin = begin
        self._answer = answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a request is for it."""
        here = scope["type"] == "http" and scope["path"].startswith(self._begin)
        return (Match.FULL if here else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        answer = await self._answer(Request(scope, receive))
        await answer(scope, receive, send)


def _handled(endpoint: Endpoint, asked: Asked) -> Answer:
    """Return an answer; of what changed something with the receipts of its records."""
    if not endpoint.writes:
        return endpoint.handle(asked)
    receipts: list[Receipt] = []
    store, access = asked.desk.store, asked.desk.access
    desk = replace(
        asked.desk,
        store=store.receipting(receipts.append),
        access=access.receipting(receipts.append),
    )
    return with_receipts(endpoint.handle(replace(asked, desk=desk)), receipts)


def _sent(request: Request) -> bytes:
    """Return the path as it was sent: a name may hold a slash."""
    found: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return found


def _said(body: str, *, again: bool = False) -> Response:
    headers = {"Idempotent-Replayed": "true"} if again else {}
    return Response(body, headers=headers, media_type="application/json")


def _unavailable(error: ModelmonError) -> ProblemError:
    _log.error("not answered: %s", error, exc_info=error)
    return ProblemError(503, f"the database cannot be used now: {type(error).__name__}")


async def _body(request: Request) -> bytes:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise ProblemError(415, "Content-Type must be application/json")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > MOST_BYTES:
        raise ProblemError(413, _TOO_LONG)  # before anything of it was asked for
    found = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                found += part
                if len(found) > MOST_BYTES:
                    raise ProblemError(413, _TOO_LONG)
    except TimeoutError as error:
        told = f"a body comes within {PATIENCE:g} seconds"
        raise ProblemError(408, told, headers={"Connection": "close"}) from error
    return bytes(found)


def _understood(kind: type[Body], body: bytes) -> Body:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        told = [_wrong(dict(each)) for each in error.errors(include_url=False)]
        raise ProblemError(422, *told) from error


def _wrong(detail: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    return f"{where}: {detail['msg']}" if where else str(detail["msg"])
