"""The witnesses of the audit log: every problem at once, and written back as they were read."""

import pytest

from monitor.config.daemon_file import load_settings, settings_as_yaml
from monitor.domain.errors import ConfigError

KEY = "witness.example.org/w1+dc804560+BLaQF9nSbY6ruaRauP351hOlb4kTtdHQUYntGyGxvsNW"
GOOD = f"audit: {{key: a.key, witnesses: [{{url: https://witness.example.org, key: {KEY}}}]}}\n"


def read(folder, text):
    path = folder / "modelmon.yaml"
    path.write_text(text)
    return load_settings(path, {})


def test_witnesses_are_read_and_written_back(tmp_path):
    settings = read(tmp_path, GOOD)
    assert settings.audit_witnesses == (("https://witness.example.org", KEY),)
    assert read(tmp_path, settings_as_yaml(settings)).audit_witnesses == settings.audit_witnesses


def test_the_output_as_a_witness_is_read_and_written_back(tmp_path):
    settings = read(tmp_path, "audit: {key: a.key, stdout: true}\n")
    assert settings.audit_stdout
    assert read(tmp_path, settings_as_yaml(settings)).audit_stdout
    with pytest.raises(ConfigError, match="has nothing to write: the log is signed where"):
        read(tmp_path, "audit: {stdout: true}\n")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (("https://witness.example.org", "witness:80"), "is no address"),
        (("dc804560", "dc804561"), "name, id and key do not belong together"),
        (("+BLaQ", "+ALaQ"), "key of a witness"),
        ((KEY, "nothing"), "NAME+ID+KEY"),
        (("key: a.key, ", ""), "have nothing to cosign"),
        (("witnesses: [", f"witnesses: [{{url: http://w, key: {KEY}}}, "), "is named 2 times"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(tmp_path, change, wrong):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, GOOD.replace(*change))
    assert any(wrong in str(problem) for problem in caught.value.problems), caught.value
