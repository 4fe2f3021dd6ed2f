"""modelmon: drift, bias and the governance of deployed models.

`open_model`, `Model` and `Comparison` are re-exported from `monitor.api`, imported when first
asked for: the command line stays quick.
"""

from importlib import import_module
from typing import Any

from monitor import libraries  # noqa: F401  # before any of them loads
from monitor.loading import uncollected

__all__ = ["Comparison", "Model", "open_model"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name in __all__:
        with uncollected():
            return getattr(import_module("monitor.api"), name)
    raise AttributeError(f"module 'monitor' has no attribute {name!r}")
