"""``POST /v1/registry/webhook``: somebody says that the registry has changed, so it is looked at now.

Nothing is read from what they say: webhooks get lost, come twice and name nobody. So all that a
forged one could do is to have the registry looked at once more. A delivery is heard all the same only if
it is signed with our secret, fresh, and new.
"""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

LARGEST = 64 * 1024
"""Bytes of a delivery that are read at the most."""

PATIENCE = 10.0
"""Seconds that a delivery may take to come."""

FRESH = timedelta(minutes=5)
"""By how much its time may differ from ours."""

_REMEMBERED = 10_000
"""Deliveries that are remembered at the most; beyond it none is heard until some are old."""

_DIGITS = 12
"""Digits of a time in seconds at the most."""

_PATH = "/v1/registry/webhook"


class Deliveries:
    """Which deliveries are signed with a secret, fresh, and not heard before.

    Args:
        secret: Shared with who delivers.
        now: The time of day.
    """

    def __init__(self, secret: str, now: Callable[[], datetime]) -> None:
        self._secret = secret.encode()
        self._now = now
        self._heard: dict[str, datetime] = {}
        self._lock = Lock()

    def refusal(self, delivery: str, timestamp: str, signature: str, body: bytes) -> str:
        """Return why a delivery is not heard; "" for one that is, and is not heard again."""
        signed = f"{delivery}.{timestamp}.".encode("utf-8", "surrogateescape") + body
        expected = hmac.new(self._secret, signed, sha256).digest()
        if not hmac.compare_digest(_decoded(signature), expected):
            return "the signature is not that of the secret"
        now = self._now()
        if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _DIGITS):
            return "its time is no number of seconds"
        if abs(now.timestamp() - int(timestamp)) > FRESH.total_seconds():
            return "its time differs from ours by more than five minutes"
        with self._lock:
            old = [name for name, at in self._heard.items() if now - at > 2 * FRESH]
            for name in old:
                del self._heard[name]
            if delivery in self._heard:
                return "it was delivered before"
            if len(self._heard) >= _REMEMBERED:
                return "there were too many lately"
            self._heard[delivery] = now
        return ""


def webhook_route(deliveries: Deliveries, ask: Callable[[], None]) -> Route:
    """Return the route of the registry's webhook.

    Args:
        deliveries: Which of them are heard.
        ask: Has the registry looked at now.
    """

    async def answer(request: Request) -> Response:
        head = request.headers
        named = ("x-mlflow-delivery-id", "x-mlflow-timestamp", "x-mlflow-signature")
        delivery, timestamp, signature = (head.get(name, "") for name in named)
        if not (delivery and timestamp and signature):  # of who does not say so no byte is read
            return PlainTextResponse("a delivery is signed\n", status_code=401)
        body = b""
        try:
            async with asyncio.timeout(PATIENCE):
                async for part in request.stream():
                    body += part
                    if len(body) > LARGEST:
                        return PlainTextResponse("a delivery is not that large\n", status_code=413)
        except TimeoutError:
            return PlainTextResponse("the delivery did not come\n", status_code=408)
        refused = deliveries.refusal(delivery, timestamp, signature, body)
        if refused:
            return PlainTextResponse(f"not heard: {refused}\n", status_code=401)
        ask()
        return PlainTextResponse("the registry is looked at now\n", status_code=202)

    return Route(_PATH, answer, methods=["POST"])


def _decoded(signature: str) -> bytes:
    form, _, text = signature.partition(",")
    if form != "v1":
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
