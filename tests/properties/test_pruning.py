"""A store that was pruned goes on as if it had not been: results, alerts, series are the same."""

from datetime import timedelta
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor import app
from monitor.domain.disparity import DisparityLimits
from monitor.domain.field import Field, FieldKind
from monitor.domain.reference import Reference, ReferenceKind, Season
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.engine.retention import carried_out, plan
from monitor.exposition.render import Build, render
from monitor.store.audit_store import AuditStore
from monitor.store.schema import upgrade
from tests.held import DAY, MONDAYS, WEEK, YESTERDAY, Deployment

DAYS = 40
"""With windows of half a day alarms rest on two weeks, and files may come late for a few days."""

SCHEDULES = {
    "half a day": Schedule(timedelta(hours=12), reopen=timedelta(days=3)),
    "half a day, late": Schedule(timedelta(hours=12), lateness=timedelta(hours=5), reopen=2 * DAY),
    "a day in Berlin": Schedule(CalendarUnit.DAY, "Europe/Berlin", reopen=timedelta(days=2)),
}
AT_NIGHT = Reference("same hour", ReferenceKind.SEASON, 5, gap=2, season=Season.HOUR)
FAR = Reference("far", ReferenceKind.ROLLING, 4, gap=30, at_least=2)
REFERENCES = (YESTERDAY, WEEK, MONDAYS, AT_NIGHT, FAR)
SIMPLE = {"fields": (Field("amount", "amount", FieldKind.NUMERIC),)}
NO_GROUPS = {**SIMPLE, "populations": ()}
GROUPS = {**SIMPLE, "disparity": DisparityLimits(extend=timedelta(days=2))}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Forty days of a log, with two shifts and some days without rows."""
    folder = tmp_path_factory.mktemp("log")
    made = Deployment(folder)
    for place in range(DAYS):
        if place not in {9, 10, 28}:
            made.write(place, rows=110, shift=1.5 if place in {5, 6, 31, 32} else 0.0)
    return folder


def everything(made, since):
    """Return what is stored from a time on, what is known of alerts, and what Prometheus is told."""
    store = made.store
    heads = {w: h for w, h in store.heads("credit").items() if w.start >= since}
    runs = {window: store.run("credit", window) for window in heads}
    alerts = store.alerts("credit")
    events = {item.fingerprint: store.alert_events("credit", item.fingerprint) for item in alerts}
    shot = app.snapshot(made.policy, made.outside)
    page = render([shot], Build("test"), app.measure_families(), 50_000).text()
    series = [line for line in page.splitlines() if b"modelmon_store_" not in line]
    return heads, runs, alerts, events, store.e_values("credit"), series


def keep(made, days):
    """Prune what is older than some days."""
    now = made.clock.now()
    planned = plan(
        made.policy, now - timedelta(days=days), "test", made.store, now, lambda _: made.policy
    )
    if planned.pruning is None:
        return 0
    return carried_out(made.store, planned.pruning, lambda: True).windows


LATE = st.lists(st.tuples(st.integers(4, DAYS - 1), st.integers(0, 2)), max_size=4)
"""Days for which another file comes, and how many days later it does."""


def goes_on(log, urls, parts, late, checks, days):
    """Hold a store that is pruned after every check against one that is not; False if none was."""
    with TemporaryDirectory() as made:
        folder = copytree(log, Path(made) / "log")
        small, whole = (Deployment(folder, url=url, **parts) for url in urls)
        for each in (small, whole):
            each.register()
        come = {}
        for number, (place, later) in enumerate(late):
            come.setdefault(place + 1 + later, []).append((number, place))
        last = 0
        for at in (*sorted(checks), DAYS + 1):
            for number, place in (item for on in range(last, at + 1) for item in come.get(on, ())):
                small.write(place, f"late {number}", rows=60, shift=2.0, seed=number)
            assert small.check(at) == whole.check(at)
            keep(small, days)
            last = at + 1
        since = small.store.pruned_until("credit")
        if since is None:
            return False
        assert everything(small, since) == everything(whole, since)
        for each in (small, whole):
            each.restart()
        assert small.check(DAYS + 2) == whole.check(DAYS + 2)
        assert small.check(DAYS + 2) == whole.check(DAYS + 2) == []
        assert everything(small, since) == everything(whole, since)
        for each in (small, whole):
            each.store.close()
        audit = AuditStore(urls[0])
        assert audit.compared() == []
        audit.close()
        return True


@pytest.mark.slow
@settings(max_examples=4)
@given(
    schedule=st.sampled_from(sorted(SCHEDULES)),
    references=st.lists(st.sampled_from(REFERENCES), unique=True, max_size=3),
    groups=st.booleans(),
    late=LATE,
    checks=st.sets(st.integers(20, DAYS), min_size=2, max_size=4),
    days=st.integers(0, 6),
)
def test_a_pruned_store_goes_on_as_if_it_had_not_been(
    log, schedule, references, groups, late, checks, days
):
    parts = {
        **(GROUPS if groups else NO_GROUPS),
        "schedule": SCHEDULES[schedule],
        "references": tuple(references),
    }
    with TemporaryDirectory() as folder:
        urls = [f"sqlite:///{folder}/{name}.db" for name in ("pruned", "whole")]
        for url in urls:
            upgrade(url)
        assume(goes_on(log, urls, parts, late, checks, days))


@pytest.mark.slow
def test_so_does_one_on_a_server(log, postgres_url, tmp_path):
    urls = [postgres_url, f"sqlite:///{tmp_path / 'whole.db'}"]
    for url in urls:
        upgrade(url)
    references = (YESTERDAY, AT_NIGHT, FAR)
    parts = {**NO_GROUPS, "schedule": SCHEDULES["half a day"], "references": references}
    assert goes_on(log, urls, parts, [(30, 1), (12, 2)], {22, 30}, 0)
