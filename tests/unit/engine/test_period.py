"""A period is the sum of its windows, measured and judged as a window is."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from monitor.domain.errors import ConfigError
from monitor.domain.window import Window
from monitor.engine.period import period_of, span_before
from monitor.measures.groups import group_pair
from tests.held import DAY, FIRST, day
from tests.people import POLICY_TEXT, deployment, write


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = deployment(tmp_path_factory.mktemp("log"))
    for place in range(5):
        write(made, place)
    made.register()
    made.check(5)
    return made


def period(made, first=2, last=5, **options):
    span = Window(day(first).start, day(last).start)
    return period_of(made.store, "credit", span, lambda _: made.policy, **options)


def of_groups(findings):
    return [item for item in findings if item.reading.subject.population]


@pytest.mark.slow
def test_a_period_of_one_window_is_what_was_stored(made):
    (stretch,) = period(made, 3, 4).stretches
    (result,) = made.run(3).results
    assert of_groups(stretch.findings) == of_groups(result.findings)
    assert of_groups(stretch.findings)


def test_counts_of_the_whole_are_the_sums_of_the_windows(made):
    found = period(made)
    (stretch,) = found.stretches
    assert [item.run.window for item in found.runs] == [day(2), day(3), day(4)]
    for population in made.policy.populations:
        whole, *steps = (
            group_pair(population, made.policy, step.pair, unassigned=True)
            for step in (stretch.whole, *stretch.steps)
        )
        for index, group in enumerate(whole.groups):
            parts = [item.current[item.groups.index(group)].sum() for item in steps]
            assert whole.current[index].sum() == sum(parts)
    assert stretch.whole.pair.current.rows == 3600
    assert set(stretch.stored) == {day(2), day(3), day(4)}


def test_windows_are_added_up_until_there_are_few_enough_steps(made):
    (stretch,) = period(made, most_steps=2).stretches
    assert [(step.window, step.windows) for step in stretch.steps] == [
        (Window(day(2).start, day(4).start), 2),
        (day(4), 1),
    ]
    assert sum(step.pair.current.rows for step in stretch.steps) == 3600


def test_the_revision_that_is_asked_for_is_taken(made):
    run = made.run(4)
    shorter = replace(run, identity="another", policy="d")
    made.store.commit(shorter, made.policy)
    assert [item.revision for item in period(made, 4, 5).runs] == [2]
    assert [item.revision for item in period(made, 4, 5, revisions={day(4): 1}).runs] == [1]
    with pytest.raises(LookupError, match="no revision 9"):
        period(made, 4, 5, revisions={day(4): 9})


def test_a_period_without_results_is_said(made):
    with pytest.raises(LookupError, match="no results of credit"):
        period(made, 20, 22)


def test_windows_of_another_schedule_are_left_out_and_named(made):
    run = made.run(2)
    odd = Window(FIRST + 2.5 * DAY, FIRST + 3.5 * DAY)
    made.store.commit(replace(run, window=odd, identity="odd"), made.policy)
    found = period(made)
    assert found.left_out == (odd,)
    assert len(found.runs) == 3


@pytest.mark.slow
def test_a_former_policy_that_cannot_be_read_is_said(tmp_path):
    other = deployment(tmp_path)
    for place in range(4):
        write(other, place)
    other.register()
    other.check(3)
    other.restart(digest="new", text="model: credit\nowner: new\n")
    other.check(4)

    def policy_of(text):
        if text == POLICY_TEXT:
            raise ConfigError(())
        return other.policy

    span = Window(day(2).start, day(4).start)
    found = period_of(other.store, "credit", span, policy_of)
    assert list(found.unread) == ["d"]
    assert list(found.policies) == ["new"]


@pytest.mark.parametrize(
    ("begin", "end", "before"),
    [
        ("2005-09-01", "2005-10-01", "2005-08-01"),
        ("2005-01-01", "2005-03-01", "2004-11-01"),
        ("2004-03-01", "2005-03-01", "2003-03-01"),
        ("2005-06-06", "2005-06-13", "2005-05-30"),
        ("2005-06-01", "2005-06-08", "2005-05-25"),
    ],
)
def test_the_period_before_is_as_many_months_where_months_are_whole(begin, end, before):
    start, until, then = (
        datetime.fromisoformat(f"{at}T00:00+00:00") for at in (begin, end, before)
    )
    assert span_before(Window(start, until)) == Window(then, start)
