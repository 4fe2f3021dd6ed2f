"""What a file answers about its governance, and which answers contradict one another."""

import itertools
from datetime import date, timedelta

import pytest

from monitor.config.change_classes import changes_between
from monitor.config.content import policy_as_yaml
from monitor.config.defaults import DEFAULT_LIMITS, NOT_IN_DIGEST
from monitor.config.model_file import parse_policy
from monitor.domain.approval import SHIPPED_RULES, ApprovalKind, Party, Seat
from monitor.domain.change import ChangeClass
from monitor.domain.errors import ConfigError
from monitor.domain.finding import Verdict
from monitor.domain.governance import (
    Autonomy,
    Fallback,
    GateAction,
    Governance,
    OnDeadline,
    RiskLimit,
    Rung,
    Tier,
    Unreachable,
    shipped_ladder,
)
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.role import Role
from monitor.domain.timetable import ReviewMark
from monitor.measures.names import MEASURE_NAMES

WATCHED = """
model: credit
source: {path: log, event_time: at}
fields: {income: numeric, sent: text, score: {kind: numeric, role: score}}
decision: {column: approved, positive: [1], positive_is: favourable}
populations: [sex, age]
crossings: [[sex, age]]
schedule: {window: day}
"""
DELEGATION = "delegation: {statement: Approve loans, by: cro, fallback: {target: desk}}\n"
PEOPLE = """
accountability:
  accountable: head
  deputy: deputy
  owners: [olga]
  validators: [vic, val]
  governance: [gail]
  builders: [bo]
  accounts: {bo.admin: bo, vic.admin: vic}
"""
RISK = "risk: {tier: medium, limits: [{id: any, consequence: hold}]}\n"
GOVERNED = WATCHED + DELEGATION + PEOPLE + RISK
HIGH = GOVERNED.replace("tier: medium", "tier: high") + "review: {cadence: 180d}\n"


def load(text):
    return parse_policy(text, "credit.yaml")


def problems(text):
    with pytest.raises(ConfigError) as raised:
        load(text)
    return [f"{found.key}: {found.message}" for found in raised.value.problems]


def test_a_file_without_any_of_it_is_the_policy_that_it_was():
    policy = load(WATCHED)
    assert policy.governance == Governance()
    assert "delegation" not in policy_as_yaml(policy)
    # as main had it before there were such keys
    assert policy.digest == "61683cf1eb31bce3693c825ab099f0b7bdbcbb240eaf9afef886f904f3e1736a"


def test_a_file_of_a_few_lines_is_governed():
    governance = load(GOVERNED).governance
    assert governance.governed
    assert governance.consequences == shipped_ladder(fallback=True)
    assert governance.consequences[Rung.HOLD].gate is GateAction.ROUTE_TO_HUMAN
    assert governance.approvals == SHIPPED_RULES
    assert governance.limits == (RiskLimit("any", Rung.HOLD),)
    assert governance.accountability.people(Role.ACCOUNTABLE) == {"head", "deputy"}


def test_without_a_fallback_a_held_model_is_denied():
    governance = load(GOVERNED.replace(", fallback: {target: desk}", "")).governance
    assert governance.consequences[Rung.HOLD].gate is GateAction.DENY


