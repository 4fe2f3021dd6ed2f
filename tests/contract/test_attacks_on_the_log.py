"""Attacks on a log that four processes wrote, by whoever may write everything in its database.

Each row of docs/reference/attacks.md is a test here, on SQLite and on PostgreSQL. What is found is
said three times: by the examination inside, with a checkpoint that was kept outside, and by the
verifier that shares no code with either.
"""

import json
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from msgspec.structs import asdict
from sqlalchemy import delete, insert, select, update

from monitor import audit_verify
from monitor.domain.alert import Mute
from monitor.domain.errors import AuditError
from monitor.domain.governance import GateAction
from monitor.domain.role import Role
from monitor.engine.answering import Answered
from monitor.governance.checkpoint import unverified_checkpoint
from monitor.governance.merkle import (
    consistency_proof,
    is_consistent,
    leaf_hash,
    root_of,
)
from monitor.governance.note import new_signing_key
from monitor.governance.permit import Answer
from monitor.governance.record import Actor, record_of
from monitor.governance.tokens import Wanted, new_token
from monitor.governance.verification import Fault, Witnessed, examine_log, of_log
from monitor.store.access import AccessStore
from monitor.store.access_tables import TOKENS
from monitor.store.added_up import AddedUp
from monitor.store.audit import Auditing
from monitor.store.audit_pages import AuditPages
from monitor.store.audit_store import AuditStore
from monitor.store.every_table import METADATA
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import AUDIT_LOGS, AUDIT_RECORDS
from monitor.store.witness import FileWitness
from tests.attackers import Attacker, chained
from tests.races import race
from tests.stored import FIRST, a_baseline, a_filled, a_policy, a_run

ORIGIN = "monitor.example.org/attacked"
KEY = new_signing_key(ORIGIN)
WRITERS, WINDOWS = 4, 4
DAY = timedelta(days=1)


def write_windows(url, key, kept, first):
    """Commit some windows, in a process of its own."""
    store = SqlStore(url, Auditing(key, witness=FileWitness(kept).keep))
    for day in range(first, first + WINDOWS):
        store.commit(a_run(day), a_policy())
    store.close()


class Scene(Attacker):
    """A database, what was kept of its log outside, and how to put it back as it was."""

    def __init__(self, url, kept):
        super().__init__(url)
        self.kept = kept
        self.saved = {}

    def save(self):
        with self.engine().connect() as connection:
            for table in METADATA.sorted_tables:
                self.saved[table] = [
                    dict(row) for row in connection.execute(select(table)).mappings()
                ]

    def restore(self):
        with self.engine().begin() as connection:
            for table in reversed(METADATA.sorted_tables):
                connection.execute(delete(table))
            for table, rows in self.saved.items():
                if rows:
                    connection.execute(insert(table), rows)

    @property
    def outside(self):
        """Return what the file keeps that is apart from the database."""
        return of_log(FileWitness(self.kept).kept(), ORIGIN)

    @property
    def doubt(self):
        """Return why the gate of a daemon that begins now would deny the model."""
        log = AddedUp(self.url, Auditing(KEY))
        try:
            return log.doubts().of("credit")
        finally:
            log.close()

    def written(self, write):
        store = SqlStore(self.url, Auditing(KEY))
        try:
            write(store)
        finally:
            store.close()

    def faults(self, *outside):
        """Return what is wrong, by the program and by the verifier that shares no code with it."""
        log = self.log
        flaws = examine_log(log, outside).flaws
        copies = [
            {"checkpoint": str(one.note), "at": one.at and one.at.isoformat()} for one in outside
        ]
        notes = [str(note) for note in log.checkpoints]
        public = KEY.verifying.public
        alone = list(audit_verify.verify(log.origin, self.bodies, notes, public, copies))
        assert {place for place, _ in alone} == {flaw.sequence for flaw in flaws}
        return {flaw.fault for flaw in flaws}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def written(request, tmp_path_factory):
    """A log that four processes wrote at once, with a witness in a file."""
    folder = tmp_path_factory.mktemp("attacked")
    url = f"sqlite:///{folder / 'modelmon.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_server").new_database()
    upgrade(url)
    scene = Scene(url, folder / "kept.jsonl")
    store = SqlStore(url, Auditing(KEY, witness=FileWitness(scene.kept).keep))
    a_filled(store, days=0)
    store.close()
    race(*((write_windows, url, KEY, scene.kept, 10 * number) for number in range(WRITERS)))
    scene.save()
    return scene


