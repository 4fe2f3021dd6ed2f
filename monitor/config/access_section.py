"""The section ``access`` of ``config/modelmon.yaml``: who may use the HTTP interface, and how."""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from monitor.config.document import Document, KeyPath
from monitor.config.section import Section
from monitor.config.values import Text
from monitor.domain.errors import Problem
from monitor.domain.role import Role
from monitor.domain.settings import AccessSettings, Issuer, ProxyHeader

_LEAST_SECRET = 32
_WIDEST = {4: 8, 6: 32}
"""Bits of a network's prefix, by version of the protocol: a wider one is no list of proxies."""

_HEADER = re.compile("[A-Za-z][A-Za-z0-9-]*")
_STANDARD = {"authorization", "cookie", "host", "origin", "content-type", "content-length"}

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
"""Signatures by a key that only the issuer has. One that both sides share would make tokens too."""

GlobalRole = Literal["viewer", "auditor", "governance", "admin"]


class OidcSection(Section):
    """People who log in at an OpenID Connect issuer."""

    issuer: Text = Field(description="the issuer, as its tokens name it in iss")
    audience: Text = Field(description="what tokens for this daemon name in aud")
    keys: Text = Field(
        description="the issuer's public keys (JWKS): an https:// address, or a file relative to this one"
    )
    algorithms: list[Algorithm] = Field(
        ["RS256", "ES256"], min_length=1, description="signatures that are taken, and no others"
    )
    account: Text = Field("sub", description="claim with the account, as policies name people")
    groups: Text = Field("groups", description="claim with the names of groups")


class HeaderSection(Section):
    """People whom a proxy has logged in and names in a header."""

    account: Text = Field("X-Forwarded-User", description="header with the account")
    secret_header: Text = Field(
        "X-Modelmon-Proxy-Secret", description="header in which the proxy shows the secret"
    )
    secret: Text = Field(
        description="secret that the proxy and the daemon share: ${NAME} or ${file:/run/secrets/x}"
    )
    trusted_proxies: list[Text] = Field(
        min_length=1, description="addresses or networks that the proxy asks from"
    )


class AccessSection(Section):
    """Who may use the HTTP interface; without it nothing can be changed over HTTP."""

    tokens: bool = Field(
        default=False, description="whether the tokens of modelmon token create are taken"
    )
    oidc: OidcSection | None = Field(None, description="people who log in at an issuer")
    header: HeaderSection | None = Field(None, description="people whom a proxy names in a header")
    writes: bool | None = Field(
        None, description="whether anything can be changed over HTTP, by who may; true with a login"
    )
    origins: list[Text] = Field(
        [],
        description="addresses of this daemon as browsers know it, such as https://monitor.example",
    )
    roles: dict[Text, list[GlobalRole]] = Field(
        {}, description="group of people to the roles they have for every model"
    )


def access_settings(
    document: Document, section: AccessSection, resolve: Callable[[str], str]
) -> tuple[AccessSettings, list[Problem]]:
    """Return who may use the HTTP interface, and every problem with what the file says of it.

    Args:
        document: The file.
        section: Its section ``access``.
        resolve: Returns what a reference (without ``${`` and ``}``) refers to; raises KeyError or
            OSError.
    """
    problems = [
        document.problem(("access", *path), told) for path, told in _problems(document, section)
    ]
    header = section.header
    secret = ""
    if header is not None:
        secret, wrong = _secret(header.secret, resolve)
        if wrong:
            problems.append(document.problem(("access", "header", "secret"), wrong))
    login = section.tokens or section.oidc is not None or header is not None
    found = AccessSettings(
        tokens=section.tokens,
        writes=login if section.writes is None else section.writes,
        oidc=None if section.oidc is None else _issuer(document, section.oidc),
        header=None if header is None else _proxy(header, secret),
        origins=tuple(section.origins),
        roles={name: frozenset(map(Role, held)) for name, held in section.roles.items()},
    )
    return found, problems


