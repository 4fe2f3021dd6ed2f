"""What is asked of the alarms: runs on streams in which nothing, just enough or too much changed."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.alarms import ours, peers
from benchmarks.alarms.laws import DIRECTIONS, FIELDS, Law, Tilt, shift_of, tilted
from benchmarks.alarms.rates import Delays, Rate
from benchmarks.alarms.streams import (
    Columns,
    Plan,
    Stream,
    counted,
    counted_parts,
    grouped_laws,
    profiled,
    rows_of,
)
from benchmarks.run import EVIDENTLY, NANNYML, Peer
from monitor.profile.profile import Profile

SEED = 20_261_122
TOLERANCE = 0.10
"""The default warning limit of the population stability index."""

ROW_BY_ROW = 60_000
"""Streams with at most so many rows a field are drawn row by row and counted by the kernel."""

WATCHED = 10
"""Windows that are looked at after a change."""

PEER_WATCHED = 3
"""The same of the peers, which are slow."""

STRIDE = 7
"""From one run's changing field to the next one's, so that few runs have every kind."""

QUIET = 2
"""Windows without a change before it, so that persistence has a past."""

CHUNK = 100
"""Windows of a long stream that are drawn at once."""


@dataclass(frozen=True)
class Effort:
    """How many runs.

    Attributes:
        runs: Of ours in each cell.
        peer_runs: Of the peers in cells of at most `ROW_BY_ROW` rows a field.
        large_peer_runs: Of the peers in cells of more rows …
        peer_rows: … up to so many in a baseline and a window; beyond, they are not run.
        tests: Streams for the test of a single field; each has a test of every field.
        streams: Long streams in which nothing changes, for the time between alarms.
        edge_streams: The same of streams in which every field is at the tolerance.
        windows: Of each of them.
        peer_windows: Of the peers' one.
        delays: Runs with a change that is to be found.
        peer_delays: The peers' share of them.
    """

    runs: int
    peer_runs: int
    large_peer_runs: int
    peer_rows: int
    tests: int
    streams: int
    edge_streams: int
    windows: int
    peer_windows: int
    delays: int
    peer_delays: int


SHORT = Effort(100, 5, 1, 150_000, 50, 20, 4, 1000, 20, 15, 2)
FULL = Effort(1000, 50, 10, 1_100_000, 250, 20, 20, 5000, 100, 200, 20)


@dataclass(frozen=True)
class Cell:
    """One line of a table: what was drawn, and who alarmed in how many runs.

    Attributes:
        plan: What was drawn.
        beyond: Ours: runs whose last window has a finding beyond a limit.
        firing: Ours: runs with a firing alarm in the last window.
        evidently: Runs in which any column is drifted in the last window.
        evidently_dataset: Runs in which half of the columns are, which is its verdict on a dataset.
        nannyml: Runs with any alert in the last window.
    """

    plan: Plan
    beyond: Rate
    firing: Rate
    evidently: Rate | None
    evidently_dataset: Rate | None
    nannyml: Rate | None

    @property
    def promise(self) -> float:
        """Return the largest share of runs with an alarm that is promised."""
        return 0.10 if self.plan.noise > 0.1 else 0.05


def null_plans() -> Iterator[Plan]:
    """Yield streams in which nothing changes, by rows and by size of the baseline."""
    for rows in (200, 1_000, 10_000, 1_000_000):
        for days in (1, 10, 50):
            yield Plan(rows, days)
    yield Plan(10_000, 20, day_rows=200)
    yield Plan(10_000, 1, day_rows=200)


def noisy_plans() -> Iterator[Plan]:
    """Yield streams in which every day differs a little, and nothing else changes."""
    for noise in (0.1, 0.2):
        yield Plan(1_000, 30, noise=noise)
        yield Plan(1_000_000, 10, noise=noise)


def alarm_rate(plan: Plan, effort: Effort) -> Cell:
    """Return who alarms in the last window of streams in which nothing that matters changes."""
    small = by_rows(plan)
    peer_runs = effort.peer_runs if small else effort.large_peer_runs
    if plan.baseline_rows + plan.rows > effort.peer_rows:
        peer_runs = 0
    with peers.folder() as folder:
        said = []
        for run in range(effort.runs):
            rng = seeded(1, plan, run)
            if run < peer_runs:
                rows = rows_of(plan, rng)
                peers.write(folder, plan, rows, [plan.windows - 1])
                stream = profiled(plan, rows)
            else:
                stream = drawn(plan, rng)
            said.append(ours.judged(stream, stream.windows)[-1])
        theirs = _peers(folder) if peer_runs else {}
    cell = Cell(
        plan,
        Rate.of(bool(last.beyond) for last in said),
        Rate.of(bool(last.firing) for last in said),
        _any(theirs.get(EVIDENTLY)),
        _half(theirs.get(EVIDENTLY), len(plan.laws)),
        _any(theirs.get(NANNYML)),
    )
    progress(f"{plan.told}: {cell.firing}; {cell.evidently}; {cell.nannyml}")
    return cell


def seeded(section: int, plan: Plan, run: int) -> np.random.Generator:
    """Return the random numbers of a run: its own, whatever else is run."""
    sizes = (plan.rows, plan.days, plan.day_rows or 0, round(100 * plan.noise))
    return np.random.default_rng([SEED, section, *sizes, run])


def by_rows(plan: Plan) -> bool:
    """Return whether a stream is drawn row by row."""
    whole = plan.baseline_rows + plan.windows * plan.rows
    return whole <= ROW_BY_ROW


def drawn(plan: Plan, rng: np.random.Generator) -> Stream:
    """Return a stream: from rows if they are few, else from counts."""
    return profiled(plan, rows_of(plan, rng)) if by_rows(plan) else counted(plan, rng)


def _peers(folder: Path) -> Mapping[Peer, list[peers.Alarms]]:
    return {peer: peers.alarms(peer, folder) for peer in peers.SCRIPTS}


def _any(runs: Sequence[peers.Alarms] | None) -> Rate | None:
    return Rate.of(bool(windows[-1]) for windows in runs) if runs else None


def _half(runs: Sequence[peers.Alarms] | None, fields: int) -> Rate | None:
    return Rate.of(2 * len(windows[-1]) >= fields for windows in runs) if runs else None


def progress(told: str) -> None:
    """Say on standard error what has been done."""
    print(told, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Boundary:
    """Tests of single fields whose true index is known.

    Attributes:
        plan: What was drawn.
        psi: The true index of every field.
        by_direction: What changed to the share of fields that their own 5 % test rejects.
    """

    plan: Plan
    psi: float
    by_direction: Mapping[str, Rate]

    @property
    def whole(self) -> Rate:
        """Return the share over all directions."""
        rates = self.by_direction.values()
        return Rate(sum(rate.hits for rate in rates), sum(rate.runs for rate in rates))


def boundary_plans() -> Iterator[Plan]:
    """Yield what the test of a single field is tried on."""
    for rows in (200, 1_000, 2_000, 10_000, 1_000_000):
        for days in (1, 10):
            yield Plan(rows, days, windows=1)


def boundary(plan: Plan, psi: float, effort: Effort) -> Boundary:
    """Return how often the test of a single field rejects when its true index is this."""
    rejected: dict[str, list[bool]] = {direction: [] for direction in DIRECTIONS}
    fixed = {law: _tilts(law, psi) for law in plan.laws}
    for run in range(effort.tests):
        rng = seeded(round(100 * psi), plan, run)
        turns = [DIRECTIONS[(place + run) % len(DIRECTIONS)] for place in range(len(plan.laws))]
        if by_rows(plan):
            tilts = [fixed[law] for law in plan.laws]
            stream = profiled(*_changed_rows(plan, tilts, turns, rng))
        else:
            stream = _changed_counts(plan, psi, turns, rng)
        (last,) = ours.judged(stream, stream.windows)
        for law, direction in zip(plan.laws, turns, strict=True):
            rejected[direction].append(law.name in last.rejected)
    rates = {direction: Rate.of(outcomes) for direction, outcomes in rejected.items()}
    found = Boundary(plan, psi, rates)
    progress(f"true index {psi:g}, {plan.told}: {found.whole}")
    return found


def _tilts(law: Law, psi: float) -> dict[str, Tilt]:
    return {direction: tilted(law, psi, direction) for direction in DIRECTIONS}


def _changed_rows(
    plan: Plan, tilts: Sequence[dict[str, Tilt]], turns: Sequence[str], rng: np.random.Generator
) -> tuple[Plan, list[Columns]]:
    changes = {
        law.name: tilt[turn] for law, tilt, turn in zip(plan.laws, tilts, turns, strict=True)
    }
    changing = replace(plan, changes=changes)
    return changing, rows_of(changing, rng)


def _changed_counts(
    plan: Plan, psi: float, turns: Sequence[str], rng: np.random.Generator
) -> Stream:
    """Return a stream whose windows have exactly this index on the baseline's own groups."""
    baseline = counted(replace(plan, windows=0), rng)
    changes = {
        law.name: tilted(law, psi, turn)
        for law, turn in zip(grouped_laws(baseline), turns, strict=True)
    }
    changing = replace(plan, changes=changes)
    numbers = changing.parts[plan.days :]
    windows = counted_parts(changing, baseline.grid, rng, numbers)
    return replace(baseline, plan=changing, windows=tuple(windows))


