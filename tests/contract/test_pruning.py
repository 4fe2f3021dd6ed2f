"""Results that are pruned, in every kind of database: what goes, what stays, what is refused."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine, text

from monitor.domain.errors import PrunedError
from monitor.domain.finding import Verdict
from monitor.domain.registry import Errand, ErrandKind
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.engine.monitoring_runs import results_errands
from monitor.engine.pruning import Pruning
from monitor.governance.events import EventType
from monitor.governance.record import record_of
from monitor.governance.verification import Fault, examine_log
from monitor.store.audit_store import AuditStore
from monitor.store.backup import restore, write_backup
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from tests.lives import NO_ROWS, PSI, policy_of, told
from tests.stored import (
    DAY,
    FIRST,
    a_baseline,
    a_filled,
    a_policy,
    a_quarantined,
    a_run,
    a_window,
)

AT = FIRST + 400 * DAY


def pruning(days, keep=(), by=""):
    windows = frozenset(a_window(day) for day in keep)
    return Pruning("credit", FIRST + days * DAY, windows, AT, by)


def pruned(store, days, keep=(), by=""):
    """Prune all that ends by a day, and return what went."""
    return store.prune(pruning(days, keep, by), 1000)


def compared(url):
    store = AuditStore(url)
    try:
        return [flaw.explanation for flaw in store.compared()]
    finally:
        store.close()


def attack(url, *statements):
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount, statement
    engine.dispose()


def test_a_pruned_result_is_never_returned_as_one_that_has_found_nothing(stores):
    a_filled(stores.writer, days=4)
    done = pruned(stores.writer, 2)
    assert (done.windows, done.results, done.emptied) == (2, 2, 4)
    for day in (0, 1):
        with pytest.raises(
            PrunedError, match="pruned on 2006-07-06: there were 15 readings, judged"
        ):
            stores.reader.run("credit", a_window(day))
    assert stores.reader.run("credit", a_window(2)) == a_run(2, psi=2.31)
    assert stores.reader.latest("credit") == a_run(3, psi=3.31)
    assert stores.reader.pruned_until("credit") == a_window(1).end
    assert stores.reader.pruned_until("fraud") is None


def test_what_each_window_came_to_is_kept(store):
    a_filled(store, days=4)
    lines, heads = store.run_lines("credit", None, 10), store.heads("credit")
    counts, evidence = store.counts("credit"), store.e_values("credit")
    alerts, events = store.alerts("credit"), store.alert_events("credit", PSI)
    pruned(store, 3)
    found = store.run_lines("credit", None, 10)
    assert [line.verdicts for line in found] == [line.verdicts for line in lines]
    assert [line.pruned for line in found] == [None, AT, AT, AT]
    assert found[3].verdicts[Verdict.CRITICAL] == 6
    assert [head.identity for head in store.heads("credit").values()] == [
        head.identity for head in heads.values()
    ]
    (revision,) = store.revisions("credit", a_window(0))
    assert (revision.pruned, store.revisions("credit", a_window(3))[0].pruned) == (AT, None)
    assert store.counts("credit") == counts
    assert store.e_values("credit") == evidence
    assert store.alerts("credit") == alerts
    assert store.alert_events("credit", PSI) == events


def test_what_went_is_in_no_history(store):
    a_filled(store, days=4)
    store.note([a_quarantined()])
    pruned(store, 3)
    found = store.past_findings(PSI, None, 10)
    assert [item.window for item in found] == [a_window(3)]
    (verdicts,) = store.verdicts("credit", FIRST - DAY)
    assert verdicts.window == a_window(3)
    assert list(store.gaps("credit")) == [a_window(3)]


def test_a_finding_that_went_is_still_found_by_its_alert(store):
    store.register(a_baseline("1"))
    for day, letters in enumerate(["co", "oo", "oo", "oo", "oo", "oo"]):
        run = told(day, letters)
        store.commit(run, policy_of(run))
    pruned(store, 6)
    assert store.fingerprints(PSI[:6], 5) == [PSI]
    assert store.past_findings(PSI, None, 5) == []
    assert store.episodes("credit", PSI)


def test_profiles_that_something_asks_for_stay(store):
    a_filled(store, days=5)
    before = store.profiles("credit", [a_window(day) for day in range(5)])
    assert pruned(store, 4, keep=(1, 3)).emptied == 4
    found = store.profiles("credit", [a_window(day) for day in range(5)])
    kept = {day for day in range(5) if found[a_window(day)].profiles}
    assert kept == {1, 3, 4}
    for day in kept:
        assert found[a_window(day)] == before[a_window(day)]
    told_of = store.profiled("credit")
    assert [bool(told_of[a_window(day)].baselines) for day in range(5)] == [
        day in kept for day in range(5)
    ]
    assert pruned(store, 4, keep=(3,)).emptied == 2
    assert pruned(store, 4, keep=(3,)).windows == 0
    found = store.profiles("credit", [a_window(day) for day in range(5)])
    assert {day for day in range(5) if found[a_window(day)].profiles} == {3, 4}


def test_errands_that_the_registry_has_taken_go_with_their_windows_and_are_not_asked_again(store):
    filled = a_filled(store, days=4)
    first, ended = a_window(0).end, a_window(0).start
    told = [
        replace(each, done_at=first)
        for each in results_errands("credit", filled.heads("credit").values(), first)
    ]
    tags = [
        Errand(key, "credit", ErrandKind.STATE, "1", {"monitor.state": key}, ended, ended)
        for key in ("state:1:1:a", "state:1:2:b", "state:1:3:c")
    ]
    store.send([*told, *tags])
    for each in tags[:2]:
        store.settle(replace(each, done_at=ended), ())
    due = pruning(2)
    would = store.prunable(due).rows["modelmon_registry_errands"]
    assert (would, store.prune(due, 10).rows["modelmon_registry_errands"]) == (3, 3)
    left = [each.key for each in store.errands("credit", tuple(ErrandKind))]
    assert left == [told[2].key, told[3].key, "state:1:2:b", "state:1:3:c"]
    assert store.backlog().waiting == 1
    again = results_errands("credit", store.heads("credit").values(), first)
    assert [each.key for each in again] == [each.key for each in told[2:]]


def test_what_would_go_is_what_goes(store):
    a_filled(store, days=5)
    counted = store.prunable(pruning(4, keep=(2,)))
    assert counted.rows["modelmon_readings"] == 60
    assert pruned(store, 4, keep=(2,)) == counted
    only_profiles = store.prunable(pruning(4))
    assert (only_profiles.windows, sum(only_profiles.rows.values())) == (1, 0)
    assert pruned(store, 4) == only_profiles


def test_it_goes_on_where_it_ended_a_few_windows_at_a_time(store):
    a_filled(store, days=5)
    store.commit(a_run(0, days=2), a_policy())  # ends with the second day's
    ends = []
    while store.prune(pruning(4), 2).windows:
        ends.append(store.pruned_until("credit"))
        heads = store.heads("credit").values()
        assert all((head.pruned is None) == (head.window.end > ends[-1]) for head in heads)
    assert ends == [a_window(1).end, a_window(3).end]


def test_a_result_of_a_time_that_was_pruned_is_refused(store):
    a_filled(store, days=4)
    pruned(store, 3)
    for late in (a_run(1, versions=("1",)), a_run(2, days=4), a_run(-3)):
        with pytest.raises(
            PrunedError, match="nothing of credit before 2005-06-04 00:00 UTC is run"
        ):
            store.commit(late, a_policy())
    assert store.commit(a_run(3, versions=("1",)), a_policy()).revision == 2
    assert store.commit(a_run(4), a_policy()).new
    other = a_run(0, model="fraud")
    for version in ("1", "2"):
        store.register(a_baseline(version))
    assert store.commit(other, a_policy(model="fraud")).new


def test_alerts_go_on_as_if_nothing_had_been_pruned(store, tmp_path):
    says = ["wo", "co", "oo", "oo", "oo", "oo", NO_ROWS, "ow", "oc", "ww", "co", "uo", "oo", "oc"]
    apart = f"sqlite:///{tmp_path / 'apart.db'}"
    upgrade(apart)
    other = SqlStore(apart)
    for each in (store, other):
        each.register(a_baseline("1"))
        for day, letters in enumerate(says):
            run = told(day, letters)
            each.commit(run, policy_of(run))
            if each is store:
                pruned(store, day - 2)
        # A later revision of a window that is kept is folded from the step before it.
        run = told(len(says) - 3, "cc", number=1, at=1)
        each.commit(run, policy_of(run))
    assert store.alerts("credit") == other.alerts("credit")
    assert store.alert_events("credit", PSI) == other.alert_events("credit", PSI)
    assert store.episodes("credit", PSI) == other.episodes("credit", PSI)
    other.close()


def test_another_schedule_does_not_begin_with_what_was_pruned(store):
    store.register(a_baseline("1"))
    for day in range(6):
        run = told(day, "co")
        store.commit(run, policy_of(run))
    pruned(store, 4)
    hours = policy_of(told(6, "oo"), schedule=Schedule(timedelta(days=1), anchor=FIRST))
    assert Schedule(CalendarUnit.DAY) != hours.schedule
    store.commit(told(6, "oo"), hours)
    (alert,) = [item for item in store.alerts("credit") if item.open]
    assert alert.since == a_window(4)


@pytest.fixture
def filled(url):
    store = a_filled(SqlStore(url), days=4)
    yield store
    store.close()


@pytest.mark.parametrize("url", ["file"], indirect=True)
class TestTheAuditLog:
    def test_says_what_went_and_is_held_against_what_is_left(self, url, filled):
        pruned(filled, 3, keep=(2,))
        pruned(filled, 3, by="ada")
        store = AuditStore(url)
        log = store.logs()[-1]
        store.close()
        events = [record_of(body).event for body in log.bodies]
        first, second = [item for item in events if item.type is EventType.STORE_PRUNED]
        assert (first.subject, first.actor.id, second.actor.id) == ("model/credit", "daemon", "ada")
        assert first.data["rows"]["modelmon_readings"] == 45
        assert [len(item.data["results"]) for item in (first, second)] == [3, 1]
        assert {flaw.fault for flaw in examine_log(log).flaws} == {Fault.UNCOVERED_TAIL}
        assert compared(url) == []

    ATTACKS = {  # noqa: RUF012  # read only
        "results are deleted behind its back": (
            ["DELETE FROM modelmon_findings WHERE run = 4"],
            "results is stored otherwise",
        ),
        "a result is called pruned that was not": (
            [
                "UPDATE modelmon_runs SET pruned = (SELECT pruned FROM modelmon_runs WHERE id = 1) WHERE id = 4"
            ],
            "that it was pruned is stored otherwise",
        ),
        "a profile that was left is another": (
            ["UPDATE modelmon_profiles SET profile = CAST('x' AS {binary}) WHERE run = 3"],
            "what is left of a pruned run is stored otherwise",
        ),
        "what it came to is another": (
            ["UPDATE modelmon_runs SET pruned = replace(pruned, '6', '7') WHERE id = 1"],
            "what is kept of a pruned run is stored otherwise",
        ),
        "it is no longer called pruned": (
            ["UPDATE modelmon_runs SET pruned = NULL WHERE id = 1"],
            "what is kept of a pruned run is stored otherwise",
        ),
        "its run is gone": (
            [
                "DELETE FROM modelmon_profiles WHERE run = 1",
                "DELETE FROM modelmon_runs WHERE id = 1",
            ],
            "the run that was recorded is no longer stored",
        ),
    }

    @pytest.mark.parametrize(("statements", "found"), ATTACKS.values(), ids=ATTACKS)
    def test_finds_an_edit_of_what_is_left(self, url, filled, statements, found):
        pruned(filled, 3, keep=(2,))
        binary = "BLOB" if url.startswith("sqlite") else "BYTEA"
        attack(url, *(statement.format(binary=binary) for statement in statements))
        (flaw,) = compared(url)
        assert found in flaw

    def test_finds_that_results_had_been_edited_before_they_were_pruned(self, url, filled):
        attack(
            url,
            "UPDATE modelmon_findings SET verdict = 'ok' WHERE verdict = 'critical' AND run = 2",
        )
        pruned(filled, 3)
        assert compared(url) == ["what was pruned of a run was not what had been recorded"]

    def test_holds_runs_from_before_it_to_how_they_were_pruned(self, url, filled):
        for table in ("checkpoints", "records", "logs"):
            if table != "checkpoints":
                attack(url, f"DELETE FROM modelmon_audit_{table}")  # noqa: S608
        pruned(filled, 3, keep=(2,))
        left = len(compared(url))  # of standings, which have a record each
        assert not any("run" in flaw for flaw in compared(url))
        attack(url, "UPDATE modelmon_profiles SET rows = 7 WHERE run = 3")
        assert compared(url)[:-left] == ["what is left of a pruned run is stored otherwise"]

    def test_a_backup_of_a_pruned_store_is_whole(self, url, filled, tmp_path):
        pruned(filled, 3, keep=(2,))
        with (tmp_path / "backup.gz").open("wb") as file:
            write_backup(url, file, "test", AT)
        new = f"sqlite:///{tmp_path / 'new.db'}"
        restore(new, tmp_path / "backup.gz")
        restored = SqlStore(new)
        assert restored.run_lines("credit", None, 9) == filled.run_lines("credit", None, 9)
        assert restored.pruned_until("credit") == a_window(2).end
        restored.close()
        assert compared(new) == []


def test_a_file_gives_its_room_back(tmp_path):
    url = f"sqlite:///{tmp_path / 'modelmon.db'}"
    upgrade(url)
    store = a_filled(SqlStore(url), days=60)
    before = store.size()
    pruned(store, 55)
    assert store.size() == before
    store.give_back()
    assert store.size() < before * 0.7
    store.close()


def test_a_file_that_was_made_before_gives_it_back_when_it_is_written_anew(tmp_path):
    file = tmp_path / "modelmon.db"
    url = f"sqlite:///{file}"
    engine = create_engine(url)
    with engine.begin() as connection:  # another program made it, without asking for that
        connection.execute(text("CREATE TABLE other (x)"))
    engine.dispose()
    upgrade(url)
    store = a_filled(SqlStore(url), days=60)
    before = store.size()
    pruned(store, 55)
    store.give_back()
    assert store.size() == before
    store.give_back(whole=True)
    small = store.size()
    assert small < before * 0.7
    pruned(store, 59)
    store.give_back()
    assert store.size() < small
    store.close()
