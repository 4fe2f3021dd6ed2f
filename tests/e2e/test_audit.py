"""The audit log at the command line: signed, verified elsewhere, handed on, lost and recovered."""

import json
import shutil
import subprocess
import sys
from datetime import timedelta

import pytest

from monitor import audit_verify
from monitor.app import SystemClock
from tests.attackers import Attacker
from tests.e2e.deployment import make_deployment, register

pytestmark = pytest.mark.slow

ORIGIN = "monitor.example.org/test"


def configure(deployment, key):
    """Write the audit settings as ``modelmon audit init`` says."""
    text = deployment.config.read_text().partition("audit:")[0]
    deployment.config.write_text(f"{text}audit: {{key: {key}, witness: kept.jsonl}}\n")


def doctor(deployment):
    (table,) = json.loads(deployment.call("doctor", "--output", "json", check=False).stdout)
    return next(row for row in table["rows"] if row["what"] == "audit log")


def test_from_the_first_key_to_a_restored_backup(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)  # before there is a key: the log is there, and not signed
    assert deployment.call("audit", "verify", check=False).returncode == 1
    assert doctor(deployment)["condition"] == "warn"
    first = tmp_path / "first.key"
    public = deployment.call("audit", "init", "--key", str(first)).stdout.strip()
    refused = deployment.call("run", check=False)
    assert refused.returncode == 5
    assert "this process has no key; set audit.key" in refused.stderr
    configure(deployment, first)
    deployment.call("run")
    assert deployment.call("audit", "verify").returncode == 0
    assert doctor(deployment)["condition"] == "ok"

    # Elsewhere, by one file.
    export, alone = tmp_path / "export.jsonl", tmp_path / "alone" / "verify.py"
    deployment.call("audit", "export", "-o", str(export))
    alone.parent.mkdir()
    shutil.copy(audit_verify.__file__, alone)

    def verified(*arguments):
        command = [sys.executable, "-I", alone, export, "--key", public, *arguments]
        return subprocess.run(
            command, cwd=alone.parent, capture_output=True, text=True, check=False
        )

    kept = tmp_path / "kept.jsonl"
    ended = verified("--trusted", kept)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.endswith("records, 0 things wrong\n")
    lines = export.read_text().splitlines()
    export.write_text("\n".join([*lines[:3], *lines[4:]]) + "\n")
    assert verified("--trusted", kept).returncode == 1

    # Another key, handed on by the first.
    second = tmp_path / "second.key"
    deployment.call("audit", "rotate", "--key", str(second))
    assert deployment.call("run", check=False).returncode == 0  # nothing is due: nothing written
    configure(deployment, second)
    saved = tmp_path / "saved.db"
    shutil.copy(deployment.database, saved)
    deployment.call("run", "--from", "2024-01-01", "--to", "2024-01-02")
    assert deployment.call("audit", "verify").returncode == 0
    deployment.call("audit", "export", "-o", str(export))
    assert verified("--trusted", kept).returncode == 0

    # A backup comes back.
    for file in deployment.database.parent.glob("*.db-*"):
        file.unlink()
    shutil.copy(saved, deployment.database)
    refused = deployment.call("run", "--from", "2024-01-01", "--to", "2024-01-02", check=False)
    assert (refused.returncode, "Was a backup restored?" in refused.stderr) == (5, True)
    assert deployment.call("audit", "verify", check=False).returncode == 1
    third = tmp_path / "third.key"
    deployment.call("audit", "recover", "--key", str(third), "--why", "disk of db1 lost")
    configure(deployment, third)
    deployment.call("run", "--from", "2024-01-01", "--to", "2024-01-02")
    told = deployment.call("audit", "verify", "--output", "json", check=False)
    old, new = json.loads(told.stdout)["logs"]
    assert {flaw["fault"] for flaw in old["flaws"]} == {"truncated"}
    assert (new["origin"], new["flaws"]) == (f"{old['origin']}/2", [])
    assert json.loads(told.stdout)["differences"] == []


