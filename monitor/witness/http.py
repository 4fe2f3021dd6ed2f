"""One request to a witness: no redirects, certificates verified, an answer of bounded size."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from monitor.domain.errors import WitnessError

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer that are read at the most."""


@dataclass(frozen=True, slots=True)
class Replied:
    """What was answered.

    Attributes:
        status: The HTTP status.
        kind: Its media type.
        body: What came.
    """

    status: int
    kind: str
    body: bytes = field(repr=False)


def asked(
    url: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = 10.0,
) -> Replied:
    """Return what a server answers to a GET, or to a POST of a body.

    Args:
        url: Where it is; a path in it comes before the one that is asked for.
        path: What is asked.
        query: Parameters of a GET.
        body: What is posted; None for a GET.
        timeout: Seconds to wait for a connection, and for each part of the answer.

    Raises:
        WitnessError: It cannot be reached, or does not speak HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise WitnessError(f"{url!r} is no address; right would be https://witness.example")
    where = f"{parts.path.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
    connection = (
        HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout, context=ssl.create_default_context()
        )
        if parts.scheme == "https"
        else HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    )
    try:
        connection.request("GET" if body is None else "POST", where, body)
        with connection.getresponse() as answer:
            content = answer.read(LARGEST + 1)
            kind = answer.headers.get_content_type()
    except (OSError, HTTPException) as error:
        raise WitnessError(f"{parts.scheme}://{parts.netloc} cannot be asked: {error}") from error
    finally:
        connection.close()
    if len(content) > LARGEST:
        raise WitnessError(f"{parts.netloc} answers more than {LARGEST:,} bytes")
    return Replied(answer.status, kind, content)
