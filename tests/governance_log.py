"""What `make governance-demo` shows of the audit log: each attack on it, and a witness of others.

An attack is made on a copy of the store by somebody who can write everything in it and has the key,
where it says so. What comes of it is exported and given to the verifier that is one file, twice: as
it is, and with what was kept outside the store.
"""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, update

from monitor import audit_verify
from monitor.governance.checkpoint import unverified_checkpoint
from monitor.governance.note import SigningKey
from monitor.governance.record import record_of
from monitor.store.keys import read_key
from monitor.store.tables import AUDIT_RECORDS
from tests.attackers import Attacker
from tests.e2e.deployment import Deployment, get, samples, wait_for
from tests.tlog_witness import TlogWitness, ran

NOTHING = "nothing"
COLUMNS = AUDIT_RECORDS.c


@dataclass
class Auditing:
    """A deployment that is audited, and what its auditor was given.

    Attributes:
        made: The deployment.
        key: The public key of its log, as it was printed when it was made.
        secret: The file of the key itself, which an attacker may steal.
        kept: The file of checkpoints that is kept apart from the store.
        witness: A witness of others that cosigns.
        receipt: What the last decision was answered with.
    """

    made: Deployment
    key: str
    secret: Path
    kept: Path
    witness: TlogWitness
    receipt: dict


