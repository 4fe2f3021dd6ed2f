"""Attacks on a log by somebody who may write everything in the database, some with its key."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from monitor import audit_verify
from monitor.governance.checkpoint import Checkpoint
from monitor.governance.events import EventType
from monitor.governance.merkle import leaf_hash, root_of
from monitor.governance.note import Note, SigningKey, new_signing_key
from monitor.governance.record import FIRST, AuditEvent, record_at, record_of
from monitor.governance.verification import Examined, Fault, StoredLog, Witnessed, examine_log

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
ORIGIN = "monitor.example.org"
KEY = new_signing_key(ORIGIN)


@dataclass
class Log:
    """A log as it lies in a database: what an attacker may change."""

    key: SigningKey = KEY
    bodies: list[bytes] = field(default_factory=list)
    checkpoints: list[Note] = field(default_factory=list)

    def append(self, what: str, at: datetime | None = None, log: str = ORIGIN) -> None:
        """Write one record after the last."""
        place = len(self.bodies)
        previous = leaf_hash(self.bodies[-1]) if self.bodies else FIRST
        event = AuditEvent(EventType.RUN_COMPLETED, f"model/{what}")
        when = at or BEGIN + timedelta(hours=place)
        self.bodies.append(record_at(log, place, previous, when, event).body)

    def sign(self) -> Note:
        """Make a checkpoint over all records."""
        leaves = [leaf_hash(body) for body in self.bodies]
        note = Checkpoint(ORIGIN, len(leaves), root_of(leaves)).signed(self.key)
        self.checkpoints.append(note)
        return note

    def rewrite(self, what: list[str]) -> None:
        """Write the chain anew, with other records."""
        self.bodies.clear()
        for each in what:
            self.append(each)

    def examined(self, *outside: Witnessed) -> Examined:
        """Return what an examination finds by the key that is believed."""
        stored = StoredLog(ORIGIN, KEY.verifying, self.bodies, self.checkpoints)
        return examine_log(stored, outside)

    def faults(self, *outside: Witnessed) -> set[Fault]:
        """Return what is wrong; the verifier that shares no code finds something wrong as well."""
        flaws = self.examined(*outside).flaws
        alone = audit_verify.verify(
            ORIGIN,
            [body.decode() for body in self.bodies],
            [str(note) for note in self.checkpoints],
            KEY.verifying.public,
            [
                {"checkpoint": str(each.note), "at": each.at and each.at.isoformat()}
                for each in outside
            ],
        )
        assert {sequence for sequence, _ in alone} == {flaw.sequence for flaw in flaws}
        return {flaw.fault for flaw in flaws}


@pytest.fixture
def log() -> Log:
    """Ten records, checkpoints over five and ten."""
    log = Log()
    for number in range(5):
        log.append(str(number))
    log.sign()
    for number in range(5, 10):
        log.append(str(number))
    log.sign()
    return log


@pytest.fixture
def kept(log) -> Witnessed:
    """The checkpoint over ten records, kept outside when it was made."""
    return Witnessed(log.checkpoints[-1], BEGIN + timedelta(hours=9, minutes=1))


def test_a_log_that_nobody_touched_has_no_flaw(log, kept):
    found = log.examined(kept)
    assert (found.size, found.covered, found.witnessed, found.flaws) == (10, 10, 10, ())
    assert found.root == root_of([leaf_hash(body) for body in log.bodies])


def test_an_edited_body(log):
    log.bodies[3] = log.bodies[3].replace(b"model/3", b"model/X")
    assert log.faults() == {Fault.CHAIN_BROKEN, Fault.ROOT_MISMATCH}


def test_a_deleted_row(log):
    del log.bodies[3]
    assert log.faults() == {
        Fault.SEQUENCE,
        Fault.CHAIN_BROKEN,
        Fault.ROOT_MISMATCH,
        Fault.TRUNCATED,
    }


def test_swapped_rows(log):
    log.bodies[3], log.bodies[4] = log.bodies[4], log.bodies[3]
    found = log.faults()
    assert {Fault.SEQUENCE, Fault.CHAIN_BROKEN, Fault.ROOT_MISMATCH, Fault.TIME_REVERSED} == found


def test_the_end_cut_off(log):
    del log.bodies[7:]
    assert Fault.TRUNCATED in log.faults()


def test_the_end_cut_off_with_its_checkpoint_is_seen_from_outside(log, kept):
    del log.bodies[7:], log.checkpoints[-1]
    assert log.faults() == {Fault.UNCOVERED_TAIL}
    assert Fault.TRUNCATED in log.faults(kept)


def test_an_older_backup_is_seen_from_outside_alone(log, kept):
    del log.bodies[5:], log.checkpoints[-1]
    assert log.faults() == set()
    assert log.faults(kept) == {Fault.TRUNCATED}


def test_a_chain_computed_anew_without_the_key(log):
    log.rewrite([str(number) for number in (0, 1, 2, 99, 4, 5, 6, 7, 8, 9)])
    assert log.faults() == {Fault.ROOT_MISMATCH}


def test_a_chain_computed_anew_without_its_checkpoints(log, kept):
    log.rewrite([str(number) for number in (0, 1, 2, 99, 4, 5, 6, 7, 8, 9)])
    log.checkpoints.clear()
    assert log.faults() == {Fault.UNCOVERED_TAIL}
    assert Fault.ROOT_MISMATCH in log.faults(kept)


def test_a_chain_computed_anew_with_the_stolen_key_is_seen_from_outside_alone(log, kept):
    log.rewrite([str(number) for number in (0, 1, 2, 99, 4, 5, 6, 7, 8, 9)])
    log.checkpoints.clear()
    log.sign()
    assert log.faults() == set()
    assert log.faults(kept) == {Fault.ROOT_MISMATCH}


def test_one_record_taken_out_with_the_stolen_key_is_seen_from_outside_alone(log, kept):
    log.rewrite([str(number) for number in range(10) if number != 3])
    log.checkpoints.clear()
    log.sign()
    assert log.faults() == set()
    assert log.faults(kept) == {Fault.TRUNCATED}
    log.append("more")
    log.sign()
    assert log.faults(kept) == {Fault.ROOT_MISMATCH}


def test_a_record_of_an_earlier_day_with_the_key(log, kept):
    log.append("late", at=BEGIN)
    log.sign()
    assert log.faults() == {Fault.TIME_REVERSED}
    assert log.faults(kept) == {Fault.TIME_REVERSED, Fault.BACKDATED}


def test_the_daemons_clock_set_back_is_seen_by_a_witness_with_a_clock(log, kept):
    seen = Witnessed(kept.note, BEGIN + timedelta(days=2))  # the witness's clock was right
    log.append("honest chain", at=BEGIN + timedelta(hours=10))
    log.sign()
    assert log.faults() == set()
    assert log.faults(seen) == {Fault.BACKDATED}


def test_clocks_that_differ_by_seconds_put_no_record_in_doubt(log, kept):
    log.append("soon after", at=BEGIN + timedelta(hours=9, seconds=50))
    log.sign()
    assert log.faults(kept) == set()


def test_records_that_no_checkpoint_covers_are_told(log):
    log.append("new")
    assert log.faults() == {Fault.UNCOVERED_TAIL}
    assert log.examined().covered == 10


def test_the_log_of_another_instance(log):
    other = Log()
    other.append("0", log="elsewhere.example.org")
    log.bodies[0] = other.bodies[0]
    assert Fault.OTHER_LOG in log.faults()


def test_checkpoints_of_another_key(log):
    log.checkpoints = [
        Checkpoint(ORIGIN, 10, bytes(32)).signed(new_signing_key(ORIGIN)),
    ]
    assert log.faults() == {Fault.BAD_CHECKPOINT, Fault.UNCOVERED_TAIL}


def test_a_replayed_old_checkpoint_hides_nothing(log, kept):
    log.checkpoints.append(log.checkpoints[0])
    assert log.faults(kept, Witnessed(log.checkpoints[0])) == set()


@pytest.mark.parametrize("damaged", [b"", b"{}", b'{"seq":1,"seq":2}', b'{"data":NaN}'])
def test_what_is_no_record(log, damaged):
    log.bodies[3] = damaged
    assert log.faults() == {Fault.NO_RECORD, Fault.CHAIN_BROKEN, Fault.ROOT_MISMATCH}


def test_the_first_flaw_names_its_record(log):
    log.bodies[3] = log.bodies[3].replace(b"model/3", b"model/X")
    flaws = log.examined().flaws
    assert [(flaw.fault, flaw.sequence) for flaw in flaws] == [
        (Fault.CHAIN_BROKEN, 4),  # the next one names what was there
        (Fault.ROOT_MISMATCH, 4),
        (Fault.ROOT_MISMATCH, 9),
    ]


def hand_on(log: Log, *signing: SigningKey) -> SigningKey:
    """Write the record of another key, with a checkpoint that keys sign; return the other key."""
    new = new_signing_key(ORIGIN)
    place = len(log.bodies)
    data = {"before": str(log.key.verifying), "after": str(new.verifying)}
    event = AuditEvent(EventType.KEY_ROTATED, "log", data=data)
    at = BEGIN + timedelta(hours=place)
    log.bodies.append(record_at(ORIGIN, place, leaf_hash(log.bodies[-1]), at, event).body)
    leaves = [leaf_hash(body) for body in log.bodies]
    checkpoint = Checkpoint(ORIGIN, place + 1, root_of(leaves))
    log.checkpoints.append(checkpoint.signed(*signing, new))
    return new


def test_a_key_that_the_one_before_handed_on_is_believed(log, kept):
    log.key = hand_on(log, KEY)
    log.append("after")
    log.sign()
    assert log.faults(kept) == set()
    assert log.examined().covered == 12


def test_the_key_before_signs_nothing_any_more(log):
    hand_on(log, KEY)
    log.append("after")
    log.sign()  # still by the key that was handed on, and perhaps stolen
    assert log.faults() == {Fault.BAD_CHECKPOINT, Fault.UNCOVERED_TAIL}


def test_a_key_that_nobody_handed_on_is_not_believed(log):
    log.key = hand_on(log)
    log.append("after")
    log.sign()
    assert log.faults() == {Fault.BAD_KEY, Fault.BAD_CHECKPOINT, Fault.UNCOVERED_TAIL}


def test_a_log_that_was_signed_from_some_record_on():
    log = Log()
    log.append("unsigned")
    log.key = hand_on(log)
    log.append("signed")
    log.sign()
    found = examine_log(StoredLog(ORIGIN, None, log.bodies, log.checkpoints))
    assert (found.flaws, found.covered) == ((), 3)


def test_checkpoints_of_a_log_without_a_key_are_not_believed(log):
    found = examine_log(StoredLog(ORIGIN, None, log.bodies, log.checkpoints))
    assert {flaw.fault for flaw in found.flaws} == {Fault.BAD_CHECKPOINT, Fault.UNCOVERED_TAIL}


def test_bodies_are_read_back(log):
    assert [record_of(body).event.subject for body in log.bodies[:2]] == ["model/0", "model/1"]
