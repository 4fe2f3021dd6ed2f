"""What a version may do, by the command line, on the real logs of the demo.

September breaks a limit: the version is held without anybody, and a case names who answers.
"""

import json
import sqlite3
from pathlib import Path

import pytest

from monitor import audit_verify
from monitor.cli.main import run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MODEL = "card-late-payment"
OF = (MODEL, "1")

DIGEST = f"sha256:{'a1' * 32}"


@pytest.fixture
def modelmon(tmp_path, capsys):
    (tmp_path / "config/models").mkdir(parents=True)
    (tmp_path / "var").mkdir()
    (tmp_path / "demo").symlink_to(ROOT / "demo")
    for name in ("modelmon.yaml", f"models/{MODEL}.yaml"):
        text = (ROOT / "config" / name).read_text()
        # Of high risk it would take a login of each of these people.
        (tmp_path / "config" / name).write_text(text.replace("tier: high", "tier: medium"))

    key, public = tmp_path / "audit.key", []

    def call(*arguments, ends=0):
        code = run(["--config", str(tmp_path / "config/modelmon.yaml"), *arguments])
        told = capsys.readouterr()
        assert code == ends, told.err
        if "json" in arguments:
            return json.loads(told.out)
        receipts = [line for line in told.out.splitlines() if line.startswith("{")]
        if receipts:  # what was decided is answered with its receipt, which anybody can verify
            (tmp_path / "receipt.json").write_text("\n".join(receipts))
            given = ["--receipt", str(tmp_path / "receipt.json"), "--key", *public]
            verified = audit_verify.main(given)
            assert verified == 0, capsys.readouterr().out
            capsys.readouterr()
            assert "keep it" in told.err
        return told.err

    call("db", "upgrade")
    assert (
        run(
            [
                *("--config", str(tmp_path / "config/modelmon.yaml"), "audit", "init"),
                *("--key", str(key), "--origin", "monitor.example.org/test"),
            ]
        )
        == 0
    )
    public.append(capsys.readouterr().out.strip())
    with (tmp_path / "config/modelmon.yaml").open("a") as settings:
        settings.write(f"\naudit: {{key: {key}}}\n")
    period = ("--from", "2005-04-01", "--to", "2005-06-01")
    call("baseline", "register", MODEL, *period, "--why", "as trained", "--by", "ting.wu")
    call("run", "--from", "2005-06-01", "--to", "2005-07-01")
    return call


def standing(modelmon):
    (found,) = modelmon("standing", "--output", "json")
    return found


def test_september_is_held_by_itself_and_given_back_by_a_second_person(modelmon, tmp_path):
    assert standing(modelmon)["state"] == "registered"
    asked = ("--why", "validated", "--by", "ting.wu", "--model-digest", DIGEST)
    cut_off = modelmon("submit", *OF, *asked[:-1], "sha256:9f2c", ends=2)
    assert "'sha256:9f2c' is no whole digest; right would be sha256: and the 64" in cut_off
    assert "registered → pending" in modelmon("submit", *OF, *asked)
    told = modelmon("approve", MODEL, "1", "--by", "ting.wu", ends=2)
    assert "ting.wu is owner for the model card-late-payment" in told
    modelmon("approve", MODEL, "1", "--by", "yu.fang", "--why", "report read")
    shown = modelmon("requests", "show", MODEL, "1", "--output", "json")
    assert (shown["still_to_agree"], shown["bound_to"]["model"]) == (["1 accountable"], DIGEST)
    assert "pending → approved" in modelmon("approve", MODEL, "1", "--by", "hao.chen")

    # One person takes the authority away; the same person does not give it back.
    why = ("--why", "scores of a morning look odd")
    assert "held" in modelmon("hold", *OF, *why, "--by", "kai.sun.oncall")
    assert standing(modelmon)["by"] == "kai.sun"
    told = modelmon("release", *OF, "--why", "ok", "--by", "hao.chen", ends=2)
    assert "case 2 (person) is open: close it first" in told
    note = tmp_path / "note.txt"
    note.write_text("a test of the call centre\n")
    closing = ("--evidence", str(note), "--why", "it was a test", "--by", "hao.chen")
    modelmon("cases", "close", MODEL, "2", "fix", *closing)
    modelmon("release", *OF, "--why", "it was a test", "--by", "hao.chen")
    told = modelmon("approve", MODEL, "2", "--by", "hao.chen", ends=2)
    assert "hao.chen is who asked for it, whose word does not count here" in told
    assert "held → restricted" in modelmon("approve", MODEL, "2", "--by", "shu.wang")

    # The windows of July to September, with nobody doing anything but running them.
    modelmon("run", "--from", "2005-07-01", "--to", "2005-10-01")
    now = standing(modelmon)
    assert (now["state"], now["by"], now["event"]) == ("held", "daemon", "hold_breached")
    assert "limit flags-many-more is broken: decision_rate" in now["reason"]
    cases = modelmon("cases", "list", "--output", "json")
    (case,) = [item for item in cases if item["cause"] == "flags-many-more"]
    assert (case["accountable"], case["rung"]) == ("hao.chen", "hold")
    assert case["deadline"] is not None and case["findings"]
    told = modelmon("release", *OF, "--why", "please", "--by", "kai.sun", ends=2)
    assert "limit flags-many-more is broken" in told
    until = ("--until", "2199-01-01", "--control", "calls are checked")
    told = modelmon(
        "waive", MODEL, "flags-many-more", *until, "--why", "x", "--by", "ting.wu", ends=2
    )
    assert "the policy never lets the limit flags-many-more be waived" in told

    # A file that is taken away sets nothing free, and what was allowed can still be asked.
    named = tmp_path / f"config/models/{MODEL}.yaml"
    taken = named.rename(tmp_path / "taken.yaml")
    named.with_name("other.yaml").write_text(taken.read_text().replace(MODEL, "other"))
    (asked,) = modelmon("authority", "--model", MODEL, "--output", "json")
    assert asked["model"] == MODEL
    (table,) = modelmon("doctor", "--output", "json", ends=1)
    assert (MODEL, "fail", "no file names it, and version 1 is held") in [
        (row["model"], row["condition"], row["found"]) for row in table["rows"]
    ]
    taken.rename(named)
    named.with_name("other.yaml").unlink()

    # What is stored is what the log adds up to, until somebody writes past it.
    assert "what is stored is the same" in modelmon("audit", "replay")
    with sqlite3.connect(tmp_path / "var/modelmon.db") as database:
        database.execute("UPDATE modelmon_standings SET state = 'approved'")
    assert "1 difference" in modelmon("audit", "replay", ends=1)
