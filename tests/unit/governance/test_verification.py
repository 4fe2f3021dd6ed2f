"""Attacks on a log by somebody who may write everything in the database, some with its key."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from monitor.governance.checkpoint import Checkpoint
from monitor.governance.events import EventType
from monitor.governance.merkle import leaf_hash, root_of
from monitor.governance.note import Note, SigningKey, new_signing_key
from monitor.governance.record import FIRST, AuditEvent, record_at, record_of
from monitor.governance.verification import Fault, Witnessed, examine_log

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

    def faults(self, *outside: Witnessed) -> set[Fault]:
        """Return what an examination finds."""
        keys = [self.key.verifying]
        return {
            flaw.fault for flaw in examine_log(self.bodies, self.checkpoints, keys, outside).flaws
        }


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
    found = examine_log(log.bodies, log.checkpoints, [KEY.verifying], [kept])
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
    assert examine_log(log.bodies, log.checkpoints, [KEY.verifying]).covered == 10


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
    flaws = examine_log(log.bodies, log.checkpoints, [KEY.verifying]).flaws
    assert [(flaw.fault, flaw.sequence) for flaw in flaws] == [
        (Fault.CHAIN_BROKEN, 4),  # the next one names what was there
        (Fault.ROOT_MISMATCH, 4),
        (Fault.ROOT_MISMATCH, 9),
    ]


def test_a_rotated_key_is_believed_from_its_checkpoint_on(log, kept):
    old, log.key = log.key, new_signing_key(ORIGIN)
    log.append("rotated")
    leaves = [leaf_hash(body) for body in log.bodies]
    log.checkpoints.append(Checkpoint(ORIGIN, 11, root_of(leaves)).signed(old, log.key))
    log.append("after")
    log.sign()
    keys = [old.verifying, log.key.verifying]
    assert examine_log(log.bodies, log.checkpoints, keys, [kept]).flaws == ()


def test_bodies_are_read_back(log):
    assert [record_of(body).event.subject for body in log.bodies[:2]] == ["model/0", "model/1"]
