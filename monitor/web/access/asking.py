"""Who asks: by a token, by a login, or by a proxy that says so."""

import hmac
from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

from msgspec import Struct
from starlette.requests import Request

from monitor.domain.settings import ProxyHeader
from monitor.governance.authorisation import Method, Who
from monitor.governance.tokens import Token, fits, id_of
from monitor.web.access.login import Logins
from monitor.web.access.unknown import UnknownError

_MOST_LETTERS = 200
_NOT_VALID = "this token is not valid: it never was, it is over, or somebody has revoked it"


class Tokens(Protocol):
    """Where tokens are looked up."""

    def token(self, public: str) -> Token | None:
        """Return a token by its public part."""
        ...

    def used(self, token: Token, at: datetime) -> bool:
        """Note that a token was used, unless that was noted within the hour."""
        ...


class Doorkeeper(Struct, frozen=True):
    """Tells who asks.

    Attributes:
        now: Returns the present.
        tokens: Where tokens are looked up; None where none is taken.
        logins: Reads what people have who logged in; None where they do not.
        proxy: A proxy that says who asks; None for none.
    """

    now: Callable[[], datetime]
    tokens: Tokens | None = None
    logins: Logins | None = None
    proxy: ProxyHeader | None = None

    @property
    def open(self) -> bool:
        """Return whether there is any way to tell who asks."""
        return any(way is not None for way in (self.tokens, self.logins, self.proxy))

    def who(self, request: Request) -> Who | None:
        """Return who asks; None where they do not say.

        Raises:
            UnknownError: They say, and are not believed.
            StoreError: Tokens cannot be looked up.
        """
        said = request.headers.getlist("authorization")
        if len(said) > 1:
            raise UnknownError("Authorization stands in the request twice")
        if said:
            return self._bearer(said[0])
        return None if self.proxy is None else self._named(request, self.proxy)

    def _bearer(self, said: str) -> Who:
        scheme, _, text = said.partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise UnknownError("Authorization must be: Bearer, a space, and a token")
        if text.startswith("mon_"):
            return self._by_token(text)
        if self.logins is None:
            raise UnknownError("no such token is taken here")
        return self.logins.who(text)

    def _by_token(self, text: str) -> Who:
        public, now = id_of(text), self.now()
        if self.tokens is None:
            raise UnknownError("no such token is taken here")
        token = None if public is None else self.tokens.token(public)
        if token is None or not fits(text, token) or token.state(now) != "valid":
            raise UnknownError(_NOT_VALID)
        self.tokens.used(token, now)
        return token.who

    def _named(self, request: Request, proxy: ProxyHeader) -> Who | None:
        accounts = request.headers.getlist(proxy.account)
        shown = request.headers.getlist(proxy.secret_header)
        if not accounts and not shown:
            return None
        if not _asked_from(request, proxy.trusted_proxies):
            raise UnknownError(f"{proxy.account} is believed of the proxy alone")
        if len(shown) != 1 or not hmac.compare_digest(shown[0].encode(), proxy.secret.encode()):
            raise UnknownError(f"{proxy.account} is believed with the proxy's secret alone")
        if len(accounts) != 1 or not 0 < len(accounts[0]) <= _MOST_LETTERS:
            raise UnknownError(f"{proxy.account} names one account")
        if not accounts[0].isprintable():
            raise UnknownError(f"{proxy.account} has characters that cannot be seen")
        return Who(accounts[0], Method.HEADER, id=f"header|{accounts[0]}")


def _asked_from(request: Request, networks: tuple[str, ...]) -> bool:
    """Return whether a request comes from one of some networks, by its connection alone."""
    if request.client is None:
        return False
    try:
        peer = ip_address(request.client.host)
    except ValueError:  # a name, not an address
        return False
    if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:
        peer = peer.ipv4_mapped  # as a listener on :: sees it
    return any(peer in ip_network(network) for network in networks)
