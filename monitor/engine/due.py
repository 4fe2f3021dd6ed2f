"""Which windows of a model are due: told by the store, not by a timer."""

from collections.abc import Container, Mapping
from datetime import datetime

from monitor.domain.baseline import Baseline
from monitor.domain.errors import BaselineError
from monitor.domain.policy import Policy
from monitor.domain.schedule import Watermark
from monitor.domain.window import Window


def due_windows(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy,
    baselines: Mapping[str, Baseline],
    heads: Container[Window],
    watermark: Watermark,
    now: datetime,
    pruned_until: datetime | None = None,
) -> tuple[Window, ...]:
    """Return the complete windows that have no result yet, oldest first.

    Windows begin where the schedule says, or where the earliest baseline ends. What is due depends
    on what is stored, so whatever was missed while the daemon was down is caught up exactly.
    Whether a window with a result is to be run again is not asked here: `engine.lookback`.

    Args:
        policy: The model's policy.
        baselines: Its current baselines by version.
        heads: The windows that have a result.
        watermark: How far the log is complete.
        now: The present.
        pruned_until: No window that begins before this can be run any more; None for no such bound.

    Raises:
        BaselineError: Nothing is registered, so nothing could be judged.
    """
    if not baselines:
        raise BaselineError(
            f"{policy.model} has no baseline; register one: "
            f"modelmon baseline register {policy.model} --from … --to … --why …"
        )
    begin = policy.schedule.start or min(item.window.end for item in baselines.values())
    if pruned_until is not None:
        begin = max(begin, pruned_until)
    until = policy.schedule.complete_until(now, watermark)
    windows = policy.schedule.windows(begin, until)
    return tuple(window for window in windows if window not in heads)
