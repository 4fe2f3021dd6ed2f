"""What windows are held against."""

from datetime import datetime

from msgspec import Struct

from monitor.domain.manifest import Manifest
from monitor.domain.window import Window


class BaselinePart(Struct, frozen=True):
    """A sub-window of a baseline, kept to know how much the baseline varies in itself."""

    window: Window
    rows: int
    profile: bytes


class Baseline(Struct, frozen=True):
    """A registered, immutable profile with its window, digest, registrar and reason.

    Attributes:
        digest: sha256 of model, version, window, grid, profile and parts: the content, not the
            circumstances, so that registering the same data again changes nothing.
        model: Name of the model.
        version: The model version.
        window: The period it was taken from.
        rows: Rows profiled.
        grid: The frozen grid, in bytes.
        profile: The profile on that grid, in bytes.
        parts: Its sub-windows on the same grid.
        manifest: What files it rests on.
        registered_at: When.
        registered_by: Who.
        why: The reason given.
        code: Version of modelmon.
    """

    digest: str
    model: str
    version: str
    window: Window
    rows: int
    grid: bytes
    profile: bytes
    parts: tuple[BaselinePart, ...]
    manifest: Manifest
    registered_at: datetime
    registered_by: str
    why: str
    code: str
