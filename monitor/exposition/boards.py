"""The Grafana dashboards, as they come with the program."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from msgspec import Struct

from monitor.domain.errors import ModelmonError

_PACKAGED = "grafana"
"""The folder of this package where a wheel has them."""

_CHECKOUT = Path(__file__).parents[2] / "dashboards" / "grafana"
"""Where a checkout has them, from which wheels are built."""


class Board(Struct, frozen=True):
    """A dashboard.

    Attributes:
        file: Its file's name.
        text: Its JSON.
    """

    file: str
    text: str

    @property
    def content(self) -> dict[str, Any]:
        """Return what the JSON says."""
        content: dict[str, Any] = json.loads(self.text)
        return content


def boards() -> tuple[Board, ...]:
    """Return every dashboard, by name.

    Raises:
        ModelmonError: This installation has none: it was put together by hand.
    """
    packaged = files("monitor.exposition") / _PACKAGED
    folder = packaged if packaged.is_dir() else _CHECKOUT
    if not folder.is_dir():
        raise ModelmonError("the dashboards are missing: install modelmon from its wheel")
    found = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".json")),
        key=lambda each: each.name,
    )
    return tuple(Board(each.name, each.read_text(encoding="utf-8")) for each in found)
