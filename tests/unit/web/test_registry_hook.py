"""The registry's webhook: who is heard, and what is never believed."""

import asyncio
import base64
import hmac
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from monitor.web import registry_hook
from monitor.web.registry_hook import LARGEST, Deliveries, webhook_route

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
BODY = b'{"entity": "model_version_alias", "action": "created"}'


class World:
    def __init__(self):
        self.now = NOW
        self.asked = 0
        self.deliveries = Deliveries("s3cret", lambda: self.now)
        route = webhook_route(self.deliveries, self.ask)
        self.app = Starlette(routes=[route])

    def ask(self):
        self.asked += 1

    def post(self, delivery="d-1", at=NOW, body=BODY, secret="s3cret", **headers):  # noqa: S107
        stamp = headers.pop("stamp", str(int(at.timestamp())))
        signed = hmac.digest(secret.encode(), f"{delivery}.{stamp}.".encode() + body, "sha256")
        given = {
            "X-MLflow-Delivery-Id": delivery,
            "X-MLflow-Timestamp": stamp,
            "X-MLflow-Signature": f"v1,{base64.b64encode(signed).decode()}",
            **headers,
        }
        kept = {name: value for name, value in given.items() if value is not None}
        return self.ask_for("POST", content=body, headers=kept)

    def ask_for(self, method, **given):
        async def asked():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, "/v1/registry/webhook", **given)

        return asyncio.run(asked())


@pytest.fixture
def world():
    return World()


def test_a_signed_delivery_has_the_registry_looked_at_now(world):
    assert world.post().status_code == 202
    assert world.asked == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-MLflow-Signature": "v1,AAAA"},
        {"X-MLflow-Signature": "v2,AAAA"},
        {"X-MLflow-Signature": "v1,é".encode("latin-1")},
        {"X-MLflow-Signature": "v1,"},
        {"X-MLflow-Signature": None},
        {"X-MLflow-Delivery-Id": "another"},
        {"X-MLflow-Timestamp": str(int(NOW.timestamp()) + 1)},
        {"X-MLflow-Timestamp": "nan"},
        {"X-MLflow-Timestamp": None},
    ],
)
def test_what_is_not_signed_is_not_heard(world, headers):
    assert world.post(**headers).status_code == 401
    assert world.asked == 0


def test_another_secret_is_not_heard(world):
    assert world.post(secret="guess").status_code == 401  # noqa: S106
    assert world.asked == 0


@pytest.mark.parametrize(
    "away", [timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)]
)
def test_what_is_old_or_of_the_future_is_not_heard(world, away):
    answer = world.post(at=NOW + away)
    assert (answer.status_code, world.asked) == (401, 0)
    assert "five minutes" in answer.text


@pytest.mark.parametrize("stamp", ["nan", "inf", "soon", "1e999", "9" * 400, "-1"])
def test_a_time_that_is_none_is_not_heard_even_where_it_is_signed(world, stamp):
    answer = world.post(stamp=stamp)
    assert (answer.status_code, world.asked) == (401, 0)


def test_what_was_heard_is_not_heard_again_also_when_its_time_is_nearly_over(world):
    world.now = NOW - timedelta(minutes=5)
    assert world.post().status_code == 202
    world.now = NOW + timedelta(minutes=5)
    assert world.post().status_code == 401
    assert world.post("d-2").status_code == 202
    assert world.asked == 2


def test_a_body_without_end_is_not_read_to_its_end(world):
    assert world.post(body=b"x" * (LARGEST + 1)).status_code == 413
    assert world.asked == 0


def test_nothing_is_there_for_who_only_looks(world):
    assert world.ask_for("GET").status_code == 405


def test_a_delivery_that_does_not_come_is_not_waited_for(world, monkeypatch):
    monkeypatch.setattr(registry_hook, "PATIENCE", 0.1)

    said = {
        "X-MLflow-Delivery-Id": "d",
        "X-MLflow-Timestamp": "1",
        "X-MLflow-Signature": "v1,x",
    }

    async def receive():
        await asyncio.sleep(20)

    sent = []

    async def send(message):
        sent.append(message)

    head = [(name.lower().encode(), value.encode()) for name, value in said.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/registry/webhook",
        "query_string": b"",
        "headers": head,
    }
    asyncio.run(world.app(scope, receive, send))
    assert sent[0]["status"] == 408
    assert world.asked == 0
