"""What all sections of keys have in common."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from monitor.config.values import wrong
from monitor.config.wording import described

TableFormat = Literal["parquet", "delta", "iceberg"]


class Section(BaseModel):
    """Keys of which unknown ones are errors, and whose values are not converted."""

    # Built when first used: a check of models does not pay for the daemon's sections, nor for the
    # inner ones twice.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


def named_in_full(value: Any) -> Any:
    """Return a list of names as sections without any key; a section stays as it is."""
    # Entries that are no names are dropped here: `monitor.config.checks` has their position.
    if isinstance(value, list):
        return {name: {} for name in value if isinstance(name, str)}
    if isinstance(value, dict):
        return value
    raise wrong(f"must be a list of names, or a section of keys, not {described(value)}")
