"""Which stored results may be pruned, and why the others stay."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct

from monitor.domain.errors import ConfigError
from monitor.domain.policy import Policy
from monitor.domain.run import Outcome
from monitor.domain.window import Window
from monitor.engine.alarms import look_back
from monitor.engine.ports import RunHead, Store
from monitor.engine.progress import Progress, Silent
from monitor.engine.pruning import AT_ONCE, Pruned, Pruning

_SILENT = Silent()


class Bound(Struct, frozen=True):
    """An instant from which on results stay.

    Attributes:
        at: The instant.
        why: Why they do.
    """

    at: datetime
    why: str


class Plan(Struct, frozen=True):
    """What may be pruned of a model.

    Attributes:
        model: Name of the model.
        bounds: All that keeps results, the one that keeps most first.
        pruning: What is to go; None when nothing may.
    """

    model: str
    bounds: tuple[Bound, ...]
    pruning: Pruning | None


def plan(  # noqa: PLR0917  # each of another type
    policy: Policy,
    before: datetime,
    asked: str,
    store: Store,
    now: datetime,
    policy_of: Callable[[str], Policy],
    by: str = "",
) -> Plan:
    """Return what may be pruned of a model, so that no later result, alert or series would differ.

    Args:
        policy: The policy in force.
        before: No result that ends after this is to go.
        asked: Who says so.
        store: Its results.
        now: The present.
        policy_of: Returns the policy that a stored file declares. Raises ConfigError.
        by: Who wants it; "" for the daemon.

    Raises:
        StoreError: The database cannot be read.
    """
    heads = store.heads(policy.model)
    bounds = sorted(
        (Bound(before, asked), *_bounds(policy, heads, store, now)), key=lambda item: item.at
    )
    until, first = _midnight(bounds[0].at), min((window.start for window in heads), default=now)
    if not any(window.end <= until for window in heads):
        return Plan(policy.model, tuple(bounds), None)
    policies = _policies(policy, store, until, policy_of)
    keep = (_still_asked(item, first, until) for item in policies)
    asked_for = frozenset[Window]().union(*keep) & heads.keys()
    return Plan(policy.model, tuple(bounds), Pruning(policy.model, until, asked_for, now, by))


def carried_out(
    store: Store,
    pruning: Pruning,
    go_on: Callable[[], bool],
    progress: Progress = _SILENT,
) -> Pruned:
    """Prune, a few windows a transaction, until nothing is left or it is to stop; return what went.

    Args:
        store: Where.
        pruning: What.
        go_on: Asked before each transaction.
        progress: Told of the windows that are done.

    Raises:
        FencedError: This replica no longer leads.
        StoreError: The database cannot be written; what went before is gone, and right.
    """
    done = Pruned()
    while go_on():
        some = store.prune(pruning, AT_ONCE)
        if not some.windows:
            break
        store.give_back()
        done += some
        progress.advance(some.windows)
    return done


def _bounds(
    policy: Policy, heads: Mapping[Window, RunHead], store: Store, now: datetime
) -> Iterator[Bound]:
    """Yield from where on results stay, whatever is asked for."""
    with_rows = [window for window, head in heads.items() if head.outcome is Outcome.COMPLETED]
    if not with_rows:
        first = min((window.start for window in heads), default=now)
        yield Bound(first, "no window had any rows yet")
        return
    last = max(with_rows, key=lambda window: (window.end, window.start))
    schedule, labels = policy.schedule, policy.source.labels
    awaited = timedelta(0) if labels is None else labels.wait
    waits = max(schedule.lateness + schedule.reopen, awaited)
    # A log that has ended does not grow old: the age of its windows is taken at its last event.
    yield Bound(
        min(now, last.start) - waits - look_back(policy),
        f"the last window with rows, {last}; those that late files or labels may still change; and "
        "what alarms of all of them rest on",
    )
    open_cases = (case for case in store.cases(policy.model) if case.open)
    of_cases = {name for case in open_cases for name in case.findings}
    alerts = store.alerts(policy.model)
    looked_at = [alert for alert in alerts if alert.open or alert.fingerprint in of_cases]
    if looked_at:
        oldest = min(looked_at, key=lambda alert: alert.since.start)
        is_now, until = str(oldest.state), "it is over"
        if not oldest.open:
            is_now, until = "of an open case", "that is closed"
        yield Bound(
            oldest.since.start,
            f"the alert {oldest.fingerprint} is {is_now}, since {oldest.since}: what it rests on stays "
            f"until {until}",
        )


def _midnight(instant: datetime) -> datetime:
    return datetime.combine(instant.astimezone(UTC).date(), time(), UTC)


def _policies(
    policy: Policy, store: Store, until: datetime, policy_of: Callable[[str], Policy]
) -> Iterator[Policy]:
    """Yield the policy in force, and those that results which stay were made under."""
    yield policy
    for digest in store.policies_since(policy.model, until):
        if digest == policy.digest:
            continue
        try:
            yield policy_of(store.policy_text(digest))
        except ConfigError:  # what this version cannot read it cannot recompute either
            continue


def _still_asked(policy: Policy, first: datetime, until: datetime) -> frozenset[Window]:
    """Return the windows between two instants that references of later ones may be made of."""
    windows = list(policy.schedule.windows(first, until))
    found = (item.still_asked(windows, policy.schedule.zone) for item in policy.earlier)
    return frozenset[Window]().union(*found)
