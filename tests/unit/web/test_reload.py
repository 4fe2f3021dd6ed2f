import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from monitor.domain.errors import ConfigError, Problem, StoreError
from monitor.web.reload import reload_route


def ask(reload, client=("127.0.0.1", 50_000), method="POST", **headers):
    app = Starlette(routes=[Route("/-/reload", reload_route(reload), methods=["POST", "PUT"])])

    async def request():
        transport = httpx.ASGITransport(app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as session:
            return await session.request(method, "/-/reload", headers=headers)

    return asyncio.run(request())


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_it_says_what_has_changed(method):
    answer = ask(lambda: "model credit changed", method=method)
    assert (answer.status_code, answer.text) == (200, "model credit changed\n")


def test_a_link_or_a_crawler_cannot_reload():
    assert ask(lambda: "changed", method="GET").status_code == 405


def test_it_is_refused_where_it_is_off():
    answer = ask(None)
    assert answer.status_code == 403
    assert "web.reload: true" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1"])
def test_addresses_of_this_machine_may_ask(host):
    assert ask(lambda: "done", client=(host, 1)).status_code == 200


@pytest.mark.parametrize("client", [("10.0.0.7", 1), ("2001:db8::1", 1), ("testclient", 1), None])
def test_nobody_else_may(client):
    called = []
    answer = ask(lambda: called.append(1) or "done", client=client)
    assert answer.status_code == 403
    assert not called


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "Origin", "Referer"]
)
def test_a_proxy_or_a_web_page_on_this_machine_may_not_ask_for_others(header):
    called = []
    answer = ask(lambda: called.append(1) or "done", **{header: "127.0.0.1"})
    assert answer.status_code == 403
    assert not called


def test_every_problem_is_in_the_answer_with_its_line():
    problems = (
        Problem("a.yaml", 3, 7, "fields.x", "wrong"),
        Problem("b.yaml", 1, 1, "model", "missing"),
    )

    def refuse():
        raise ConfigError(problems)

    answer = ask(refuse)
    assert answer.status_code == 400
    assert answer.text.splitlines()[1:] == [
        "a.yaml:3:7: fields.x: wrong",
        "b.yaml:1:1: model: missing",
    ]


def test_a_store_that_cannot_be_read_is_not_the_callers_fault():
    def refuse():
        raise StoreError("the database is gone")

    answer = ask(refuse)
    assert answer.status_code == 503
    assert "stays: the database is gone" in answer.text
