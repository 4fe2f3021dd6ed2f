"""``POST /-/reload``: the configuration is read again, for who may ask for it."""

from collections.abc import Callable
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from monitor.domain.errors import ConfigError, ModelmonError

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""What a proxy adds: one on this machine makes everybody's request look like this machine's."""

_BROWSER = ("origin", "referer")
"""What a browser adds: a page from elsewhere can make it send a request to this machine."""

_OFF = "reloading over HTTP is off; send SIGHUP, or set web.reload: true and restart"
_ELSEWHERE = "only a request made on this machine, by no proxy and no browser, may reload"


def reload_route(reload: Callable[[], str] | None) -> Callable[[Request], Response]:
    """Return what answers ``/-/reload``.

    Args:
        reload: Reads the configuration again and says what has changed; None when that is off.
    """

    # Not a coroutine: it runs in a thread, and reading files holds up no probe.
    def answer(request: Request) -> Response:
        if reload is None:
            return _plain(_OFF, 403)
        if not from_this_machine(request):
            return _plain(_ELSEWHERE, 403)
        try:
            changed = reload()
        except ConfigError as error:
            return _plain(f"refused; the configuration in force stays:\n{error}", 400)
        except ModelmonError as error:
            return _plain(f"refused; the configuration in force stays: {error}", 503)
        return _plain(changed, 200)

    return answer


def from_this_machine(request: Request) -> bool:
    """Return whether a request comes from a loopback address, directly and not from a web page."""
    if request.client is None or any(name in request.headers for name in (*_FORWARDED, *_BROWSER)):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:  # a name, not an address
        return False


def _plain(text: str, status: int) -> Response:
    return PlainTextResponse(f"{text}\n", status_code=status)
