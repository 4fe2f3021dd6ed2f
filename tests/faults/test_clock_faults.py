"""A clock that is set back, and forward again: nothing is judged twice or too early."""

from datetime import UTC, datetime, timedelta

from apscheduler.schedulers import base

from monitor.domain.run import Outcome
from monitor.exposition.page import ResultsPage
from monitor.exposition.vitals import Vitals
from monitor.scheduling.checks import CheckSchedule
from monitor.web.health import Health
from tests.e2e.deployment import wait_for
from tests.held import Deployment

DAYS = range(6)


def found(deployment):
    store = deployment.store
    return {
        window: (head.identity, head.revision) for window, head in store.heads("credit").items()
    }


def test_a_clock_that_is_set_back_reopens_nothing_and_closes_nothing(tmp_path):
    deployment = Deployment(tmp_path)
    for place in DAYS:
        deployment.write(place)
    deployment.register()
    assert deployment.check(6) == [(place, 1) for place in (2, 3, 4, 5)]
    done = found(deployment)
    for back in (5, 3, 1, -400):
        assert deployment.check(back) == []
        assert found(deployment) == done
    deployment.restart()
    assert deployment.check(1) == []
    assert deployment.check(6) == []
    assert found(deployment) == done


def test_windows_judged_by_a_fast_clock_are_judged_again_when_their_rows_are_there(tmp_path):
    deployment = Deployment(tmp_path)
    for place in DAYS:
        deployment.write(place)
    deployment.register()
    assert deployment.check(8) == [(place, 1) for place in range(2, 8)]
    assert [deployment.run(place).outcome for place in (6, 7)] == [Outcome.NO_DATA] * 2
    deployment.write(6)
    deployment.write(7)
    for at in (6, 7, 8):
        deployment.check(at)
    assert [deployment.run(place).outcome for place in (6, 7)] == [Outcome.COMPLETED] * 2
    revisions = [revision for _, revision in found(deployment).values()]
    assert revisions == [1, 1, 1, 1, 2, 2]


def test_a_scheduler_whose_clock_is_set_back_is_not_healthy_and_so_is_started_again(monkeypatch):
    class Back(datetime):
        behind = timedelta(0)

        @classmethod
        def now(cls, tz=None):
            return super().now(tz) - cls.behind

    class Clock:
        def now(self):
            return Back.now(UTC)

    monkeypatch.setattr(base, "datetime", Back)
    vitals = Vitals(["credit"])
    health = Health(vitals, ResultsPage(), timedelta(seconds=1))
    schedule = CheckSchedule(
        lambda _: None,
        {"credit": timedelta(hours=1)},
        vitals,
        Clock(),
        heartbeat=timedelta(seconds=0.1),
    )
    schedule.start()
    try:
        wait_for(lambda: vitals.heartbeat is not None)
        Back.behind = timedelta(hours=1)
        wait_for(lambda: not health.healthy()[0])
        assert "heartbeat" in health.healthy()[1]
    finally:
        schedule.stop(timedelta(seconds=60))