def test_everything_that_is_said_is_read():
    text = f"""{WATCHED}{PEOPLE}
delegation:
  statement: Approve loans
  by: cro
  date: 2026-09-01
  reference: minutes
  autonomy: advise
  not_delegated: [hardship]
  reversible: false
  fallback: {{target: desk, capacity_per_day: 9}}
risk:
  tier: low
  rationale: small
  obligations: [house:1]
  limits:
    - {{id: a, consequence: watch, measures: [psi], fields: [income, sent.length], at: warning}}
    - {{id: b, consequence: stop, populations: [sex, sex × age]}}
consequences: {{restrict: {{conditions: {{amount: 5}}, deadline: never}}, hold: {{gate: deny}}}}
approvals:
  waiver: {{required: {{governance: 1, accountable: 1}}, exclude: [owner], patience: 3d}}
  activate_version: {{expires: 5d}}
waivers: {{longest: 1d, renewals: 0, never_for: [b]}}
review: {{cadence: 400d, grace: 1d, on_lapse: hold}}
gate:
  {{ttl: 5s, stale_grace: 0s, on_unreachable: open, on_exceeded: alert, reviewed: {{column: by, values: [true, 2]}}}}
registry: {{name: credit, alias: champion, on_outside_move: revert}}
rests_on: {{model: "../cards/{{version}}.onnx", report: report.html}}
"""
    policy = load(text)
    governance = policy.governance
    assert governance.delegation.delegated_on == date(2026, 9, 1)
    assert governance.delegation.reversible is False
    assert governance.delegation.autonomy is Autonomy.ADVISE
    assert governance.delegation.fallback == Fallback("desk", 9)
    assert governance.risk.tier is Tier.LOW
    first, second = governance.limits
    assert (first.at, first.fields) == (Verdict.WARNING, {"income", "sent.length"})
    assert second.populations == {"sex", "sex × age"}
    restrict = governance.consequences[Rung.RESTRICT]
    assert restrict.conditions == {"amount": 5}
    assert (restrict.deadline, restrict.on_deadline) == (None, None)
    assert governance.consequences[Rung.HOLD].on_deadline is OnDeadline.ESCALATE
    rule = governance.approvals[ApprovalKind.WAIVER]
    assert rule.seats == (Seat(Role.GOVERNANCE), Seat(Role.ACCOUNTABLE))
    assert (rule.exclude, rule.patience) == ({Party.OWNER}, timedelta(days=3))
    activation = governance.approvals[ApprovalKind.ACTIVATE_VERSION]
    assert activation.expires == timedelta(days=5)
    assert governance.gate.on_unreachable is Unreachable.OPEN
    assert governance.rests_on == {"model": "../cards/{version}.onnx", "report": "report.html"}
    assert governance.gate.on_exceeded is None
    assert governance.gate.reviewed == ReviewMark("by", frozenset({"true", "2"}))
    again = load(policy_as_yaml(policy))
    assert (again.governance, again.digest) == (governance, policy.digest)


def test_a_default_that_is_in_no_digest_stays_what_it_was():
    kept = {name: DEFAULT_LIMITS[name] for name in NOT_IN_DIGEST}
    assert kept == {"undecided_rate": Limit(warning=0.01, critical=0.05)}


@pytest.mark.parametrize("measure", sorted(NOT_IN_DIGEST))
def test_a_young_default_keeps_the_digest_that_was_approved_and_another_limit_has_another(measure):
    limit = DEFAULT_LIMITS[measure]
    assert load(GOVERNED).limits[measure] == FieldLimit(limit)

    def with_limits(said):
        family = MEASURE_NAMES[measure].family
        return load(f"{GOVERNED}limits: {{{family}: {{{measure}: {{{said}}}}}}}\n")

    said = with_limits(f"warning: {limit.warning}, critical: {limit.critical}")
    assert said.digest == load(GOVERNED).digest
    loosened = with_limits("warning: 0.9, critical: 0.9")
    off = with_limits("warning: never, critical: never")
    assert len({policy.digest for policy in (said, loosened, off)}) == 3
    for other in (loosened, off):
        changes = changes_between(said, other)
        assert {change.change for change in changes} == {ChangeClass.LOOSEN}
        assert load(policy_as_yaml(other)).digest == other.digest


def test_a_file_that_names_nothing_to_rest_on_keeps_the_digest_that_was_approved():
    # as it was before there was such a key: otherwise every approval would be void
    assert (
        load(GOVERNED).digest == "9734e6180f037de08acd56131d056dd4f4ffbff5df4ee5b81a7e81cb33015d6a"
    )
    assert "rests_on" not in policy_as_yaml(load(GOVERNED))


