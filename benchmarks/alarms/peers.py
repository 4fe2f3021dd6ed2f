"""The peers on the very same rows: written as files, judged in the peers' own environments."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.alarms.streams import Columns, Plan
from benchmarks.run import EVIDENTLY, HERE, NANNYML, PEERS, WORK, Peer

SCRIPTS = {EVIDENTLY: "evidently_alarms", NANNYML: "nannyml_alarms"}

Alarms = list[list[str]]
"""For each window, the fields in alarm."""


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder for the rows of some runs, and take it away again."""
    WORK.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=WORK) as made:
        yield Path(made)


def write(folder: Path, plan: Plan, parts: Sequence[Columns], windows: Sequence[int]) -> None:
    """Write the rows of a run for the peers: the whole baseline, and some of its windows."""
    run = folder / f"{len(list(folder.iterdir())):05d}"
    run.mkdir()
    pq.write_table(_table(parts[: plan.days]), run / "baseline.parquet")
    for window in windows:
        path = run / f"window-{window:05d}.parquet"
        pq.write_table(_table([parts[plan.days + window]]), path)


def alarms(peer: Peer, folder: Path) -> list[Alarms]:
    """Return what a peer alarms on, for each run in a folder."""
    python = str(PEERS / peer.script / "bin" / "python")
    command = [python, str(HERE / "peers" / f"{SCRIPTS[peer]}.py"), str(folder)]
    environment = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"}
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{peer.name} failed:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]


def _table(parts: Sequence[Columns]) -> pa.Table:
    return pa.table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
