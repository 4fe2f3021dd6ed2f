"""Every command that writes asks the one function of who may, and nothing is done before it answers.

A command that is new is in none of the tables below, and fails here until somebody has said what it
is: what is decided by people has an action of `governance/authorisation.py`.
"""

import json

import click
import pytest

from monitor.cli.main import ExitCode, LazyGroup, run
from monitor.governance import authorisation
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action
from tests.attackers import Attacker
from tests.e2e.deployment import make_deployment, register
from tests.e2e.governed import GOVERNANCE, Board

pytestmark = pytest.mark.slow

WHY = ("--why", "because")
DECIDED = {
    "approve": (Action.APPROVE_VERSION, ("credit", "2", "--why", "read")),
    "audit erase": (Action.ERASE_WORDS, ("credit", "1", *WHY)),
    "audit init": (Action.CONFIGURE, ("--key", "new.key", "--origin", "here")),
    "audit recover": (Action.CONFIGURE, ("--key", "new.key", *WHY)),
    "audit replay": (Action.CONFIGURE, ("--restore", *WHY)),
    "audit rotate": (Action.CONFIGURE, ("--key", "new.key")),
    "baseline register": (
        Action.REGISTER_BASELINE,
        ("credit", "--from", "2024-01-01", "--to", "2024-01-03", *WHY),
    ),
    "cases close": (Action.CLOSE_CASE, ("credit", "1", "fix", "--evidence", __file__, *WHY)),
    "db prune": (Action.CONFIGURE, ("--before", "2024-01-07")),
    "hold": (Action.HOLD, ("credit", "1", *WHY)),
    "mute": (Action.MUTE, ("FINDING", "--until", "2099-01-01", *WHY)),
    "policy propose": (Action.PROPOSE_POLICY, ("credit", *WHY)),
    "quarantine drop": (Action.DECIDE_QUARANTINE, ("FILE", *WHY)),
    "quarantine retry": (Action.DECIDE_QUARANTINE, ("FILE", *WHY)),
    "reject": (Action.APPROVE_VERSION, ("credit", "2", *WHY)),
    "release": (Action.ASK_RELEASE, ("credit", "1", *WHY)),
    "retire": (Action.RETIRE, ("credit", "1", *WHY)),
    "stop": (Action.STOP, ("credit", "1", *WHY)),
    "submit": (Action.SUBMIT, ("credit", "1", *WHY)),
    "token create": (
        Action.MANAGE_TOKENS,
        ("pager", "--for", "olga", "--role", "viewer", "--expires", "1d"),
    ),
    "token revoke": (Action.MANAGE_TOKENS, ("0123456789abcdef", *WHY)),
    "unmute": (Action.MUTE, ("FINDING", *WHY)),
    "waive": (
        Action.ASK_WAIVER,
        ("credit", "drift", "--until", "2099-01-01", "--control", "people", *WHY),
    ),
    "waivers revoke": (Action.REVOKE_WAIVER, ("credit", "1", *WHY)),
    "withdraw": (Action.WITHDRAW, ("credit", "2", *WHY)),
}
"""Command to what it asks about, and what is given to it."""

LOOKING = """
alerts list, alerts show, audit export, audit verify, authority, baseline list, baseline show,
cases list, cases show, completion, config check, config schema, config show, db check, doctor, explain,
gate check, gate exec, gate sync, healthcheck, metrics list, plan, policy diff, policy list, policy show,
quarantine list, recheck, registry show, report verify, requests list, requests show, rules, standing,
token list, waivers list
"""
"""Nothing that is stored is another afterwards."""

FILES = "audit receipt, convert, dashboards, db backup, export openmetrics, export parquet, gate init, init, report bias"
"""Files are written, for whoever runs them; the store is only read."""

BY_ITSELF = "db restore, db upgrade, demo, registry poll, run, serve"
"""What follows from files and limits, or is a whole database: nobody decides, or who has the database."""


def every(group, name=""):
    """Yield each command that does something, with its name."""
    context = click.Context(group)
    for part in group.list_commands(context):
        command, whole = group.get_command(context, part), f"{name} {part}".strip()
        if isinstance(command, click.Group):
            yield from every(command, whole)
        else:
            yield whole, command


def listed(text):
    return {each.strip() for each in text.split(",")}


def test_of_every_command_somebody_has_said_whether_people_decide_by_it():
    commands = dict(every(LazyGroup("modelmon")))
    said = [DECIDED.keys(), listed(LOOKING), listed(FILES), listed(BY_ITSELF)]
    assert set().union(*said) == commands.keys()
    assert sum(map(len, said)) == len(commands)
    takes_who = {
        name
        for name, command in commands.items()
        if any("--by" in parameter.opts for parameter in command.params)
    }
    assert takes_who == DECIDED.keys()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory):
    """A version that may act, a request for another approval, a finding and a torn file."""
    found = make_deployment(tmp_path_factory.mktemp("asked"))
    register(found)
    torn = found.folder / "log" / "2024-01-06-torn.parquet"
    torn.write_bytes(next((found.folder / "log").glob("*.parquet")).read_bytes()[:900])
    model = found.folder / "models" / "credit.yaml"
    model.write_text(model.read_text() + GOVERNANCE.format(ttl=60, grace=60))
    found.call("run")
    Board(found).approve()
    found.call("submit", "credit", "1", "--why", "again", "--by", "otto")
    model.write_text(model.read_text() + "limits: {drift: {psi: {warning: 0.8, critical: 0.9}}}\n")
    return found


def bodies(deployment):
    return [json.loads(body) for body in Attacker(f"sqlite:///{deployment.database}").bodies]


@pytest.mark.parametrize("name", DECIDED)
def test_it_asks_before_anything_is_done(deployment, monkeypatch, capsys, name, tmp_path):
    asked = []

    def refused(action, _):
        asked.append(action)
        raise NotAllowedError(("not you",))

    monkeypatch.setattr(authorisation, "_able", refused)
    monkeypatch.chdir(tmp_path)
    action, given = DECIDED[name]
    (alert, *_) = json.loads(deployment.call("alerts", "list", "--output", "json").stdout)
    named = {"FINDING": alert["finding"], "FILE": "2024-01-06-torn.parquet"}
    arguments = [named.get(each, each) for each in given]
    before = bodies(deployment)
    code = run(["--config", str(deployment.config), *name.split(), *arguments, "--by", "mallory"])
    assert (set(asked), code) == ({action}, ExitCode.USAGE)
    assert "not you" in capsys.readouterr().err
    after = bodies(deployment)
    assert after[: len(before)] == before
    assert {record["type"] for record in after[len(before) :]} <= {"access.denied"}
    assert list(tmp_path.iterdir()) == []
