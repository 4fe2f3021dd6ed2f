"""What a command costs: CPU seconds, seconds by the clock and peak memory of its process tree."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Cost:
    """What one execution took.

    Attributes:
        cpu: User and system seconds.
        clock: Seconds from start to end.
        memory: Peak resident memory, MB.
        said: Its standard output.
    """

    cpu: float
    clock: float
    memory: float
    said: str


@dataclass(frozen=True)
class Job:
    """A command that is measured.

    Attributes:
        name: Its row in the table.
        command: Program and arguments; several commands are one job when they belong together.
        environment: Variables beside this process's own.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    environment: Mapping[str, str]

    def cost(self) -> Cost | None:
        """Return what the job costs, None when it fails: its message goes to standard error."""
        parts = []
        for command in self.commands:
            part = _cost(command, {**os.environ, **self.environment})
            if part is None:
                print(f"{self.name}: failed", file=sys.stderr)
                return None
            parts.append(part)
        return Cost(
            sum(part.cpu for part in parts),
            sum(part.clock for part in parts),
            max(part.memory for part in parts),
            "".join(part.said for part in parts),
        )


def interleaved(jobs: Sequence[Job], rounds: int) -> dict[str, Cost | None]:
    """Return each job's median cost over A B A B: a slow minute of the machine hits all of them."""
    costs: dict[str, list[Cost | None]] = {job.name: [] for job in jobs}
    for number in range(rounds):
        for job in jobs:
            print(f"round {number + 1} of {rounds}: {job.name}", file=sys.stderr)
            costs[job.name].append(job.cost())
    return {name: _middle(found) for name, found in costs.items()}


def _middle(found: Sequence[Cost | None]) -> Cost | None:
    whole = [cost for cost in found if cost is not None]
    if len(whole) < len(found) or not whole:
        return None
    memory = max(cost.memory for cost in whole)
    cpu, clock = median(cost.cpu for cost in whole), median(cost.clock for cost in whole)
    return Cost(cpu, clock, memory, whole[0].said)


def _cost(command: Sequence[str], environment: Mapping[str, str]) -> Cost | None:
    # Through a small process: the peak memory of a child begins with what its parent holds.
    launcher = [sys.executable, "-S", __file__, *command]
    root = Path(__file__).parents[1]
    done = subprocess.run(
        launcher, stdout=subprocess.PIPE, env=environment, cwd=root, text=True, check=False
    )
    return None if done.returncode else Cost(**json.loads(done.stdout))


def _launched(command: Sequence[str]) -> Cost | None:
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    clock = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        return None
    return Cost(usage.ru_utime + usage.ru_stime, clock, usage.ru_maxrss / 1024, said)


if __name__ == "__main__":
    launched = _launched(sys.argv[1:])
    if launched is None:
        sys.exit(1)
    print(json.dumps(asdict(launched)))