@pytest.mark.parametrize("place", ["{name}.bin", "{version}{", "a/{ version}"])
def test_only_the_version_may_stand_in_braces(place):
    (told,) = problems(f'{GOVERNED}rests_on: {{model: "{place}"}}\n')
    assert told == "rests_on.model: may hold {version} and no other name in braces"


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ("statement: Approve loans, ", "delegation.statement"),
        ("by: cro, ", "delegation.by"),
        ("  accountable: head\n", "accountability.accountable"),
        ("tier: medium, ", "risk.tier"),
        (", limits: [{id: any, consequence: hold}]", "risk.limits"),
    ],
)
def test_an_answer_that_is_missing_is_named_and_no_error(answer, key):
    assert answer in GOVERNED
    policy = load(GOVERNED.replace(answer, ""))
    assert policy.governance.missing == (key,)
    assert not policy.governance.governed
    assert load(policy_as_yaml(policy)).digest == policy.digest


@pytest.mark.parametrize(
    ("was", "instead", "key"),
    [
        ("accountable: head", "accountable: bo", "accountability.accountable"),
        ("accountable: head", "accountable: bo.admin", "accountability.accountable"),
        ("accountable: head", "accountable: [head, other]", "accountability.accountable"),
        ("deputy: deputy", "deputy: bo", "accountability.deputy"),
        ("deputy: deputy", "deputy: head", "accountability.deputy"),
        ("[vic, val]", "[vic, olga]", "accountability.validators[1]"),
        ("[vic, val]", "[bo.admin, val]", "accountability.validators[0]"),
        ("owners: [olga]", "owners: [vic.admin]", "accountability.validators[0]"),
        ("bo.admin: bo", "bo.admin: vic.admin", "accountability.accounts.bo.admin"),
    ],
)
def test_duties_are_kept_apart_by_person(was, instead, key):
    assert was in GOVERNED
    assert [line.partition(": ")[0] for line in problems(GOVERNED.replace(was, instead))] == [key]


def test_owners_may_have_built_a_model_unless_it_can_do_much_harm():
    both = "owners: [olga, bo.admin]"
    assert load(GOVERNED.replace("owners: [olga]", both)).governance.governed
    (problem,) = problems(HIGH.replace("owners: [olga]", both))
    assert problem.startswith('accountability.owners[1]: "bo.admin", who is "bo", is among')


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("gate: {on_unreachable: open}", "gate.on_unreachable"),
        ("approvals: {activate_version: {required: {validator: 1}}}", "approvals.activate"),
    ],
)
def test_a_high_tier_asks_for_more(more, key):
    assert load(HIGH).governance.governed
    (problem,) = problems(f"{HIGH}{more}\n")
    assert problem.startswith(key)
    assert load(f"{GOVERNED}{more}\n").governance.governed


@pytest.mark.parametrize(
    ("rule", "key", "told"),
    [
        ("release_hold: {exclude: []}", "exclude", "who asks could agree alone"),
        ("waiver: {exclude: [builders]}", "exclude", "who asks could agree alone"),
        ("activate_version: {exclude: [requester]}", "exclude", "who built a model could let it"),
        ("activate_version: {required: {operator: 2}}", "required", "none of these can have"),
        ("release_hold: {required: {governance: 1}}", "required", "none of these can have"),
        ("activate_version: {expires: 0s}", "expires", "would be over as it is given"),
        ("waiver: {expires: 3d}", "expires", "waivers.longest bounds it"),
        ("loosen_policy: {expires: 3d}", "expires", "is for activate_version alone"),
        ("release_hold: {expires: 3d}", "expires", "is for activate_version alone"),
    ],
)
def test_an_approval_takes_a_second_person_and_has_an_effect(rule, key, told):
    people = GOVERNED.replace("owners: [olga]", "owners: [olga]\n  operators: [omar, otto]")
    (problem,) = problems(f"{people}approvals: {{{rule}}}\n")
    assert problem.startswith(f"approvals.{rule.partition(':')[0]}.{key}: ")
    assert told in problem


def test_a_policy_that_was_in_force_before_a_rule_is_read_all_the_same():
    text = f"{GOVERNED}approvals: {{release_hold: {{exclude: []}}}}\n"
    assert problems(text)
    was = parse_policy(text, "(the stored policy)", stored=True)
    assert was.governance.approvals[ApprovalKind.RELEASE_HOLD].exclude == frozenset()


def test_two_people_who_agree_are_a_second_person_even_where_one_of_them_asked():
    assert load(f"{GOVERNED}approvals: {{loosen_policy: {{exclude: []}}}}\n").governance.governed


