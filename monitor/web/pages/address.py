"""Addresses of the pages, and what they mean."""

from collections.abc import Sequence
from urllib.parse import quote, unquote


def segments(raw_path: bytes) -> tuple[str, ...]:
    """Return the parts of a path as it was sent, each decoded by itself.

    A name may hold a slash or anything else: in an address it is one part, percent-encoded. A server
    that decodes the whole path first cannot tell that slash from those between the parts.
    """
    path = raw_path.split(b"?", 1)[0].decode("latin-1")
    return tuple(
        unquote(part, encoding="utf-8", errors="replace") for part in path.split("/") if part
    )


def address(root: str, *parts: str) -> str:
    """Return a link to a page.

    Args:
        root: The way from the page with the link to the first one, such as ``../../``: the pages may
            be served below any path.
        parts: Of the address, each of any content.
    """
    return root + "/".join(quote(part, safe="") for part in parts)


def root_of(parts: Sequence[str]) -> str:
    """Return the way from a page to the first one."""
    return "../" * (len(parts) - 1) or "./"
