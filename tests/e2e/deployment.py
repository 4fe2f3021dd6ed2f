"""A small deployment on disk, and the real command working on it."""

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from monitor import app
from tests.commands import Command, modelmon

PATIENCE = 300.0
"""Seconds in which what is waited for comes on any machine, whatever else it does."""

MODEL = """\
model: {name}
source: {{path: ../log, event_time: at, id: id}}
fields:
  amount: numeric
  channel: categorical
  score: {{role: score, kind: numeric}}
decision: {{column: approved, positive: [true], positive_is: favourable}}
populations: [sex]
schedule: {{window: day, start: 2024-01-05, end: {end}}}
"""


def write_day(path: Path, day: datetime, rows: int = 600, shift: float = 0.0) -> None:
    """Write one day of decisions, a shifted one when asked."""
    rng = np.random.default_rng(day.toordinal())
    offsets = np.sort(rng.integers(0, 86_400, rows))
    table = pa.table(
        {
            "id": [f"{day:%Y%m%d}-{place}" for place in range(rows)],
            "at": pa.array(
                [day + timedelta(seconds=int(s)) for s in offsets], pa.timestamp("us", "UTC")
            ),
            "amount": rng.normal(100 + shift, 10, rows),
            "channel": rng.choice(["web", "branch", "phone"], rows),
            "score": rng.random(rows),
            "approved": rng.random(rows) < 0.6,
            "sex": rng.choice(["f", "m"], rows),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)


@dataclass
class Deployment:
    """A folder with configuration, logs and a database."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "modelmon.yaml"

    @property
    def database(self) -> Path:
        return self.folder / "var" / "modelmon.db"

    def command(self, *arguments: str, program: str = "monitor") -> list[str]:
        return [sys.executable, "-m", program, "--config", str(self.config), *arguments]

    def call(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = modelmon("--config", str(self.config), *arguments)
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return done

    @contextmanager
    def daemon(self, *arguments: str, program: str = "monitor", **environment: str):
        """Run ``serve`` on a free port; yield the process and its address."""
        log = self.folder / f"serve-{time.monotonic_ns()}.log"
        with log.open("w") as stream:
            if program == "monitor" and not environment:
                process = Command(
                    *("--config", str(self.config), "serve", "--port", "0", *arguments),
                    stdout=stream,
                    stderr=stream,
                )
            else:
                process = subprocess.Popen(
                    self.command("serve", "--port", "0", *arguments, program=program),
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                )
        try:
            yield process, wait_for(lambda: _address(log), process, log), log
        finally:
            if process.poll() is None:
                process.kill()  # also one that is stopped
            process.wait(PATIENCE)


def make_deployment(
    folder: Path,
    models: tuple[str, ...] = ("credit",),
    days: int = 8,
    *,
    store: str = "sqlite:///var/modelmon.db",
    settings: str = "",
) -> Deployment:
    """Lay out a deployment: four baseline days, then further ones, the last of them drifted."""
    deployment = Deployment(folder)
    (folder / "models").mkdir(parents=True)
    deployment.config.write_text(
        f'models: models\nstore: {{url: "{store}"}}\ncheck_every: 1s\n{settings}'
    )
    first = datetime(2024, 1, 1, tzinfo=UTC)
    for place in range(days):
        day = first + timedelta(days=place)
        shift = 25.0 if place == days - 1 else 0.0
        write_day(folder / "log" / f"{day:%Y-%m-%d}.parquet", day, shift=shift)
    end = first + timedelta(days=days)
    for name in models:
        (folder / "models" / f"{name}.yaml").write_text(
            MODEL.format(name=name, end=f"{end:%Y-%m-%d}")
        )
    app.upgrade_store(app.read_settings(deployment.config))  # as `modelmon db upgrade`
    return deployment


def register(deployment: Deployment, model: str = "credit") -> None:
    """Register the first four days as the baseline."""
    deployment.call(
        *("baseline", "register", model, "--from", "2024-01-01", "--to", "2024-01-05"),
        *("--why", "the first four days"),
    )


def get(url: str) -> tuple[int, str]:
    """Return status and body."""
    try:
        with urlopen(url, timeout=120) as answer:  # noqa: S310  # an address of this test
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
    except URLError as error:
        return 0, str(error.reason)


def samples(text: str) -> dict[str, float]:
    """Return series (with labels) to value."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            found[series] = float(value)
    return found


def is_stopped(pid: int) -> bool:
    """Return whether a process is paused by a signal."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")


def wait_for(ask, process=None, log=None, seconds: float = PATIENCE):
    """Return the first truthy answer; fail when none comes in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = ask()
        if found:
            return found
        if process is not None and process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}: {log.read_text()}")
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain" + (f": {log.read_text()}" if log else ""))


def _address(log: Path) -> str | None:
    found = re.search(r"metrics at (http://\S+)/metrics", log.read_text())
    return found[1] if found else None
