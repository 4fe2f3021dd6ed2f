"""Which answers a policy owes before a model may act."""

import pytest
from msgspec.structs import replace

from monitor.domain.finding import Verdict
from monitor.domain.governance import (
    QUESTIONS,
    Accountability,
    Delegation,
    Governance,
    Risk,
    RiskLimit,
    Rung,
    Tier,
)
from monitor.domain.reading import Subject

ANSWERED = Governance(
    Delegation("approves loans up to 20 000 EUR", "cro@bank.example"),
    Accountability(accountable="head@bank.example"),
    Risk(Tier.HIGH),
    (RiskLimit("parity", Rung.HOLD),),
)


def test_nobody_is_governed_by_silence():
    assert Governance().missing == (
        "delegation.statement",
        "delegation.by",
        "accountability.accountable",
        "risk.tier",
        "risk.limits",
    )
    assert not Governance().governed


def test_whoever_answers_everything_is_governed():
    assert ANSWERED.governed
    assert replace(ANSWERED, risk=Risk()).missing == ("risk.tier",)


def test_two_accounts_of_one_person_are_one_person():
    people = Accountability(accounts={"ada.admin": "ada"})
    assert [people.person(account) for account in ("ada.admin", "ada")] == ["ada", "ada"]


def test_rungs_are_named_as_policies_write_them():
    assert [str(rung) for rung in sorted(Rung)] == ["watch", "restrict", "hold", "stop"]


def test_every_question_is_asked_in_its_order():
    assert Governance().missing == tuple(QUESTIONS)


def test_roles_that_an_approval_takes_and_nobody_has_are_named():
    lacking = {str(role) for _, role in ANSWERED.unfilled}
    assert lacking == {"validator", "governance"}
    people = replace(ANSWERED.accountability, validators=("vic",), governance=("gail",))
    assert not replace(ANSWERED, accountability=people).unfilled


@pytest.mark.parametrize("at", [Verdict.WARNING, Verdict.CRITICAL])
def test_a_limit_covers_what_it_names_and_everything_where_it_names_nothing(at):
    limit = RiskLimit("a", Rung.HOLD, frozenset({"psi"}), frozenset({"income"}), at=at)
    income = Subject("credit", "1", "income")
    assert limit.covers("psi", income, Verdict.CRITICAL)
    assert limit.covers("psi", income, Verdict.WARNING) is (at is Verdict.WARNING)
    assert not limit.covers("ks", income, Verdict.CRITICAL)
    assert not limit.covers("psi", Subject("credit", "1", "debt"), Verdict.CRITICAL)
    assert not limit.covers("psi", income, Verdict.UNKNOWN)
    sexes = RiskLimit("b", Rung.HOLD, populations=frozenset({"sex"}))
    assert sexes.covers("selection_rate_ratio", Subject("c", population="sex"), Verdict.CRITICAL)
    assert not sexes.covers("psi", income, Verdict.CRITICAL)
    assert RiskLimit("c", Rung.HOLD).covers("psi", income, Verdict.CRITICAL)
