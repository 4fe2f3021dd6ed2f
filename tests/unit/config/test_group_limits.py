"""Limits on who the rows are, and on groups of models that give a number."""

import pytest

from monitor.config.content import policy_content
from monitor.config.model_file import load_policy
from monitor.domain.disparity import REPRESENTATION, UNKNOWN_SHARE
from monitor.domain.errors import ConfigError
from monitor.domain.limit import Limit
from monitor.measures.names import MEASURE_NAMES

NUMBERS = """
model: price
source: {path: log, event_time: at}
fields: {income: numeric, price: {kind: numeric, role: score}}
label: {column: paid}
populations: [sex]
schedule: {window: day}
"""
DECISIONS = """
model: credit
source: {path: log, event_time: at}
fields: {income: numeric}
decision: {column: approved, positive: [1], positive_is: favourable}
populations: [sex]
schedule: {window: day}
"""


@pytest.fixture
def policy(tmp_path):
    def load(text, disparity=""):
        path = tmp_path / "model.yaml"
        path.write_text(f"{text}limits: {{disparity: {{{disparity}}}}}\n")
        return load_policy(path)

    return load


@pytest.fixture
def problems(policy):
    def found(*texts):
        with pytest.raises(ConfigError) as raised:
            policy(*texts)
        return str(raised.value)

    return found


def test_without_a_decision_groups_are_compared_by_scores_and_errors(policy):
    assert policy(NUMBERS).disparity_metrics == (
        "group_mean_score",
        "group_mean_error",
        "group_mae",
    )
    predicted = NUMBERS.replace("role: score", "role: prediction")
    assert policy(predicted).disparity_metrics == policy(NUMBERS).disparity_metrics
    unlabelled = NUMBERS.replace("label: {column: paid}\n", "")
    assert policy(unlabelled).disparity_metrics == ("group_mean_score",)


def test_limits_of_shares_have_defaults_and_stand_in_a_file_in_full(policy):
    listed = "metrics: [selection_rate, representation, unknown_share]"
    usual = policy(DECISIONS, listed).disparity
    assert (usual.representation, usual.unknown_share) == (REPRESENTATION, UNKNOWN_SHARE)
    own = policy(DECISIONS, f"{listed}, representation: {{warning: 0.1, critical: never}}")
    assert own.disparity.representation == Limit(0.1, None)
    content = policy_content(own, MEASURE_NAMES)["limits"]["disparity"]
    assert content["representation"] == {"warning": 0.1, "critical": "never"}
    assert content["unknown_share"] == {"warning": 0.01, "critical": 0.05}
    assert "representation" not in policy_content(policy(DECISIONS), MEASURE_NAMES)["limits"]


def test_tolerated_differences_are_part_of_the_policy(policy):
    tolerant = policy(NUMBERS, "differences: {group_mae: 2}")
    assert tolerant.disparity.differences == {"group_mae": 2.0}
    assert tolerant.digest != policy(NUMBERS).digest


@pytest.mark.parametrize(
    ("text", "disparity", "said"),
    [
        (DECISIONS, "representation: {warning: 0.1}", "is not measured; list representation"),
        (DECISIONS, "differences: {group_auc: 0.1}", "is not measured; list group_auc"),
        (DECISIONS, "differences: {selection_rate: 0.1}", "no metric that has a difference and no"),
        (
            DECISIONS,
            "metrics: [unknown_share], unknown_share: {warning: 0.5}",
            "warning 0.5 is above critical 0.05; critical is not given here, give it too",
        ),
        (NUMBERS, "metrics: [selection_rate]", "selection_rate is of decisions; add decision:"),
        (NUMBERS, "reference: best_off", "who fares best is a matter of decisions"),
        (NUMBERS, "profile: ll144", "compares the selection_rate, which is of decisions"),
        (NUMBERS, "differences: {group_mae: 0}", "must be more than 0"),
        (NUMBERS.replace(", role: score", ""), "", "or by its score; add decision:, or give a"),
    ],
)
def test_a_limit_that_would_never_judge_is_a_problem(problems, text, disparity, said):
    assert said in problems(text, disparity)


def test_nothing_is_compared_within_strata_without_a_decision(problems):
    strata = "strata: {product: {approved_by: r.lee, reason: priced before}}\n"
    assert "decisions are compared within strata; add decision:" in problems(NUMBERS + strata)