@dataclass(frozen=True)
class Delay:
    """How long it took until the field that changed was in alarm.

    Attributes:
        plan: What was drawn, without the change.
        psi: The true index of the one field that changed.
        ours: Of ours.
        evidently: Of Evidently's verdict on the column.
        nannyml: Of NannyML's.
    """

    plan: Plan
    psi: float
    ours: Delays
    evidently: Delays | None
    nannyml: Delays | None


def delay_plans() -> Iterator[tuple[Plan, float]]:
    """Yield streams and the true index of the field that changes in them."""
    for rows in (1_000, 10_000):
        for noise in (0.0, 0.1):
            for psi in (0.2, 0.5):
                yield Plan(rows, 30, windows=QUIET + WATCHED, noise=noise, since=QUIET), psi


def delay(plan: Plan, psi: float, effort: Effort) -> Delay:
    """Return how long it takes until a change of one field, another in each run, is found."""
    peer_runs = effort.peer_delays if by_rows(plan) else 0
    waited, fields = [], []
    with peers.folder() as folder:
        for run in range(effort.delays):
            rng = seeded(round(100 * psi) + 500, plan, run)
            law = plan.laws[run * STRIDE % len(plan.laws)]
            changing = replace(plan, changes={law.name: shift_of(law, psi)})
            if run < peer_runs:
                rows = rows_of(changing, rng)
                peers.write(folder, changing, rows, range(QUIET, QUIET + PEER_WATCHED))
                stream = profiled(changing, rows)
            else:
                stream = drawn(changing, rng)
            fields.append(law.name)
            waited.append([one.firing for one in ours.judged(stream, stream.windows)][QUIET:])
        theirs = _peers(folder) if peer_runs else {}
    found = [
        _waited(theirs[peer], fields, PEER_WATCHED) if peer in theirs else None
        for peer in (EVIDENTLY, NANNYML)
    ]
    told = Delay(plan, psi, _waited(waited, fields, WATCHED), *found)
    progress(f"delay at {psi:g}, {plan.told}: {told.ours}; {told.evidently}; {told.nannyml}")
    return told


