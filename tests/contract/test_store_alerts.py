"""Alerts in every kind of database."""

from msgspec.structs import replace
from sqlalchemy import delete, event

from monitor.domain.alarm import AlarmRule
from monitor.domain.alert import AlertState, Condition, Mute
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.store.tables import ALERT_EVENTS, ALERT_STEPS, ALERTS
from tests.lives import NO_ROWS, PSI, RATIO, known, policy_of, told
from tests.stored import DAY, FIRST, a_baseline, a_run, a_window


def lived(store, says):
    store.register(a_baseline("1"))
    for day, letters in enumerate(says):
        run = told(day, letters)
        store.commit(run, policy_of(run))


def test_an_alert_is_read_as_it_was_written(stores):
    lived(stores.writer, ["wo", "cw", NO_ROWS])
    newest = {alert.fingerprint: alert for alert in stores.reader.alerts("credit")}
    psi = newest[PSI]
    assert (psi.state, psi.condition) == (AlertState.FIRING, Condition.NO_DATA)
    assert (psi.since, psi.began, psi.judged) == (a_window(0), a_window(1), a_window(1))
    assert (psi.beyond, psi.within, psi.over, psi.ended_at) == (2, 0, None, None)
    assert psi.known_at == told(0, "wo").finished
    assert psi.started_at == told(1, "cw").finished
    assert (psi.measure, psi.subject.field) == ("psi", "limit_bal")
    assert newest[RATIO].subject.group == "F × x"
    assert stores.reader.episodes("credit", PSI) == [psi]
    events = stores.reader.alert_events("credit", PSI)
    assert [(event.was, event.now, event.condition) for event in events] == [
        (None, "pending", "judged"),
        ("pending", "firing", "judged"),
        ("firing", "firing", "no_data"),
    ]


def test_alerts_of_another_model_are_not_seen(stores):
    lived(stores.writer, ["cc"])
    assert stores.reader.alerts("fraud") == []
    assert stores.reader.episodes("fraud", PSI) == []
    assert stores.reader.alert_events("fraud", PSI) == []


def test_names_of_any_content_come_back(store):
    store.register(a_baseline("1"))
    store.register(a_baseline("2"))
    run = a_run()
    store.commit(run, policy_of(run))
    found = {alert.fingerprint: alert.subject for alert in store.alerts("credit")}
    beyond = {
        finding.fingerprint: finding.reading.subject
        for result in run.results
        for finding in result.findings
        if finding.verdict in {"warning", "critical"}
    }
    assert found == beyond


def test_the_newest_decision_on_a_finding_holds(stores):
    first = Mute("credit", PSI, FIRST, FIRST + DAY, "ada \x00", "a campaign \ud800")
    lifted = replace(first, at=FIRST + DAY / 2, until=FIRST + DAY / 2, by="bob")
    stores.writer.mute(first)
    assert stores.reader.mutes("credit") == {PSI: first}
    stores.writer.mute(lifted)
    assert stores.reader.mutes("credit") == {PSI: lifted}
    assert stores.reader.mutes("fraud") == {}


def test_the_first_run_after_an_upgrade_takes_all_windows_before_it_into_account(store):
    lived(store, ["cw", "wo", "uw"])
    before = {
        name: [known(item) for item in store.episodes("credit", name)] for name in (PSI, RATIO)
    }
    with store._engine.begin() as connection:
        for table in (ALERTS, ALERT_EVENTS, ALERT_STEPS):
            connection.execute(delete(table))
    run = told(3, "uu")
    store.commit(run, policy_of(run))
    after = {
        name: [known(item) for item in store.episodes("credit", name)] for name in (PSI, RATIO)
    }
    assert after == {
        name: [replace(item, condition=Condition.UNKNOWN) if item.open else item for item in found]
        for name, found in before.items()
    }
    assert after[PSI][0].since == a_window(0)


def test_a_window_is_gone_through_again_by_the_rules_it_was_judged_by(store):
    store.register(a_baseline("1"))
    once, thrice = AlarmRule(1, 1), AlarmRule(3, 3)
    for day, rule in ((0, thrice), (1, once)):
        run = told(day, "wo")
        store.commit(run, policy_of(run, alarms=rule))
    late = told(0, "oo", number=1)
    store.commit(late, policy_of(late, alarms=thrice))
    (alert,) = store.episodes("credit", PSI)
    assert (alert.state, alert.since) == (AlertState.FIRING, a_window(1))


def test_another_schedule_ends_what_was_open_and_counts_anew(store):
    lived(store, ["cw", "cw"])
    weekly = Schedule(CalendarUnit.WEEK)
    week = weekly.window_at(FIRST + 7 * DAY)
    run = replace(told(0, "wo"), window=week, finished=week.end, identity="week")
    store.commit(run, policy_of(run, schedule=weekly))
    psi = {item.state: item for item in store.episodes("credit", PSI)}
    assert set(psi) == {AlertState.ENDED, AlertState.PENDING}
    assert psi[AlertState.ENDED].ended_at == week.end
    assert psi[AlertState.PENDING].since == week
    (ratio,) = store.alerts("credit")[1:]
    assert (ratio.fingerprint, ratio.state) == (RATIO, AlertState.ENDED)
    assert store.alert_events("credit", RATIO)[-1].now is AlertState.ENDED


def test_a_window_of_no_schedule_tells_nothing(store):
    lived(store, ["cw"])
    before = store.alerts("credit")
    odd = a_window(1, days=2)
    run = replace(told(1, "oo"), window=odd, identity="odd")
    assert store.commit(run, policy_of(run)).new
    assert store.alerts("credit") == before


def test_windows_that_come_to_the_same_as_before_are_not_gone_through_to_the_end(store):
    lived(store, ["oo"] * 40)
    seen = []
    event.listen(
        store._engine,
        "before_cursor_execute",
        lambda *arguments: seen.append(arguments[2]),
    )
    late = told(2, "wo", number=1)
    store.commit(late, policy_of(late, alarms=AlarmRule(2, 2)))
    steps = [text for text in seen if text.startswith("UPDATE modelmon_alert_steps")]
    assert len(steps) <= 5
    (alert,) = store.episodes("credit", PSI)
    assert alert.over == a_window(3)
