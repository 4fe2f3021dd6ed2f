"""The commands of the README, one after the other, on logs of somebody's own."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.architecture.test_documented_commands import FENCE, TICKS
from tests.e2e.deployment import get, wait_for, write_day

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OWN = README[README.index("## Your own logs") : README.index("## What runs where")]
FIRST, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("readme")]


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Return what runs a line of the README, in a folder with a log where it says, and the folder."""
    folder = tmp_path_factory.mktemp("own")
    day = FIRST
    while day < END:
        file = folder / "path/to/log" / f"{day:%Y-%m-%d}.parquet"
        day += timedelta(days=1)
        write_day(file, day - timedelta(days=1), rows=200, shift=25.0 if day == END else 0.0)
    program = folder / "bin" / "modelmon"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m monitor "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    environment["PYTHONPATH"] = str(ROOT)

    def run(line, *, code=0):
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == code, (line, done.stdout, done.stderr)
        return done

    told = steps()
    assert told[0] == "pip install ."  # tests/wheel.sh does that
    assert told[-1] == "modelmon serve"  # a test does that
    for line in told[1:-1]:
        run(line)
        if "init" in line:  # what its owner says of it: it ends, so that this test does not grow
            edit(folder, "  window: day", "  end: 2026-03-05\n  window: day")
    return run, folder, environment


def steps():
    """Return the lines of the blocks of this section, without their comments."""
    lines = [line for block in FENCE.findall(OWN) for line in block.splitlines()]
    return [line.split("  #")[0].strip() for line in lines]


def inline():
    """Return the commands that its sentences name."""
    spans = [" ".join(span.split()) for span in TICKS.findall(FENCE.sub("", OWN))]
    return [span for span in spans if re.match(r"modelmon \w", span)]


def test_the_daemon_shows_what_the_commands_before_it_have_made(shell):
    _, folder, environment = shell
    assert (folder / "var" / "modelmon.db").exists()
    settings = ["modelmon", "serve", "--port", "0"]
    log = folder / "serve.log"
    with log.open("w") as stream:
        process = subprocess.Popen(settings, cwd=folder, env=environment, stderr=stream)
    try:
        (address,) = wait_for(
            lambda: re.findall(r"metrics at (\S+)/metrics", log.read_text()), process, log
        )
        assert 'model="my-model"' in get(f"{address}/metrics")[1]
        assert get(f"{address}/models/my-model")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()


def test_the_commands_that_sentences_name_work_on_what_came_of_it(shell):
    run, folder, _ = shell
    tables = json.loads(run("modelmon run --from 2026-03-04 --to 2026-03-05 --output json").stdout)
    finding = next(row["finding"] for table in tables for row in table["rows"] if "finding" in row)
    done = []
    for command in inline():
        if command == "modelmon serve":
            continue  # the other test
        line = command.replace("FINDING", finding)
        if command.startswith("modelmon report bias"):
            edit(folder, "  # positive_is: favourable ", "  positive_is: favourable #")
            edit(folder, "# populations:\n#   sex: {}", "populations: [sex]")
            run("modelmon baseline register my-model --from 2026-01-01 --to 2026-03-01 --why sides")
            run("modelmon run")
        run(line)
        done.append(command.split()[1])
    assert set(done) >= {"explain", "recheck", "run", "report", "rules"}
    assert "<html" in (folder / "report.html").read_text()


def edit(folder, was, now):
    """Answer a question that ``init`` has left in the file."""
    file = folder / "config" / "models" / "my-model.yaml"
    text = file.read_text()
    assert text.count(was) == 1, text
    file.write_text(text.replace(was, now))