@pytest.fixture
def scene(written):
    yield written
    written.restore()


@pytest.fixture
def newest(scene):
    """Return the newest checkpoint that was kept outside."""
    return max(scene.outside, key=lambda one: unverified_checkpoint(one.note).size)


def test_what_four_wrote_at_once_is_whole(scene):
    assert scene.faults(*scene.outside) == set()
    assert scene.compared == set()
    assert scene.doubt == ""
    runs = [body for body in scene.bodies if '"type":"run.completed"' in body]
    assert len(runs) == WRITERS * WINDOWS


def test_every_write_was_covered_when_it_was_committed(scene):
    """There are no records that a checkpoint does not cover yet: nobody can delete just those."""
    sizes = {unverified_checkpoint(one.note).size for one in scene.outside}
    assert max(sizes) == len(scene.bodies)
    opened = {1}  # in the transaction of the first write, whose checkpoint covers it
    assert sizes | opened == {unverified_checkpoint(note).size for note in scene.log.checkpoints}


def test_an_edited_body(scene, newest):
    scene.do(
        "UPDATE modelmon_audit_records SET body = REPLACE(body, 'policy-1', 'policy-X')"
        " WHERE type = 'policy.activated'"
    )
    assert {Fault.CHAIN_BROKEN, Fault.ROOT_MISMATCH} == scene.faults() == scene.faults(newest)


def test_a_deleted_row(scene, newest):
    scene.do("DELETE FROM modelmon_audit_records WHERE sequence = 3")
    told = {Fault.SEQUENCE, Fault.CHAIN_BROKEN, Fault.ROOT_MISMATCH, Fault.TRUNCATED}
    assert told == scene.faults() == scene.faults(newest)


def test_swapped_rows(scene, newest):
    sequence = AUDIT_RECORDS.c.sequence
    for before, after in ((3, -1), (4, 3), (-1, 4)):
        scene.change(update(AUDIT_RECORDS).where(sequence == before).values(sequence=after))
    told = {Fault.SEQUENCE, Fault.CHAIN_BROKEN, Fault.ROOT_MISMATCH}
    assert told <= scene.faults()
    assert told <= scene.faults(newest)


def test_the_end_cut_off(scene, newest):
    scene.truncate(8)
    assert Fault.TRUNCATED in scene.faults()
    assert Fault.TRUNCATED in scene.faults(newest)


def test_the_end_cut_off_with_its_checkpoints(scene, newest):
    scene.truncate(8)
    scene.drop_checkpoints(after=6)
    assert scene.faults() == {Fault.UNCOVERED_TAIL}
    assert Fault.TRUNCATED in scene.faults(newest)


def test_an_older_backup_restored(scene, newest):
    sizes = sorted(unverified_checkpoint(note).size for note in scene.log.checkpoints)
    scene.truncate(sizes[4])
    scene.drop_checkpoints(after=sizes[4])
    assert scene.faults() == set()
    assert scene.faults(newest) == {Fault.TRUNCATED}


def test_a_chain_computed_anew_without_the_key(scene, newest):
    scene.forge(reason="x")
    assert scene.faults() == scene.faults(newest) == {Fault.ROOT_MISMATCH}


def test_a_chain_computed_anew_without_checkpoints(scene, newest):
    scene.forge(reason="x")
    scene.drop_checkpoints()
    assert scene.faults() == {Fault.UNCOVERED_TAIL}
    assert Fault.ROOT_MISMATCH in scene.faults(newest)


def test_a_chain_computed_anew_with_the_stolen_key(scene, newest):
    scene.forge(reason="x")
    scene.drop_checkpoints()
    scene.sign(KEY)
    assert scene.faults() == set()
    assert scene.faults(newest) == {Fault.ROOT_MISMATCH}


def test_one_record_taken_out_with_the_stolen_key(scene, newest):
    scene.forge(without=7)
    scene.drop_checkpoints()
    scene.sign(KEY)
    assert scene.faults() == set()
    assert scene.faults(newest) == {Fault.TRUNCATED}
    assert {Fault.TRUNCATED, Fault.ROOT_MISMATCH} == scene.faults(*scene.outside)


