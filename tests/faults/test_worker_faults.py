"""A worker that crashes is a failed run of its model, and nothing else."""

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

import monitor
from monitor.compute.isolated import IsolatedCompute
from monitor.domain.quarantine import Quarantine
from monitor.domain.run import Outcome
from monitor.domain.window import Window
from monitor.engine.check import guarded
from monitor.engine.progress import Silent
from monitor.engine.run import run_window
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.render import Build, render
from monitor.sources.parquet import ParquetSource

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config" / "models" / "card-late-payment.yaml"
AUGUST = Window(datetime(2005, 8, 1, tzinfo=UTC), datetime(2005, 9, 1, tzinfo=UTC))

NOTHING = Quarantine("card-late-payment", AUGUST.end, {})


@dataclass(frozen=True)
class Attack:
    """Counts a file as it should, but for what it does to its process."""

    count: Any
    joined = None

    def complete(self):
        return replace(self, count=self.count.complete())


class Aborts(Attack):
    def __call__(self, _):
        os.abort()


class Devours(Attack):
    def __call__(self, task):
        hoard = bytearray(2**30)
        hoard[:: 2**12] = b"1" * 2**18
        return self.count(task)


class HostileSource(ParquetSource):
    """A log whose rows do to a worker what hostile bytes do to a library."""

    def __init__(self, policy, attack):
        super().__init__(policy)
        self._attack = attack

    def counter(self, scan, grids):
        return self._attack(super().counter(scan, grids))


@pytest.fixture
def model():
    opened = monitor.open_model(CONFIG)
    opened.register(start="2005-04-01", end="2005-06-01", why="the calm months")
    return opened


@pytest.mark.parametrize(
    ("attack", "error", "said"),
    [
        (Aborts, "WorkerCrashedError", "SIGABRT"),
        (Devours, "WorkerMemoryError", "536,870,912 bytes"),
    ],
    ids=["abort", "memory"],
)
def test_a_crash_is_a_stored_failure_of_one_model(model, attack, error, said):
    isolated = structs.replace(model.outside, compute=IsolatedCompute(1, 2**29))
    policy, store = model.policy, model.outside.store
    hostile = HostileSource(policy, attack)

    failed = guarded(
        policy.model,
        lambda: run_window(policy, hostile, AUGUST, isolated, Silent(), NOTHING),
        isolated,
    )
    assert failed.failure.error == error
    assert said in failed.failure.explanation
    assert store.counts(policy.model).failed == {error: 1}
    assert store.run(policy.model, AUGUST) is None
    snapshot = ModelSnapshot(policy, {}, None, store.counts(policy.model), None)
    text = render([snapshot], Build("test"), {}).text().decode()
    series = "modelmon_check_run_failures_total"
    assert f'{series}{{model="{policy.model}",reason="{error}"}} 1.0' in text

    whole = run_window(policy, ParquetSource(policy), AUGUST, isolated, Silent(), NOTHING)
    assert whole.run.outcome is Outcome.COMPLETED
    (compared,) = model.run(start="2005-08-01", end="2005-09-01")
    assert compared.committed.new is False  # the worker found what this process finds
