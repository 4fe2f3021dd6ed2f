"""What a window makes of an alert: the table of `advance`, and what changes in what is known."""

from datetime import timedelta

import pytest

from monitor.alerts.life import LifeRules, Told, WindowTold, advance, reconcile
from monitor.domain.alarm import OF_DISPARITIES, USUAL, AlarmRule
from monitor.domain.alert import AlertState, Condition
from monitor.domain.finding import Verdict
from monitor.domain.reading import Subject
from tests.stored import DAY, FIRST, a_window

SUBJECT = Subject("credit", "1", "age")
RULES = LifeRules(USUAL, OF_DISPARITIES, timedelta(0))
VERDICTS = {"o": Verdict.OK, "w": Verdict.WARNING, "c": Verdict.CRITICAL, "u": Verdict.UNKNOWN}
TERMS = {"": "p", "1": "p:b"}


def says(day, letter):
    """Return a window's word: a verdict, ``n`` for no rows, ``-`` and ``x`` for not judged."""
    found = {"f": Told(VERDICTS[letter], "psi", SUBJECT)} if letter in VERDICTS else {}
    terms = {"n": {}, "x": {"": "q", "1": "q:b"}}.get(letter, TERMS)
    return WindowTold(a_window(day), found, terms)


def lived(letters, rules=RULES):
    """Return every alert after windows that say so, the open one last."""
    tracks, over = {}, []
    for day, letter in enumerate(letters):
        advanced = advance(tracks, says(day, letter), rules)
        tracks, over = advanced.tracks, [*over, *advanced.over]
    return [*over, *(track.alert for track in tracks.values() if track.alert)]


@pytest.mark.parametrize(
    ("letters", "state", "condition"),
    [
        ("w", AlertState.PENDING, Condition.JUDGED),
        ("wu", AlertState.PENDING, Condition.UNKNOWN),
        ("wn", AlertState.PENDING, Condition.NO_DATA),
        ("wo", AlertState.RESOLVED, Condition.JUDGED),
        ("wx", AlertState.ENDED, Condition.JUDGED),
        ("ww", AlertState.FIRING, Condition.JUDGED),
        ("c", AlertState.FIRING, Condition.JUDGED),
        ("cw", AlertState.FIRING, Condition.JUDGED),
        ("cu", AlertState.FIRING, Condition.UNKNOWN),
        ("cn", AlertState.FIRING, Condition.NO_DATA),
        ("c-", AlertState.FIRING, Condition.NO_DATA),
        ("cnux", AlertState.ENDED, Condition.UNKNOWN),
        ("cnnno", AlertState.RESOLVED, Condition.JUDGED),
        ("wwo", AlertState.FIRING, Condition.JUDGED),
        ("wwoo", AlertState.RESOLVED, Condition.JUDGED),
    ],
)
def test_each_word_of_a_window_has_its_place_in_the_table(letters, state, condition):
    (alert,) = lived(letters)
    assert (alert.state, alert.condition, alert.since) == (state, condition, a_window(0))


def test_what_nobody_was_beyond_has_no_alert_and_is_not_remembered():
    assert lived("ouno") == []
    assert advance({}, says(0, "o"), RULES).tracks == {}


def test_a_critical_alert_that_goes_on_as_a_warning_is_one_episode():
    rules = LifeRules(AlarmRule(3, 5), OF_DISPARITIES, timedelta(0))
    (alert,) = lived("cw", rules)
    assert (alert.state, alert.severity) == (AlertState.FIRING, Verdict.WARNING)
    assert (alert.began, alert.beyond, alert.within) == (a_window(0), 2, 0)


def test_a_second_episode_is_another_alert():
    first, second = lived("coooc")
    assert (first.state, first.over) == (AlertState.RESOLVED, a_window(1))
    assert (second.state, second.since) == (AlertState.FIRING, a_window(4))


def dated(known, letters, at):
    return reconcile(known, lived(letters), a_window(0), FIRST + at * DAY)


def test_an_alert_keeps_the_instant_it_began_to_fire_when_a_revision_moves_its_first_window():
    known = dated((), "owc", 1).alerts
    moved = dated(known, "cwc", 2)
    (alert,) = moved.alerts
    assert (alert.since, alert.started_at) == (a_window(0), FIRST + DAY)
    assert [(item.was, item.now) for item in moved.events] == [
        (AlertState.FIRING, AlertState.FIRING)
    ]


def test_an_alert_that_a_revision_takes_away_is_told_as_gone():
    known = dated((), "ow", 1).alerts
    gone = dated(known, "oo", 2)
    assert gone.alerts == ()
    assert [(item.was, item.now) for item in gone.events] == [(AlertState.PENDING, None)]


def test_nothing_is_told_when_nothing_has_changed():
    known = dated((), "cooc", 1)
    assert len(known.events) == 2
    assert dated(known.alerts, "cooc", 2) == reconcile(
        known.alerts, known.alerts, a_window(0), FIRST
    )
