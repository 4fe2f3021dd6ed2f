"""The script that installs what tests run: it says what is missing, and changes nothing twice."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "debian-packages.sh"
PROGRAMS = (
    "promtool",
    "prometheus-node-exporter",
    "amtool",
    "chromium",
    "systemd-analyze",
    "nginx",
    "unshare",
)


@pytest.fixture
def call(tmp_path):
    """Return a function that calls the script where only the programs given are found."""

    def called(*programs, dry=False):
        folder = tmp_path / "bin"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in ("bash", "id", "tr", "env"):
            (folder / name).symlink_to(shutil.which(name))
        for name, does in programs:
            (folder / name).unlink(missing_ok=True)
            (folder / name).write_text(f"#!{shutil.which('bash')}\n{does}\n")
            (folder / name).chmod(0o755)
        environment = {"PATH": str(folder)} | ({"MODELMON_DRY_RUN": "1"} if dry else {})
        return subprocess.run(
            [shutil.which("bash"), SCRIPT],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return called


def test_where_all_is_there_it_does_nothing(call):
    done = call(*[(name, "") for name in PROGRAMS], ("apt-get", "exit 1"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_says_what_it_would_install(call):
    done = call(*[(name, "") for name in PROGRAMS[1:]], dry=True)
    assert (done.returncode, done.stdout) == (0, "prometheus\n")
    assert {"chromium", "fonts-dejavu-core"} <= set(call(dry=True).stdout.split())


def test_it_says_what_is_missing_where_it_cannot_install(call):
    done = call()
    assert done.returncode == 0
    assert "not installed: prometheus " in done.stderr
    assert "(there is no apt-get)" in done.stderr


def test_without_root_it_says_what_it_needs(call):
    done = call(("id", "echo 1000"), ("sudo", "exit 1"), ("apt-get", "exit 1"))
    assert done.returncode == 0
    assert "it needs root, or sudo without a password" in done.stderr


def test_a_package_that_is_not_to_be_had_keeps_no_other_away(call, tmp_path):
    installs = """
    for package; do :; done
    echo "$*" >>$0.log
    [ "$package" != prometheus ] || exit 100"""
    done = call(("id", "echo 0"), ("apt-get", installs))
    assert done.returncode == 0
    assert "apt-get could not install prometheus" in done.stderr
    asked = [
        line.split()[-1] for line in (tmp_path / "bin" / "apt-get.log").read_text().splitlines()
    ]
    assert asked[0] == "-qq"  # the lists come first
    assert asked.index("prometheus") < asked.index("util-linux")


def test_it_is_executable():
    assert os.access(SCRIPT, os.X_OK)
