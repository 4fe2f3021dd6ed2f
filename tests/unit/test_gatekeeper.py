"""The key that signs permits, and how the keeper bears a store in trouble."""

import logging

import pytest

from monitor.domain.errors import AuditError, FencedError, StoreError
from monitor.domain.lease import Term
from monitor.domain.settings import DaemonSettings
from monitor.gatekeeper import UNWATCHED, gate_key
from monitor.governance.note import new_signing_key
from monitor.governance.standing import State
from monitor.store.keys import write_key
from tests.gatehouse import open_gate


def settings(**files):
    whole = dict.fromkeys(DaemonSettings.__dataclass_fields__)
    return DaemonSettings(**(whole | {name: str(path) for name, path in files.items()}))


def test_without_a_file_there_is_no_key():
    assert gate_key(settings()) is None


def test_the_key_is_the_one_of_the_file(tmp_path):
    key = new_signing_key("gate")
    write_key(tmp_path / "gate", key)
    write_key(tmp_path / "audit", new_signing_key("audit"))
    found = gate_key(settings(gate_key=tmp_path / "gate", audit_key=tmp_path / "audit"))
    assert found == key


def test_the_key_of_the_audit_log_signs_no_permits(tmp_path):
    key = new_signing_key("both")
    write_key(tmp_path / "gate", key)
    write_key(tmp_path / "audit", key)
    with pytest.raises(AuditError, match="the gate's key is the audit log's"):
        gate_key(settings(gate_key=tmp_path / "gate", audit_key=tmp_path / "audit"))


def test_a_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "gate"
    write_key(path, new_signing_key("gate"))
    path.chmod(0o640)
    with pytest.raises(AuditError, match="the key of the gate: chmod 600"):
        gate_key(settings(gate_key=path))


def test_a_key_that_is_not_there_is_told_with_what_makes_one(tmp_path):
    with pytest.raises(AuditError, match="`modelmon gate init` makes one"):
        gate_key(settings(gate_key=tmp_path / "gate"))


def test_trouble_with_the_store_is_told_once_and_so_is_its_end(caplog):
    with open_gate() as house:
        keeper = house.keeper
        house.versions.failing = StoreError("the database is gone")
        with caplog.at_level(logging.INFO, logger="modelmon"):
            for _ in range(3):
                keeper._try(keeper.look)
            house.versions.failing = None
            for _ in range(3):
                keeper._try(keeper.look)
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [
        ("ERROR", "the gate cannot use the store, and its permits lapse: the database is gone"),
        ("INFO", "the gate can use the store again"),
    ]


def test_who_was_overtaken_by_another_leader_records_in_its_next_term():
    terms = [Term("here", 1)]
    with open_gate(term=lambda: terms[-1]) as house:
        versions = house.versions
        versions.put("credit", "3", State.APPROVED)
        record, versions.record_answers = versions.record_answers, _fenced
        house.keeper.look()
        assert versions.recorded == []
        versions.record_answers = record
        terms.append(Term("here", 3))
        house.keeper.look()
        assert [each.answer.version for each in versions.recorded] == ["3"]


def test_nothing_may_act_of_a_model_whose_file_is_gone_and_that_is_recorded_once(caplog):
    with open_gate(term=lambda: Term("here", 1)) as house:
        versions, keeper = house.versions, house.keeper
        versions.put("credit", "3", State.APPROVED)
        keeper.look()
        (before,) = versions.recorded
        gone = house.models.pop("credit")
        for _ in range(3):
            keeper.look()
        _, after = versions.recorded
        assert house.board.known.unwatched == {"credit"}
        assert (before.answer.acts, after.answer.acts) == (True, False)
        assert (after.answer.reasons, after.answer.state) == ((UNWATCHED,), State.APPROVED)
        assert after.lasts == before.lasts
        assert "no file names the model credit any more" in caplog.text
        house.models["credit"] = gone
        keeper.look()
        assert [each.answer.acts for each in versions.recorded] == [True, False, True]
        assert house.board.known.unwatched == frozenset()


def _fenced(_):
    raise FencedError("the term is over")
