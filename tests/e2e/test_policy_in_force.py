"""A looser file waits beside a running daemon, and holds once two people have agreed."""

import re
import sqlite3
from contextlib import closing

import pytest

from monitor.cli.main import run
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
    edited = path.read_text().replace("governance: [gail]", "governance: [gail, mallory]")
    path.write_text(edited + LOOSER)
    return made


def pending(address):
    return 'modelmon_policy_pending{model="credit"} 1.0' in get(f"{address}/metrics")[1]


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
        assert call("approve", "credit", "1", "--by", "mallory")[0] == 2, (
            "as the edit would have it"
        )
        assert call("approve", "credit", "1", "--by", "gail")[0] == 0
        assert "request 1 of olga still takes 1 of accountable" in call("policy", "list")[1]
        assert call("approve", "credit", "1", "--by", "head")[0] == 0
        wait_for(lambda: not pending(address), process, log)
    assert "its file was approved and is in force" in log.read_text()
    code, shown, said = call("policy", "show", "credit")
    assert (code, "warning: 0.2" in shown, "is looser" in said) == (0, True, False)
    assert "in force, before its first run" in call("policy", "list", "credit")[1]
    before = re.search(r"\b[0-9a-f]{64}\b", call("explain", "credit")[1].partition("policy")[2])[0]
    code, judged_by, said = call("policy", "show", "credit", "--digest", before[:8])
    assert (code, judged_by != shown, before in said) == (0, True, True)
    code, _, said = call("policy", "show", "credit", "--digest", "0000")
    assert (code, "begins none" in said, "modelmon policy list credit" in said) == (2, True, True)
    assert call("policy", "propose", "credit", "--why", "again", "--by", "olga")[0] == 2
    with closing(sqlite3.connect(deployment.database)) as database, database:
        database.execute("UPDATE modelmon_policies SET text = replace(text, 'vic', 'mallory')")
    code, _, said = call("policy", "show", "credit", "--digest", f"sha256:{before}")
    assert (code, f"what is stored of the policy {before}" in said) == (5, True)


LAXER = """
reports: {suppress_below: 5, suppress_in_metrics: false, group_labels: name}
registry: {name: another}
"""


def test_what_is_shown_kept_and_deleted_follows_the_policy_in_force_and_not_a_file_that_waits(
    deployment, tmp_path, capsys
):
    path = deployment.folder / "models" / "credit.yaml"
    stricter = path.read_text().replace(LOOSER, "").replace(", mallory", "")
    stricter += "references: {before: {kind: rolling, windows: 2}}\n"
    stricter += "reports: {suppress_below: 30, group_labels: alias}\nregistry: {name: credit}\n"
    path.write_text(stricter)
    deployment.call("run", "--from", "2024-01-05", "--to", "2024-01-07")
    span = ("--from", "2024-01-05", "--to", "2024-01-07")
    commands = (
        ("export", "openmetrics", *span),
        ("export", "parquet", *span, "-o", str(tmp_path / "readings.parquet")),
        ("authority", "--at", "2024-01-06"),
        ("explain", "credit"),
        ("alerts", "list", "--all"),
        ("registry", "show", "credit"),
        ("recheck", *span),
        ("report", "bias", "--model", "credit", *span, "--format", "json"),
        ("db", "prune", "--dry-run", "--before", "2024-01-07"),
    )

    def told():
        found = {}
        for arguments in commands:
            code = run(["--config", str(deployment.config), *arguments])
            said = capsys.readouterr()
            assert code in {0, 1}, said.err
            found[arguments[:2]] = code, said.out
        return found, (tmp_path / "readings.parquet").read_bytes()

    before = told()
    laxer = stricter.replace("reports: {suppress_below: 30, group_labels: alias}\n", "")
    laxer = laxer.replace("references: {before: {kind: rolling, windows: 2}}\n", "")
    laxer = laxer.replace("registry: {name: credit}\n", "")
    path.write_text(laxer + LAXER)
    code = run(["--config", str(deployment.config), "policy", "diff", "credit"])
    said = capsys.readouterr().err
    assert (code, "nobody has asked for its approval yet" in said) == (0, True), said
    assert told() == before
