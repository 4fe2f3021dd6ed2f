"""Decisions by what was allowed, in words."""

from datetime import timedelta

from msgspec.structs import replace

from monitor.domain.timetable import Regime, Spell, Tally
from monitor.engine.overreach import Excess, Overreach
from monitor.reports.overreach import decision_document, decision_table, overreach_table
from tests.stored import a_run

RUN = a_run(versions=("1",))
START, END = RUN.window.start, RUN.window.end
LAST = END - timedelta(hours=1)
WITHIN = {"amount": 5000.0, "human_review_share": 0.25}


def counted(*tallies):
    return replace(RUN, accounting=replace(RUN.accounting, authority=tallies))


def test_each_spell_says_what_was_allowed_and_what_became_of_it():
    conditioned = Tally(
        "1",
        Spell(START, END, Regime.CONDITIONED, WITHIN),
        1200,
        LAST,
        reviewed=300,
        unmarked=4,
        over={"amount": 7},
        unknown={"amount": 2},
        last_over=LAST,
    )
    run = counted(conditioned, Tally("9", Spell(START, END, Regime.UNKNOWN), 3, LAST))
    first, second = decision_table(run).rows
    assert first[3:] == (
        "allowed within amount ≤ 5000, human_review_share ≥ 0.25",
        "1,200",
        "300, 4 not known",
        "amount: 7, amount: 2 not known",
    )
    assert second[3:] == ("known to nobody", "3", "", "")


def test_every_regime_has_its_words():
    tallies = [Tally("1", Spell(START, END, regime), 1, LAST) for regime in Regime]
    told = {row[3] for row in decision_table(counted(*tallies)).rows}
    assert len(told) == len(Regime)


def test_what_was_not_counted_is_said_and_is_null_for_programs():
    table = decision_table(RUN)
    assert (table.rows, table.note[:12]) == ((), "not counted:")
    assert decision_document(RUN, ())["decisions"] is None
    assert decision_document(counted(), ())["decisions"] == []


def test_what_was_outside_is_told_by_why_and_kept_conditions_are_not_told():
    found = [
        Overreach("1", excess, 1234, LAST, "amount" if "condition" in excess else "", 5000.0)
        for excess in Excess
    ]
    found += [
        Overreach("1", Excess.CONDITION_BROKEN, 7, LAST, "human_review_share", 0.25),
        Overreach("1", Excess.CONDITION_BROKEN, 0, LAST, "term", 3.0),
    ]
    rows = overreach_table(found, "title").rows
    assert {row[1] for row in rows} == {"1,234", "7"}
    why = [row[2] for row in rows]
    assert len(set(why)) == len(Excess) + 1
    assert "beyond amount 5000" in why
    assert "short of human_review_share 0.25" in why
    assert not any("term" in text for text in why)
