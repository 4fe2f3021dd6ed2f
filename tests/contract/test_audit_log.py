"""The audit log of a store: written with what it records, and held against it afterwards."""

import json
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine, text

from monitor import audit_verify
from monitor.domain.alert import Mute
from monitor.domain.errors import AuditError, StoreError
from monitor.engine.recorded_at import RecordedAt
from monitor.governance.checkpoint import Checkpoint, unverified_checkpoint
from monitor.governance.events import EventType
from monitor.governance.note import new_signing_key
from monitor.governance.record import Actor, record_of
from monitor.governance.verification import Fault, Witnessed, examine_log, of_log
from monitor.store.audit import Auditing
from monitor.store.audit_store import AuditStore
from monitor.store.keys import read_key, write_key
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.witness import FileWitness
from tests.races import race
from tests.stored import (
    FIRST,
    a_baseline,
    a_failure,
    a_filled,
    a_policy,
    a_quarantined,
    a_run,
)

ORIGIN = "monitor.example.org/test"
KEY = new_signing_key(ORIGIN)
PERSON = Actor("gina", "cli")


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request, tmp_path):
    """Return the URL of a database with the schema, and nothing in it."""
    found = f"sqlite:///{tmp_path / 'modelmon.db'}"
    if request.param == "postgres":
        found = request.getfixturevalue("postgres_url")
    upgrade(found)
    return found


def looked(url, look):
    """Return what a look at the log shows; its connections are closed."""
    store = AuditStore(url)
    try:
        return look(store)
    finally:
        store.close()


def store_of(url, look):
    store = SqlStore(url, Auditing(KEY))
    try:
        return look(store)
    finally:
        store.close()


def logs(url):
    return looked(url, AuditStore.logs)


def compared(url):
    return list(looked(url, AuditStore.compared))


def events(url):
    return [record_of(body).event for body in logs(url)[-1].bodies]


def examined(url, *outside):
    return examine_log(logs(url)[-1], outside)


def attack(url, statement):
    """Do what somebody may who can write everything in the database."""
    engine = create_engine(url)
    with engine.begin() as connection:
        changed = connection.execute(text(statement)).rowcount
    engine.dispose()
    assert changed


def test_a_failure_is_recorded_once_for_as_long_as_its_cause_lasts(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=0)

    def fails(minutes, **more):
        finished = FIRST + timedelta(minutes=minutes)
        store.fail(replace(a_failure(None), started=finished, finished=finished, **more))
        return sum(event.type is EventType.RUN_FAILED for event in events(url))

    assert [fails(minute) for minute in range(3)] == [1, 1, 1]
    assert fails(3, explanation="the bucket is locked") == 2
    assert fails(4) == 3, "it is back"
    assert fails(5, model="churn") == 4
    assert fails(6) == 4
    run = a_run(0)
    store.commit(replace(run, finished=FIRST + timedelta(minutes=7)), a_policy())
    assert fails(8) == 5, "it had worked meanwhile"
    assert store.counts("credit").failed == {"SourceError": 7}, "each is counted, and alerts"
    store.close()