def test_a_record_of_an_earlier_day_with_the_key(scene):
    before = scene.outside
    seen = max(before, key=lambda one: unverified_checkpoint(one.note).size)
    scene.forge(at=FIRST - 9 * DAY)
    scene.drop_checkpoints()
    scene.sign(KEY)
    assert scene.faults() == {Fault.TIME_REVERSED}
    assert {Fault.TIME_REVERSED, Fault.ROOT_MISMATCH} == scene.faults(seen)


def test_the_daemons_clock_two_days_behind(scene):
    """The chain is honest: what the witness saw with a clock of its own tells."""
    sizes = sorted(unverified_checkpoint(note).size for note in scene.log.checkpoints)
    notes = {unverified_checkpoint(note).size: note for note in scene.log.checkpoints}
    newest_record = record_of(scene.bodies[-1].encode())
    seen = Witnessed(notes[sizes[-2]], newest_record.at + 2 * DAY)
    assert scene.faults() == set()
    assert scene.faults(seen) == {Fault.BACKDATED}


def test_columns_beside_the_body(scene, newest):
    scene.do("UPDATE modelmon_audit_records SET actor = 'somebody else' WHERE sequence = 2")
    assert scene.faults() == scene.faults(newest) == set()
    assert scene.compared == {Fault.COLUMNS_DIFFER}


def test_a_standing_that_no_record_made(scene):
    scene.do("UPDATE modelmon_standings SET state = 'approved' WHERE version = '1'")
    assert scene.faults() == set()
    assert scene.compared == {Fault.STATE_DIFFERS}
    _, told = scene.asked(AuditStore.replayed)
    assert "standing 1 of credit: state is 'approved'" in told[0]
    assert scene.doubt.startswith("log_differs: one thing is stored otherwise")
    with pytest.raises(AuditError, match="standing 1"):
        scene.written(lambda store: store.register(a_baseline("3")))


def test_a_record_of_ones_own_that_waits_for_the_next_signature(scene, newest):
    """Its chain is right, and so is the head; only the signature is missing, and is not given."""
    scene.write_on(record_of(scene.bodies[-1].encode()))
    assert scene.faults() == scene.faults(newest) == {Fault.UNCOVERED_TAIL}
    assert scene.doubt.startswith("log_in_doubt:")
    before = scene.bodies
    with pytest.raises(AuditError, match="past modelmon, and nothing is signed after that"):
        scene.written(lambda store: store.commit(a_run(91), a_policy()))
    assert scene.bodies == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE modelmon_gate_answers SET action = 'allow'",
        "UPDATE modelmon_gate_answers SET at = '2005-06-01 00:00:00.000000' WHERE version = '2'",
        "DELETE FROM modelmon_gate_answers WHERE version = '2'",
        "UPDATE modelmon_gate_answers SET version = '1' WHERE version = '2'",
    ],
)
def test_what_the_gate_answered_is_edited(scene, statement):
    """So that decisions look as if they had been allowed."""
    at = record_of(scene.bodies[-1].encode()).at
    answers = [Answer("credit", each, GateAction.DENY) for each in ("1", "2")]
    given = [Answered(at, each, timedelta(minutes=6)) for each in answers]
    scene.written(lambda store: store.record_answers(given))
    assert scene.compared == set()
    scene.do(statement)
    assert scene.faults() == set()
    assert scene.compared == {Fault.STATE_DIFFERS}


def test_a_token_of_ones_own_that_no_record_made(scene):
    """Whoever has the database's password writes themselves a token to approve with."""
    at = record_of(scene.bodies[-1].encode()).at
    wanted = Wanted("vera", "mine", frozenset({Role.VALIDATOR}), None, timedelta(days=9))
    access = AccessStore(scene.url, Auditing(KEY))
    given, other, third = (new_token(wanted, "root", at)[0] for _ in range(3))
    access.create(given, Actor("root", "cli"))
    access.create(other, Actor("root", "cli"))
    access.revoke(other.id, "root", Actor("root", "cli"), at)
    assert access.token(given.id) == given
    assert scene.compared == set()
    scene.do("UPDATE modelmon_tokens SET revoked_at = NULL, revoked_by = ''")
    assert access.token(other.id) is None
    row = asdict(third)
    row |= {"roles": sorted(third.roles)}
    scene.change(insert(TOKENS).values(row))
    assert access.token(third.id) is None
    for changed in ("roles = '[\"governance\"]'", "holder = 'head'", f"digest = '{third.digest}'"):
        assert access.token(given.id) == given
        scene.do(f"UPDATE modelmon_tokens SET {changed} WHERE id = '{given.id}'")  # noqa: S608
        assert access.token(given.id) is None, changed
        told = [flaw.explanation for flaw in scene.asked(AuditStore.compared)]
        named = changed.partition(" ")[0]
        assert f"token {given.id}: {named}: not what was recorded" in told
        back = {"roles": sorted(given.roles), "holder": given.holder, "digest": given.digest}
        scene.change(update(TOKENS).where(TOKENS.c.id == given.id).values(back))
    access.close()
    assert scene.faults() == set()
    assert scene.compared == {Fault.STATE_DIFFERS}


