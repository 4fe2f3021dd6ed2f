"""Each measure of a field's drift that a file lets decide: nobody is called in vain, a change is found."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

import monitor
from monitor.alerts.persistence import alarms_over, verdicts_of
from monitor.config.model_file import parse_policy
from monitor.engine.recheck import Rechecker, revisions_within

pytestmark = pytest.mark.slow

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DAYS, QUIET, MOVED, ROWS = 14, 12, 3, 400
NUMBERS = [f"n{place}" for place in range(6)]
TEXTS = [f"t{place}" for place in range(3)]
POLICY = "\n".join(
    [
        "model: chosen",
        "source: {path: log, event_time: at}",
        "fields:",
        *(f"  {name}: numeric" for name in NUMBERS),
        *(f"  {name}: categorical" for name in TEXTS),
        "schedule: {window: day}",
        "",
    ]
)
CHOSEN = {
    "js_distance": (0.13, 0.21),
    "ks": (0.12, 0.2),
    "wasserstein": (0.31, 0.5),
    "hellinger": (0.11, 0.17),
    "l_infinity": (0.06, 0.1),
    "cramers_v": (0.05, 0.08),
}
"""About as much of a shift as is a PSI of 0.10 and of 0.25."""


def day(place):
    """Return the rows of a day; on the last ones the first field of each sort has changed."""
    rng = np.random.default_rng(100 + place)
    moved = place >= DAYS + QUIET
    table = {"at": [FIRST + timedelta(days=place, seconds=200 * row) for row in range(ROWS)]}
    for name in NUMBERS:
        table[name] = rng.normal(1.2 * (moved and name == "n0"), 1, ROWS)
    for name in TEXTS:
        most = 0.8 if moved and name == "t0" else 0.4
        shares = [most, *[(1 - most) / 5] * 5]
        table[name] = np.array([f"v{value}" for value in rng.choice(6, ROWS, p=shares)])
    return pa.table(table)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A baseline of two weeks, twelve days like them, and three on which two fields moved."""
    folder = tmp_path_factory.mktemp("chosen")
    (folder / "log").mkdir()
    for place in range(DAYS + QUIET + MOVED):
        pq.write_table(day(place), folder / "log" / f"{place:02}.parquet")
    (folder / "chosen.yaml").write_text(POLICY)
    model = monitor.open_model(folder / "chosen.yaml")
    judged = FIRST + timedelta(days=DAYS)
    model.register(start=FIRST, end=judged, why="two weeks")
    model.run(start=judged, end=judged + timedelta(days=QUIET + MOVED))
    return model


def found(model, limits):
    """Return the findings of drift of each window under other limits, oldest first."""
    text = (
        f"{POLICY}limits:\n  drift:\n    psi: {{warning: never, critical: never}}\n    {limits}\n"
    )
    policy = replace(parse_policy(text, "chosen"), directory=model.policy.directory)
    store = model.outside.store
    rechecker = Rechecker(store, policy.model, lambda _: policy)
    windows = []
    for window, revision in revisions_within(store, policy.model, None):
        run = store.run(policy.model, window, revision.number)
        (result,) = rechecker.concluded(run, policy, as_then=False).results
        windows.append(
            [item for item in result.findings if item.reading.measure == limits.partition(":")[0]]
        )
    return windows, policy.alarms


def calls(windows, rule):
    """Return the fields that are in alarm in each window."""
    fields = {
        item.fingerprint: item.reading.subject.field for findings in windows for item in findings
    }
    return [
        {fields[fingerprint] for fingerprint, alarm in alarms.items() if alarm.firing}
        for alarms in alarms_over([verdicts_of(findings) for findings in windows], rule)
    ]


@pytest.mark.parametrize("measure", CHOSEN)
def test_a_measure_that_a_file_lets_decide_calls_for_what_moved_and_for_nothing_else(ran, measure):
    warning, critical = CHOSEN[measure]
    windows, rule = found(ran, f"{measure}: {{warning: {warning}, critical: {critical}}}")
    called = calls(windows, rule)
    assert called[:QUIET] == [set()] * QUIET
    moved = {"n0"} if measure in {"ks", "wasserstein"} else {"n0", "t0"}
    assert called[QUIET:] == [moved] * MOVED
    assert {item.verdict.value for findings in windows for item in findings} >= {"ok", "critical"}


@pytest.mark.parametrize("measure", CHOSEN)
def test_a_limit_of_0_leaves_what_is_tolerated_to_the_baseline_alone(ran, measure):
    """One window in twenty may have a finding, by chance; nine fields are tested in each."""
    windows, rule = found(ran, f"{measure}: {{warning: 0, critical: never}}")
    beyond = [any(item.verdict != "ok" for item in findings) for findings in windows[:QUIET]]
    assert sum(beyond) <= 2
    assert not any(calls(windows, rule)[:QUIET])
    assert "n0" in calls(windows, rule)[-1]
