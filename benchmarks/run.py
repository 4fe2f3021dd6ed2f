"""One table: modelmon beside its peers, in CPU seconds and memory, interleaved, with versions."""

import argparse
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from compileall import compile_dir
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import data, ours
from benchmarks.measured import Cost, Job, interleaved

HERE = Path(__file__).parent
WORK = HERE.parent / "var" / "benchmarks"
PEERS = WORK / "environments"


@dataclass(frozen=True)
class Peer:
    """Another tool, in an environment of its own.

    Attributes:
        name: Its row in the table.
        script: File in ``peers/``.
        packages: What is installed: the tool's version is fixed, and what it needs and does not
            say, or cannot bear in its newest version, is added.
        goal: At least so many times our CPU seconds.
    """

    name: str
    script: str
    packages: tuple[str, ...]
    goal: float

    def job(self, folder: Path) -> Job:
        """Return the job on the logs in a folder."""
        python = str(PEERS / self.script / "bin" / "python")
        command = (python, str(HERE / "peers" / f"{self.script}.py"), str(folder))
        return Job(self.name, (command,), {"NML_DISABLE_USAGE_LOGGING": "1"})

    def install(self) -> None:
        """Make the environment unless it is there."""
        home = PEERS / self.script
        done = home / ".installed"
        if done.exists() and done.read_text(encoding="utf-8") == " ".join(self.packages):
            return
        print(f"installing {self.name}", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *self.packages]
        subprocess.run(pip, check=True)
        done.write_text(" ".join(self.packages), encoding="utf-8")


FROUROS = Peer(
    "frouros 0.9.0, KS and chi-square", "frouros_ks", ("frouros==0.9.0", "pandas<3", "pyarrow"), 4
)
NANNYML = Peer(
    "NannyML 0.13.1, default",
    "nannyml_default",
    ("nannyml==0.13.1", "statsmodels", "pandas<3", "pyarrow"),
    15,
)
WHYLOGS = Peer(
    "whylogs 1.6.4, profiles and drift scores",
    "whylogs_profile",
    ("whylogs[viz]==1.6.4", "pandas<3", "pyarrow==17.0.0", "numpy<2"),
    35,
)
EVIDENTLY = Peer(
    "Evidently 0.7.23, drift preset",
    "evidently_default",
    ("evidently==0.7.23", "pandas<3", "pyarrow"),
    70,
)
FAIRLEARN = Peer(
    "Fairlearn 0.15.0, MetricFrame (computation only)",
    "fairlearn_frame",
    ("fairlearn==0.15.0", "pandas<3", "pyarrow"),
    100,
)
DRIFT = (FROUROS, NANNYML, WHYLOGS, EVIDENTLY)

BOTH = "modelmon, baseline and window"
WINDOW = "modelmon run, registered baseline"
READ = "reading only (pyarrow, column by column)"
PERIODS = {"baseline": ("2026-01-01", "2026-02-01"), "window": ("2026-02-01", "2026-03-01")}


def logs(rows: int, baseline_rows: int) -> Path:
    """Return a folder with a baseline and a window of so many rows; it is made once."""
    folder = WORK / f"{rows}-rows"
    data.baseline(folder / "baseline", baseline_rows)
    data.window(folder / "window", rows)
    return folder


def our_jobs(folder: Path) -> tuple[Job, ...]:
    """Return our jobs on the logs of a folder, and the reading they are held against."""
    for package in ("monitor", "benchmarks"):  # as an installation does, and so the peers are
        compile_dir(HERE.parent / package, quiet=1)
    settings = str(ours.configure(folder))
    database, registered = folder / "var" / "modelmon.db", folder / "var" / "registered.db"
    database.unlink(missing_ok=True)
    modelmon = (sys.executable, "-m", "monitor", "--config", settings)
    subprocess.run([*modelmon, "db", "upgrade"], check=True)
    begin, end = PERIODS["baseline"]
    period = ["--from", begin, "--to", end, "--why", "benchmark", "--by", "benchmark"]
    subprocess.run([*modelmon, "baseline", "register", "benchmark", *period], check=True)
    shutil.copy(database, registered)
    begin, end = PERIODS["window"]
    run = (sys.executable, "-m", "monitor", "--config", settings, "run", "--from", begin)
    again = ("cp", str(registered), str(database))  # or the run would find its own results
    policy = str(folder / "config" / "models" / "benchmark.yaml")
    return (
        Job(BOTH, ((sys.executable, "-m", "benchmarks.both", policy),), {}),
        Job(WINDOW, (again, (*run, "--to", end)), {}),
        Job(READ, ((sys.executable, "-m", "benchmarks.ours", "read", str(folder)),), {}),
    )