def test_who_alone_can_ask_is_wanted_by_no_seat():
    alone = GOVERNED.replace("owners: [olga]", "owners: [head]").replace("  deputy: deputy\n", "")
    first, second = problems(alone)
    assert first.endswith(
        "activate_version takes 1 of accountability.accountable and deputy, and the vote of 0 of "
        "the people named there counts, as only head can ask for it"
    )
    assert second.startswith("accountability: loosen_policy takes 1 of")
    assert load(alone.replace("[head]", "[head, olga]")).governance.governed


@pytest.mark.parametrize(
    ("was", "instead", "key"),
    [
        ("[vic, val]", "[vic, Head]", "validators[1]"),
        ("vic.admin: vic}", "vic.admin: Vic}", "accounts.vic.admin"),
        ("governance: [gail]", "governance: [gail, \uff47ail]", "governance[1]"),
    ],
)
def test_nobody_is_two_people_by_spelling_alone(was, instead, key):
    assert was in GOVERNED
    found = [item for item in problems(GOVERNED.replace(was, instead)) if "its spelling" in item]
    assert [item.partition(": ")[0] for item in found] == [f"accountability.{key}"]


def test_what_an_entry_of_a_list_lacks_is_told_in_words():
    (problem,) = problems(GOVERNED.replace(", consequence: hold", ""))
    assert problem == "risk.limits[0].consequence: is missing: the rung that an alert leads to"


@pytest.mark.parametrize("name", ["outside_authority", "review"])
def test_a_limit_is_not_called_as_cases_are_that_no_limit_leads_to(name):
    (problem,) = problems(GOVERNED.replace("id: any", f"id: {name}"))
    assert problem.startswith(f"risk.limits[0].id: {name} is what cases are called")


def test_a_high_tier_is_reviewed_once_a_year():
    (never,) = problems(HIGH.replace("review: {cadence: 180d}\n", ""))
    assert never.startswith("risk.tier: high asks for a review once a year at least")
    (seldom,) = problems(HIGH.replace("180d", "367d"))
    assert seldom.startswith("review.cadence")
    assert load(HIGH.replace("180d", "366d")).governance.governed


def test_two_approvers_may_be_of_one_role():
    two = "approvals: {activate_version: {required: {validator: 2}}}\n"
    assert load(HIGH + two).governance.governed
    (problem,) = problems(HIGH.replace("[vic, val]", "[vic, vic.admin]") + two)
    assert "takes 2 of accountability.validators, and the vote of 1 of" in problem


def test_one_person_cannot_take_both_seats():
    alone = GOVERNED.replace("[vic, val]", "[head]").replace("  deputy: deputy\n", "")
    (problem,) = problems(alone)
    assert problem.startswith("accountability: activate_version takes 2 of")


def test_who_is_of_governance_may_be_said_elsewhere():
    assert load(GOVERNED.replace("  governance: [gail]\n", "")).governance.governed


@pytest.mark.parametrize(
    ("role", "line"), [("owner", "  owners: [olga]\n"), ("validator", "  validators: [vic, val]\n")]
)
def test_a_file_that_answers_everything_names_who_asks_and_who_agrees(role, line):
    text = GOVERNED.replace(line, "")
    (problem,) = problems(text)
    assert problem.startswith(f"accountability: names nobody as {role}, so nobody ")
    assert not load(text.replace("by: cro, ", "")).governance.governed  # half-filled is no error
    assert load(text.replace("medium", "prohibited")).governance.governed  # nobody ever will


@pytest.mark.parametrize(
    ("rungs", "key"),
    [
        ("watch: {gate: deny}", "watch.gate"),
        ("watch: {gate: allow_with_conditions, conditions: {amount: 1}}", "watch.gate"),
        ("restrict: {gate: allow}", "restrict.gate"),
        ("hold: {gate: allow}", "hold.gate"),
        ("hold: {gate: allow_with_conditions, conditions: {amount: 1}}", "hold.gate"),
        ("stop: {gate: allow}", "stop.gate"),
        ("hold: {gate: deny}, stop: {gate: route_to_human}", "stop.gate"),
        ("restrict: {gate: deny}", "hold.gate"),
        ("restrict: {conditions: {human_review_share: 0}}", "restrict.conditions.human_review"),
        ("restrict: {gate: deny, conditions: {amount: 1}}, hold: {gate: deny}", "restrict.cond"),
        ("hold: {demote_alias: champion}", "hold.demote_alias"),
        ("stop: {on_deadline: escalate}", "stop.on_deadline"),
        ("hold: {deadline: 0s}", "hold.deadline"),
    ],
)
def test_a_ladder_only_goes_down(rungs, key):
    found = problems(f"{GOVERNED}consequences: {{{rungs}}}\n")
    assert found
    assert found[0].startswith(f"consequences.{key}")


