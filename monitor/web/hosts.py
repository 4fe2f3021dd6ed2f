"""By which names the daemon is asked: a page elsewhere reaches it by a name of its own only."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.domain.settings import DaemonSettings

BY_ANY_NAME = frozenset({"/metrics", "/-/healthy", "/-/ready"})
"""What is asked by whatever name a cluster has for the daemon, where it listens beyond this machine."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z._-]{1,255})(?::[0-9]{0,5})?")
_ABSENT = "name the daemon in Host, once"
_A_PATH = "ask for a path: the daemon is no proxy"


def answering_to_its_names(app: ASGIApp, settings: DaemonSettings) -> ASGIApp:
    """Return an application that answers who asks it by one of the daemon's names.

    A page elsewhere whose name is made to lead to this machine (DNS rebinding) is, to a browser, of
    one origin with the daemon, and could read everything. Its name gives it away. Addresses are
    always taken, since what has one for a name cannot be made to lead elsewhere, and so are names
    without a dot, which no page on the internet has: they are services, and upstreams of a proxy.

    Args:
        app: What is asked.
        settings: Where the daemon listens, and what it is called.
    """
    here = listens_here(settings.host)
    if not here and not settings.hosts:
        return app  # whoever is on the network reaches it, by names that nobody has told it
    origins = (urlsplit(origin).hostname or "" for origin in settings.access.origins)
    names = (settings.host, *settings.hosts, *origins)
    return _ByName(app, names, frozenset() if here else BY_ANY_NAME)


def listens_here(host: str) -> bool:
    """Return whether only this machine reaches what listens on an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


class _ByName:
    """Answers who asks by a name that is known, or for what anybody may ask for."""

    def __init__(self, app: ASGIApp, names: Iterable[str], by_any: frozenset[str]) -> None:
        self._app = app
        self._by_any = by_any
        known = frozenset(name.lower().removesuffix(".") for name in names)
        self._is_known = lru_cache(maxsize=256)(lambda host: _is_of(host, known))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._refusal(scope) or self._app
        await answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if not scope["path"].startswith("/"):
            return _refused(400, _A_PATH)
        if scope["path"] in self._by_any:
            return None
        said = [value for name, value in scope["headers"] if name == b"host"]
        if not said and scope["http_version"] == "1.0":
            return None  # every browser says it
        if len(said) != 1:
            return _refused(400, _ABSENT)
        return None if self._is_known(said[0]) else _refused(421, _not_its_name(said[0]))


def _refused(status: int, told: str) -> Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return PlainTextResponse(f"{told}\n", status, headers)


def _name_in(host: bytes) -> str | None:
    """Return the name or address in a header; None where it has none."""
    found = _HOST.fullmatch(host.decode("latin-1").lower())
    return None if found is None else found[1].strip("[]").removesuffix(".")


def _is_of(host: bytes, known: frozenset[str]) -> bool:
    name = _name_in(host)
    if not name:
        return False
    if name in known or name.endswith(".localhost"):
        return True
    if "." not in name and ":" not in name:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _not_its_name(host: bytes) -> str:
    name = _name_in(host)
    told = "what Host says is no name" if name is None else f"{name!r} is no name of this daemon"
    return f"{told}: ask by an address or localhost, or write its name under web.hosts"
