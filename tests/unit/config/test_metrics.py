"""Which metrics are compared between groups, and against whom."""

import pytest

from monitor.config.content import policy_as_yaml
from monitor.config.model_file import load_policy
from monitor.domain.errors import ConfigError
from monitor.domain.field import ObservedWhen
from monitor.domain.limit import HeldAgainst
from monitor.measures.names import METRIC_NAMES

PLAIN = """
model: credit
source: {path: log, event_time: at}
fields: {income: numeric}
decision: {column: approved, positive: [1], positive_is: favourable}
label: {column: repaid, positive: [1]}
populations: {sex: {}}
schedule: {window: day}
"""


@pytest.fixture
def policy(tmp_path):
    def read(text):
        path = tmp_path / "credit.yaml"
        path.write_text(text, encoding="utf-8")
        return load_policy(path)

    return read


@pytest.mark.parametrize(
    ("change", "metrics"),
    [
        (("sex", "age"), ("selection_rate", "true_positive_rate")),
        (("favourable", "harmful"), ("selection_rate", "false_positive_rate")),
        (("label: {column: repaid, positive: [1]}", ""), ("selection_rate",)),
        (("repaid,", "repaid, observed_when: positive,"), ("selection_rate",)),
    ],
)
def test_by_default_that_is_compared_of_which_it_is_clear_whom_it_harms(policy, change, metrics):
    found = policy(PLAIN.replace(*change))
    assert found.disparity_metrics == metrics
    assert found.held_against is HeldAgainst.LARGEST


def test_metrics_go_by_their_other_names_and_come_once(policy):
    limits = (
        "limits: {disparity: {metrics: [DI, Equalized-Odds, tpr, error_rate], reference: rest}}"
    )
    found = policy(PLAIN + limits)
    assert found.disparity_metrics == (
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
        "error_rate",
    )
    assert found.held_against is HeldAgainst.REST
    again = policy(policy_as_yaml(found))
    assert again.digest == found.digest
    assert again.disparity_metrics == found.disparity_metrics


def test_metrics_and_the_reference_are_part_of_the_digest(policy):
    plain = policy(PLAIN).digest
    changed = ("metrics: [selection_rate]", "reference: best_off")
    digests = [policy(PLAIN + f"limits: {{disparity: {{{given}}}}}").digest for given in changed]
    assert len({plain, *digests}) == 3
    whole = policy(PLAIN + "limits: {disparity: {metrics: [selection_rate, recall]}}")
    assert whole.digest == plain


def test_labels_may_be_observed_after_one_decision_only(policy):
    found = policy(PLAIN.replace("repaid,", "repaid, observed_when: negative,"))
    assert found.label.observed_when is ObservedWhen.NEGATIVE
    assert policy(policy_as_yaml(found)).label == found.label


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "limits: {disparity: {metrics: [true_positiv_rate]}}", "unknown metric; did you mean"),
        ("", "limits: {disparity: {reference: big}}", "largest"),
        (
            "label: {column: repaid, positive: [1]}",
            "limits: {disparity: {metrics: [equal_opportunity]}}",
            "true_positive_rate is of a label with two classes; add label:",
        ),
    ],
)
def test_what_cannot_be_compared_is_a_problem_at_its_place(policy, old, new, told):
    text = PLAIN.replace(old, new) if old else PLAIN + new
    with pytest.raises(ConfigError) as raised:
        policy(text)
    (problem,) = raised.value.problems
    assert told in problem.message
    assert problem.key.startswith("limits.disparity.")


@pytest.mark.parametrize("metric", METRIC_NAMES)
def test_every_metric_can_be_listed(policy, metric):
    text = PLAIN + f"limits: {{disparity: {{metrics: [{metric}]}}}}"
    if "score" in METRIC_NAMES[metric].needs or "number" in METRIC_NAMES[metric].needs:
        text = text.replace("{income: numeric}", "{score: {kind: numeric, role: score}}")
    if "number" in METRIC_NAMES[metric].needs:
        text = text.replace("repaid, positive: [1]", "loss")
    assert policy(text).disparity_metrics == (metric,)
