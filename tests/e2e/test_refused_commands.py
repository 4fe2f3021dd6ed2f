"""Who may not decide something at the command line is refused, and the audit log has it."""

import json

import pytest

from tests.attackers import Attacker
from tests.e2e.deployment import make_deployment, register
from tests.e2e.governed import GOVERNANCE

pytestmark = pytest.mark.slow


def test_every_refusal_at_the_command_line_is_recorded(tmp_path):
    deployment = make_deployment(tmp_path)
    register(deployment)
    torn = tmp_path / "log" / "2024-01-06-torn.parquet"
    torn.write_bytes(next((tmp_path / "log").glob("*.parquet")).read_bytes()[:900])
    deployment.call("run")
    model = tmp_path / "models" / "credit.yaml"
    model.write_text(model.read_text() + GOVERNANCE.format(ttl=60, grace=60))
    (alert, *_) = json.loads(deployment.call("alerts", "list", "--output", "json").stdout)
    stranger = ("--why", "nobody asked me", "--by", "mallory")
    attempts = {
        "mute": ("mute", alert["finding"], "--until", "2099-01-01", *stranger),
        "quarantine.decide": ("quarantine", "drop", torn.name, *stranger),
        "baseline.register": (
            *("baseline", "register", "credit", "--from", "2024-01-01", "--to", "2024-01-03"),
            *stranger,
        ),
    }
    for command in attempts.values():
        refused = deployment.call(*command, check=False)
        assert refused.returncode == 2, refused.stderr
        assert "mallory" in refused.stderr
    bodies = Attacker(f"sqlite:///{deployment.database}").bodies
    denied = [record for record in map(json.loads, bodies) if record["type"] == "access.denied"]
    assert [record["actor"] for record in denied] == [{"id": "mallory", "method": "cli"}] * 3
    assert [record["subject"] for record in denied] == ["model/credit"] * 3
    assert all("mallory" in " ".join(record["data"]["reasons"]) for record in denied)
    assert len({record["data"]["action"] for record in denied}) == len(attempts)
