"""A window of fifty million rows takes hardly more memory than one of five million."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.deployment import make_deployment, register

pytestmark = pytest.mark.slow

ROWS = 1_000_000
"""Of one file; the others are further names of it."""

MEASURED = """
import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(ended.stderr if ended.returncode else 0)
"""


def write_large(path, day):
    random = np.random.default_rng(7)
    micros = (
        int(day.timestamp()) * 1_000_000 + np.sort(random.integers(0, 86_400, ROWS)) * 1_000_000
    )
    table = pa.table(
        {
            "id": pa.array(np.arange(ROWS)).cast(pa.string()),
            "at": pa.array(micros, pa.timestamp("us", "UTC")),
            "amount": random.normal(100, 10, ROWS),
            "channel": pa.array(
                random.choice(["web", "branch", "phone"], ROWS)
            ).dictionary_encode(),
            "score": random.random(ROWS),
            "approved": random.random(ROWS) < 0.6,
            "sex": pa.array(random.choice(["f", "m"], ROWS)).dictionary_encode(),
        }
    )
    pq.write_table(table, path, row_group_size=2**17)


def peak(deployment, files, day):
    """Run the window of so many files; return the peak memory of the process in MiB."""
    folder = deployment.folder / "log"
    first = folder / f"{day:%d}-0.parquet"
    write_large(first, day)
    for number in range(1, files):
        os.link(first, folder / f"{day:%d}-{number}.parquet")
    end = day + timedelta(days=1)
    command = deployment.command("run", "--from", f"{day:%Y-%m-%d}", "--to", f"{end:%Y-%m-%d}")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout) / 1024


def test_memory_is_bounded_by_row_groups_and_not_by_rows(tmp_path):
    deployment = make_deployment(tmp_path, days=4)
    model = tmp_path / "models" / "credit.yaml"
    text = model.read_text().replace(", id: id}", "}").replace("end: 2024-01-05", "end: 2024-01-07")
    model.write_text(text)
    register(deployment)
    small = peak(deployment, 5, datetime(2024, 1, 5, tzinfo=UTC))
    large = peak(deployment, 50, datetime(2024, 1, 6, tzinfo=UTC))
    assert large < small + 64, (small, large)
    assert large < 512
