"""A witness that somebody else wrote cosigns the log, refuses what contradicts it, and keeps that."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select

from monitor import audit_verify
from monitor.domain.lease import Replica
from monitor.governance.checkpoint import Checkpoint
from monitor.governance.cosignature import WitnessKey, witness_key_of
from monitor.governance.events import EventType
from monitor.governance.merkle import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
)
from monitor.governance.note import new_signing_key
from monitor.governance.record import Actor, record_of
from monitor.governance.verification import Fault, cosigned, examine_log
from monitor.scheduling.audit_rounds import Attested, AuditRounds
from monitor.scheduling.cosigning import show
from monitor.store.audit import Auditing
from monitor.store.audit_witnesses import AuditWitnesses
from monitor.store.lease import SqlLeases
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.witness_tables import COSIGNATURES, WITNESS_REFUSALS
from monitor.witness.tlog import HttpWitness
from tests.attackers import Attacker
from tests.stored import FIRST, a_baseline
from tests.tlog_witness import TlogWitness, ran

pytestmark = pytest.mark.slow

ORIGIN = "monitor.example.org/prod"


class Scene(Attacker):
    """A signed log, whoever leads, and a witness that trusts the log's key."""

    def __init__(self, url, witness, key):
        super().__init__(url)
        self.key, self.instant, self.witness = key, FIRST, witness
        leases = SqlLeases(url)
        self.term = leases.ask(Replica("here", "machine"), timedelta(hours=1))[0].term
        leases.close()
        self.asks = HttpWitness(witness.url, witness_key_of(witness.key))
        self.use(key)

    def use(self, key):
        if key is not self.key:
            self.witnesses.close()
        self.key = key
        self.witnesses = AuditWitnesses(self.url, Auditing(key))

    def now(self):
        return self.instant

    def write(self, version):
        store = SqlStore(self.url, Auditing(self.key))
        store.register(a_baseline(version))
        store.close()

    def show(self):
        show(self.witnesses, self.asks, self.instant, self.term)
        return self.witnesses.known(self.asks.key.name)

    def rows(self, table):
        engine = create_engine(self.url)
        with engine.connect() as connection:
            found = connection.execute(select(table)).mappings().all()
        engine.dispose()
        return found

    @property
    def anchors(self):
        kinds = {EventType.ANCHOR_FAILED, EventType.ANCHOR_OK}
        events = [record_of(body.encode()).event for body in self.bodies]
        return [(each.type.value, each.data.get("status")) for each in events if each.type in kinds]


