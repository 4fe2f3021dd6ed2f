"""What is stored of versions is believed as far as the audit log adds up to it, and no further."""

from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from monitor.domain.alert import Mute
from monitor.domain.errors import AuditError
from monitor.domain.governance import GateAction
from monitor.gatekeeper import Gatekeeper
from monitor.governance.acts import submit, take_away, vote
from monitor.governance.authorisation import Action
from monitor.governance.events import EventType
from monitor.governance.note import new_signing_key
from monitor.governance.reckoning import Doubts
from monitor.governance.record import Actor, record_of
from monitor.governance.standing import Event, State
from monitor.governance.verification import examine_log
from monitor.store.added_up import AddedUp
from monitor.store.audit import Auditing
from monitor.store.audit_store import AuditStore
from monitor.store.governance import documents_of
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import AUDIT_CHECKPOINTS, AUDIT_LOGS, AUDIT_RECORDS
from monitor.web.gate.board import Board
from monitor.web.gate.usage import UsageCount
from tests.attackers import Attacker
from tests.decided import GOVERNED, NOW, act, approved, broken
from tests.stored import DAY, a_baseline

KEY = new_signing_key("monitor.example.org/believed")
GITA = Actor("gita", "cli")
SAYS_APPROVED = "UPDATE modelmon_standings SET state = 'approved'"
INSERTED_WAIVER = """INSERT INTO modelmon_waivers VALUES ('credit', 77, 'drift', '1', 'r', 'c', 'olga',
 '["gina"]', '2005-01-01 00:00:00.000000', '2045-01-01 00:00:00.000000', NULL, '', '')"""
FORGED_VOTE = """UPDATE modelmon_requests SET votes = '[{"account": "vera", "person": "vera",
 "role": "validator", "granted": true, "at": "2005-06-11T00:00:00+00:00", "reason": ""}]'
 WHERE number = 2"""
INSERTED_STANDING = """INSERT INTO modelmon_standings VALUES
 ('credit', '2', 'approved', 2, '2005-01-01 00:00:00.000000', 'head', 'approved', '')"""


