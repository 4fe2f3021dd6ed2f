"""The daemon's HTTP interface."""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.exposition.page import ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.web.api.serving import Api
from monitor.web.health import Health
from monitor.web.negotiation import accepts_gzip, asked_form
from monitor.web.pages.answers import Pages
from monitor.web.pages.library import Library
from monitor.web.reload import reload_route

_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def create_app(
    page: ResultsPage,
    process: ProcessMetrics,
    health: Health,
    library: Library,
    reload: Callable[[], str] | None = None,
    *,
    api: Api | None = None,
    further: Sequence[Route] = (),
) -> Starlette:
    """Return the ASGI application.

    Args:
        page: The results part of the metrics page.
        process: The process part of it.
        health: What the probes answer.
        library: What pages are made from.
        reload: Reads the configuration again and says what has changed; None when requests may not.
        api: The JSON interface; None for none.
        further: Routes of parts that not every daemon has.
    """

    # Functions that are not coroutines run in a thread: a large page holds up no probe.
    def metrics(request: Request) -> Response:
        form = asked_form(request.headers.get("accept", ""))
        rendered, headers = process.render(form), {"Vary": "Accept, Accept-Encoding"}
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            body, headers["Content-Encoding"] = page.packed(rendered, form), "gzip"
        else:
            body = page.text(rendered, form)
        # As a header: starlette would append a charset to a media type that has one.
        return Response(body, headers={**headers, "Content-Type": form.value})

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/-/healthy", _probe(health.healthy)),
            Route("/-/ready", _probe(health.ready)),
            Route("/-/reload", reload_route(reload), methods=["POST", "PUT"]),
            *further,
            *([] if api is None else api.routes()),  # it has all that is left below /v1/
            *Pages(library).routes(),
        ],
        middleware=[Middleware(_SecurityHeaders)],
    )


def _probe(ask: Callable[[], tuple[bool, str]]) -> Callable[[Request], Response]:
    def answer(_: Request) -> Response:
        good, sentence = ask()
        return PlainTextResponse(f"{sentence}\n", status_code=200 if good else 503)

    return answer


class _SecurityHeaders:
    """Adds headers that forbid a browser everything these answers do not need."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY.items():
                    headers.setdefault(name, value)  # a page may have a stylesheet
            await send(message)

        await self._app(scope, receive, send_with_headers)