@pytest.mark.parametrize(("rung", "after"), [*itertools.product(Rung, OnDeadline)])
def test_a_deadline_gives_no_authority_back(rung, after):
    text = f"{GOVERNED}consequences: {{{rung}: {{deadline: 1d, on_deadline: {after}}}}}\n"
    further = after is OnDeadline.ESCALATE or Rung[after.upper()] > rung
    if further:
        assert load(text).governance.consequences[rung].on_deadline is after
    else:
        (problem,) = problems(text)
        assert problem.startswith(f"consequences.{rung}.on_deadline")


def test_decisions_go_to_people_only_where_people_are_named():
    text = GOVERNED.replace(", fallback: {target: desk}", "")
    (problem,) = problems(f"{text}consequences: {{hold: {{gate: route_to_human}}}}\n")
    assert "name them under delegation.fallback" in problem


def test_a_prohibited_model_is_always_denied():
    prohibited = GOVERNED.replace("medium", "prohibited")
    ladder = load(prohibited).governance.consequences
    assert {item.gate for item in ladder.values()} == {GateAction.DENY}
    (problem,) = problems(f"{prohibited}consequences: {{watch: {{gate: allow}}}}\n")
    assert "never acts" in problem
    assert load(policy_as_yaml(load(prohibited))).digest == load(prohibited).digest


@pytest.mark.parametrize(
    ("limit", "key"),
    [
        ("measures: [psii]", "measures[0]"),
        ("measures: [ks]", "measures[0]"),
        ("measures: [psi, auc_drop]", "measures[1]"),
        ("measures: [selection_rate_ratio, true_positive_rate_ratio]", "measures[1]"),
        ("fields: [incme]", "fields[0]"),
        ("fields: [sent]", "fields[0]"),
        ("populations: [race]", "populations[0]"),
        ("populations: [age × sex]", "populations[0]"),
        ("measures: [decision_rate], fields: [income]", "fields"),
        ("measures: [psi], populations: [sex]", "populations"),
    ],
)
def test_a_limit_is_about_what_the_policy_judges(limit, key):
    listed = "limits: {disparity: {metrics: [selection_rate]}}\n"
    text = GOVERNED.replace("id: any", f"id: any, {limit}") + listed
    (problem,) = problems(text)
    assert problem.startswith(f"risk.limits[0].{key}: ")


def test_a_limit_is_about_fields_or_about_populations():
    text = GOVERNED.replace("id: any", "id: any, fields: [income], populations: [sex]")
    (problem,) = problems(text)
    assert problem.startswith("risk.limits[0]: is about fields and populations at once")


def test_ids_of_limits_are_their_own_and_known():
    twice = GOVERNED.replace("hold}]", "hold}, {id: any, consequence: stop}]")
    assert problems(twice) == ['risk.limits[1].id: "any" is the id of limit 1 as well']
    (taken,) = problems(GOVERNED.replace("id: any", "id: review"))
    assert taken.startswith("risk.limits[0].id: review is what cases are called")
    (unknown,) = problems(f"{GOVERNED}waivers: {{never_for: [anny]}}\n")
    assert unknown.startswith("waivers.never_for[0]")


def test_a_section_that_cannot_be_read_hides_nothing_of_the_others():
    text = GOVERNED.replace("statement: Approve loans", "statement: 5").replace(
        "[vic, val]", "[bo]"
    )
    assert [line.partition(": ")[0] for line in problems(text)] == [
        "delegation.statement",
        "accountability",
        "accountability.validators[0]",
    ]
