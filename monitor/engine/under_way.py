"""What the thread is at work on, for whoever tells of it: log lines, and failures."""

from contextvars import ContextVar

from msgspec import Struct

from monitor.domain.window import Window


class Work(Struct, frozen=True):
    """What is being done.

    Attributes:
        model: For which model.
        window: Which window is being run; None between windows.
    """

    model: str
    window: Window | None = None


UNDER_WAY: ContextVar[Work | None] = ContextVar("UNDER_WAY", default=None)
"""The work of this thread. It says what was being done when something went wrong, and decides nothing."""
