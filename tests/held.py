"""A real log and a real store, for tests of what windows are held against."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from monitor.compute.local import LocalCompute
from monitor.domain.field import (
    Attribute,
    Decision,
    Effect,
    Field,
    FieldKind,
    FieldRole,
    Population,
)
from monitor.domain.limit import Band, Limit
from monitor.domain.policy import FieldLimit, Policy, SourceSpec
from monitor.domain.reference import Reference, ReferenceKind, Season
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.check import check_due, run_windows
from monitor.engine.lookback import Lookback
from monitor.engine.progress import Silent
from monitor.engine.register import Registration, register_baselines
from monitor.engine.run import Outside
from monitor.profile.codec import profile_from_bytes
from monitor.sources.parquet import ParquetSource
from monitor.store.sql import SqlStore

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ROWS = 300
YESTERDAY = Reference("yesterday", ReferenceKind.PREVIOUS)
WEEK = Reference("three days", ReferenceKind.ROLLING, 3, gap=1, at_least=2)
MONDAYS = Reference("same weekday", ReferenceKind.SEASON, 2, at_least=1, season=Season.WEEKDAY)


def day(place):
    return Window(FIRST + place * DAY, FIRST + (place + 1) * DAY)


class At:
    """A clock that stands where it is put."""

    def __init__(self):
        self.day = 0

    def now(self):
        return FIRST + self.day * DAY


class Deployment:
    """A log in a folder, a policy with references, and a store."""

    def __init__(self, folder, *references, url="sqlite://", **policy):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.policy = replace(
            Policy(
                model="credit",
                source=SourceSpec(".", "at"),
                fields=(
                    Field("amount", "amount", FieldKind.NUMERIC),
                    Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
                ),
                decision=Decision("flag", ("true",), effect=Effect.HARMFUL),
                label=None,
                attributes={"sex": Attribute("sex", "sex")},
                populations=(Population(("sex",)),),
                schedule=Schedule(CalendarUnit.DAY),
                limits={
                    "psi": FieldLimit(Limit(0.1, 0.25)),
                    "missing_rate": FieldLimit(Limit(0.01, 0.05)),
                },
                band=Band(),
                references=references,
                text="model: credit",
                digest="d",
                directory=str(folder),
            ),
            **policy,
        )
        self.store = SqlStore(url)
        self.clock = At()
        self.outside = Outside(self.store, LocalCompute(), self.clock, "test")
        self.source = ParquetSource(self.policy)
        self.lookback = Lookback()

    def restart(self, **policy):
        self.policy = replace(self.policy, **policy)
        self.source, self.lookback = ParquetSource(self.policy), Lookback()

    def write(self, place, name=None, rows=ROWS, shift=0.0, seed=None, regions=None, only=None):
        """Write a day; ``only`` the rows of one region are shifted, if it is named."""
        rng = np.random.default_rng(place if seed is None else seed)
        at = [day(place).start + row * DAY / rows for row in range(rows)]
        table = {
            "at": pa.array(at, pa.timestamp("us", "UTC")),
            "amount": rng.normal(shift, 1, rows),
            "score": rng.random(rows),
            "flag": rng.random(rows) < 0.3,
            "sex": rng.choice(["f", "m"], rows).tolist(),
        }
        if regions is not None:
            table["region"] = regions[np.arange(rows) % len(regions)].tolist()
            table["amount"] += np.where(np.array(table["region"]) == only, 3.0, 0.0)
        pq.write_table(pa.table(table), self.folder / f"{name or place}.parquet")

    def register(self, first=0, days=2):
        register_baselines(
            self.policy,
            self.source,
            Window(day(first).start, day(first + days).start),
            registration=Registration("a test", "the first days"),
            outside=self.outside,
            progress=Silent(),
        )

    def check(self, at):
        self.clock.day = at
        return [
            ((ran.run.window.start - FIRST) // DAY, ran.committed.revision)
            for ran in check_due(self.policy, self.source, self.outside, Silent(), self.lookback)
        ]

    def back_fill(self, *places):
        self.clock.day = 100
        return [
            ran.committed
            for ran in run_windows(
                self.policy, self.source, map(day, places), self.outside, Silent()
            )
        ]

    def run(self, place, revision=None):
        return self.store.run("credit", day(place), revision)

    def readings(self, place, reference, measure="psi", field="amount"):
        (result,) = self.run(place).results
        return [
            item
            for item in result.readings
            if (item.measure, item.subject.field) == (measure, field)
            and item.subject.reference == reference
        ]

    def reading(self, place, reference, measure="psi", field="amount"):
        (found,) = self.readings(place, reference, measure, field)
        return found.result

    def finding(self, place, reference, measure="psi", field="amount"):
        (result,) = self.run(place).results
        return next(
            item
            for item in result.findings
            if (item.reading.measure, item.reading.subject.field) == (measure, field)
            and item.reading.subject.reference == reference
        )

    def profile(self, place):
        return profile_from_bytes(self.run(place).results[0].profile)

    def parts(self, place, reference):
        (found,) = [item for item in self.run(place).compositions if item.reference == reference]
        return [(window.start - FIRST) // DAY for window, _ in found.parts]
