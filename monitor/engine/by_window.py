"""A model as each of its stored windows showed it."""

from collections.abc import Iterator

from msgspec import Struct

from monitor.domain.policy import Policy
from monitor.domain.run import Outcome, Run
from monitor.domain.window import Window
from monitor.engine.alarms import alarms_since, known_from
from monitor.engine.ports import RunCounts, RunHead, Store
from monitor.engine.snapshot import ModelSnapshot

_NOT_COUNTED = RunCounts(0, 0, {}, None, None)
"""How runs ended is known as of now alone; nothing of it is shown of a past window."""


class PastWindows(Struct, frozen=True):
    """The windows of a model that have a result, oldest first.

    Attributes:
        policy: The policy in force: it has the rule of alarms and what is withheld.
        heads: The newest revision of each window of its schedule, in the period.
        before: The last window with rows before them; None when there is none.
        left_out: Windows in the period that are of a former schedule: two that end at the same
            instant would be one point.
        pruned: Windows in the period whose results were pruned, and those so near to them that
            their alarms are no longer known.
    """

    policy: Policy
    heads: tuple[RunHead, ...]
    before: RunHead | None
    left_out: tuple[Window, ...]
    pruned: tuple[Window, ...] = ()


class Shown(Struct, frozen=True):
    """The newest result of a window, and its number among those of the window."""

    revision: int
    run: Run


def past_windows(policy: Policy, store: Store, span: Window | None) -> PastWindows:
    """Return the windows with a result that lie in a period.

    Args:
        policy: The policy in force.
        store: Its results.
        span: The period; None for everything stored.

    Raises:
        StoreError: The database cannot be read.
    """
    schedule, known = policy.schedule, known_from(policy, store)
    stored = sorted(store.heads(policy.model).items())
    within = [
        head
        for window, head in stored
        if span is None or (span.start <= window.start and window.end <= span.end)
    ]
    inside = [head for head in within if known is None or head.window.start >= known]
    ours = tuple(head for head in inside if schedule.window_at(head.window.start) == head.window)
    earlier = [
        head
        for window, head in stored
        if ours
        and window < ours[0].window
        and head.outcome is Outcome.COMPLETED
        and head.pruned is None
    ]
    left_out = tuple(head.window for head in inside if head not in ours)
    pruned = tuple(head.window for head in within if head not in inside)
    return PastWindows(policy, ours, earlier[-1] if earlier else None, left_out, pruned)


def snapshots(past: PastWindows, store: Store) -> Iterator[ModelSnapshot]:
    """Yield a model as each window showed it, oldest first; one run is in memory at a time.

    Alarms are derived from the stored findings by the rule in force, in the order of windows. The
    life of alerts, files in quarantine and counts of runs are of no window, and left out.

    Args:
        past: The windows.
        store: Their results.

    Raises:
        StoreError: The database cannot be read.
    """
    if not past.heads:
        return
    policy = past.policy
    alarms = alarms_since(policy, store, past.heads[0].window.start)
    judged = None if past.before is None else _run(policy, store, past.before)
    for head in past.heads:
        run = _run(policy, store, head)
        if run is None:  # gone since the windows were listed
            continue
        silent = run.outcome is Outcome.NO_DATA
        yield ModelSnapshot(
            policy=policy,
            baselines={},
            latest=run,
            counts=_NOT_COUNTED,
            revision=head.revision,
            alarms=alarms,
            judged=judged if silent else None,
        )
        judged = judged if silent else run


def results(model: str, store: Store, span: Window | None) -> Iterator[Shown]:
    """Yield the newest result of each window that lies in a period, of whatever schedule.

    Those that were pruned are left out.

    Args:
        model: Name of the model.
        store: Its results.
        span: The period; None for everything stored.

    Raises:
        StoreError: The database cannot be read.
    """
    for window, head in sorted(store.heads(model).items()):
        if head.pruned is None and (
            span is None or (span.start <= window.start and window.end <= span.end)
        ):
            run = store.run(model, window, head.revision)
            if run is not None:  # else gone since the windows were listed
                yield Shown(head.revision, run)


def pruned(model: str, store: Store, span: Window | None) -> tuple[Window, ...]:
    """Return the windows that lie in a period and whose results were pruned, in order.

    Args:
        model: Name of the model.
        store: Its results.
        span: The period; None for everything stored.

    Raises:
        StoreError: The database cannot be read.
    """
    return tuple(
        window
        for window, head in sorted(store.heads(model).items())
        if head.pruned is not None
        and (span is None or (span.start <= window.start and window.end <= span.end))
    )


def _run(policy: Policy, store: Store, head: RunHead) -> Run | None:
    return store.run(policy.model, head.window, head.revision)