def copy_store(store: Path, to: Path) -> None:
    """Copy a database, as a backup of the machine does."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(store)) as now, closing(sqlite3.connect(to)) as then:
        now.backup(then)


class Copy(Attacker):
    """A copy of the store, the attacker who writes in it, and the auditor of what was written."""

    def __init__(self, audited: Auditing, name: str, store: Path, settings: str = "") -> None:
        self.audited = audited
        folder = audited.made.folder / "attacked" / name.replace(" ", "-")
        self.made = Deployment(folder)
        copy_store(store, self.made.database)
        models = audited.made.folder / "models"
        self.made.config.write_text(
            f'models: "{models}"\nstore: {{url: "sqlite:///{self.made.database}"}}\n{settings}'
        )
        super().__init__(f"sqlite:///{self.made.database}")

    @property
    def key(self) -> SigningKey:
        """Return the key of the log, which was stolen."""
        return read_key(self.audited.secret)

    @property
    def sizes(self) -> list[int]:
        """Return how many records each checkpoint covers."""
        return sorted(unverified_checkpoint(note).size for note in self.log.checkpoints)

    def sign_anew(self) -> None:
        """Leave one checkpoint, over what is there now."""
        self.drop_checkpoints()
        self.sign(self.key)

    def export(self) -> Path:
        """Export the log."""
        there = self.made.folder / "export.jsonl"
        self.made.call("audit", "export", "-o", str(there))
        return there

    def found(self, *outside: str) -> str:
        """Return the first thing that is wrong with the export."""
        ended = verified(self.audited, self.export(), *outside)
        assert ended.returncode in {0, 1}, ended.stderr
        wrong = ended.stdout.splitlines()[:-1]
        assert bool(wrong) == bool(ended.returncode), ended.stdout
        told = re.search(r"record \d+: .*", "\n".join(wrong))
        assert told or not wrong, f"no record is named: {wrong}"
        return told[0] if told else NOTHING


def verified(audited: Auditing, export: Path, *outside: str) -> subprocess.CompletedProcess[str]:
    """Verify an export as an auditor does: elsewhere, with one file."""
    alone = audited.made.folder / "auditor"
    alone.mkdir(exist_ok=True)
    shutil.copy(audit_verify.__file__, alone / "audit_verify.py")
    command = [sys.executable, "-I", "audit_verify.py", str(export), "--key", audited.key]
    return subprocess.run(
        [*command, *outside], cwd=alone, capture_output=True, text=True, check=False
    )


def outside_of(audited: Auditing) -> tuple[str, ...]:
    """Return what was kept outside, as the verifier takes it."""
    return ("--trusted", str(audited.kept))


def _edit(at: Copy) -> None:
    place = len(at.bodies) // 2
    actor = record_of(at.bodies[place].encode()).event.actor.id
    edited = at.bodies[place].replace(f'"id":"{actor}"', '"id":"nobody"')
    at.change(update(AUDIT_RECORDS).where(COLUMNS.sequence == place).values(body=edited))


def _delete(at: Copy) -> None:
    at.change(delete(AUDIT_RECORDS).where(COLUMNS.sequence == len(at.bodies) // 2))


def _swap(at: Copy) -> None:
    place = len(at.bodies) // 2
    for before, after in ((place, -1), (place + 1, place), (-1, place + 1)):
        at.change(update(AUDIT_RECORDS).where(COLUMNS.sequence == before).values(sequence=after))


def _cut_off(at: Copy) -> None:
    at.truncate(len(at.bodies) // 2)


def _cut_off_with_checkpoints(at: Copy) -> None:
    sizes = at.sizes
    at.truncate(sizes[len(sizes) // 2])
    at.drop_checkpoints(after=sizes[len(sizes) // 2 - 1])


def _anew(at: Copy) -> None:
    at.forge(reason="it was never so")


def _anew_without_checkpoints(at: Copy) -> None:
    at.forge(reason="it was never so")
    at.drop_checkpoints()


def _anew_with_the_key(at: Copy) -> None:
    at.forge(reason="it was never so")
    at.sign_anew()


def _taken_out_with_the_key(at: Copy) -> None:
    at.forge(without=7)
    at.sign_anew()


def _backdated_with_the_key(at: Copy) -> None:
    at.forge(at=record_of(at.bodies[0].encode()).at - timedelta(days=9))
    at.sign_anew()


ATTACKS: tuple[tuple[str, Callable[[Copy], None], bool], ...] = (
    ("a body edited", _edit, True),
    ("a record deleted", _delete, True),
    ("two records swapped", _swap, True),
    ("the end cut off", _cut_off, True),
    ("the same with its checkpoints", _cut_off_with_checkpoints, True),
    ("the chain computed anew", _anew, True),
    ("the same without checkpoints", _anew_without_checkpoints, True),
    ("the same with the stolen key", _anew_with_the_key, False),
    ("a record taken out with the key", _taken_out_with_the_key, False),
    ("a record back-dated with the key", _backdated_with_the_key, True),
)
"""Name, what is done, and whether the log itself tells."""


def attacks(audited: Auditing, backup: Path) -> str:
    """Make every attack of docs/reference/attacks.md, and tell what finds it (check 8)."""
    store = audited.made.database
    told = []
    for name, act, tells in ATTACKS:
        at = Copy(audited, name, store)
        act(at)
        told.append(_told(at, name, outside_of(audited), tells=tells))
    older = Copy(audited, "an older backup", backup)
    told.append(_told(older, "an older backup", outside_of(audited), tells=False))
    behind = Copy(audited, "the daemon's clock two days behind", store)
    ahead = str(_by_another_clock(audited))
    name = "the daemon's clock two days behind"
    told.append(_told(behind, name, ("--trusted", ahead), tells=False))
    told += [_deleted_at_once(audited), _columns(audited)]
    return "; ".join(told)


def _told(at: Copy, name: str, outside: tuple[str, ...], *, tells: bool) -> str:
    alone, beside = at.found(), at.found(*outside)
    assert (alone != NOTHING, beside != NOTHING) == (tells, True), (name, alone, beside)
    if alone == beside:
        return f"{name}: {alone}"
    return f"{name}: {alone}; with what was kept outside {beside}"


def _by_another_clock(audited: Auditing) -> Path:
    """Return the checkpoint before the last, dated by a clock that is two days ahead."""
    lines = [json.loads(line) for line in audited.kept.read_text().splitlines()]
    before = sorted(lines, key=lambda each: int(each["checkpoint"].split("\n")[1]))[-2]
    seen = datetime.fromisoformat(before["at"]) + timedelta(days=2)
    ahead = audited.made.folder / "by-another-clock.jsonl"
    ahead.write_text(json.dumps({**before, "at": seen.isoformat()}) + "\n")
    return ahead


def _deleted_at_once(audited: Auditing) -> str:
    """Delete what was decided before anybody kept a checkpoint of it: who decided has the receipt."""
    name = "a decision deleted before anybody saw it"
    at = Copy(audited, name, audited.made.database)
    (place,) = (each["seq"] for each in audited.receipt["records"][:1])
    at.truncate(place)
    at.sign_anew()
    receipt = at.made.folder / "receipt.json"
    receipt.write_text(json.dumps(audited.receipt))
    alone, beside = at.found(), at.found("--receipt", str(receipt))
    assert (alone, f"record {place}:" in beside) == (NOTHING, True), (alone, beside)
    return f"{name}: {alone}; with the receipt of who decided {beside}"


def _columns(audited: Auditing) -> str:
    """Edit only what queries read beside the bodies."""
    name = "columns beside a body edited"
    at = Copy(audited, name, audited.made.database)
    at.do("UPDATE modelmon_audit_records SET actor = 'nobody' WHERE sequence = 2")
    done = at.made.call("audit", "verify", check=False)
    assert (at.found(), done.returncode) == (NOTHING, 1), done.stdout
    (told,) = re.findall(r"the columns .* says", done.stdout)
    return f"{name}: {NOTHING} in the export, which has none; `modelmon audit verify`: {told}"


def cosigned(audited: Auditing) -> str:
    """Verify what a witness of others has cosigned (check 9)."""
    export = audited.made.folder / "cosigned.jsonl"
    audited.made.call("audit", "export", "-o", str(export))
    key = audited.witness.key
    ended = verified(audited, export, *outside_of(audited), "--witness", key)
    assert ended.returncode == 0, ended.stdout
    notes = (json.loads(line).get("checkpoint") for line in export.read_text().splitlines())
    signed = [note for note in notes if note and f"— {key.partition('+')[0]} " in note]
    return (
        f"{key.partition('+')[0]} (aics-witness 0.1.0) has cosigned {len(signed)} checkpoints, the "
        f"newest over {signed[-1].splitlines()[1]} records; the verifier believes them: "
        f"{ended.stdout.splitlines()[-1]}"
    )


def fork_refused(audited: Auditing) -> str:
    """Write history anew with the stolen key, and have a daemon show that to the witness (check 9)."""
    witnesses = f"witnesses: [{{url: {audited.witness.url}, key: {audited.witness.key}}}]"
    settings = f'audit: {{key: "{audited.secret}", {witnesses}}}\n'
    at = Copy(audited, "a fork", audited.made.database, settings)
    _anew_with_the_key(at)
    name = audited.witness.key.partition("+")[0]
    with at.made.daemon() as (process, address, log):
        wait_for(
            lambda: any(
                series.startswith("modelmon_audit_witness_refuses{") and value == 1
                for series, value in samples(get(f"{address}/metrics")[1]).items()
            ),
            process,
            log,
        )
    lines = at.export().read_text().splitlines()
    records = [json.loads(body) for line in lines if (body := json.loads(line).get("record"))]
    (failed,) = [each for each in records if each["type"] == "anchor.failed"]
    kept = audited.witness.evidence()
    assert failed["data"]["status"] == 422, failed
    assert kept, "the witness has kept nothing of it"
    return (
        f"{name} answers 422; the daemon shows modelmon_audit_witness_refuses 1 and records it; the "
        f"witness keeps what it was asked, signed by the log's key: {len(kept)} piece of evidence"
    )


ORACLE = """
import json, sys
from aics_tlog import leaf_hash, parse_checkpoint, parse_note, parse_vkey
from aics_tlog import verify_checkpoint, verify_inclusion
asked = json.load(sys.stdin)
log, witness = parse_vkey(asked["key"]), parse_vkey(asked["witness"])
receipt = asked["receipt"]
note = parse_note(receipt["checkpoint"])
assert verify_checkpoint(note, log).ok
head = parse_checkpoint(note.text)
for each in receipt["records"]:
    leaf, proof = leaf_hash(each["record"].encode()), [bytes.fromhex(one) for one in each["proof"]]
    assert verify_inclusion(leaf, each["seq"], head.size, proof, head.root), each["seq"]
    assert not verify_inclusion(leaf, each["seq"] - 1, head.size, proof, head.root)
found = verify_checkpoint(parse_note(asked["cosigned"]), log, [witness], 1)
assert found.ok, found.error
print(head.size, len(receipt["records"][0]["proof"]), receipt["records"][0]["seq"], found.size)
"""


def proved_elsewhere(audited: Auditing) -> str:
    """Have another library verify the inclusion proof of a decision, and the cosignature (check 9)."""
    export = audited.made.folder / "cosigned.jsonl"
    name = audited.witness.key.partition("+")[0]
    notes = (json.loads(line).get("checkpoint") for line in export.read_text().splitlines())
    *_, newest = (note for note in notes if note and f"— {name} " in note)
    asked = {
        "key": audited.key,
        "witness": audited.witness.key,
        "receipt": audited.receipt,
        "cosigned": newest,
    }
    size, hashes, place, covered = ran(ORACLE, asked).split()
    return (
        f"aics-tlog 0.2.1: record {place}, with the {hashes} hashes of its receipt, is in the log of "
        f"{size} that was signed, and is not at the place before; the checkpoint over {covered} is "
        f"signed by {audited.key.partition('+')[0]} and {name}"
    )
