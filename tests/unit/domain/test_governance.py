"""Which answers a policy owes before a model may act."""

from dataclasses import replace

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
