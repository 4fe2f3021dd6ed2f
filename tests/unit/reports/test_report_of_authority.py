"""The report on outcomes tells which decisions were outside of what was allowed."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from monitor.domain.governance import GateAction
from monitor.engine.answering import Answered
from monitor.governance.permit import Answer
from monitor.reports.bias.html import as_html
from tests.held import DAY, FIRST
from tests.ledgers import GOVERNANCE
from tests.people import deployment, write
from tests.reported import report, verified

TITLE = "Decisions outside of what was allowed when they were made"
NOTHING = "No decision is known that was outside of what was allowed"
UNHELD = "it was not counted what was allowed"


@pytest.fixture
def made(tmp_path):
    found = deployment(tmp_path)
    found.restart(governance=replace(GOVERNANCE))
    for place in range(5):
        write(found, place)
    found.register()
    return found


def answered(made, *told):
    made.store.record_answers(
        [
            Answered(FIRST + place * DAY, Answer("credit", "1", action), timedelta(0))
            for place, action in told
        ]
    )


@pytest.mark.slow
def test_what_was_outside_is_told_by_why_and_verified(made):
    answered(made, (0, GateAction.ALLOW), (3.5, GateAction.DENY))
    made.check(5)
    found = report(made)
    (row,) = found.actions.outside
    rows = [made.run(place).accounting.read for place in (3, 4)]
    assert (row.version, row.why, row.windows) == ("1", "the version was not to act", 2)
    assert row.decisions == rows[0] // 2 + rows[1]
    assert (row.first, row.last) == (made.run(3).window, made.run(4).window)
    assert (found.actions.held, found.actions.unheld) == (3, 0)
    text = as_html(found)
    assert TITLE in text and NOTHING not in text and UNHELD not in text
    assert verified(made, text) == ()


@pytest.mark.slow
def test_nothing_outside_is_said_where_it_was_looked_for(made):
    answered(made, (0, GateAction.ALLOW))
    made.check(5)
    text = as_html(report(made))
    assert NOTHING in text and TITLE not in text and UNHELD not in text


@pytest.mark.slow
def test_what_was_not_looked_for_is_said_and_never_that_there_was_nothing(made):
    answered(made, (4, GateAction.ALLOW))
    made.check(5)
    text = as_html(report(made, 2, 4))
    assert f"Of 2 windows {UNHELD}" in text
    assert NOTHING not in text and TITLE not in text