def test_everything_that_is_written_is_recorded(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    store.fail(a_failure())
    store.note([a_quarantined()])
    at = FIRST + timedelta(days=20)
    store.mute(Mute("credit", "f" * 16, at, at + timedelta(days=1), "olga", "known"))
    store.mute(Mute("credit", "f" * 16, at, at, "olga", "no longer"))
    store.close()
    # The clocks of these examples differ by days, which is an event of its own.
    left_out = {EventType.CLOCK_REGRESSED, EventType.ALERT_CHANGED}
    assert [event.type for event in events(url) if event.type not in left_out] == [
        EventType.LOG_OPENED,
        EventType.BASELINE_REGISTERED,
        EventType.MODEL_REGISTERED,
        EventType.BASELINE_REGISTERED,
        EventType.MODEL_REGISTERED,
        EventType.POLICY_ACTIVATED,
        EventType.RUN_COMPLETED,
        EventType.RUN_FAILED,
        EventType.QUARANTINE_CHANGED,
        EventType.ALERT_MUTED,
        EventType.ALERT_UNMUTED,
    ]
    alerts = [event.data for event in events(url) if event.type is EventType.ALERT_CHANGED]
    assert {alert["finding"] for alert in alerts} == {
        alert.fingerprint for alert in store_of(url, lambda store: store.alerts("credit"))
    }
    (run,) = [event for event in events(url) if event.type is EventType.RUN_COMPLETED]
    assert run.subject == "model/credit"
    assert run.policy == "policy-1"
    assert run.data["run"] == a_run().identity
    assert run.data["manifest"] == a_run().manifest.digest
    found = examined(url)
    assert (found.size, found.flaws) == (found.covered, ())
    assert compared(url) == []


def test_what_changes_nothing_is_not_recorded(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    before = len(events(url))
    assert not store.register(a_baseline("1"))
    assert not store.commit(a_run(), a_policy()).new
    store.close()
    assert len(events(url)) == before


def test_a_policy_is_recorded_when_it_comes_into_force_and_when_it_comes_back(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    for policy in ("policy-1", "policy-2", "policy-2", "policy-1"):
        day = 1 + len(events(url))
        store.commit(a_run(day, policy=policy), a_policy(policy))
    store.close()
    activated = [e.policy for e in events(url) if e.type is EventType.POLICY_ACTIVATED]
    assert activated == ["policy-1", "policy-2", "policy-1"]


def test_a_log_that_cannot_be_written_blocks_what_it_would_record(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE modelmon_audit_checkpoints RENAME TO gone"))
    engine.dispose()
    with pytest.raises(StoreError, match="modelmon_audit_checkpoints"):
        store.commit(a_run(1), a_policy())
    assert store.run("credit", a_run(1).window) is None
    with pytest.raises(StoreError):
        store.fail(a_failure())
    assert not store.counts("credit").failed
    store.close()


def write_windows(url, key, first, days):
    """Commit windows from some day on."""
    store = SqlStore(url, Auditing(key))
    for day in range(first, first + days):
        store.commit(a_run(day), a_policy())
    store.close()


@pytest.mark.slow
def test_four_writers_at_once_make_one_chain(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=0)
    store.close()
    race(*((write_windows, url, KEY, 10 * number, 10) for number in range(4)))
    found = examined(url)
    assert (found.size, found.flaws) == (found.covered, ())
    assert sum(event.type is EventType.RUN_COMPLETED for event in events(url)) == 40
    assert compared(url) == []


ATTACKS = {
    "a finding is made harmless": "UPDATE modelmon_findings SET verdict = 'ok' "
    "WHERE verdict = 'critical'",
    "a reading is another": "UPDATE modelmon_readings SET value = 0.001 WHERE value > 0.3",
    "a run is of another policy": "UPDATE modelmon_runs SET identity = 'other'",
    "a schema change is gone": "DELETE FROM modelmon_schema_changes WHERE position = 0",
}


@pytest.mark.parametrize("statement", ATTACKS.values(), ids=ATTACKS)
def test_what_is_stored_otherwise_than_recorded_is_found(url, statement):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    store.close()
    attack(url, statement)
    assert examined(url).flaws == ()
    assert {flaw.fault for flaw in compared(url)} == {Fault.STATE_DIFFERS}


def test_a_run_that_nobody_recorded_is_found(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=2)
    store.close()
    attack(url, "DELETE FROM modelmon_audit_records WHERE type = 'run.completed'")
    told = [flaw.explanation for flaw in compared(url)]
    assert any("was never recorded" in one for one in told), told
    assert Fault.TRUNCATED in {flaw.fault for flaw in examined(url).flaws}


@pytest.mark.parametrize("column", ["actor", "subject", "type", "at"])
def test_columns_that_tell_another_story_than_the_body_are_found(url, column):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    store.close()
    value = "'2001-01-01 00:00:00'" if column == "at" else "'somebody else'"
    changed = f"{column} = {value}"
    attack(url, f"UPDATE modelmon_audit_records SET {changed} WHERE sequence = 2")  # noqa: S608
    assert examined(url).flaws == ()  # the bodies are whole
    (flaw,) = compared(url)
    assert (flaw.fault, flaw.sequence) == (Fault.COLUMNS_DIFFER, 2)
    assert column in flaw.explanation


def test_a_head_that_is_not_its_records_is_found(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    store.close()
    attack(url, "UPDATE modelmon_audit_logs SET size = 3")
    assert [flaw.fault for flaw in compared(url)] == [Fault.COLUMNS_DIFFER]


def test_runs_from_before_the_log_are_not_held_against_it(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=2)
    store.close()
    for table in ("audit_checkpoints", "audit_records", "audit_logs", "standings"):
        attack(url, f"DELETE FROM modelmon_{table}")  # noqa: S608
    store = SqlStore(url, Auditing(KEY))
    store.commit(a_run(5), a_policy())
    store.close()
    assert compared(url) == []


def test_who_has_another_key_or_none_writes_nothing(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    store.close()
    for key, told in ((None, "no key; set audit.key"), (new_signing_key(ORIGIN), "another one")):
        other = SqlStore(url, Auditing(key))
        with pytest.raises(AuditError, match=told):
            other.commit(a_run(1), a_policy())
        assert other.run("credit", a_run(1).window) is None
        other.close()


def test_a_log_without_a_key_is_signed_from_some_record_on(url):
    store = SqlStore(url)
    a_filled(store, days=1)
    store.close()
    (log,) = logs(url)
    assert log.verifying_key is None
    assert log.origin.startswith("modelmon/")
    assert {flaw.fault for flaw in examine_log(log).flaws} == {Fault.UNCOVERED_TAIL}
    key = new_signing_key(log.origin)
    looked(url, lambda to: to.sign((key,), PERSON, FIRST + timedelta(days=9)))
    signed = SqlStore(url, Auditing(key))
    signed.commit(a_run(1), a_policy())
    signed.close()
    assert examined(url).flaws == ()


def test_a_key_hands_the_log_on_to_the_next(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    store.close()
    new = new_signing_key(ORIGIN)
    with pytest.raises(AuditError, match="is signed by"):
        looked(url, lambda to: to.sign((new,), PERSON, FIRST))
    with pytest.raises(AuditError, match="the key is of the log elsewhere"):
        looked(url, lambda to: to.sign((KEY, new_signing_key("elsewhere")), PERSON, FIRST))
    looked(url, lambda to: to.sign((KEY, new), PERSON, FIRST + timedelta(days=9)))
    old = SqlStore(url, Auditing(KEY))
    with pytest.raises(AuditError, match="another one"):
        old.commit(a_run(1), a_policy())
    old.close()
    store = SqlStore(url, Auditing(new))
    store.commit(a_run(1), a_policy())
    store.close()
    assert examined(url).flaws == ()
    (rotated,) = [event for event in events(url) if event.type is EventType.KEY_ROTATED]
    assert rotated.actor == PERSON


def test_a_restored_backup_is_found_by_what_was_kept_outside(tmp_path):
    database, backup = tmp_path / "modelmon.db", tmp_path / "backup.db"
    url, witness = f"sqlite:///{database}", FileWitness(tmp_path / "kept.jsonl")
    upgrade(url)
    store = SqlStore(url, Auditing(KEY, witness=witness.keep))
    a_filled(store, days=1)
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text(f"VACUUM INTO '{backup}'"))
    engine.dispose()
    store.commit(a_run(1), a_policy())
    store.close()
    for part in ("modelmon.db-wal", "modelmon.db-shm"):
        (tmp_path / part).unlink(missing_ok=True)
    backup.replace(database)

    kept = witness.kept()
    assert examined(url).flaws == ()  # it is a log in itself
    assert Fault.TRUNCATED in {flaw.fault for flaw in examined(url, *kept).flaws}
    store = SqlStore(url, Auditing(KEY, kept[-1].note, witness.keep))
    with pytest.raises(AuditError, match=r"shorter than it was.*modelmon audit recover"):
        store.commit(a_run(2), a_policy())
    assert store.run("credit", a_run(2).window) is None
    store.close()

    new = new_signing_key(f"{ORIGIN}/2")
    at = FIRST + timedelta(days=9)
    signed = looked(
        url, lambda to: to.recover(kept[-1].note, new, PERSON, "restored on Tuesday", at)
    )
    witness.keep(signed.checkpoint, signed.at)
    store = SqlStore(url, Auditing(new, signed.checkpoint, witness.keep))
    store.commit(a_run(2), a_policy())
    store.close()
    old, log = logs(url)
    assert (old.origin, log.origin) == (ORIGIN, f"{ORIGIN}/2")
    assert examine_log(log, of_log(witness.kept(), log.origin)).flaws == ()
    told = record_of(log.bodies[1]).event
    assert told.type is EventType.LOG_RECOVERED
    assert told.data["lost"]["size"] == unverified_checkpoint(kept[-1].note).size > len(old.bodies)
    assert told.data["why"] == "restored on Tuesday"
    assert compared(url) == []


def test_a_log_that_is_what_was_seen_of_it_is_not_recovered(url):
    kept = []
    store = SqlStore(url, Auditing(KEY, witness=lambda note, at: kept.append(Witnessed(note, at))))
    a_filled(store, days=1)
    store.close()
    with pytest.raises(AuditError, match="is what the outside checkpoint says"):
        looked(
            url, lambda to: to.recover(kept[-1].note, new_signing_key("x"), PERSON, "why", FIRST)
        )
    assert len(logs(url)) == 1


def test_a_checkpoint_of_another_store_is_not_taken_for_this_ones(url):
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=1)
    store.close()
    other = new_signing_key("elsewhere")
    note = replace(examined_checkpoint(url), origin="elsewhere").signed(other)
    store = SqlStore(url, Auditing(KEY, note))
    with pytest.raises(AuditError, match="is this the store that it was kept for"):
        store.commit(a_run(1), a_policy())
    store.close()


def examined_checkpoint(url):
    return unverified_checkpoint(logs(url)[-1].checkpoints[-1])


def test_an_export_is_verified_by_the_file_alone(url, tmp_path):
    """In another process, in isolated mode, from a folder without modelmon."""
    store = SqlStore(url, Auditing(KEY))
    a_filled(store, days=2)
    store.close()
    (log,) = logs(url)
    lines = [{"log": log.origin, "key": str(log.verifying_key)}]
    lines += [{"record": body.decode()} for body in log.bodies]
    lines += [{"checkpoint": str(note)} for note in log.checkpoints]
    export, alone = tmp_path / "export.jsonl", tmp_path / "verify.py"
    export.write_text("".join(json.dumps(line) + "\n" for line in lines))
    alone.write_bytes(Path(audit_verify.__file__).read_bytes())

    def verified(key):
        return subprocess.run(
            [sys.executable, "-I", alone, export, "--key", str(key.verifying)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    ended = verified(KEY)
    assert (ended.returncode, ended.stdout) == (
        0,
        f"{ORIGIN}: {len(log.bodies)} records, 0 things wrong\n",
    ), ended.stderr
    assert verified(new_signing_key(ORIGIN)).returncode == 1
    assert verified(new_signing_key("elsewhere")).returncode == 2
    export.write_text(export.read_text().replace("policy-1", "policy-9", 1))
    ended = verified(KEY)
    assert ended.returncode == 1
    assert "record 6: it was written after another record" in ended.stdout


def test_a_key_is_its_owners_alone(tmp_path):
    path = tmp_path / "audit.key"
    write_key(path, KEY)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key(path) == KEY
    with pytest.raises(AuditError, match="is there already"):
        write_key(path, KEY)
    path.chmod(0o640)
    with pytest.raises(AuditError, match="chmod 600"):
        read_key(path)
    path.chmod(0o600)
    path.write_text("nothing")
    with pytest.raises(AuditError, match="holds no key"):
        read_key(path)
    with pytest.raises(AuditError, match="No such file"):
        read_key(tmp_path / "none")


def test_what_a_witness_cannot_keep_is_said(tmp_path):
    witness = FileWitness(tmp_path / "none" / "kept.jsonl")
    note = a_note()
    with pytest.raises(AuditError, match="could not be kept"):
        witness.keep(note, FIRST)
    assert witness.kept() == []
    (tmp_path / "kept.jsonl").write_text('{"at": 3}\n')
    with pytest.raises(AuditError, match=r"kept\.jsonl:1: not a kept checkpoint"):
        FileWitness(tmp_path / "kept.jsonl").kept()


def a_note():
    return Checkpoint(ORIGIN, 1, bytes(32)).signed(KEY)


def test_a_run_names_its_record(url):
    first, second = a_run(1), a_run(2)

    def records(store):
        a_filled(store, days=0)
        for run in (first, second):
            store.commit(run, a_policy())
        return [store.recorded_at(run) for run in (first, second, a_run(3))]

    one, other, none = store_of(url, records)
    assert none is None
    bodies = looked(url, AuditStore.logs)[-1].bodies
    for found, run in ((one, first), (other, second)):
        event = record_of(bodies[found.sequence]).event
        assert (event.type, event.data["run"]) == (EventType.RUN_COMPLETED, run.identity)
        assert (found.log, found.covered) == (ORIGIN, len(bodies))
    assert (
        other.text == f"{other.sequence} of {ORIGIN}, covered by the checkpoint over {len(bodies)}"
    )
    assert RecordedAt(ORIGIN, 7, None).text == f"7 of {ORIGIN}, not signed"
    assert RecordedAt(ORIGIN, 7, 7).text == f"7 of {ORIGIN}, not signed"
