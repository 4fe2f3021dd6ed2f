"""Tokens by the command line: printed once, listed without their secrets, revoked."""

import json
import re

import pytest

from monitor.cli.main import run


@pytest.fixture
def modelmon(tmp_path, capsys):
    (tmp_path / "models").mkdir()
    config = tmp_path / "modelmon.yaml"
    config.write_text("store: {url: 'sqlite:///m.db'}\n")

    def call(*arguments):
        code = run(["--config", str(config), *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


CREATE = ("token", "create", "pager", "--for", "olga", "--role", "operator", "--expires", "90d")


def test_a_token_is_shown_once_and_listed_without_its_secret(modelmon):
    assert modelmon(*CREATE)[0] == 5  # no database yet
    assert modelmon("db", "upgrade")[0] == 0
    code, out, told = modelmon(*CREATE)
    assert code == 0 and "shown this once" in told
    (text,) = re.findall("^mon_[0-9a-f]{16}_[0-9a-f]{64}$", out.strip())
    public, secret = text.split("_")[1:]
    code, out, _ = modelmon("token", "list", "--output", "json")
    (listed,) = json.loads(out)["tokens"]
    assert (listed["id"], listed["holder"], listed["state"]) == (public, "olga", "valid")
    assert secret not in out and secret not in modelmon("token", "list")[1]
    assert modelmon("token", "revoke", public)[0] == 0
    assert "revoked already" in modelmon("token", "revoke", public)[2]
    assert "no token is valid" in modelmon("token", "list")[2]
    assert "revoked" in modelmon("token", "list", "--all")[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--expires", "3000d"), "366 days at most"),
        (("--expires", "soon"), "--expires: "),
        (("--for", "\n"), "characters that can be seen"),
    ],
)
def test_a_token_that_would_be_wrong_is_refused(modelmon, wrong, said):
    modelmon("db", "upgrade")
    code, out, told = modelmon(*CREATE, *wrong)
    assert (code, out) == (2, "") and said in told
