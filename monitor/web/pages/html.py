"""Templates to bytes: every name in a page is escaped, and shows what it is made of."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from monitor.reports.evidence import start_text
from monitor.reports.wording import window_name
from monitor.web.pages import address, charts

STYLESHEET = "pages.css"

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""What cannot be in a page, cannot be seen in it, or turns the text around it."""

_SIGNS = {"ok": "●", "warning": "▲", "critical": "■", "unknown": "○"}


def page(name: str, parts: tuple[str, ...], **content: Any) -> bytes:
    """Return a page.

    Args:
        name: Of its template.
        parts: Of its address.
        content: What it shows.
    """
    root = address.root_of(parts)

    def link(*to: str) -> str:
        return address.address(root, *to)

    text = _environment().get_template(name).render(root=root, link=link, **content)
    return _UNSEEN.sub(_shown, text).encode() + b"\n"


def stylesheet() -> bytes:
    """Return the one stylesheet."""
    return _source(STYLESHEET).encode()


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004  # one byte


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    helpers: Mapping[str, Callable[..., Any]] = {
        "sign": lambda state: _SIGNS.get(state, "–"),
        "css": lambda state: state if state in _SIGNS else "unknown",
        "history": charts.history,
        "pairs": charts.pairs,
        "start": start_text,
        "named": window_name,
    }
    environment.globals.update(helpers)
    return environment


def _source(name: str) -> str:
    return files("monitor.web.pages").joinpath(name).read_text(encoding="utf-8")