def test_two_exports_to_two_auditors(scene):
    """Whoever has an earlier export can have it proved that the later one begins with it."""
    earlier = scene.bodies[:-5]
    later = [leaf_hash(body.encode()) for body in scene.bodies]
    first = [leaf_hash(body.encode()) for body in earlier]
    proof = consistency_proof(later, len(first))
    assert is_consistent(len(first), root_of(first), len(later), root_of(later), proof)
    scene.forge(reason="for the second auditor")
    forged = [leaf_hash(body.encode()) for body in scene.bodies]
    proof = consistency_proof(forged, len(first))
    assert not is_consistent(len(first), root_of(first), len(forged), root_of(forged), proof)


def test_the_log_of_another_instance(scene):
    documents = [{**json.loads(body), "log": "elsewhere.example.org"} for body in scene.bodies]
    scene.replace(chained(documents))
    scene.drop_checkpoints()
    scene.sign(KEY)
    assert scene.faults() == {Fault.OTHER_LOG}


def test_a_replayed_old_checkpoint(scene, newest):
    """It hides nothing, and it is not taken for the newest."""
    oldest = min(scene.outside, key=lambda one: unverified_checkpoint(one.note).size)
    assert scene.faults(oldest, newest) == set()
    scene.truncate(8)
    scene.drop_checkpoints(after=6)
    scene.sign(KEY)
    assert scene.faults(oldest) == set()
    assert scene.faults(oldest, newest) == {Fault.TRUNCATED}


@pytest.mark.parametrize(
    "damage",
    [("{", '{"data":{},', 1), ('"seq":3', '"seq":NaN', 1), ('"seq":3', '"seq":Infinity', 1)],
    ids=["a key twice", "NaN", "Infinity"],
)
def test_a_body_that_some_reader_reads_otherwise(scene, damage):
    body = scene.bodies[3].replace(*damage)
    scene.change(update(AUDIT_RECORDS).where(AUDIT_RECORDS.c.sequence == 3).values(body=body))
    assert Fault.NO_RECORD in scene.faults()


def test_evidence_exchanged_under_its_digest(scene):
    """The log has the digest of what a run read and found; other results are told."""
    run = next(json.loads(body) for body in scene.bodies if '"type":"run.completed"' in body)
    assert len(run["data"]["results"]) == len(sha256().hexdigest())
    scene.do("UPDATE modelmon_readings SET value = 0.001 WHERE value > 0.3")
    assert scene.faults() == set()
    assert scene.compared == {Fault.STATE_DIFFERS}


def test_a_restore_refuses_to_sign_and_goes_on_as_another_log(scene, newest):
    sizes = sorted(unverified_checkpoint(note).size for note in scene.log.checkpoints)
    scene.truncate(sizes[4])
    scene.drop_checkpoints(after=sizes[4])
    store = SqlStore(scene.url, Auditing(KEY, newest.note))
    with pytest.raises(AuditError, match="modelmon audit recover"):
        store.commit(a_run(99), a_policy())
    store.close()
    assert len(scene.bodies) == sizes[4]
    new = new_signing_key(f"{ORIGIN}/2")
    at = datetime(2026, 1, 1, tzinfo=FIRST.tzinfo)
    scene.asked(lambda to: to.recover(newest.note, new, Actor("gina", "cli"), "restored", at))
    told = record_of(scene.log.bodies[1]).event
    assert scene.log.origin == new.name
    assert told.data["lost"]["size"] == unverified_checkpoint(newest.note).size


