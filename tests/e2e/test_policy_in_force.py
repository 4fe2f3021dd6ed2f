"""A looser file waits beside a running daemon, and holds once two people have agreed."""

from datetime import UTC, datetime

import pytest

from monitor import app
from monitor.cli.main import run
from monitor.engine.governing import decide
from monitor.governance.acts import vote
from monitor.governance.authorisation import Action, Method, Who
from tests.e2e.deployment import get, make_deployment, register, wait_for

pytestmark = pytest.mark.slow

ANSWERS = """
delegation: {statement: Approve loans, by: cro}
accountability: {accountable: head, owners: [olga], validators: [vic], governance: [gail]}
risk: {tier: medium, limits: [{id: any, consequence: hold}]}
"""
LOOSER = "limits: {drift: {psi: {warning: 0.2}}}\n"


@pytest.fixture
def deployment(tmp_path):
    made = make_deployment(tmp_path, days=6)
    register(made)
    path = made.folder / "models" / "credit.yaml"
    path.write_text(path.read_text() + ANSWERS)
    made.call("run")
    path.write_text(path.read_text() + LOOSER)
    return made


def pending(address):
    return 'modelmon_policy_pending{model="credit"} 1.0' in get(f"{address}/metrics")[1]


def agree(deployment, account):
    settings = app.read_settings(deployment.config)
    store, now = app.open_outside(settings.store_url).store, datetime.now(UTC)  # noqa: TID251
    (file,) = app.read_policies(settings)
    policy = app.in_force(file, store).policy
    who = Who(account, Method.CLI, authenticated_at=now)
    decide(
        policy,
        store,
        who,
        Action.APPROVE_POLICY,
        lambda book, there, speaker: vote(book, there, speaker, 1, "seen", granted=True),
        now,
    )


def test_a_looser_file_waits_beside_the_daemon_until_it_is_approved(deployment, capsys):
    def call(*arguments):
        code = run(["--config", str(deployment.config), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    with deployment.daemon() as (process, address, log):
        wait_for(lambda: get(f"{address}/-/ready")[0] == 200, process, log)
        assert pending(address)
        assert "It waits for approval" in get(f"{address}/models/credit")[1]
        assert "its file is looser, and waits" in log.read_text()
        assert "nobody has asked for its approval yet" in call("policy", "diff", "credit")[2]
        assert call("run")[2].startswith("credit: judged by the policy")
        code, _, said = call("policy", "propose", "credit", "--why", "seasonal", "--by", "olga")
        assert (code, "credit: request 1" in said) == (0, True)
        assert call("policy", "propose", "credit", "--why", "x", "--by", "mallory")[0] == 2
        agree(deployment, "gail")
        assert "request 1 of olga still takes 1 of accountable" in call("policy", "list")[1]
        agree(deployment, "head")
        wait_for(lambda: not pending(address), process, log)
    assert "its file was approved and is in force" in log.read_text()
    code, shown, said = call("policy", "show", "credit")
    assert (code, "warning: 0.2" in shown, "is looser" in said) == (0, True, False)
    assert "in force, before its first run" in call("policy", "list", "credit")[1]
    assert call("policy", "propose", "credit", "--why", "again", "--by", "olga")[0] == 2
