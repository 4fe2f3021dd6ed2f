"""The section ``registry`` of the daemon's file → `RegistrySettings`."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from monitor.config.document import Document
from monitor.config.references import REFERENCE, filled
from monitor.config.section import Section
from monitor.config.values import PositiveDuration, Text, duration_text
from monitor.domain.errors import Problem
from monitor.domain.settings import RegistrySettings

_SECRETS = ("token", "password", "webhook_secret")


class RegistrySection(Section):
    """The model registry that models are looked up in."""

    kind: Literal["mlflow"] = Field("mlflow", description="which kind of registry it is")
    url: Text | None = Field(
        None, description="where it is, such as https://mlflow.example; without it there is none"
    )
    token: Text | None = Field(
        None, description="bearer token, as ${NAME} or ${file:/run/secrets/x}"
    )
    user: Text | None = Field(None, description="name to log in with, instead of a token")
    password: Text | None = Field(None, description="its password, as ${NAME} or ${file:…}")
    ca: Text | None = Field(
        None,
        description="file with the certificates to trust instead of the system's, relative to this"
        " file",
    )
    plain_http: bool = Field(
        default=False,
        description="whether a token or password may go over http:// to another machine",
    )
    poll_every: PositiveDuration = Field(
        "30s", validate_default=True, description="how often it is looked at"
    )
    timeout: PositiveDuration = Field(
        "10s", validate_default=True, description="how long an answer may take"
    )
    reverts_per_hour: int = Field(
        3, ge=0, le=60, description="how often within an hour what others wrote is written back"
    )
    webhook_secret: Text | None = Field(
        None,
        description="secret of MLflow's webhook, as ${NAME} or ${file:…}; without it none is heard",
    )


def registry_of(
    document: Document, section: RegistrySection, environment: Mapping[str, str]
) -> tuple[RegistrySettings | None, list[Problem]]:
    """Return the settings of the registry, None without one, and every problem with them.

    Args:
        document: The file.
        section: Its section.
        environment: Variables that secrets may refer to.
    """
    if section.url is None:
        given = sorted(section.model_fields_set - {"kind", "url"})
        needs = "is of no use without registry.url: name the registry, or leave this out"
        return None, [document.problem(("registry", key), needs) for key in given]
    secrets, problems = _secrets(document, section, environment)
    problems += _unfit(document, section)
    ca = None if section.ca is None else (Path(document.file).parent / section.ca).resolve()
    if ca is not None and not ca.is_file():
        problems.append(
            document.problem(("registry", "ca"), f"there is no file {section.ca} beside this one")
        )
    if problems:
        return None, problems
    settings = RegistrySettings(
        url=section.url.rstrip("/"),
        token=secrets["token"],
        user=section.user or "",
        password=secrets["password"],
        ca=None if ca is None else str(ca),
        poll_every=section.poll_every,
        timeout=section.timeout,
        reverts_per_hour=section.reverts_per_hour,
        webhook_secret=secrets["webhook_secret"],
        shown=_shown(section, ca),
    )
    return settings, []


def _secrets(
    document: Document, section: RegistrySection, environment: Mapping[str, str]
) -> tuple[dict[str, str], list[Problem]]:
    found, problems = dict.fromkeys(_SECRETS, ""), list[Problem]()
    for key in _SECRETS:
        written = getattr(section, key)
        if written is None:
            continue
        at = ("registry", key)
        if not REFERENCE.fullmatch(written):
            right = "must refer to the secret and not be it: ${NAME} or ${file:/run/secrets/x}"
            problems.append(document.problem(at, right))
            continue
        found[key], unusable = filled(document, at, written, environment)
        problems += unusable
        if not unusable and not (found[key] and found[key].isprintable()):
            right = f"{written} is empty, or holds characters that no secret has"
            problems.append(document.problem(at, right))
    return found, problems


def _unfit(document: Document, section: RegistrySection) -> list[Problem]:
    url = section.url or ""
    problems = _address(url)
    if section.token is not None and section.user is not None:
        problems.append(("token", "goes without user and password: name one way to log in"))
    if (section.user is None) != (section.password is None):
        problems.append(("password" if section.password else "user", "needs the other of both"))
    secret = section.token is not None or section.password is not None
    if secret and url.startswith("http://") and not (section.plain_http or _here(url)):
        told = (
            "would be readable on the way over http://; use https://, or say plain_http: true"
            " where something else keeps the way secret"
        )
        problems.append(("token" if section.token else "password", told))
    return [document.problem(("registry", key), told) for key, told in problems]


def _address(url: str) -> list[tuple[str, str]]:
    try:
        parts = urlsplit(url)
        _, host = parts.port, parts.hostname  # a port that is none is found out by asking for it
    except ValueError as error:
        return [("url", f"cannot be read: {error}")]
    if parts.scheme not in ("http", "https") or not host:
        return [("url", "must begin with https:// or http:// and name a machine")]
    if parts.username or parts.password or parts.query or parts.fragment:
        return [("url", "must be an address alone: user and password have keys of their own")]
    return []


def _here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _shown(section: RegistrySection, ca: Path | None) -> Mapping[str, object]:
    """Return what the file says in full; references say where secrets are, not what they are."""
    given = {
        "kind": section.kind,
        "url": section.url,
        "token": section.token,
        "user": section.user,
        "password": section.password,
        "ca": None if ca is None else str(ca),
        "plain_http": section.plain_http,
        "poll_every": duration_text(section.poll_every),
        "timeout": duration_text(section.timeout),
        "reverts_per_hour": section.reverts_per_hour,
        "webhook_secret": section.webhook_secret,
    }
    return {key: value for key, value in given.items() if value is not None}