def whole_processes(
    rows: int, rounds: int, peers: Sequence[Peer], baseline_rows: int | None = None
) -> list[str]:
    """Return the table of whole processes on windows of so many rows."""
    baseline_rows = baseline_rows or rows
    folder = logs(rows, baseline_rows)
    jobs = our_jobs(folder)
    costs = interleaved([*jobs, *(peer.job(folder) for peer in peers)], rounds)
    mine = costs[BOTH]
    assert mine is not None
    lines = [
        f"\n### {baseline_rows:,} rows of baseline, {rows:,} rows of window\n",
        "| whole process | CPU s | peak MB | CPU ÷ modelmon's | goal |",
        "|---|---:|---:|---:|---|",
    ]
    goals = {peer.name: f"≥ {peer.goal:g}" for peer in peers}
    for name, cost in costs.items():
        lines.append(f"| {name} | {_cells(cost, mine)} | {goals.get(name, '')} |")
    window, frouros = costs[WINDOW], costs[FROUROS.name]
    assert window is not None
    if frouros is not None:
        lines.append(
            f"\nBeside frouros the window alone, its baseline registered, costs 1/"
            f"{frouros.cpu / window.cpu:.1f} of the CPU seconds (goal 1/7) and 1/"
            f"{frouros.memory / window.memory:.1f} of the memory."
        )
    return lines


def _cells(cost: Cost | None, mine: Cost) -> str:
    if cost is None:
        return "failed | | "
    return f"{cost.cpu:.2f} | {cost.memory:.0f} | {cost.cpu / mine.cpu:.2f}"


def fairness(rows: int, rounds: int) -> list[str]:
    """Return the table of disparity's computation alone."""
    folder = logs(rows, rows)
    command = (sys.executable, "-m", "benchmarks.ours", "disparity", str(folder))
    mine = Job("modelmon", (command,), {})
    costs = interleaved([mine, FAIRLEARN.job(folder)], rounds)
    lines = [
        f"\n### Rates of sex, race and sex × race, {rows:,} rows, from memory\n",
        "| | CPU s | CPU ÷ modelmon's | goal |",
        "|---|---:|---:|---|",
    ]
    own = costs["modelmon"]
    assert own is not None
    for name, cost in costs.items():
        seconds = float("nan") if cost is None else float(cost.said)
        goal = f"≥ {FAIRLEARN.goal:g}" if name == FAIRLEARN.name else ""
        lines.append(f"| {name} | {seconds:.3f} | {seconds / float(own.said):.0f} | {goal} |")
    return lines


def passes_and_memory(sizes: Sequence[int], rounds: int) -> list[str]:
    """Return the table of passes in one process, and of its memory, by rows of the window."""
    lines = [
        "\n### A pass over a window beside the reading of its columns, one thread, in one process\n",
        "| rows | read, CPU s | pass, CPU s | pass ÷ read (goal ≤ 3.0) | peak MB (goal ≤ 300) |",
        "|---:|---:|---:|---:|---:|",
    ]
    for rows in sizes:
        folder = logs(rows, min(rows, 1_000_000))
        command = (sys.executable, "-m", "benchmarks.ours", "pass", str(folder))
        cost = Job("pass", ((*command, "--rounds", str(rounds)),), {}).cost()
        assert cost is not None
        read, whole = cost.said.split()
        ratio = float(whole) / float(read)
        lines.append(f"| {rows:,} | {read} | {whole} | {ratio:.2f} | {cost.memory:.0f} |")
    return lines


def two_threads(rows: int, rounds: int) -> list[str]:
    """Return what a second thread brings to a pass, by the clock."""
    folder = logs(rows, min(rows, 1_000_000))
    command = (sys.executable, "-m", "benchmarks.ours", "threads", str(folder))
    cost = Job("threads", ((*command, "--rounds", str(rounds)),), {}).cost()
    assert cost is not None
    one, two = cost.said.split()
    return [
        f"\n### A pass over {rows:,} rows on one thread and on two, by the clock\n",
        "| one, s | two, s | one ÷ two (goal ≥ 1.6) | peak MB |",
        "|---:|---:|---:|---:|",
        f"| {one} | {two} | {float(one) / float(two):.2f} | {cost.memory:.0f} |",
    ]


