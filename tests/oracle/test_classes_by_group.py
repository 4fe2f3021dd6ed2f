"""Each class, and a favourable set, against the rest by group: Fairlearn and statsmodels on the rows."""

from datetime import UTC, datetime

import fairlearn.metrics as fairlearn
import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import accuracy_score, precision_score
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from monitor.domain.estimate import Estimate
from monitor.domain.field import Attribute, Classes, Decision, Effect, Label, Population
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_all
from monitor.profile.classes import ClassColumns
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

pytestmark = pytest.mark.oracle

NAMES = np.array(["card", "current", "loan", "mortgage"])
RATE_OF = {
    "selection_rate": fairlearn.selection_rate,
    "non_selection_rate": lambda _, said: 1 - np.mean(said),
    "true_positive_rate": fairlearn.true_positive_rate,
    "false_positive_rate": fairlearn.false_positive_rate,
    "true_negative_rate": fairlearn.true_negative_rate,
    "false_negative_rate": fairlearn.false_negative_rate,
    "positive_predictive_value": precision_score,
    "negative_predictive_value": lambda true, said: precision_score(true, said, pos_label=0),
    "false_discovery_rate": lambda true, said: 1 - precision_score(true, said),
    "false_omission_rate": lambda true, said: 1 - precision_score(true, said, pos_label=0),
    "error_rate": lambda true, said: 1 - accuracy_score(true, said),
}
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
FAVOURABLE = {"loan", "mortgage"}


def rows_of(seed, rows):
    """Return group, predicted and true class of each row; women are offered mortgages less often."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m", "x"], rows, p=[0.45, 0.45, 0.1])
    true = rng.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    said = np.where(rng.random(rows) < 0.7, true, rng.integers(0, 4, rows))
    said[(sex == "f") & (said == 3) & (rng.random(rows) < 0.4)] = 0
    return sex, NAMES[said], NAMES[true]


def policy_of(**changes):
    return Policy(
        model="products",
        source=SourceSpec("log", "at"),
        fields=(),
        attributes={"sex": Attribute("sex", "sex", reference="m")},
        populations=(Population(("sex",)),),
        schedule=Schedule(CalendarUnit.DAY),
        limits={},
        band=Band(),
        disparity_metrics=tuple(RATES),
        classes=Classes("said", tuple(NAMES)),
        **changes,
    )


def measured(policy, then, now):
    draft = GridDraft((), policy.attributes, policy.decision, policy.label, classes=policy.classes)
    draft.add_attribute("sex", pa.array(["f", "m", "x"]))
    grid = draft.grid()
    profiles = []
    for sex, said, true in (then, now):
        builder = ProfileBuilder(grid)
        builder.add_rows(len(sex), None, None)
        column = pa.array(said)
        builder.add_outcomes(
            len(sex),
            {"sex": pa.array(sex)},
            column if policy.decision else None,
            pa.array(true),
            classes=ClassColumns(column, []),
        )
        profiles.append(builder.profile)
    pair = ProfilePair(grid, *profiles, WINDOW, 1.0)
    return {
        (item.subject.class_name, item.measure, item.subject.group): item.result
        for item in measure_all("products", "1", policy, pair)
    }


THEN, NOW = rows_of(1, 8_000), rows_of(2, 6_000)
AGAINST_REST = measured(
    policy_of(decision=None, label=Label("true"), one_against_rest=dict.fromkeys(NAMES)), THEN, NOW
)
A_SET = measured(
    policy_of(
        decision=Decision("said", tuple(FAVOURABLE), effect=Effect.FAVOURABLE),
        label=Label("true", tuple(FAVOURABLE)),
    ),
    THEN,
    NOW,
)


@pytest.mark.slow
@pytest.mark.parametrize("metric", RATES)
@pytest.mark.parametrize("name", [*NAMES, ""])
def test_every_rate_and_its_disparity_is_that_of_fairlearn(metric, name):
    of_class = {name} if name else FAVOURABLE
    found = AGAINST_REST if name else A_SET
    sex, said, true = NOW
    frame = fairlearn.MetricFrame(
        metrics=RATE_OF[metric],
        y_true=np.isin(true, list(of_class)).astype(int),
        y_pred=np.isin(said, list(of_class)).astype(int),
        sensitive_features=sex,
    )
    for group, expected in frame.by_group.items():
        assert found[name, metric, group].value == pytest.approx(expected, rel=1e-12)
        if group != "m":
            ratio, difference = (
                found[name, f"{metric}_{of}", group] for of in ("ratio", "difference")
            )
            assert ratio.value == pytest.approx(expected / frame.by_group["m"], rel=1e-12)
            assert difference.value == pytest.approx(expected - frame.by_group["m"], abs=1e-12)


@pytest.mark.parametrize("name", [*NAMES, ""])
def test_every_interval_is_that_of_statsmodels(name):
    found = AGAINST_REST if name else A_SET
    of_class = {name} if name else FAVOURABLE
    sex, said, _ = NOW
    counts = {
        group: (int(np.isin(said[sex == group], list(of_class)).sum()), int((sex == group).sum()))
        for group in ("f", "m", "x")
    }
    for group in ("f", "x"):
        level = found[name, "selection_rate", group]
        assert (level.low, level.high) == pytest.approx(
            proportion_confint(*counts[group], method="wilson"), abs=1e-9
        )
        ratio = found[name, "selection_rate_ratio", group]
        assert (ratio.low, ratio.high) == pytest.approx(
            confint_proportions_2indep(
                *counts[group], *counts["m"], compare="ratio", method="score", correction=False
            ),
            rel=1e-4,
        )
        tests = 2 * (len(NAMES) if name else 1)  # two groups beside the reference, of each class
        assert (ratio.family_low, ratio.family_high) == pytest.approx(
            confint_proportions_2indep(
                *counts[group],
                *counts["m"],
                compare="ratio",
                method="score",
                correction=False,
                alpha=0.05 / tests,
            ),
            rel=1e-4,
        )


def test_the_shares_of_the_classes_of_a_group_add_up():
    for group in ("f", "m", "x"):
        shares = [AGAINST_REST[name, "selection_rate", group] for name in NAMES]
        assert all(isinstance(share, Estimate) for share in shares)
        assert sum(share.value for share in shares) == pytest.approx(1.0, abs=1e-12)
