"""When models are checked. Which windows are due is not decided here, but from the store."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil
from threading import Condition, Event

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_SUBMITTED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from monitor.engine.ports import Clock
from monitor.exposition.vitals import Vitals
from monitor.scheduling.turns import Turns

_CHECK = "check "
_HEARTBEAT = "heartbeat"
_FOLLOW = "follow"
_TIDY = "tidy"

_TIDIED_EVERY = timedelta(hours=1)
_TIDIED_FIRST = timedelta(minutes=1)
"""After the start: what was missed meanwhile is checked first."""

_TIDYING = "\0tidy"
"""Among models that are being checked: no name of one."""

_MOST_THREADS = 1_000
"""Checks that may wait for their turn: of more models some are not even in the queue."""

_JITTER = 0.1
"""Share of the interval by which a check may be late, so that models do not march in step."""

_LONGEST_JITTER = timedelta(seconds=30)


class CheckSchedule:
    """Calls a check for every model again and again, each in its own time.

    A check that raises is logged with its traceback and counted, and stops no other, nor its own
    next one. A check that is due while its model's last one waits or runs is passed over and
    counted: the next one finds every window that is due.

    Args:
        check: Called with the name of a model, in a thread. Between two windows it should call
            `pass_on`, look at ``stopping`` and return early when that is set.
        every: Model to the time between two checks.
        vitals: Where heartbeats and counts go.
        clock: The time of day.
        workers: How many models are checked at the same time.
        heartbeat: Time between two heartbeats.
        beaten: Called at each of them.
        follow: Called as often, in a thread of its own, so that it may wait for the store.
        tidy: Called every hour, in a thread of its own. It should look at ``stopping`` and return
            early when that is set.
    """

    def __init__(
        self,
        check: Callable[[str], None],
        every: Mapping[str, timedelta],
        vitals: Vitals,
        clock: Clock,
        *,
        workers: int = 1,
        heartbeat: timedelta = timedelta(seconds=5),
        beaten: Callable[[], None] = lambda: None,
        follow: Callable[[], None] = lambda: None,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        self._check = check
        self._every = dict(every)
        self._vitals = vitals
        self._clock = clock
        self._heartbeat = heartbeat
        self._beaten = beaten
        self._follow = follow
        self._tidy = tidy
        self._idle = Condition()
        self._running: set[str] = set()
        self._due: dict[str, datetime] = {}
        self._turns = Turns(workers)
        self.stopping = Event()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            jobstores={"default": MemoryJobStore()},
            # The heartbeat has a thread of its own: a long check is no reason to be restarted.
            executors={
                "default": ThreadPoolExecutor(_MOST_THREADS),  # nearly all of them wait
                _HEARTBEAT: ThreadPoolExecutor(1),
                _FOLLOW: ThreadPoolExecutor(1),
                _TIDY: ThreadPoolExecutor(1),
            },
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self) -> None:
        """Check every model at once, and from then on in its own time."""
        now = self._clock.now()
        for model in sorted(self._every):
            self._add(model, now)
        for name, beat in ((_HEARTBEAT, self._beat), (_FOLLOW, self._follow)):
            self._scheduler.add_job(
                beat,
                _trigger(self._heartbeat, timedelta(0)),
                id=name,
                name=name,
                executor=name,
                next_run_time=now,
            )
        self._scheduler.add_job(
            self._tidied,
            _trigger(_TIDIED_EVERY, _jitter(_TIDIED_EVERY)),
            id=_TIDY,
            name=_TIDY,
            executor=_TIDY,
            next_run_time=now + _TIDIED_FIRST,
        )
        self._scheduler.add_listener(self._note_error, EVENT_JOB_ERROR)
        self._scheduler.add_listener(self._note_due, EVENT_JOB_SUBMITTED | EVENT_JOB_MAX_INSTANCES)
        self._scheduler.start()

    def exchange(self, every: Mapping[str, timedelta], at_once: Collection[str]) -> None:
        """Check these models from now on; checks under way are not disturbed.

        Args:
            every: Model to the time between two checks. A model that is new is checked at once.
            at_once: Further models to check at once, but for those that are being checked.
        """
        now = self._clock.now()
        with self._idle:
            if self.stopping.is_set():
                return
            before, self._every = self._every, dict(every)
            for model in sorted({*before, *every}):
                if model not in every:
                    self._scheduler.remove_job(_CHECK + model)
                elif before.get(model) != every[model] or model in at_once:
                    self._add(model, None if model in self._running else now)
                else:
                    continue
                self._due.pop(model, None)

    def all_at_once(self) -> None:
        """Check every model now, but for those that are being checked."""
        self.exchange(self._every, self._every)

    def stop(self, timeout: timedelta) -> bool:
        """Begin no further check, and wait for those that are running.

        Returns:
            Whether all of them ended in time. When not, their threads still run, and the
            interpreter would wait for them at exit.
        """
        with self._idle:
            self.stopping.set()
            self._turns.end()
            self._scheduler.shutdown(wait=False)
            return self._idle.wait_for(lambda: not self._running, timeout.total_seconds())

    def pass_on(self) -> None:
        """Let the checks that wait for a worker go first; to be called between two windows.

        A model that has to catch up with a year keeps no other from its newest window.
        """
        self._turns.pass_on()

    def _add(self, model: str, first: datetime | None) -> None:
        """Add a model's check, or put it in the place of the one it has.

        Args:
            model: The model.
            first: When to check first; None for one interval from now.
        """
        interval = self._every[model]
        self._scheduler.add_job(
            self._run,
            _trigger(interval, _jitter(interval)),
            args=[model],
            id=_CHECK + model,
            name=_CHECK + model,
            next_run_time=first or self._clock.now() + interval,
            replace_existing=True,
        )

    def _run(self, model: str) -> None:
        if not self._turns.take():
            return
        try:
            self._waited_for(model, lambda: self._check(model))
        finally:
            self._turns.give_back()

    def _tidied(self) -> None:
        self._waited_for(_TIDYING, self._tidy)

    def _waited_for(self, name: str, work: Callable[[], None]) -> None:
        """Do some work that `stop` waits for."""
        with self._idle:
            if self.stopping.is_set():
                return
            self._running.add(name)
        try:
            work()
        finally:
            with self._idle:
                self._running.discard(name)
                self._idle.notify_all()

    def _beat(self) -> None:
        self._vitals.beat(self._clock.now())
        self._beaten()

    def _note_error(self, event: JobExecutionEvent) -> None:
        if event.job_id.startswith(_CHECK):
            self._vitals.count_error(event.job_id.removeprefix(_CHECK))

    def _note_due(self, event: JobSubmissionEvent) -> None:
        if not event.job_id.startswith(_CHECK):
            return
        model = event.job_id.removeprefix(_CHECK)
        if event.code == EVENT_JOB_MAX_INSTANCES:
            self._vitals.count_overlap(model)
        # Times that passed while the process was suspended are coalesced into the newest one
        # without an event; the gap between two tells how many they were.
        due = event.scheduled_run_times[-1]
        last = self._due.get(model)
        self._due[model] = due
        interval = self._every.get(model)
        if last is not None and interval is not None:
            missed = ceil((due - last) / (interval + _jitter(interval))) - 1
            self._vitals.count_missed(model, max(0, missed))


def _jitter(interval: timedelta) -> timedelta:
    return min(interval * _JITTER, _LONGEST_JITTER)


def _trigger(interval: timedelta, jitter: timedelta) -> IntervalTrigger:
    return IntervalTrigger(
        seconds=interval.total_seconds(), jitter=jitter.total_seconds(), timezone=UTC
    )