def small_files(files: int, rows: int, rounds: int) -> list[str]:
    """Return what a run over many small files costs, beside the same number of rows in one."""
    lines = [
        f"\n### {files * rows:,} rows in {files:,} files, and in one; the baseline is registered\n",
        "| whole process | CPU s | by the clock, s | peak MB |",
        "|---|---:|---:|---:|",
    ]
    many, one = WORK / f"{files}-files", WORK / f"{files * rows}-rows-in-one"
    for folder in (many, one):
        data.baseline(folder / "baseline", 200_000)
    data.small_files(many / "window", files, rows)
    data.window(one / "window", files * rows)
    jobs = [
        replace(job, name=f"{job.name}, {name}")
        for folder, name in ((many, f"{files:,} files"), (one, "one file"))
        for job in our_jobs(folder)
        if job.name != BOTH
    ]
    for name, cost in interleaved(jobs, rounds).items():
        assert cost is not None, name
        lines.append(f"| {name} | {cost.cpu:.2f} | {cost.clock:.2f} | {cost.memory:.0f} |")
    return lines


def from_profiles() -> list[str]:
    """Return what is done with stored profiles, in which no row is read."""
    folder = logs(1_000_000, 1_000_000)
    cost = Job(
        "drift", ((sys.executable, "-m", "benchmarks.ours", "drift", str(folder)),), {}
    ).cost()
    assert cost is not None
    measured, merged = (1000 * float(seconds) for seconds in cost.said.split())
    return [
        "\n### From stored profiles of 49 fields and three attributes\n",
        "| | CPU ms | goal |",
        "|---|---:|---|",
        f"| every measure of drift of every field, with its interval | {measured:.0f} | ≤ 50 |",
        f"| the sum of 24 windows | {merged:.0f} | ≤ 10 |",
    ]


def commands(rounds: int) -> list[str]:
    """Return what commands cost that read no rows, beside the libraries that each of them needs."""
    folder = logs(1_000_000, 1_000_000)
    our_jobs(folder)
    modelmon = (
        sys.executable,
        "-m",
        "monitor",
        "--config",
        str(folder / "config" / "modelmon.yaml"),
    )
    libraries = (sys.executable, "-c", "import click, yaml; from pydantic import BaseModel")
    goals = {
        ("--help",): "≤ 0.10",
        ("config", "check"): "≤ 3 × its libraries",
        ("baseline", "list"): "≤ 0.40",
        ("alerts", "list"): "≤ 0.40",
    }
    jobs = [Job(f"`modelmon {' '.join(words)}`", ((*modelmon, *words),), {}) for words in goals]
    alone = Job("its libraries: importing click, PyYAML and pydantic", (libraries,), {})
    costs = interleaved([*jobs, alone], rounds)
    lines = [
        "\n### Commands that read no rows\n",
        "| whole process | CPU s | goal |",
        "|---|---:|---|",
    ]
    for (name, cost), goal in zip(costs.items(), [*goals.values(), ""], strict=True):
        assert cost is not None, name
        lines.append(f"| {name} | {cost.cpu:.3f} | {goal} |")
    return lines


def machine() -> str:
    """Return what the figures were measured on, and with."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        fields = dict(
            line.split(":", 1)
            for line in info.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
        )
        named = {key.strip(): value.strip() for key, value in fields.items()}
        family = f"family {named.get('cpu family')}, model {named.get('model')}"
        model = f"{named.get('model name', model)} ({family})"
    packages = " ".join(
        f"{name} {version(name)}" for name in ("modelmon", "numpy", "pyarrow", "scipy")
    )
    load = f"load at the start {os.getloadavg()[0]:.1f}"
    python = platform.python_version()
    return f"{model}, {os.cpu_count()} cores, {load}; Python {python}, {packages}"


def main() -> None:
    """Make the logs and the environments, measure, print the tables, and write them to a file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--full", action="store_true", help="all peers on 1M rows, and 10M rows")
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    given = parser.parse_args()
    for peer in (*DRIFT, FAIRLEARN):
        peer.install()
    now = datetime.now(UTC)  # noqa: TID251  # the date of the figures
    lines = ["# Figures\n", f"{now:%Y-%m-%d}, {machine()}.", (HERE / "NOTE.md").read_text()]
    if given.full:
        lines += passes_and_memory([200_000, 1_000_000, 10_000_000], 3)
        lines += whole_processes(1_000_000, 3, (FROUROS,))
        lines += whole_processes(1_000_000, 1, DRIFT)
        lines += whole_processes(10_000_000, 1, (FROUROS,), 1_000_000)
        lines += two_threads(10_000_000, 5)
        lines += small_files(3000, 333, 3)
    else:
        lines += passes_and_memory([200_000, 1_000_000], 5)
        lines += whole_processes(1_000_000, 3, (FROUROS,))
        lines += whole_processes(200_000, 1, DRIFT)
        lines += two_threads(1_000_000, 9)
        lines += small_files(300, 333, 1)
    lines += fairness(1_000_000, 1)
    lines += from_profiles()
    lines += commands(9)
    text = "\n".join(lines) + "\n"
    print(text)
    given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
