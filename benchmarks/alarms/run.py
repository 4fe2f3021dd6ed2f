"""False alarms, tests at the tolerance, time between alarms and delays: ours beside the peers'."""

import argparse
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from benchmarks.alarms import experiment, plot, tables
from benchmarks.run import EVIDENTLY, HERE, NANNYML, machine

TOLD = HERE / "alarms" / "NOTE.md"
Result = TypeVar("Result")

TITLE = "# How often an alarm is false, and how soon a true one comes\n"
PICTURE = HERE.parent / "docs" / "concepts" / "alarms.svg"


def picture(cells: Sequence[experiment.Cell]) -> str:
    """Return the picture of false alarms."""
    lines = [plot.Line(cell.plan.told, tables.rates(cell), cell.promise) for cell in cells]
    worst = max(line.rates["modelmon"].share for line in lines)
    others = [
        rate.share for line in lines for tool, rate in line.rates.items() if tool != "modelmon"
    ]
    about = (
        f"For each of {len(lines)} streams in which nothing changed, the share of windows with any "
        f"alarm on 40 fields. modelmon: at most {100 * worst:.1f} %. Evidently and NannyML with "
        f"their defaults: {100 * min(others):.0f} to {100 * max(others):.0f} %."
    )
    return plot.svg(
        "Nothing has changed: who calls somebody all the same?",
        about,
        "windows with an alarm on any of 40 fields; without a mark: not run",
        lines,
    )


@dataclass(frozen=True)
class Found:
    """Everything that was counted.

    Attributes:
        null: Streams in which nothing changes.
        noisy: Streams in which days differ.
        size: Tests of fields at the tolerance …
        power: … and at twice that, in the same order.
        between: Time between alarms.
        delays: Time until an alarm.
    """

    null: Sequence[experiment.Cell]
    noisy: Sequence[experiment.Cell]
    size: Sequence[experiment.Boundary]
    power: Sequence[experiment.Boundary]
    between: Sequence[experiment.Between]
    delays: Sequence[experiment.Delay]


def counted(effort: experiment.Effort, processes: int) -> Found:
    """Run everything, several at a time."""
    with ProcessPoolExecutor(processes) as pool:
        long = {
            name: [pool.submit(experiment.calls, plan, effort, number) for number in range(streams)]
            for name, plan, streams in experiment.long_plans(effort)
        }
        peers = pool.submit(experiment.between_of_peers, effort)
        null, noisy = (
            [pool.submit(experiment.alarm_rate, plan, effort) for plan in plans]
            for plans in (experiment.null_plans(), experiment.noisy_plans())
        )
        size, power = (
            [
                pool.submit(experiment.boundary, plan, times * experiment.TOLERANCE, effort)
                for plan in experiment.boundary_plans()
            ]
            for times in (1, 2)
        )
        delays = [
            pool.submit(experiment.delay, *changing, effort)
            for changing in experiment.delay_plans()
        ]
        between = [
            line
            for name, tasks in long.items()
            for line in experiment.between(name, effort, results(tasks))
        ]
        return Found(
            results(null),
            results(noisy),
            results(size),
            results(power),
            [*between, *peers.result()],
            results(delays),
        )


def text(found: Found) -> str:
    """Return the figures as a page."""
    now = datetime.now(UTC)  # noqa: TID251  # the date of the figures
    begin = (
        f"{now:%Y-%m-%d}, seed {experiment.SEED}, {machine()}. "
        f"Peers: {EVIDENTLY.name}; {NANNYML.name}.\n"
    )
    sections = {
        "Nothing has changed": tables.false_alarms(found.null),
        "Days differ a little, and nothing else has changed": tables.false_alarms(found.noisy),
        "The test of a single field": tables.boundary(found.size, found.power),
        "Windows between two alarms": tables.between(found.between),
        "Windows until an alarm on the one field that changed": tables.delays(found.delays),
    }
    lines = [TITLE, begin, TOLD.read_text(encoding="utf-8")]
    for heading, table in sections.items():
        lines += [f"## {heading}\n", *table, ""]
    return "\n".join(lines)


def results(tasks: Iterable[Future[Result]]) -> list[Result]:
    """Return what tasks have come to, when all have."""
    return [task.result() for task in tasks]


def main() -> None:
    """Make the environments, run the experiment, print the tables, write them and the picture."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--full", action="store_true", help="ten times the runs: hours")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, default=HERE / "ALARMS.md")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    given = parser.parse_args()
    for peer in (EVIDENTLY, NANNYML):
        peer.install()
    found = counted(experiment.FULL if given.full else experiment.SHORT, given.processes)
    page = text(found)
    print(page)
    given.output.write_text(page, encoding="utf-8")
    given.picture.write_text(picture([*found.null, *found.noisy]), encoding="utf-8")


if __name__ == "__main__":
    main()