@pytest.fixture(params=["sqlite", "postgres"])
def scene(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'modelmon.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    upgrade(url)
    key, witness = new_signing_key(ORIGIN), TlogWitness(tmp_path)
    witness.trust(key.verifying)
    witness.start()
    found = Scene(url, witness, key)
    found.write("1")
    yield found
    witness.stop()
    found.witnesses.close()


def test_what_grows_is_cosigned_and_anybody_can_verify_that(scene, tmp_path, capsys):
    rounds = AuditRounds(Attested(scene.witnesses, scene, lambda: scene.term, (scene.asks,)))
    rounds.round()
    first = rounds.told().witnesses[scene.asks.key.name]
    assert (first.size, first.refuses) == (len(scene.bodies), False)
    for version in ("2", "3"):
        scene.write(version)
        assert scene.show().size == len(scene.bodies)
    assert scene.rows(WITNESS_REFUSALS) == []
    assert scene.anchors == []

    log = scene.log
    copies = cosigned(log, (scene.asks.key,))
    assert len(copies) == len(scene.rows(COSIGNATURES)) == 3
    honest = {flaw.fault for flaw in examine_log(log, copies).flaws}
    assert honest <= {Fault.BACKDATED}  # the records are of 2005, and its clock of today
    export = tmp_path / "export.jsonl"
    lines = [{"log": log.origin}, *({"record": body.decode()} for body in log.bodies)]
    lines += [{"checkpoint": str(note)} for note in log.checkpoints]
    export.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def verified(witness):
        given = [str(export), "--key", str(scene.key.verifying), "--witness", witness]
        code = audit_verify.main(given)
        return code, capsys.readouterr().out

    told = verified(scene.witness.key)[1]
    assert "no checkpoint is cosigned" not in told
    other = tmp_path / "other"
    other.mkdir()
    stranger = TlogWitness(other, "witness.example.org/w2").key
    assert "no checkpoint is cosigned by witness.example.org/w2" in verified(stranger)[1]


def test_a_history_written_anew_is_refused_and_both_keep_what_was_asked(scene):
    scene.write("2")
    scene.show()
    scene.forge(without=1)
    scene.drop_checkpoints()
    scene.sign(scene.key)
    scene.write("3")  # signed by the stolen key, and the log goes on
    for _ in range(2):
        known = scene.show()
    assert known.refused_at == scene.instant
    refused = scene.rows(WITNESS_REFUSALS)
    assert {row["status"] for row in refused} == {422}
    assert all(row["asked"].startswith("old ") for row in refused)
    assert scene.anchors == [("anchor.failed", 422)]
    assert scene.witness.evidence()


def test_a_store_that_was_put_back_is_behind_what_the_witness_saw(scene):
    size = len(scene.bodies)
    scene.write("2")
    scene.write("3")
    scene.show()
    scene.truncate(size)
    scene.drop_checkpoints(after=size)
    scene.do("DELETE FROM modelmon_audit_cosignatures")
    assert scene.show().refused_at is not None
    (row,) = scene.rows(WITNESS_REFUSALS)
    assert (row["status"], "it has cosigned" in row["said"]) == (409, True)
    assert scene.anchors == [("anchor.failed", 409)]


def test_a_witness_that_is_behind_is_shown_how_the_log_grew_since(scene):
    scene.show()
    scene.write("2")
    scene.do("DELETE FROM modelmon_audit_cosignatures")  # what is remembered here is less
    known = scene.show()
    assert (known.size, known.refused_at) == (len(scene.bodies), None)


def test_another_key_is_refused_until_the_witness_is_told_of_it(scene):
    scene.show()
    new = new_signing_key(ORIGIN)
    at = record_of(scene.bodies[-1].encode()).at
    scene.asked(lambda to: to.sign((scene.key, new), Actor("gina", "cli"), at))
    assert scene.show().refused_at is None  # both keys signed the change
    scene.use(new)
    scene.write("2")
    assert scene.show().refused_at is not None
    assert scene.anchors == [("anchor.failed", 403)]
    scene.witness.trust(new.verifying)
    known = scene.show()
    assert (known.size, known.refused_at) == (len(scene.bodies) - 1, None)
    assert scene.anchors == [("anchor.failed", 403), ("anchor.ok", None)]


def test_a_cosignature_of_another_key_than_the_settings_name_is_not_believed(scene):
    other = new_signing_key("witness.example.org/w1").verifying
    scene.asks = HttpWitness(scene.witness.url, WitnessKey(other.name, other.public))
    assert scene.show().at is None
    (row,) = scene.rows(WITNESS_REFUSALS)
    assert (row["status"], "not a cosignature of" in row["said"]) == (200, True)
    assert scene.rows(COSIGNATURES) == []


def test_a_witness_that_is_away_is_told_once_and_asked_again(scene, caplog):
    rounds = AuditRounds(Attested(scene.witnesses, scene, lambda: scene.term, (scene.asks,)))
    scene.witness.stop()
    for _ in range(2):
        scene.instant += timedelta(minutes=1)
        rounds.round()
    assert caplog.text.count("a witness cannot cosign") == 1
    assert rounds.told().witnesses[scene.asks.key.name].at is None
    scene.witness.start()
    scene.instant += timedelta(minutes=1)
    rounds.round()
    assert rounds.told().witnesses[scene.asks.key.name].size == len(scene.bodies)


ORACLE = """
import json, sys
from aics_tlog import Note, verify_checkpoint, verify_consistency
from aics_tlog.note import parse_note, parse_vkey
from aics_tlog.tree import MerkleTree, verify_inclusion
asked = json.load(sys.stdin)
raw = bytes.fromhex
for size, root in enumerate(asked["roots"]):
    assert MerkleTree([b"%d" % n for n in range(size)]).root() == raw(root), size
for leaf, index, size, proof in asked["included"]:
    assert verify_inclusion(raw(leaf), index, size, [*map(raw, proof)], raw(asked["roots"][size]))
for first, second, proof in asked["consistent"]:
    roots = [raw(asked["roots"][each]) for each in (first, second)]
    assert verify_consistency(first, second, *roots, [*map(raw, proof)]), (first, second)
assert verify_checkpoint(parse_note(asked["note"]), parse_vkey(asked["key"])).ok
print(len(asked["included"]), len(asked["consistent"]))
"""


def test_what_somebody_else_wrote_agrees_with_every_root_and_every_proof():
    leaves = [leaf_hash(b"%d" % number) for number in range(70)]
    roots = [root_of(leaves[:size]) for size in range(71)]
    sizes = [1, 2, 3, 7, 8, 9, 31, 32, 33, 64, 70]
    included = [
        (leaves[at].hex(), at, size, [item.hex() for item in inclusion_proof(leaves[:size], at)])
        for size in sizes
        for at in range(size)
    ]
    consistent = [
        (first, size, [item.hex() for item in consistency_proof(leaves[:size], first)])
        for size in sizes
        for first in range(1, size + 1)
    ]
    key = new_signing_key(ORIGIN)
    asked = {
        "roots": [root.hex() for root in roots],
        "included": included,
        "consistent": consistent,
        "note": str(Checkpoint(ORIGIN, 70, roots[70]).signed(key)),
        "key": str(key.verifying),
    }
    assert ran(ORACLE, asked).split() == [str(len(included)), str(len(consistent))]