def access_content(access: AccessSettings) -> Mapping[str, object]:
    """Return the section in full; {} where nothing can be changed. A secret is its reference."""
    if access == AccessSettings():
        return {}
    content: dict[str, object] = {"tokens": access.tokens, "writes": access.writes}
    if access.oidc is not None:
        known = access.oidc
        content["oidc"] = {
            "issuer": known.issuer,
            "audience": known.audience,
            "keys": known.keys,
            "algorithms": list(known.algorithms),
            "account": known.account,
            "groups": known.groups,
        }
    if access.header is not None:
        proxy = access.header
        content["header"] = {
            "account": proxy.account,
            "secret_header": proxy.secret_header,
            "secret": proxy.secret_shown,
            "trusted_proxies": list(proxy.trusted_proxies),
        }
    content["origins"] = list(access.origins)
    content["roles"] = {
        name: sorted(role.value for role in held) for name, held in access.roles.items()
    }
    return content


def _problems(document: Document, section: AccessSection) -> Iterator[tuple[KeyPath, str]]:
    if section.writes and not (section.tokens or section.oidc or section.header):
        yield (
            ("writes",),
            "nobody could be told from anybody: write tokens: true, oidc or header beside it",
        )
    if section.oidc is not None:
        yield from _of_oidc(document, section.oidc)
    if section.header is not None:
        yield from _of_header(section.header)
    for place, origin in enumerate(section.origins):
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or origin != _origin(origin):
            told = "must be a scheme, a host and no path, such as https://monitor.example"
            yield ("origins", place), told


def _of_oidc(document: Document, oidc: OidcSection) -> Iterator[tuple[KeyPath, str]]:
    for key, address in (("issuer", oidc.issuer), ("keys", oidc.keys)):
        if "://" in address and not _guarded(address):
            told = "must begin with https://: whoever is on the way could name anybody"
            yield ("oidc", key), told
    if "://" not in oidc.keys and not _below(document, oidc.keys).is_file():
        yield ("oidc", "keys"), f"there is no such file: {oidc.keys}; an address has https://"


def _of_header(header: HeaderSection) -> Iterator[tuple[KeyPath, str]]:
    for key, name in (("account", header.account), ("secret_header", header.secret_header)):
        if not _HEADER.fullmatch(name) or name.lower() in _STANDARD:
            told = "must be the name of a header of the proxy's own, such as X-Forwarded-User"
            yield ("header", key), told
    if header.account.lower() == header.secret_header.lower():
        yield ("header", "secret_header"), "must be another header than the account's"
    for place, written in enumerate(header.trusted_proxies):
        network = _network(written)
        if network is None:
            told = "must be an address or a network, such as 10.0.0.3 or 10.0.0.0/28"
            yield ("header", "trusted_proxies", place), told
        elif network.prefixlen < _WIDEST[network.version]:
            told = f"trusts {network.num_addresses:,} addresses, and each could name anybody"
            right = "name the proxy's own, such as 10.0.0.3"
            yield ("header", "trusted_proxies", place), f"{told}; {right}"


def _secret(written: str, resolve: Callable[[str], str]) -> tuple[str, str]:
    """Return the secret that a reference refers to, and what is wrong with it."""
    reference = re.fullmatch(r"\$\{([^}]*)\}", written)
    if reference is None:
        return "", "must be ${NAME} or ${file:/run/secrets/x}: no secret stands in this file"
    try:
        found = resolve(reference[1])
    except (KeyError, OSError, UnicodeDecodeError):
        return "", f"{written} cannot be read"
    if len(found) < _LEAST_SECRET or not found.isascii() or not found.isprintable():
        return "", f"takes at least {_LEAST_SECRET} ASCII characters, such as: openssl rand -hex 32"
    return found, ""


def _issuer(document: Document, oidc: OidcSection) -> Issuer:
    at = oidc.keys if "://" in oidc.keys else str(_below(document, oidc.keys))
    return Issuer(oidc.issuer, oidc.audience, at, tuple(oidc.algorithms), oidc.account, oidc.groups)


def _proxy(header: HeaderSection, secret: str) -> ProxyHeader:
    trusted = tuple(header.trusted_proxies)
    return ProxyHeader(header.account, header.secret_header, secret, header.secret, trusted)


def _below(document: Document, path: str) -> Path:
    return (Path(document.file).parent / path).resolve()


def _guarded(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        return parts.scheme == "http" and ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _network(written: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(written)
    except ValueError:
        return None


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()
