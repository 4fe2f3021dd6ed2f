import pytest

from monitor.alerts.persistence import alarm_of, alarms_over
from monitor.domain.alarm import OF_DISPARITIES, Alarm, AlarmRule, AlarmState
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
    assert alarm_of(verdicts(windows), RULE) == Alarm(state, beyond, judged, 2)


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


def alarms(letters, reach, rule=OF_DISPARITIES):
    windows = [{"a": LETTERS[letter]} for letter in letters]
    found = alarms_over(windows, rule, [{"a": length} for length in reach])
    return "".join(item["a"].state.value[0] for item in found)


def test_a_verdict_on_several_windows_counts_once_for_all_of_them():
    assert alarms("www", (1, 1, 1)) == "pww"
    assert alarms("wwww", (1, 2, 3, 4)) == "pppp"  # each has all rows of those before
    assert alarms("wwwwww", (3, 3, 3, 3, 3, 3)) == "pppwww"  # the fourth shares none with the first
    assert alarms("wwoww", (1, 1, 3, 3, 3)) == "pwnww"


def test_which_stretches_count_does_not_depend_on_where_history_begins():
    letters, reach = "wowuwwcowwuoww", (1, 2, 2, 3, 3, 1, 2, 3, 4, 4, 1, 2, 2, 3)
    whole = alarms(letters, reach)
    for cut in range(1, 6):  # a stretch of four and its like before it are eight windows
        kept = [min(length, place + 1) for place, length in enumerate(reach[cut:])]
        assert alarms(letters[cut:], kept)[8:] == whole[cut + 8 :]