class Scene(Attacker):
    """A store with a signed log, a gate that follows it, and somebody with its password."""

    def __init__(self, url):
        super().__init__(url)
        self.store = SqlStore(url, Auditing(KEY))
        self.log_believed = AddedUp(url, Auditing(KEY))
        self.seconds, self.instant = 0.0, NOW
        self.board = Board(lambda: (True, ""), lambda: self.seconds)
        self.keeper = Gatekeeper(
            self.board,
            UsageCount("here"),
            self.store,
            lambda: [GOVERNED],
            self.log_believed.doubts,
            lambda: None,
            self,
        )

    def now(self):
        return self.instant

    def answer(self, version="1"):
        """Return what the gate answers once it has read the store again."""
        self.seconds += 31
        self.keeper.look()
        return self.board.known.models["credit"].of(version)

    def stop(self):
        act(self.store, "sre", Action.STOP, take_away, "1", Event.STOPPED, "odd")

    @property
    def doubts(self):
        return self.log_believed.doubts()

    def close(self):
        self.store.close()
        self.log_believed.close()


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.slow)])
def scene(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'modelmon.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    upgrade(url)
    with closing(Scene(url)) as found:
        approved(found.store)
        yield found


def test_what_was_recorded_is_believed_and_is_read_on_from_where_it_was_read(scene):
    assert scene.doubts == Doubts()
    assert scene.answer().action is GateAction.ALLOW
    scene.stop()
    assert scene.doubts == Doubts()
    assert scene.answer().state is State.STOPPED
    assert scene.answer().reasons[0].startswith("stopped:")


def test_the_gate_denies_what_the_log_does_not_add_up_to_until_it_is_put_back(scene, caplog):
    """The issue: a version that was stopped is written to be approved, past the log."""
    scene.stop()
    scene.do(SAYS_APPROVED)
    for version in ("1", "9"):
        told = scene.answer(version)
        assert told.action is GateAction.DENY
        assert told.reasons[0] == (
            "log_differs: one thing is stored otherwise than the audit log adds up to"
        )
    assert scene.answer().state is State.APPROVED  # what is stored is shown as it is stored
    assert caplog.text.count("no version may act: log_differs") == 1
    signed = scene.asked(lambda to: to.restore(GITA, "db1 was edited", NOW, Auditing(KEY)))
    (record,) = signed.records
    assert record.event.type is EventType.STATE_RESTORED
    assert record.event.subject == "model/credit"
    assert record.event.data["restored"] == ["standing 1"]
    assert scene.answer().reasons[0].startswith("stopped:")
    assert scene.asked(AuditStore.replayed)[1] == ()
    assert not examine_log(scene.log).flaws
    assert scene.asked(lambda to: to.restore(GITA, "again", NOW, Auditing(KEY))) is None


@pytest.mark.parametrize(
    "statement",
    [
        SAYS_APPROVED,
        "UPDATE modelmon_standings SET sequence = 40",
        "DELETE FROM modelmon_standings",
        "UPDATE modelmon_requests SET votes = '[]'",
        "UPDATE modelmon_cases SET rung = 'watch', findings = '[]', deadline = NULL",
        "DELETE FROM modelmon_cases",
        INSERTED_WAIVER,
        INSERTED_STANDING,
    ],
)
def test_whatever_was_written_past_the_log_is_put_back(scene, statement):
    broken(scene.store)
    before = documents_of(scene.store.ledger("credit"))
    scene.do(statement)
    assert scene.doubts.of("credit").startswith("log_differs")
    assert scene.doubts.of("debit") == ""
    assert scene.answer().action is GateAction.DENY
    scene.asked(lambda to: to.restore(GITA, "it was edited", NOW + 30 * DAY, Auditing(KEY)))
    assert scene.doubts == Doubts()
    assert documents_of(scene.store.ledger("credit")) == before


def test_nothing_is_recorded_on_top_of_what_was_written_past_the_log(scene):
    """A true record of a state that never came about would make the log add up to it."""
    scene.stop()
    scene.do(SAYS_APPROVED)
    before = len(scene.bodies)
    for write in (
        lambda: act(scene.store, "sre", Action.HOLD, take_away, "1", Event.HELD, "odd"),
        lambda: broken(scene.store),
    ):
        with pytest.raises(AuditError, match=r"\(standing 1\).*modelmon audit replay"):
            write()
    assert len(scene.bodies) == before
    scene.do("DELETE FROM modelmon_standings")
    with pytest.raises(AuditError, match="standing 1"):
        scene.store.register(a_baseline("1", digest="another"))
    assert len(scene.bodies) == before


def test_votes_that_nobody_gave_give_no_authority(scene):
    scene.store.register(a_baseline("2"))
    act(scene.store, "olga", Action.SUBMIT, submit, "2", {}, "ready")
    scene.do(FORGED_VOTE)
    with pytest.raises(AuditError, match="request 2"):
        act(scene.store, "head", Action.APPROVE_VERSION, vote, 2, "", granted=True)
    assert scene.store.standings("credit")["2"].state is State.PENDING


def test_a_row_that_cannot_be_read_stops_the_gate_until_it_can(scene, caplog):
    """Permits lapse; the thread that keeps the gate goes on looking."""
    assert scene.answer().action is GateAction.ALLOW
    scene.do("UPDATE modelmon_standings SET state = 'superb'")
    scene.seconds += 31
    scene.keeper._try(scene.keeper.look)
    assert "what is stored of credit cannot be read: 'superb' is not a valid State" in caplog.text
    assert scene.board.trouble.startswith("the gate could not read the store for")
    scene.do(SAYS_APPROVED)
    assert scene.answer().action is GateAction.ALLOW


def test_a_record_that_nobody_signed_gives_no_authority_and_is_not_signed_later(scene):
    """An attacker without the key: the chain is right, the tables agree, and it is signed by none."""
    scene.stop()
    records = [record_of(body.encode()) for body in scene.bodies]
    moves = [each for each in records if each.event.type is EventType.STATE_CHANGED]
    notes = scene.log.checkpoints
    scene.write_on(moves[1])  # it is approved, once more
    scene.do(SAYS_APPROVED)
    assert scene.answer().reasons[0].startswith("log_in_doubt: the audit log")
    before = scene.bodies
    with pytest.raises(AuditError, match="past modelmon"):
        scene.store.register(a_baseline("2"))
    with pytest.raises(AuditError, match="nothing is put back from a log that is in doubt"):
        scene.asked(lambda to: to.restore(GITA, "mend", NOW, Auditing(KEY)))
    assert scene.bodies == before
    assert scene.log.checkpoints == notes


def test_records_that_are_gone_are_missed_and_believed_again_when_they_are_back(scene):
    scene.stop()
    assert scene.answer().state is State.STOPPED
    with scene.engine().connect() as connection:
        kept = {
            table: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in (AUDIT_RECORDS, AUDIT_CHECKPOINTS, AUDIT_LOGS)
        }
    size = len(scene.bodies)
    before = max(note_size(note) for note in scene.log.checkpoints if note_size(note) < size)
    scene.truncate(before)
    scene.drop_checkpoints(after=before)
    assert f"had {size} records, and has {before}" in scene.doubts.log
    scene.replace([row["body"] for row in kept[AUDIT_RECORDS]])
    assert "is signed by nobody" not in scene.doubts.log
    assert "past modelmon" in scene.doubts.log  # the newest checkpoint is still gone
    scene.change(*(AUDIT_CHECKPOINTS.insert().values(row) for row in kept[AUDIT_CHECKPOINTS][-1:]))
    assert scene.doubts == Doubts()


def test_a_store_that_is_behind_what_was_kept_outside_lets_nobody_act(scene):
    newest = scene.log.checkpoints[-1]
    scene.stop()
    with closing(AddedUp(scene.url, Auditing(KEY, newest))) as log:
        assert log.doubts() == Doubts()
    outside = scene.log.checkpoints[-1]
    scene.truncate(note_size(newest))
    scene.drop_checkpoints(after=note_size(newest))
    scene.do(SAYS_APPROVED)
    with closing(AddedUp(scene.url, Auditing(KEY, outside))) as log:
        assert "shorter than it was" in log.doubts().of("credit")
    # The very checkpoint that was kept outside, put beside the older records:
    row = {"log": 1, "size": note_size(outside), "note": str(outside), "at": NOW}
    scene.change(AUDIT_CHECKPOINTS.insert().values(row))
    store = SqlStore(scene.url, Auditing(KEY, outside))
    with pytest.raises(AuditError, match="shorter than it was"):
        store.mute(Mute("credit", "f" * 16, NOW, NOW + DAY, "olga", "known"))
    store.close()


def test_a_key_that_the_log_was_handed_to_is_believed_and_no_other(scene):
    new, own = new_signing_key(KEY.name), new_signing_key(KEY.name)
    at = record_of(scene.bodies[-1].encode()).at
    scene.asked(lambda to: to.sign((KEY, new), GITA, at))
    with closing(SqlStore(scene.url, Auditing(new))) as store:
        store.register(a_baseline("2"))
    assert scene.doubts == Doubts()
    with closing(AddedUp(scene.url, Auditing(own))) as log:
        assert "signed by nobody whom this process believes" in log.doubts().log
    scene.drop_checkpoints(after=len(scene.bodies) - 1)
    scene.sign(own)
    scene.change(update(AUDIT_LOGS).values(verifying_key=str(own.verifying)))
    scene.store.close()
    with closing(AddedUp(scene.url, Auditing(KEY))) as log:
        assert "signed by nobody whom this process believes" in log.doubts().log


def test_a_log_that_is_not_signed_is_believed_as_far_as_it_is_one_chain(tmp_path):
    url = f"sqlite:///{tmp_path / 'unsigned.db'}"
    upgrade(url)
    with closing(SqlStore(url)) as store, closing(AddedUp(url, Auditing())) as log:
        assert log.doubts() == Doubts()
        approved(store)
        assert log.doubts() == Doubts()
        somebody = Attacker(url)
        somebody.do(SAYS_APPROVED.replace("approved", "watch"))
        assert log.doubts().of("credit").startswith("log_differs")
        somebody.do("UPDATE modelmon_audit_logs SET size = size + 1, hashes = X'00'")
        assert "no tree: one of" in log.doubts().log


def note_size(note):
    return int(note.text.split("\n")[1])


def test_what_words_are_erased_from_is_still_believed(scene):
    recorded = [record_of(body.encode()).event for body in scene.bodies]
    place = next(
        number
        for number, event in enumerate(recorded)
        if event.type is EventType.APPROVAL_REQUESTED
    )
    assert scene.doubts == Doubts()
    at = NOW + timedelta(days=1)
    scene.asked(lambda to: to.erase("credit", place, GITA, "asked", at, Auditing(KEY)))
    assert scene.doubts == Doubts()
