"""Who answers for a model, on its page and in the summary of a run."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from monitor.domain.governance import (
    Accountability,
    Autonomy,
    Delegation,
    Fallback,
    Governance,
    Review,
    Risk,
    RiskLimit,
    Rung,
    Tier,
    shipped_ladder,
)
from monitor.reports.unanswered import unanswered
from tests.held import Deployment
from tests.reading_room import Room

ANSWERED = Governance(
    Delegation(
        "Approve loans",
        "cro",
        date(2026, 9, 1),
        "minutes",
        Autonomy.ACT_WITH_LIMITS,
        ("hardship",),
        reversible=False,
        fallback=Fallback("desk", 1200),
    ),
    Accountability("head", owners=("olga", "<b>oleg</b>"), contacts={"owner": "#credit"}),
    Risk(Tier.HIGH, "access to credit", ("house:1",)),
    (
        RiskLimit("apart", Rung.RESTRICT, frozenset({"psi", "ks"}), frozenset({"amount"})),
        RiskLimit("any", Rung.HOLD),
    ),
    consequences=shipped_ladder(fallback=True),
    review=Review(timedelta(days=180), timedelta(days=14)),
)


@pytest.fixture
def page(tmp_path):
    made = Deployment(tmp_path)

    def read(governance):
        return Room(made, credit=replace(made.policy, governance=governance)).read("/models/credit")

    return read


def test_whoever_answers_is_named_with_what_was_delegated(page):
    said = page(ANSWERED)
    assert "head answers for it when outcomes fail." in said.text
    facts = said.facts
    assert facts["delegated to the machine"] == "Approve loans"
    assert facts["delegated by"] == "cro, 2026-09-01, minutes"
    assert facts["what it may not decide goes to"] == "desk, 1,200 a day at most"
    assert facts["submits versions"] == "olga, <b>oleg</b> (#credit)"
    assert "<b>" not in said.source
    assert facts["risk"] == "high: access to credit"
    assert facts["can be taken back"] == "no"
    assert facts["reviewed"] == "every 180 days, 14 days late at most; else restrict"
    apart, rest = said.table("Which alerts have which consequence")
    assert apart[:4] == ["apart", "ks, psi of amount", "critical", "restrict"]
    assert apart[4] == "acts within conditions: human_review_share at least 0.2"
    assert rest[1] == "everything that is judged"
    assert rest[4] == "does not act; decisions go to people"


def test_a_model_that_nobody_answers_for_says_which_questions_are_open(page):
    said = page(Governance())
    assert "Ungoverned: it is watched, and no version of it may act" in said.text
    assert said.text.count("Nobody has answered:") == 5
    assert "accountable" not in said.facts
    partly = page(replace(ANSWERED, risk=Risk()))
    assert "Nobody has answered: how much harm can it do? risk.tier" in partly.text
    assert partly.facts["accountable"] == "head"


def test_a_prohibited_model_is_said_to_be(page):
    said = page(replace(ANSWERED, risk=Risk(Tier.PROHIBITED)))
    assert "Prohibited: no version of it may act, whoever approves." in said.text


def test_a_run_tells_what_is_not_answered(tmp_path):
    policy = Deployment(tmp_path).policy
    assert [key for _, key in unanswered(policy).rows] == list(policy.governance.missing)
    assert not unanswered(replace(policy, governance=ANSWERED)).rows
