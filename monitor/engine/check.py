"""Doing what is due for one model, and remembering what failed."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

from msgspec import Struct

from monitor.domain.errors import FencedError, PrunedError
from monitor.domain.policy import Policy
from monitor.domain.quarantine import Quarantine
from monitor.domain.run import Failure
from monitor.domain.window import Window
from monitor.engine.due import due_windows
from monitor.engine.evidence import look_at_files
from monitor.engine.governing import settle
from monitor.engine.lookback import Lookback
from monitor.engine.ports import Source, Store
from monitor.engine.progress import Progress
from monitor.engine.quarantine import release, take_in, unfinished
from monitor.engine.references import moved
from monitor.engine.run import Outside, Ran, judge_again, newly_broken, run_window
from monitor.engine.under_way import UNDER_WAY, Work


class Failed(Struct, frozen=True):
    """A model whose check ended early, and the exception that ended it."""

    failure: Failure
    error: Exception


def check_due(
    policy: Policy,
    source: Source,
    outside: Outside,
    progress: Progress,
    lookback: Lookback | None = None,
) -> Iterator[Ran]:
    """Run every due window of a model, oldest first, then those whose data have changed.

    Before them comes what the clock alone has brought for what its versions may do, whether or not
    the log can be reached. Of the windows whose data have changed only those are yielded that have a new revision.

    Args:
        policy: The model's policy.
        source: Its log.
        outside: Store, compute, clock.
        progress: Told as rows are read.
        lookback: What is remembered from one check to the next; None for nothing.

    Raises:
        BaselineError: Nothing is registered.
        SourceError: The log cannot be reached.
        StoreError: A result could not be stored.
    """
    now, store = outside.clock.now(), outside.store
    if outside.files is not None:
        look_at_files(policy, store, outside.files, now)
    settle(policy, store, now)
    intake = take_in(policy, source, store, now)
    span = intake.survey.span
    lacking = frozenset().union(*unfinished(intake, policy.schedule, store).values())
    until = store.pruned_until(policy.model)
    due = due_windows(
        policy,
        store.current_baselines(policy.model),
        store.heads(policy.model),
        intake.survey.watermark,
        now,
        until,
    )
    quarantine = yield from _run_all(policy, source, due, outside, progress, intake.quarantine)
    # A log that has ended does not grow old: its last windows stay open for what comes late.
    present = now if span is None else min(now, span[1])
    lookback = lookback or Lookback()
    again = lookback.again(policy, source, store, present, quarantine, lacking)
    for ran in _run_all(policy, source, again, outside, progress, quarantine):
        if ran.committed.new:
            yield ran
    yield from _judge_moved(policy, outside, lookback)
    release(intake, policy.schedule, store)


def _judge_moved(policy: Policy, outside: Outside, lookback: Lookback) -> Iterator[Ran]:
    """Judge the windows again whose references have changed, by their stored profiles.

    It comes last, and once: judging a window again changes no profile, and so no reference.
    """
    if not policy.earlier:
        return
    store = outside.store
    profiled = store.profiled(policy.model)
    baselines, heads = store.current_baselines(policy.model), store.heads(policy.model)
    known = lookback.profiled if lookback.judged_by == policy.digest else {}
    for window in moved(policy, baselines, heads, profiled, known):
        UNDER_WAY.set(Work(policy.model, window))
        ran = judge_again(policy, window, outside)
        if ran is not None and ran.committed.new:
            yield ran
    UNDER_WAY.set(Work(policy.model))
    lookback.profiled, lookback.judged_by = profiled, policy.digest


def run_windows(
    policy: Policy,
    source: Source,
    windows: Iterable[Window],
    outside: Outside,
    progress: Progress,
) -> Iterator[Ran]:
    """Run the given windows of a model in their order.

    Raises:
        PrunedError: One of them begins before the end of a window whose results were pruned; none
            was run.
        SourceError: The log cannot be reached.
        StoreError: A result could not be stored.
    """
    windows = tuple(windows)
    _require_kept(policy, windows, outside.store)
    intake = take_in(policy, source, outside.store, outside.clock.now())
    yield from _run_all(policy, source, windows, outside, progress, intake.quarantine)
    release(intake, policy.schedule, outside.store)


def _require_kept(policy: Policy, windows: Sequence[Window], store: Store) -> None:
    until = store.pruned_until(policy.model)
    gone = [window for window in windows if until is not None and window.start < until]
    if until is not None and gone:
        raise PrunedError(
            f"{len(gone):,} of {len(windows):,} windows, from {gone[0]} on, begin before "
            f"{until:%Y-%m-%d %H:%M} UTC, up to where results of {policy.model} were pruned: what they "
            "would be held against is gone. Nothing was run; the first window that can be is "
            f"{next(policy.schedule.windows(until, until + 2 * policy.schedule.interval))}"
        )


def _run_all(  # noqa: PLR0917  # six nouns, each of another type
    policy: Policy,
    source: Source,
    windows: Iterable[Window],
    outside: Outside,
    progress: Progress,
    quarantine: Quarantine,
) -> Generator[Ran, None, Quarantine]:
    """Run windows in their order, and return the quarantine after the last of them.

    A file that breaks for one window is not tried for the next.
    """
    for window in windows:
        UNDER_WAY.set(Work(policy.model, window))
        ran = run_window(policy, source, window, outside, progress, quarantine)
        quarantine = quarantine.after(newly_broken(quarantine, ran.run.manifest))
        yield ran
    UNDER_WAY.set(Work(policy.model))
    return quarantine


def guarded(model: str, work: Callable[[], None], outside: Outside) -> Failed | None:
    """Do a model's work; whatever it raises becomes a stored failure of that model alone.

    This is the one broad ``except``: one model's fault must not stop the others, and it is not
    swallowed: it is stored, counted in a metric, logged with its traceback by the caller, and
    tried again at the next check.

    Raises:
        FencedError: This replica no longer leads. That is no failure of the model: the replica that
            leads does the same work.
    """
    started = outside.clock.now()
    before = UNDER_WAY.set(Work(model))
    try:
        work()
    except FencedError:
        raise
    except Exception as error:  # noqa: BLE001  # see the docstring
        at = UNDER_WAY.get()
        failure = Failure(
            model=model,
            window=None if at is None else at.window,
            started=started,
            finished=outside.clock.now(),
            error=type(error).__name__,
            explanation=str(error),
            code=outside.code,
        )
        outside.store.fail(failure)
        return Failed(failure, error)
    finally:
        UNDER_WAY.reset(before)
    return None
