"""What becomes of a log when one of its files is damaged."""

import resource
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
from msgspec.structs import replace

from monitor.compute.local import LocalCompute
from monitor.domain.errors import SourceError
from monitor.domain.field import Attribute, Decision, Effect, Field, FieldKind, FieldRole, Label
from monitor.domain.limit import Band
from monitor.domain.policy import LabelTable, Policy, SourceSpec
from monitor.domain.quarantine import Quarantine
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.counting import Counted
from monitor.engine.ports import Scan
from monitor.engine.progress import Silent
from monitor.profile.codec import profile_to_bytes
from monitor.profile.packing import content_digest
from monitor.sources.inspect import infer_columns
from monitor.sources.parquet import ParquetSource
from tests.fuzz.mutants import FIRST, ROWS, Mutant, original, rows

GOOD = 100
"""Rows of the file beside the damaged one."""

WINDOW = Window(FIRST, FIRST + timedelta(days=30))


@dataclass(frozen=True)
class Ended:
    """How a trial ended.

    Attributes:
        outcome: In a word or two, to be counted.
        fault: What must not have happened; "" when nothing did.
        peak: Largest resident size of the process so far, bytes.
    """

    outcome: str
    fault: str = ""
    peak: int = 0


def policy(folder: Path) -> Policy:
    """Return the policy of the log in a folder."""
    return Policy(
        model="m",
        source=SourceSpec(str(folder), "at", id="id", version="version"),
        fields=(
            Field("amount", "amount", FieldKind.NUMERIC),
            Field("kind", "kind", FieldKind.CATEGORICAL),
            Field("flag", "flag", FieldKind.BOOLEAN),
            Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
            Field("tags", "tags", FieldKind.CATEGORICAL),
            Field("place", "place", FieldKind.NUMERIC),
        ),
        decision=Decision("flag", ("true",), effect=Effect.HARMFUL),
        label=Label("late", ("1",)),
        attributes={"sex": Attribute("sex", "sex")},
        populations=(),
        schedule=Schedule(CalendarUnit.MONTH),
        limits={},
        band=Band(),
    )


class Bench:
    """A folder with a whole file, to which one damaged file after the other is added."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        self._labels = folder / "labels"
        for part in (self._log, self._labels):
            part.mkdir()
            pq.write_table(rows(10_000, GOOD), part / "a.parquet")
        self._policy = policy(self._log)
        self._joined = replace(
            self._policy,
            source=replace(self._policy.source, labels=LabelTable(str(self._labels), "id", "at")),
        )
        source = ParquetSource(self._policy)
        self._grids = {"1": source.draft(source.scan(WINDOW), "1")}
        self._alone = self._digest(self._counted(self._policy)[1])
        self._whole: dict[str, str] = {}

    def tried(self, mutant: Mutant) -> Ended:
        """Return how everything that reads files takes a damaged one."""
        if mutant.form not in self._whole:
            self._put(self._log, original(mutant.form))
            self._whole[mutant.form] = self._digest(self._counted(self._policy)[1])
        for folder in (self._log, self._labels):
            self._put(folder, mutant.data)
        try:
            outcome = self._as_log(mutant)
            self._as_baseline()
            self._as_labels()
            self._as_sample()
        except MemoryError as error:
            return Ended("asked for too much memory", f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what we look for
            return Ended("raised", f"{type(error).__name__}: {error} {_where(error)}")
        return Ended(outcome, peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)

    def _put(self, folder: Path, data: bytes) -> None:
        (folder / "m.parquet").write_bytes(data)

    def _counted(self, read_by: Policy) -> tuple[Scan, Counted]:
        source = ParquetSource(read_by)
        source.survey(Quarantine(read_by.model, WINDOW.end, {}))
        scan = source.scan(WINDOW)
        source.versions(scan)
        counted = LocalCompute().count(scan.tasks, source.counter(scan, self._grids), Silent())
        return scan, counted

    def _digest(self, counted: Counted) -> str:
        return content_digest(profile_to_bytes(counted.profiles["1"]))

    def _as_log(self, mutant: Mutant) -> str:
        scan, counted = self._counted(self._policy)
        check_balance(counted)
        left_out = [*scan.manifest.unreadable, *counted.unreadable]
        assert [file.path for file in left_out] in ([], ["m.parquet"]), left_out
        if left_out:
            assert self._digest(counted) == self._alone, "a file left out is in the counts"
            return f"left out: {left_out[0].reason}"
        digest = self._digest(counted)
        if digest == self._whole[mutant.form]:
            return "used: as it was"
        assert counted.profiles["1"].rows >= GOOD, "the whole file is not in the counts"
        if counted.read == GOOD + ROWS and counted.accounting().placed == GOOD + ROWS:
            return "used: all rows, other values"
        if digest == self._alone:
            return "used: no rows in the window"
        return "used: other rows"

    def _as_baseline(self) -> None:
        source = ParquetSource(self._policy)
        source.draft(source.scan(WINDOW), "1")

    def _as_labels(self) -> None:
        _, counted = self._counted(self._joined)
        check_balance(counted)

    def _as_sample(self) -> None:
        told = ""
        try:
            infer_columns(str(self._log))
        except SourceError as error:
            told = str(error)
        assert not told or "m.parquet" in told or "column" in told, told


def check_balance(counted: Counted) -> None:
    """Make sure that every row read is profiled or rejected, and every field knows of each."""
    accounting = counted.accounting()
    assert accounting.balances, accounting
    for profile in counted.profiles.values():
        assert profile.outcomes.rows == profile.rows
        for name, counts in profile.fields.items():
            assert counts.rows == profile.rows, f"{name}: {counts.rows} of {profile.rows} rows"


def _where(error: BaseException) -> str:
    trace = error.__traceback__
    places = []
    while trace is not None:
        places.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places[-4:])
