"""Doing what is due for one model, and remembering what failed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from monitor.domain.policy import Policy
from monitor.domain.run import Failure
from monitor.domain.window import Window
from monitor.engine.due import due_windows
from monitor.engine.lookback import Lookback
from monitor.engine.ports import Source
from monitor.engine.progress import Progress
from monitor.engine.run import Outside, Ran, run_window


@dataclass(frozen=True)
class Failed:
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

    Of the latter only those are yielded that have a new revision.

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
    now = outside.clock.now()
    span = source.span()
    due = due_windows(
        policy,
        outside.store.current_baselines(policy.model),
        outside.store.heads(policy.model),
        span,
        now,
    )
    yield from run_windows(policy, source, due, outside, progress)
    # A log that has ended does not grow old: its last windows stay open for what comes late.
    present = now if span is None else min(now, span[1])
    for window in (lookback or Lookback()).again(policy, source, outside.store, present):
        ran = run_window(policy, source, window, outside, progress)
        if ran.committed.new:
            yield ran


def run_windows(
    policy: Policy,
    source: Source,
    windows: Iterable[Window],
    outside: Outside,
    progress: Progress,
) -> Iterator[Ran]:
    """Run the given windows of a model in their order."""
    for window in windows:
        yield run_window(policy, source, window, outside, progress)


def guarded(model: str, work: Callable[[], None], outside: Outside) -> Failed | None:
    """Do a model's work; whatever it raises becomes a stored failure of that model alone.

    This is the one broad ``except``: one model's fault must not stop the others, and it is not
    swallowed: it is stored, counted in a metric, logged with its traceback by the caller, and
    tried again at the next check.
    """
    started = outside.clock.now()
    try:
        work()
    except Exception as error:  # noqa: BLE001  # see the docstring
        failure = Failure(
            model=model,
            window=None,
            started=started,
            finished=outside.clock.now(),
            error=type(error).__name__,
            explanation=str(error),
            code=outside.code,
        )
        outside.store.fail(failure)
        return Failed(failure, error)
    return None
