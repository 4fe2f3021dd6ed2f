import pytest

from monitor.cli import main as cli
from monitor.cli.main import ExitCode, run


def test_help_names_every_command(capsys):
    assert run(["--help"]) == ExitCode.OK
    shown = capsys.readouterr().out
    for name, (_, about) in cli.COMMANDS.items():
        assert name in shown
        assert about.split()[0] in shown


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_where_the_table_says_and_has_its_own_help(name, capsys):
    assert run([name, "--help"]) == ExitCode.OK
    assert f"modelmon {name}" in capsys.readouterr().out


def test_the_version_is_the_distributions(capsys):
    assert run(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("modelmon 0.")


@pytest.mark.parametrize("arguments", [["no-such-command"], ["run", "--from", "2024-01-01"]])
def test_wrong_usage_ends_with_two(arguments, tmp_path, monkeypatch, capsys):
    deployment(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["--config", "modelmon.yaml", *arguments]) == ExitCode.USAGE
    assert capsys.readouterr().err


def test_a_wrong_configuration_ends_with_three_and_names_every_problem(tmp_path, capsys):
    deployment(tmp_path, model="model: m\nsauce: {}\nfields: {x: nummeric}\n")
    assert run(["--config", str(tmp_path / "modelmon.yaml"), "config", "check"]) == 3
    told = capsys.readouterr().err
    assert "m.yaml:2:1: sauce" in told
    assert "m.yaml:3:" in told
    assert "numeric" in told


def test_a_missing_settings_file_ends_with_three(tmp_path, capsys):
    assert run(["--config", str(tmp_path / "absent.yaml"), "db", "check"]) == 3
    assert "absent.yaml" in capsys.readouterr().err


def test_a_log_that_is_not_there_ends_with_four(tmp_path, capsys):
    assert run(["init", str(tmp_path / "nothing")]) == ExitCode.SOURCE
    assert "nothing" in capsys.readouterr().err


def test_a_database_without_schema_ends_with_five(tmp_path, capsys):
    deployment(tmp_path)
    assert run(["--config", str(tmp_path / "modelmon.yaml"), "db", "check"]) == ExitCode.STORE
    assert "modelmon db upgrade" in capsys.readouterr().err


def test_a_model_that_is_not_configured_is_wrong_usage(tmp_path, capsys):
    deployment(tmp_path)
    settings = str(tmp_path / "modelmon.yaml")
    assert run(["--config", settings, "db", "upgrade"]) == ExitCode.OK
    assert run(["--config", settings, "run", "--model", "other"]) == ExitCode.USAGE
    assert "configured: m" in capsys.readouterr().err


def deployment(folder, model=None):
    (folder / "models").mkdir()
    (folder / "modelmon.yaml").write_text("models: models\nstore: {url: sqlite:///modelmon.db}\n")
    (folder / "models" / "m.yaml").write_text(
        model
        or "model: m\nsource: {path: log, event_time: at}\nfields: {x: numeric}\n"
        "schedule: {window: day}\n"
    )