def test_a_key_of_somebody_else(scene):
    own = new_signing_key(ORIGIN)
    scene.forge(reason="x")
    scene.drop_checkpoints()
    scene.sign(own)
    scene.change(update(AUDIT_LOGS).values(verifying_key=str(own.verifying)))
    log = scene.log
    notes = [str(note) for note in log.checkpoints]
    found = list(audit_verify.verify(ORIGIN, scene.bodies, notes, KEY.verifying.public, []))
    assert any("not signed by the key that is believed" in what for _, what in found)


def test_a_log_handed_on_is_signed_by_both_keys(scene):
    new, at = new_signing_key(ORIGIN), record_of(scene.bodies[-1].encode()).at
    scene.asked(lambda to: to.sign((KEY, new), Actor("gina", "cli"), at))
    both = scene.log.checkpoints[-1]
    assert KEY.verifying.has_signed(both)
    assert new.verifying.has_signed(both)
    assert scene.faults() == set()


def test_a_receipt_of_any_record_convicts_who_changes_it_later(scene, tmp_path, capsys):
    """An auditor has the receipts of records that they looked at, whoever made them."""
    given, export = tmp_path / "receipt.jsonl", tmp_path / "export.jsonl"
    size = len(scene.bodies)
    found = [receipt(scene, place) for place in (0, 7, size - 1)]
    given.write_text("".join(json.dumps(each.document) + "\n" for each in found))
    write_export(scene, export)
    asked = [str(export), "--receipt", str(given), "--key", str(KEY.verifying)]
    assert audit_verify.main(asked) == 0, capsys.readouterr().out
    assert (receipt(scene, size), receipt(scene, 0, "elsewhere")) == (None, None)
    scene.forge(reason="x")
    scene.drop_checkpoints()
    with_the_key = scene.sign(KEY)
    assert receipt(scene, 7).checkpoint == with_the_key  # a log in itself
    write_export(scene, export)
    assert audit_verify.main(asked) == 1
    assert "record 7: the receipt has another record than the export" in capsys.readouterr().out


def test_no_receipt_is_given_of_what_was_not_signed(scene):
    scene.do(
        "UPDATE modelmon_audit_records SET body = REPLACE(body, 'credit', 'debits') WHERE sequence = 3"
    )
    with pytest.raises(AuditError, match=r"record 3 of the audit log .* is not what"):
        receipt(scene, 3)
    assert receipt(scene, 4).proved[0].record.sequence == 4
    scene.do("DELETE FROM modelmon_audit_records WHERE sequence = 3")
    with pytest.raises(AuditError, match="or records are missing"):
        receipt(scene, 4)


def receipt(scene, place, origin=None):
    return AuditPages(scene.engine()).receipt(place, origin)


def test_a_record_that_was_deleted_is_shown_by_its_receipt(scene, tmp_path, capsys):
    """Deleted with the key before anybody else saw a checkpoint: whoever decided holds it."""
    receipts = []
    store = SqlStore(scene.url, Auditing(KEY))
    before = len(scene.bodies)
    at = record_of(scene.bodies[-1].encode()).at
    store.receipting(receipts.append).mute(
        Mute("credit", "f" * 16, at, at + DAY, "olga", "é\u2028")
    )
    store.close()
    given, export = tmp_path / "receipt.json", tmp_path / "export.jsonl"
    given.write_text(json.dumps(receipts[0].document, ensure_ascii=False) + "\n")

    def verified(*arguments):
        code = audit_verify.main([*map(str, arguments), "--key", str(KEY.verifying)])
        return code, capsys.readouterr().out

    write_export(scene, export)
    alone, beside = verified("--receipt", given), verified(export, "--receipt", given)
    assert (alone[0], beside[0]) == (0, 0), (alone, beside)
    scene.truncate(before)
    scene.drop_checkpoints(after=before)
    assert scene.faults() == set()
    write_export(scene, export)
    code, told = verified(export, "--receipt", given)
    assert code == 1
    assert f"record {before}: the receipt has another record than the export" in told
    assert "a trusted checkpoint: of" in told


def write_export(scene, path):
    log = scene.log
    lines = [{"log": log.origin}, *({"record": body.decode()} for body in log.bodies)]
    lines += [{"checkpoint": str(note)} for note in log.checkpoints]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
