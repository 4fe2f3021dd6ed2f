"""What a daemon does about its audit log: shows it, writes a heartbeat each hour, adds it up."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from monitor.domain.errors import AuditError
from monitor.domain.lease import Replica, Term
from monitor.governance.events import EventType
from monitor.governance.note import new_signing_key
from monitor.governance.record import record_of
from monitor.governance.verification import Fault, Witnessed, examine_log
from monitor.scheduling.audit_rounds import ADDED_UP, BEAT, Attested, AuditRounds
from monitor.store.audit import Auditing
from monitor.store.audit_watch import AuditWatch
from monitor.store.audit_witnesses import AuditWitnesses
from monitor.store.lease import SqlLeases
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.witness import FileWitness
from tests.attackers import Attacker
from tests.stored import FIRST, a_baseline

KEY = new_signing_key("monitor.example.org/test")


class Scene:
    """A store with a log, a lease, and a clock that stands where it is put."""

    def __init__(self, url):
        self.url, self.instant = url, FIRST
        self.attacker = Attacker(url)
        leases = SqlLeases(url)
        lease, _ = leases.ask(Replica("here", "machine"), timedelta(hours=1))
        leases.close()
        self.term = lease.term
        self.watch = AuditWatch(url, Auditing(KEY))
        self.rounds = AuditRounds(Attested(self.watch, self, lambda: self.term))

    def now(self):
        return self.instant

    def write(self, version="1"):
        store = SqlStore(self.url, Auditing(KEY))
        store.register(a_baseline(version))
        store.close()

    @property
    def beats(self):
        records = [record_of(body.encode()) for body in self.attacker.bodies]
        return [one.at for one in records if one.event.type is EventType.LOG_HEARTBEAT]


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.slow)])
def scene(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'modelmon.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    upgrade(url)
    found = Scene(url)
    yield found
    found.watch.close()


def test_before_anything_was_written_nothing_is_shown_and_no_log_is_opened(scene):
    scene.instant += 9 * BEAT
    scene.rounds.round()
    assert scene.rounds.told() is None


def test_the_head_is_shown_as_it_is(scene):
    scene.write()
    scene.rounds.round()
    told, log = scene.rounds.told(), scene.attacker.log
    assert told.log.size == len(log.bodies)
    assert str(told.log) == log.checkpoints[-1].text
    assert told.at == record_of(log.bodies[-1]).at
    scene.write("2")
    scene.rounds.round()
    assert scene.rounds.told().log.size > told.log.size


def test_there_is_a_heartbeat_each_hour_and_no_more(scene):
    scene.write()
    for minutes in (0, 59, 61, 90, 119, 122, 300):
        scene.instant = FIRST + timedelta(minutes=minutes)
        scene.rounds.round()
    assert scene.beats == [FIRST + timedelta(minutes=minutes) for minutes in (61, 122, 300)]
    assert scene.attacker.log.checkpoints[-1].text.split("\n")[1] == str(len(scene.attacker.bodies))


def test_a_daemon_that_is_told_to_end_says_so_and_the_next_one_that_it_leads(scene):
    scene.write()
    scene.rounds.start()
    scene.rounds.stop()
    scene.instant += timedelta(minutes=5)
    again = AuditRounds(Attested(scene.watch, scene, lambda: scene.term))
    for _ in range(2):
        again.round()
    kinds = [record_of(body.encode()).event.type for body in scene.attacker.bodies]
    assert kinds[-2:] == [EventType.LOG_RESTED, EventType.LOG_HEARTBEAT]
    scene.term = None
    again.start()
    again.stop()  # who does not lead has nothing to say
    assert len(scene.attacker.bodies) == len(kinds)


def test_each_new_checkpoint_is_a_line_for_what_collects_them_whoever_made_it(scene, tmp_path):
    scene.write()
    collected = tmp_path / "collected.log"
    log = AuditWitnesses(scene.url, Auditing(KEY))
    with collected.open("w") as lines:
        rounds = AuditRounds(Attested(log, scene, lambda: None, lines=lines))
        rounds.round()
        rounds.round()
        lines.write("INFO something else that the daemon says\n")
        scene.write("2")
        rounds.round()
    log.close()
    assert collected.read_text().count('"checkpoint":') == 2
    found = FileWitness(collected).collected()
    assert found[-1] == Witnessed(scene.attacker.log.checkpoints[-1], scene.instant)
    assert not examine_log(scene.attacker.log, found).flaws
    scene.attacker.truncate(3)
    scene.attacker.drop_checkpoints(after=2)
    told = {flaw.fault for flaw in examine_log(scene.attacker.log, found).flaws}
    assert Fault.TRUNCATED in told
    collected.write_text("INFO nothing\n")
    with pytest.raises(AuditError, match="has no checkpoint: a line with one is"):
        FileWitness(collected).collected()


def test_only_who_leads_writes_and_adds_up(scene):
    scene.write()
    scene.instant += 2 * BEAT
    scene.term, term = None, scene.term
    scene.rounds.round()
    assert (scene.beats, scene.rounds.told().differences) == ([], None)
    scene.term = Term("another", 9)  # which the store does not know
    scene.rounds.start()
    scene.rounds.stop()
    assert scene.beats == []
    scene.term = term
    scene.rounds.round()
    assert (len(scene.beats), scene.rounds.told().differences) == (1, 0)


def test_a_standing_that_was_changed_past_the_log_is_told(scene, caplog):
    scene.write()
    scene.rounds.round()
    assert scene.rounds.told().differences == 0
    scene.attacker.do("UPDATE modelmon_standings SET state = 'approved'")
    scene.instant += ADDED_UP
    with caplog.at_level(logging.ERROR, "modelmon"):
        scene.rounds.round()
    assert scene.rounds.told().differences == 1
    assert "standing 1 of credit: state is 'approved'" in caplog.text


def test_a_log_that_cannot_be_signed_is_told_once(scene, caplog):
    scene.write()
    scene.instant = datetime(2030, 1, 1, tzinfo=UTC)
    unsigned = AuditWatch(scene.url, Auditing())
    rounds = AuditRounds(Attested(unsigned, scene, lambda: scene.term))
    with caplog.at_level(logging.ERROR, "modelmon"):
        for _ in range(2):
            rounds.start()
            rounds.stop()
    unsigned.close()
    assert caplog.text.count("the audit log cannot be kept") == 1
