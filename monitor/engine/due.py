"""Which windows of a model are due: told by the store, not by a timer."""

from collections.abc import Mapping
from datetime import datetime

from monitor.domain.baseline import Baseline
from monitor.domain.errors import BaselineError
from monitor.domain.policy import Policy
from monitor.domain.run import Outcome
from monitor.domain.window import Window
from monitor.engine.ports import RunHead


def due_windows(
    policy: Policy,
    baselines: Mapping[str, Baseline],
    heads: Mapping[Window, RunHead],
    span: tuple[datetime, datetime] | None,
    now: datetime,
) -> tuple[Window, ...]:
    """Return the complete windows that have no result yet, oldest first.

    Windows begin where the schedule says, or where the earliest baseline ends. A window that had
    no data is due again once the log reaches into it. What is due depends on what is stored, so
    whatever was missed while the daemon was down is caught up exactly.

    Args:
        policy: The model's policy.
        baselines: Its current baselines by version.
        heads: The newest run of each window.
        span: Earliest and latest event of the log; None when it has no rows.
        now: The present.

    Raises:
        BaselineError: Nothing is registered, so nothing could be judged.
    """
    if not baselines:
        raise BaselineError(
            f"{policy.model} has no baseline; register one: "
            f"modelmon baseline register {policy.model} --from … --to … --why …"
        )
    begin = policy.schedule.start or min(item.window.end for item in baselines.values())
    until = policy.schedule.complete_until(now)
    return tuple(
        window
        for window in policy.schedule.windows(begin, until)
        if _is_due(heads.get(window), window, span)
    )


def _is_due(head: RunHead | None, window: Window, span: tuple[datetime, datetime] | None) -> bool:
    if head is None:
        return True
    reached = span is not None and span[1] >= window.start
    return head.outcome is Outcome.NO_DATA and reached
