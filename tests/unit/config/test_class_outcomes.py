"""Favourable classes, and classes that are held against all others."""

import pytest

from monitor.config.content import policy_as_yaml
from monitor.config.model_file import load_policy
from monitor.domain.errors import ConfigError
from monitor.domain.field import Decision, Effect, Label

PLAIN = """
model: next product
source: {path: log, event_time: at}
fields: {income: numeric}
classes: {column: offered, values: [card, loan, mortgage], favourable: [mortgage, loan]}
label: {column: bought}
populations: {sex: {}}
schedule: {window: day}
"""
OF_DECISION = PLAIN.replace(", favourable: [mortgage, loan]", "").replace(
    "label: {column: bought}",
    "label: {column: bought, positive: [loan, mortgage], negative: [card]}\n"
    "decision: {column: offered, positive: [loan, mortgage], negative: [card],"
    " positive_is: favourable}",
)
AGAINST_REST = PLAIN.replace(
    "favourable: [mortgage, loan]", "one_against_rest: {loan: favourable, card: either}"
)


@pytest.fixture
def policy(tmp_path):
    def read(text):
        path = tmp_path / "products.yaml"
        path.write_text(text, encoding="utf-8")
        return load_policy(path)

    return read


@pytest.fixture
def problems(policy):
    def read(text):
        with pytest.raises(ConfigError) as error:
            policy(text)
        return [(problem.line, problem.message) for problem in error.value.problems]

    return read


def test_favourable_classes_are_a_decision_and_a_positive_label(policy):
    found = policy(PLAIN)
    assert found.decision == Decision(
        "offered", ("loan", "mortgage"), ("card",), effect=Effect.FAVOURABLE
    )
    assert found.label == Label("bought", ("loan", "mortgage"), ("card",))
    assert found.disparity_metrics == ("selection_rate", "true_positive_rate")
    assert found.digest == policy(OF_DECISION).digest


CODED = PLAIN.replace("bought}", "bought, values: {0: card, 1: loan, 2: mortgage, 9: mortgage}}")


def test_labels_may_name_the_classes_otherwise(policy):
    found = policy(CODED)
    assert found.classes.labels == (
        ("0", "card"),
        ("1", "loan"),
        ("2", "mortgage"),
        ("9", "mortgage"),
    )
    assert found.label == Label("bought", ("1", "2", "9"), ("0",))
    assert found.digest != policy(PLAIN).digest
    again = policy(policy_as_yaml(found))
    assert (again.digest, again.classes, again.label) == (found.digest, found.classes, found.label)


def test_classes_against_the_rest_have_an_effect_each_and_both_errors(policy):
    found = policy(AGAINST_REST)
    assert found.one_against_rest == {"loan": Effect.FAVOURABLE, "card": None}
    assert found.decision is None
    assert found.disparity_metrics == (
        "selection_rate",
        "true_positive_rate",
        "false_positive_rate",
    )
    again = policy(policy_as_yaml(found))
    assert again.digest == found.digest
    assert again.one_against_rest == found.one_against_rest


@pytest.mark.parametrize(
    ("change", "metrics"),
    [
        (("bought}", "bought, observed_when: positive}"), ("selection_rate",)),
        ((", card: either", ""), ("selection_rate", "true_positive_rate")),
        (
            ("loan: favourable, card: either", "loan: harmful"),
            ("selection_rate", "false_positive_rate"),
        ),
        (
            (
                "fields: {income: numeric}",
                "fields: {income: numeric, p: {kind: numeric, role: score}}",
            ),
            ("group_mean_score", "selection_rate", "true_positive_rate", "false_positive_rate"),
        ),
    ],
)
def test_what_is_compared_by_default_follows_from_what_the_classes_do(policy, change, metrics):
    assert policy(AGAINST_REST.replace(*change)).disparity_metrics == metrics


def test_a_file_without_classes_against_the_rest_has_the_digest_it_had(policy):
    assert "one_against_rest" not in policy_as_yaml(policy(PLAIN))


@pytest.mark.parametrize(
    ("change", "line", "complaint"),
    [
        (
            ("[mortgage, loan]", "[mortgagee]"),
            5,
            '"mortgagee" is none of the classes; did you mean "mortgage"?',
        ),
        (
            ("bought}", "bought, values: {0: card, 1: loan, 2: lone}}"),
            6,
            '"lone" is none of the classes; did you mean "loan"?',
        ),
        (
            ("bought}", "bought, values: {0: card, 1: loan}}"),
            6,
            'a value is needed for every class; without one: "mortgage"',
        ),
        (
            (
                PLAIN[PLAIN.index("classes:") : PLAIN.index("populations:")],
                "label: {column: bought, values: {0: card}}\n",
            ),
            5,
            "values say which class each means; add classes:, or give positive and negative",
        ),
        (("[mortgage, loan]", "[loan, loan]"), 5, '"loan" is listed twice'),
        (("[mortgage, loan]", "[card, mortgage, loan]"), 5, "nothing is left that is not"),
        (("{column: bought}", "{column: bought, positive: [loan]}"), 6, "leave one of the two out"),
        (
            ("label:", "decision: {column: a, positive: [1], positive_is: harmful}\nlabel:"),
            5,
            "decision says what favours already",
        ),
        (("favourable: [mortgage, loan]", "one_against_rest: {lone: either}"), 5, '"lone" is none'),
        (("favourable: [mortgage, loan]", "one_against_rest: {loan: good}"), 5, "must be one of"),
    ],
)
def test_what_cannot_be_is_said(problems, change, line, complaint):
    found = problems(PLAIN.replace(*change))
    assert [place for place, message in found if complaint in message] == [line], found


def test_classes_are_compared_between_groups_only(problems):
    without = AGAINST_REST.replace("populations: {sex: {}}\n", "")
    assert [line for line, message in problems(without) if "add populations" in message] == [5]


def test_nobody_knows_who_is_best_off_where_either_side_may_harm(problems, policy):
    limits = "limits: {disparity: {reference: best_off}}\n"
    ((line, message),) = problems(AGAINST_REST + limits)
    assert line == 5
    assert "either side may harm" in message
    assert policy(AGAINST_REST.replace(", card: either", "") + limits).one_against_rest


def test_a_model_of_classes_alone_has_to_say_what_groups_are_compared_by(problems):
    without = PLAIN.replace(", favourable: [mortgage, loan]", "")
    ((_, message),) = problems(without)
    assert "classes.one_against_rest" in message


def test_rates_of_single_classes_need_no_decision(policy):
    listed = "limits: {disparity: {metrics: [error_rate, selection_rate]}}\n"
    assert policy(AGAINST_REST + listed).disparity_metrics == ("error_rate", "selection_rate")
