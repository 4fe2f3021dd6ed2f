"""The exact text that the author of a file sees, one file for each way to be wrong."""

from pathlib import Path

import pytest

from monitor.config.daemon_file import load_settings
from monitor.config.model_file import load_policy
from monitor.domain.errors import ConfigError

HERE = Path(__file__).parent / "config"
MODELS = sorted(path.stem for path in HERE.glob("*.yaml"))
DAEMONS = sorted(path.stem for path in (HERE / "daemon").glob("*.yaml"))


def text_of(problems):
    return "".join(f"{problem}\n" for problem in problems)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_wrong_model_file_is_told_everything_in_order(name, golden, monkeypatch):
    monkeypatch.chdir(HERE)
    with pytest.raises(ConfigError) as caught:
        load_policy(Path(f"{name}.yaml"))
    problems = caught.value.problems
    assert list(problems) == sorted(problems, key=lambda found: (found.line, found.column))
    golden(f"config/{name}.txt", text_of(problems))


@pytest.mark.parametrize("name", DAEMONS)
def test_a_wrong_daemon_file_is_told_everything_without_secrets(name, golden, monkeypatch):
    monkeypatch.chdir(HERE / "daemon")
    with pytest.raises(ConfigError) as caught:
        load_settings(Path(f"{name}.yaml"), {})
    text = text_of(caught.value.problems)
    assert "hunter2" not in text
    golden(f"config/daemon/{name}.txt", text)