def test_a_key_that_others_may_read_stops_every_write(tmp_path):
    deployment = make_deployment(tmp_path)
    deployment.call("db", "upgrade")
    key = tmp_path / "a.key"
    deployment.call("audit", "init", "--key", str(key), "--origin", ORIGIN)
    configure(deployment, key)
    key.chmod(0o644)
    refused = deployment.call("run", check=False)
    assert refused.returncode == 5
    assert f"chmod 600 {key}" in refused.stderr
    assert doctor(deployment)["condition"] == "fail"


def test_commands_that_write_sign_and_those_that_look_need_no_key(tmp_path):
    deployment = make_deployment(tmp_path)
    key, other = tmp_path / "a.key", tmp_path / "b.key"
    deployment.call("audit", "init", "--key", str(key), "--origin", ORIGIN)
    configure(deployment, key)
    register(deployment)
    deployment.call("run")
    (alert, *_) = json.loads(deployment.call("alerts", "list", "--output", "json").stdout)
    until = f"{SystemClock().now() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    mute = ("mute", alert["finding"], "--until", until, "--why", "known")
    deployment.call(*mute)
    assert deployment.call("audit", "verify").returncode == 0
    bodies = Attacker(f"sqlite:///{deployment.database}").bodies
    place = next(n for n, body in enumerate(bodies) if '"type":"alert.muted"' in body)
    assert "known" not in bodies[place]
    deployment.call("audit", "erase", "credit", str(place), "--why", "request 17", "--by", "gita")
    shown = deployment.call("alerts", "show", alert["finding"]).stdout
    assert (": known" in shown, "by gita)" in shown) == (False, True), shown
    assert deployment.call("audit", "verify").returncode == 0
    twice = ("audit", "erase", "credit", str(place), "--why", "request 17")
    assert deployment.call(*twice, check=False).returncode == 2
    public = deployment.call("audit", "export").stdout
    public = json.loads(public.splitlines()[0])["key"]
    for record in (0, place, len(bodies)):  # the first, one whose words are gone, and the newest
        given = tmp_path / f"receipt-{record}.json"
        given.write_text(deployment.call("audit", "receipt", str(record)).stdout)
        assert audit_verify.main(["--receipt", str(given), "--key", public]) == 0
    told = deployment.call("audit", "receipt", "999", check=False)
    assert (told.returncode, "has no record 999" in told.stderr) == (2, True)
    told = deployment.call("audit", "receipt", "0", "--log", "other", check=False)
    assert (told.returncode, "other has no record 0" in told.stderr) == (2, True)
    again = deployment.call("audit", "init", "--key", str(other), check=False)
    assert (again.returncode, other.exists()) == (5, False), again.stderr

    key.chmod(0o644)  # not to be used
    for look in (("alerts", "list"), ("alerts", "show", alert["finding"]), ("quarantine", "list")):
        deployment.call(*look)
    assert deployment.call(*mute, check=False).returncode == 5


def test_what_was_edited_in_the_database_is_put_back_by_a_command(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    edited = Attacker(f"sqlite:///{deployment.database}")
    edited.do("UPDATE modelmon_standings SET state = 'approved'")
    found = deployment.call("audit", "replay", check=False)
    assert (found.returncode, found.stdout.count("state is 'approved'")) == (1, 1)
    unsaid = deployment.call("audit", "replay", "--restore", check=False)
    assert (unsaid.returncode, unsaid.stderr.count("--restore needs --why")) == (2, 1)
    back = deployment.call("audit", "replay", "--restore", "--why", "a slip", "--by", "gita")
    assert "is as it was recorded; record" in back.stderr
    assert deployment.call("audit", "replay").stdout == ""
    assert deployment.call("audit", "verify", check=False).returncode == 1  # it is not signed
    deployment.call("run")
