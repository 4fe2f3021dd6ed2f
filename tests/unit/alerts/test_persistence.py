import pytest

from monitor.alerts.persistence import alarm_of, alarms_over
from monitor.domain.alarm import Alarm, AlarmRule, AlarmState
from monitor.domain.finding import Verdict

LETTERS = {"o": Verdict.OK, "w": Verdict.WARNING, "c": Verdict.CRITICAL, "u": Verdict.UNKNOWN}
RULE = AlarmRule()


def verdicts(letters):
    return [LETTERS[letter] for letter in letters]


@pytest.mark.parametrize(
    ("windows", "state", "beyond", "judged"),
    [
        ("", AlarmState.UNKNOWN, 0, 0),
        ("uuu", AlarmState.UNKNOWN, 0, 0),
        ("ooo", AlarmState.NONE, 0, 3),
        ("w", AlarmState.PENDING, 1, 1),
        ("oow", AlarmState.PENDING, 1, 3),
        ("wow", AlarmState.WARNING, 2, 3),
        ("woow", AlarmState.PENDING, 1, 3),
        ("wwo", AlarmState.WARNING, 2, 3),
        ("wwoo", AlarmState.NONE, 1, 3),
        ("c", AlarmState.CRITICAL, 1, 1),
        ("co", AlarmState.NONE, 1, 2),
        ("cow", AlarmState.WARNING, 2, 3),
        ("wuuuuw", AlarmState.WARNING, 2, 2),
        ("wuuuu", AlarmState.PENDING, 1, 1),
        ("wwuuuu", AlarmState.WARNING, 2, 2),
        ("cuuuu", AlarmState.CRITICAL, 1, 1),
    ],
)
def test_two_of_the_last_three_judged_windows_make_a_warning(windows, state, beyond, judged):
    assert alarm_of(verdicts(windows), RULE) == Alarm(state, beyond, judged)


def test_a_rule_may_ask_for_one_window_or_for_many():
    assert alarm_of(verdicts("w"), AlarmRule(1, 1)).state is AlarmState.WARNING
    assert alarm_of(verdicts("wwo"), AlarmRule(1, 1)).state is AlarmState.NONE
    assert alarm_of(verdicts("wwow"), AlarmRule(4, 5)).state is AlarmState.PENDING


def test_alarms_are_those_of_each_window_and_only_critical_or_repeated_ones_call():
    windows = [{"a": LETTERS[a], "b": LETTERS[b]} for a, b in ("ow", "wu", "wc")]
    alarms = alarms_over(windows, RULE)
    assert [item["a"].state for item in alarms] == ["none", "pending", "warning"]
    assert [item["b"].state for item in alarms] == ["pending", "pending", "critical"]
    assert [item["a"].firing for item in alarms] == [False, False, True]


def test_a_fingerprint_that_a_window_does_not_have_is_passed_over():
    alarms = alarms_over([{"a": Verdict.WARNING}, {}, {"a": Verdict.WARNING}], RULE)
    assert alarms[1] == {}
    assert alarms[2]["a"].state is AlarmState.WARNING
