"""Every settings file and every model file that the repository ships is one that the program takes."""

from pathlib import Path

import pytest
import yaml

from monitor.cli.main import ExitCode, run
from monitor.config.daemon_file import load_settings

ROOT = Path(__file__).parents[2]
SETTINGS = sorted([*ROOT.glob("config/*.yaml"), *ROOT.glob("deploy/**/modelmon.yaml")])
MODELS = sorted(ROOT.glob("config/models/*.yaml"))


def name_of(path):
    return str(path.relative_to(ROOT))


def test_there_are_examples():
    assert len(SETTINGS) >= 4
    assert MODELS


@pytest.mark.parametrize("path", SETTINGS, ids=name_of)
def test_settings_are_taken(path, tmp_path):
    (tmp_path / "password").write_text("made for this test")
    text = path.read_text(encoding="utf-8")
    text = text.replace("/run/secrets/modelmon/password", str(tmp_path / "password"))
    copy = tmp_path / "modelmon.yaml"
    copy.write_text(text)
    settings = load_settings(copy, {"MODELMON_DB_PASSWORD": "made for this test"})
    assert settings.port == yaml.safe_load(text)["web"]["port"]


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_a_model_is_taken(path, capsys):
    assert run(["config", "check", str(path)]) == ExitCode.OK
    assert f"{path.stem}: ok" in capsys.readouterr().err


def test_the_folder_is_taken_as_a_whole(capsys):
    settings = str(ROOT / "config" / "modelmon.yaml")
    assert run(["--config", settings, "config", "check"]) == ExitCode.OK
    assert capsys.readouterr().err.count(": ok") == len(MODELS)
