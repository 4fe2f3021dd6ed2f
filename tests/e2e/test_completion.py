"""Shells complete what is typed: the scripts, and bash for real."""

import os
import subprocess
import sys

import pytest

from monitor.cli.main import COMMANDS

pytestmark = pytest.mark.slow


@pytest.fixture
def program(tmp_path):
    """Return an environment in which ``modelmon`` is found."""
    script = tmp_path / "modelmon"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m monitor "$@"\n')
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


def called(program, *arguments, **more):
    return subprocess.run(
        ["modelmon", *arguments],
        env=program | more,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


def in_bash(program, *words):
    """Return what bash offers when the last word is being typed."""
    script = (
        'source <(modelmon completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
        '_modelmon_completion modelmon; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "-c", f"compopt() {{ :; }}; {script}", "bash", *words]
    done = subprocess.run(
        command, env=program, capture_output=True, text=True, check=True, timeout=120
    )
    assert not done.stderr
    return done.stdout.split()


def test_bash_completes_commands_subcommands_and_options(program):
    assert in_bash(program, "modelmon", "") == list(COMMANDS)
    assert in_bash(program, "modelmon", "rul") == ["rules"]
    assert in_bash(program, "modelmon", "config", "s") == ["schema", "show"]
    assert in_bash(program, "modelmon", "rules", "--k") == ["--kubernetes"]
    assert in_bash(program, "modelmon", "completion", "f") == ["fish"]
    assert in_bash(program, "modelmon", "nothing-like-this") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script_and_its_answers(program, shell):
    script = called(program, "completion", shell)
    assert f"_MODELMON_COMPLETE={shell}_complete" in script
    asked = {"_MODELMON_COMPLETE": f"{shell}_complete", "COMP_WORDS": "modelmon ru"}
    asked["COMP_CWORD"] = "ru" if shell == "fish" else "1"
    answer = called(program, **asked)
    assert "rules" in answer and "run" in answer
    assert "report" not in answer


def test_a_script_is_printed_where_there_is_no_such_shell(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "completion", "bash"],
        env={"PATH": str(tmp_path), "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "complete -o" in done.stdout
    assert not done.stderr
