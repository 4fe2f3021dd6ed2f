"""What the gate answered, and how often somebody asked, on each kind of store."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from monitor.domain.governance import GateAction
from monitor.domain.timetable import Regime, Spell, Tally
from monitor.engine.answering import Answered, Asked, Usage
from monitor.engine.overreach import Excess, Overreach, overreach_of
from monitor.governance.permit import Answer
from monitor.governance.standing import State
from monitor.store.audit_store import AuditStore
from tests.gatehouse import GOVERNED
from tests.stored import a_baseline, a_policy, a_run

AT = datetime(2026, 9, 1, 12, tzinfo=UTC)
LASTS = timedelta(seconds=360)


def answered(minute, action, version="3", **more):
    answer = Answer("credit", version, action, **more)
    return Answered(AT + timedelta(minutes=minute), answer, LASTS)


ALLOWED = answered(0, GateAction.ALLOW, state=State.APPROVED, policy="p", sequence=3)
CONDITIONED = answered(
    5,
    GateAction.ALLOW_WITH_CONDITIONS,
    conditions={"amount": 5000.0, "human_review_share": 0.25},
    state=State.RESTRICTED,
    reasons=("restricted: since then", "waived: drift"),
    model_digest="m",
    sequence=4,
)
STRANGE = answered(6, GateAction.DENY, version="2026/\x00\ud800", reasons=("unknown_version: x",))


def test_answers_are_read_as_they_were_recorded(stores):
    stores.writer.record_answers([ALLOWED])
    stores.writer.record_answers([CONDITIONED, STRANGE])
    assert stores.reader.gate_answers("credit") == [ALLOWED, CONDITIONED, STRANGE]
    assert stores.reader.newest_answers("credit") == {
        "3": CONDITIONED,
        STRANGE.answer.version: STRANGE,
    }
    assert stores.reader.gate_answers("debit") == []
    assert stores.reader.newest_answers("debit") == {}


def test_a_change_of_an_answer_is_no_change_of_results(stores):
    stores.writer.record_answers([ALLOWED])
    assert stores.reader.changes() == {}


def test_without_a_signed_log_there_is_no_checkpoint(stores):
    stores.writer.record_answers([ALLOWED])
    assert stores.reader.checkpoint() == (0, "")


def test_each_is_in_the_audit_log_with_what_it_says(stores):
    stores.writer.record_answers([ALLOWED, CONDITIONED])
    asked = {
        Asked("credit", "9", "10.0.0.2", GateAction.DENY): 2,
        Asked("credit", "3", "10.0.0.1", GateAction.ALLOW): 4100,
        Asked("debit", "1", "10.0.0.1", GateAction.ALLOW): 7,
    }
    for replica in ("here", "there"):
        stores.writer.record_usage(Usage(AT, replica, AT + timedelta(hours=1), asked))
    if stores.url == "sqlite://":
        return  # nobody else can look into a database in memory
    with closing(AuditStore(stores.url)) as audit:
        (log,) = audit.logs()
        assert not audit.compared()
    found = [json.loads(body) for body in log.bodies]
    told = [(each["type"], each["subject"]) for each in found if each["type"] != "log.opened"]
    assert told == [
        ("gate.answer_changed", "model/credit/version/3"),
        ("gate.answer_changed", "model/credit/version/3"),
        *([("gate.usage_rollup", "model/credit"), ("gate.usage_rollup", "model/debit")] * 2),
    ]
    assert found[-5]["data"]["conditions"] == {"amount": "5000", "human_review_share": "0.25"}
    assert [each["data"]["replica"] for each in found[-4:]] == ["here", "here", "there", "there"]
    assert found[-2]["data"]["asked"] == [
        {"version": "3", "client": "10.0.0.1", "action": "allow", "times": 4100},
        {"version": "9", "client": "10.0.0.2", "action": "deny", "times": 2},
    ]


def test_decisions_outside_what_was_allowed_are_recorded_with_the_run_that_found_them(stores):
    run = a_run(versions=("1", "2"))
    before = run.window.start - timedelta(days=1)
    for version in ("1", "2"):
        stores.writer.register(a_baseline(version))
    allowed = Answer("credit", "2", GateAction.ALLOW)
    denied = Answer("credit", "1", GateAction.DENY)
    stores.writer.record_answers([Answered(before, each, LASTS) for each in (allowed, denied)])
    policy = replace(a_policy(), governance=GOVERNED)
    stores.writer.commit(run, policy)
    answers = stores.reader.gate_answers("credit")
    rows = run.accounting.profiled["1"]
    strange = run.accounting.unregistered["3"]
    assert overreach_of(run, answers) == (
        Overreach("1", Excess.NOT_ACTING, rows, run.window.end),
        Overreach("3", Excess.UNKNOWN_VERSION, strange, run.window.end),
    )
    if stores.url == "sqlite://":
        return  # nobody else can look into a database in memory
    with closing(AuditStore(stores.url)) as audit:
        (log,) = audit.logs()
        assert not audit.compared()
    found = [json.loads(body) for body in log.bodies]
    exceeded = [each for each in found if each["type"] == "authority.exceeded"]
    told = [
        (each["subject"], each["data"]["reason"], each["data"]["decisions"]) for each in exceeded
    ]
    assert told == [
        ("model/credit/version/1", "not_acting", rows),
        ("model/credit/version/3", "unknown_version", strange),
    ]


def test_nothing_is_held_against_a_model_whose_policy_is_incomplete(stores):
    run = a_run(versions=("1", "2"))
    for version in ("1", "2"):
        stores.writer.register(a_baseline(version))
    before = run.window.start - timedelta(days=1)
    stores.writer.record_answers([Answered(before, Answer("credit", "1", GateAction.DENY), LASTS)])
    stores.writer.commit(run, a_policy())
    if stores.url == "sqlite://":
        return  # nobody else can look into a database in memory
    with closing(AuditStore(stores.url)) as audit:
        (log,) = audit.logs()
    assert "authority.exceeded" not in {json.loads(body)["type"] for body in log.bodies}


def a_tally(run, version, regime, rows, **more):
    spell = Spell(run.window.start, run.window.end, regime, more.pop("conditions", {}))
    return Tally(version, spell, rows, run.window.end - timedelta(minutes=3), **more)


def counted(run):
    """Return a run that was counted by what was allowed when, with everything that a tally can have."""
    within = {
        "conditions": {"amount": 5000.0, "human_review_share": 0.25},
        "over": {"amount": 7},
        "unknown": {"amount": 2},
        "last_over": run.window.end - timedelta(minutes=9, microseconds=3),
        "reviewed": 100,
        "unmarked": 20,
    }
    tallies = (
        a_tally(run, "1", Regime.REFUSED, 12),
        a_tally(run, "2\x00\ud800", Regime.CONDITIONED, 400, **within),
        a_tally(run, "3", Regime.UNKNOWN, 5),
    )
    return replace(run, accounting=replace(run.accounting, authority=tallies))


def test_what_was_counted_is_read_as_it_was_stored(stores):
    run = counted(a_run(versions=("1",)))
    stores.writer.register(a_baseline("1"))
    stores.writer.commit(run, a_policy())
    assert stores.reader.run("credit", run.window).accounting == run.accounting
    before = a_run(1, versions=("1",))
    stores.writer.commit(before, a_policy())
    assert stores.reader.run("credit", before.window).accounting.authority is None


def test_decisions_outside_what_was_allowed_open_cases_in_the_transaction_of_their_run(stores):
    run = counted(a_run(versions=("1",)))
    stores.writer.register(a_baseline("1"))
    policy = replace(a_policy(), governance=GOVERNED)
    stores.writer.commit(run, policy)
    (case,) = stores.reader.cases("credit")  # of the others nothing is known to be there
    assert (case.version, case.cause, case.accountable) == (
        "1",
        "outside_authority",
        GOVERNED.accountability.accountable,
    )
    stores.writer.commit(run, policy)
    assert stores.reader.cases("credit") == (case,)
    if stores.url == "sqlite://":
        return  # nobody else can look into a database in memory
    with closing(AuditStore(stores.url)) as audit:
        (log,) = audit.logs()
        assert not audit.compared()
        assert audit.replayed()[1] == ()
    found = [json.loads(body) for body in log.bodies]
    told = [each["data"] for each in found if each["type"] == "authority.exceeded"]
    assert [(each["reason"], each["decisions"], each.get("condition")) for each in told] == [
        ("not_acting", 12, None),
        ("condition_broken", 7, "amount"),
        ("unknown_version", 5, None),
    ]
    assert told[1]["bound"] == "5000"
    assert told[1]["last"] == (run.window.end - timedelta(minutes=9, microseconds=3)).isoformat()
