"""A witness that somebody else wrote (C2SP tlog-witness), in a folder of its own.

`aics-witness` and `aics-tlog` are Apache-2.0 and pure Python: they are installed beside the project's
environment and not into it, and use its `cryptography`.
"""

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tests.e2e.alerting import free_port
from tests.e2e.deployment import get, wait_for

WANTED = ("aics-witness==0.1.0", "aics-tlog==0.2.1")
BUILD = Path(__file__).parents[1] / "build"


def environment():
    """Return the environment variables with which the programs are found."""
    home = BUILD / f"witness-{sha256(' '.join(WANTED).encode()).hexdigest()[:12]}"
    if not (home / "whole").exists():
        # They ask for 3.12 and run on 3.11, which is the oldest that tests run on.
        install = ["-m", "uv", "pip", "install", "--quiet", "--no-deps", "--python-version", "3.12"]
        subprocess.run(
            [sys.executable, *install, "--python", sys.executable, "--target", home, *WANTED],
            check=True,
        )
        (home / "whole").touch()
    return {**os.environ, "PYTHONPATH": str(home)}


def ran(program, asked):
    """Return what a program of Python prints, given a document, with the packages at hand."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(asked),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class TlogWitness:
    """A witness that can be told which logs to trust, and killed."""

    def __init__(self, folder, name="witness.example.org/w1"):
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self._environment = environment()
        self._process = None
        listen = self.url.removeprefix("http://")
        self.key = self._call("init", "--name", name, "--listen", listen).strip()

    def trust(self, key):
        """Have it cosign the log of a key, or another key's checkpoints of the same log."""
        self._call("add-log", "--origin", key.name, "--vkey", str(key))
        if self._process is not None:
            self.stop()
            self.start()

    def start(self):
        with (self.folder / "witness.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "aics_witness", "serve"],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment,
            )
        wait_for(self._is_up, self._process, self.folder / "witness.log")

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def evidence(self):
        """Return what it keeps of requests that contradict what it had cosigned."""
        return json.loads(self._call("evidence"))

    def _is_up(self):
        return get(f"{self.url}/healthz")[0] == 200

    def _call(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-m", "aics_witness", *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
