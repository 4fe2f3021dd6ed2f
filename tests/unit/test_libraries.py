import os
import subprocess
import sys

import pytest

from tests.commands import ROOT

SAID = ("ARROW_DEFAULT_MEMORY_POOL", "OPENBLAS_NUM_THREADS")


def said_by(code: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in SAID}
        | (environment or {}),
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize("given", [None, "4"])
def test_what_the_libraries_are_told_is_not_told_to_commands_that_are_run(given):
    code = f"""
import os, sys
import monitor.api
from monitor.cli.job import Job
told = [name for name in {SAID!r} if name in os.environ]
shown = "import os; print(*(os.environ.get(name) for name in ('OPENBLAS_NUM_THREADS', 'PERMIT')))"
Job([sys.executable, "-c", shown], {{"PERMIT": "yes"}}).wait()
print("OPENBLAS_NUM_THREADS" in told, "ARROW_DEFAULT_MEMORY_POOL" in told)
"""
    environment = {} if given is None else {"OPENBLAS_NUM_THREADS": given}
    assert said_by(code, environment).splitlines() == [f"{given} yes", "True True"]