def _waited(
    runs: Sequence[Sequence[Collection[str]]], fields: Sequence[str], watched: int
) -> Delays:
    """Return when each run's field was first in alarm."""
    found = []
    for windows, field in zip(runs, fields, strict=False):  # the peers have the first runs only
        when = [number for number, alarms in enumerate(windows, 1) if field in alarms]
        found += when[:1]
    return Delays(tuple(found), len(runs), watched)


@dataclass(frozen=True)
class Between:
    """How often somebody was called in a long stream in which nothing that matters changed.

    Attributes:
        stream: What was drawn.
        rule: Who called.
        promise: Least mean number of windows between two alarms; None where none is made.
        windows: Windows in all.
        alarms: New alarms in them: a field that goes on firing counts once.
    """

    stream: str
    rule: str
    promise: float | None
    windows: int
    alarms: int


ONE_A_YEAR = 1.0


def long_plans(effort: Effort) -> Iterator[tuple[str, Plan, int]]:
    """Yield kinds of long streams: name, what is drawn, and how many of them."""
    quiet = Plan(1_000, 30)
    yield "nothing changes", quiet, effort.streams
    edge = {
        law.name: tilted(law, TOLERANCE, DIRECTIONS[place % len(DIRECTIONS)])
        for place, law in enumerate(FIELDS)
    }
    name = f"all 40 fields at a true PSI of {TOLERANCE:g}"
    yield name, replace(quiet, changes=edge), effort.edge_streams


def calls(plan: Plan, effort: Effort, number: int) -> tuple[int, int]:
    """Return how many alarms begin in one long stream, and how often the detector calls."""
    plan = replace(plan, windows=effort.windows)
    rng = seeded(3 + len(plan.changes), plan, number)
    stream = replace(counted(replace(plan, windows=0), rng), plan=plan)
    said = ours.judged(stream, _later_windows(stream, rng))
    before = [ours.SILENT, *said[:-1]]
    raised = sum(bool(now.firing - last.firing) for last, now in zip(before, said, strict=True))
    detected = sum(ours.detected(said, ONE_A_YEAR))
    progress(f"long stream, {plan.told}, {len(plan.changes)} changed: {raised}; {detected}")
    return raised, detected


def between(name: str, effort: Effort, called: Sequence[tuple[int, int]]) -> list[Between]:
    """Return the time between modelmon's alarms, from those of each long stream."""
    raised, detected = (sum(counts) for counts in zip(*called, strict=True))
    windows = effort.windows * len(called)
    detector = f"modelmon, detector at {ONE_A_YEAR:g} false alarm a year"
    return [
        Between(name, "modelmon, alarms (default)", None, windows, raised),
        Between(name, detector, ours.promised(ONE_A_YEAR), windows, detected),
    ]


def _later_windows(stream: Stream, rng: np.random.Generator) -> Iterator[Profile]:
    numbers = stream.plan.parts[stream.plan.days :]
    for begin in range(0, len(numbers), CHUNK):
        yield from counted_parts(stream.plan, stream.grid, rng, numbers[begin : begin + CHUNK])


def between_of_peers(effort: Effort) -> list[Between]:
    """Return the windows of one stream in which a peer has an alarm: none remembers the last."""
    name, plan, _ = next(long_plans(effort))
    plan = replace(plan, windows=effort.peer_windows)
    rows = rows_of(plan, seeded(4, plan, 0))
    with peers.folder() as folder:
        peers.write(folder, plan, rows, range(plan.windows))
        return [
            Between(name, f"{peer.name}, any column", None, plan.windows, sum(map(bool, run)))
            for peer, (run,) in _peers(folder).items()
        ]
