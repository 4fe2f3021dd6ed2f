"""The formulas of the measures' pages, written out on raw rows, against what a profile gives.

Rows are few-valued, so that cells hold one value each and nothing but rounding may differ. What is
written here is read from docs/reference/measures/ and from nothing else; rates of groups, classes
and numeric labels have their own oracles beside this one.
"""

from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from msgspec.structs import replace
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn import isotonic, metrics
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from monitor.domain.estimate import Absence
from monitor.domain.field import (
    Attribute,
    Decision,
    Effect,
    Field,
    FieldKind,
    FieldRole,
    Label,
    Population,
)
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.measures.measure import ProfilePair
from monitor.measures.measuring import measure_all
from monitor.profile.draft import GridDraft
from monitor.profile.kernel import ProfileBuilder

pytestmark = pytest.mark.oracle

WINDOW = Window(datetime(2026, 1, 8, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC))
SILENT = timedelta(hours=2)
BASELINE_WINDOWS = 2.0
LEAST, MOST = 5.0, 180.0
ABSENT, TEXTS = slice(2_800, 3_000), slice(2_700, 2_800)
"""Rows of the window from a file without the amount, and from one in which it is a text."""
REPEATED = 7, 60
"""Rows that were set aside in the baseline and in the window."""
FIELDS = (
    Field("amount", "amount", FieldKind.NUMERIC, minimum=LEAST, maximum=MOST),
    Field("term", "term", FieldKind.NUMERIC),
    Field("channel", "channel", FieldKind.CATEGORICAL),
    Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
)
POLICY = Policy(
    model="loans",
    source=SourceSpec("log", "at", id="id"),
    fields=FIELDS,
    decision=Decision("decision", ("1",), effect=Effect.FAVOURABLE),
    label=Label("label", ("1",), ("0",)),
    attributes={"sex": Attribute("sex", "sex", reference="m")},
    populations=(Population(("sex",)),),
    schedule=Schedule(CalendarUnit.DAY),
    limits={},
    band=Band(),
    disparity_metrics=(
        *("representation", "unknown_share", "true_positive_rate", "false_positive_rate"),
        *("positive_predictive_value", "error_rate"),
    ),
)


@cache
def rows_of(seed, rows, shift=0):
    """Return columns of rows; None and NaN are missing, −1 is a decision or label not known."""
    rng = np.random.default_rng(seed)
    risk = rng.normal(shift / 40, 1, rows)
    amount = np.clip(np.rint(60 + 25 * risk + rng.gumbel(0, 15, rows)), 0, 199 + shift)
    amount[rng.random(rows) < 0.01 + shift / 400] = np.nan
    if shift:
        amount[:12] = np.inf
    term = np.clip(np.rint(4 + 2 * (1 - shift / 20) * risk + rng.normal(0, 1, rows)), 0, 8) * 12
    if shift:
        term[20:50] = 500
    channel = rng.choice(
        ["web", "branch", "phone", "broker"], rows, p=[0.6, 0.25, 0.1497, 0.0003]
    ).astype(object)
    if shift:
        channel[rng.random(rows) < 0.1] = "web"
        channel[60:130] = "app"
        channel[200:240] = None
    score = np.round(1 / (1 + np.exp(1.2 * risk + rng.normal(0, 0.4, rows))), 2)
    label = (rng.random(rows) < 1 / (1 + np.exp(risk - shift / 30))).astype(int)
    label[rng.random(rows) < 0.05 + shift / 60] = -1
    decision = (score > 0.5).astype(int)
    decision[rng.random(rows) < 0.02] = -1
    sex = rng.choice(["f", "m", None], rows, p=[0.4 - shift / 200, 0.58, 0.02 + shift / 200])
    return {
        "amount": amount,
        "term": term,
        "channel": channel,
        "score": score,
        "decision": decision,
        "label": label,
        "sex": sex,
    }


def then():
    return rows_of(1, 4_000)


def now():
    return rows_of(2, 3_000, shift=10)


def column(values):
    given = [
        None if value is None or value == -1 else str(value) for value in np.asarray(values, object)
    ]
    return pa.array(given)


def counted(grid, rows, repeated, *, broken):
    builder = ProfileBuilder(grid)
    size = len(rows["score"])
    builder.add_duplicates(repeated)
    parts = [slice(0, TEXTS.start), TEXTS, ABSENT] if broken else [slice(0, size)]
    for part in parts:
        count = part.stop - part.start
        builder.add_rows(count, WINDOW.start, WINDOW.end - SILENT)
        for field in FIELDS:
            values = rows[field.name][part]
            given = pa.array(values)
            if field.name == "amount" and part == TEXTS:
                given = pa.array(["much"] * count)
            if field.name == "amount" and part == ABSENT:
                given = None
            builder.add_field(field.name, given, count)
        builder.add_pairs([builder.take_scores()], count)
        builder.add_outcomes(
            count,
            {"sex": pa.array(rows["sex"][part].tolist(), pa.string())},
            column(rows["decision"][part]),
            column(rows["label"][part]),
            pa.array(rows["score"][part]),
        )
    return builder.profile


@cache
def readings():
    draft = GridDraft(FIELDS, POLICY.attributes, POLICY.decision, POLICY.label, identified=True)
    for field in FIELDS:
        draft.add_field(field.name, pa.array(then()[field.name]))
    draft.add_attribute("sex", pa.array(then()["sex"].tolist(), pa.string()))
    grid = draft.grid()
    pair = ProfilePair(
        grid,
        counted(grid, then(), REPEATED[0], broken=False),
        counted(grid, now(), REPEATED[1], broken=True),
        WINDOW,
        BASELINE_WINDOWS,
    )
    return {
        (item.measure, item.subject.field or item.subject.group): item.result
        for item in measure_all("loans", "1", POLICY, pair)
    }


def numbers(side, name):
    """Return the numbers of a field that can be read: NaN for the rows that have none."""
    values = side[name].astype(np.float64)
    if name == "amount" and side is now():
        values = values.copy()
        values[ABSENT] = values[TEXTS] = np.nan
    return values


def kinds_of_categories(before):
    """Return what tells the rows of each group of a category: frequent, other known, new, missing."""
    values, rows = np.unique(before, return_counts=True)
    frequent = values[np.argsort(-rows)][np.sort(-rows) <= -0.005 * len(before)]
    return [
        *(partial(np.equal, value) for value in frequent),
        lambda side: np.isin(side, np.setdiff1d(values, frequent)),
        lambda side: np.array([value is not None and value not in values for value in side]),
        lambda side: np.equal(side, None),
    ]


def kinds_of_numbers(before):
    """Return the same of a number: its few values and new ones, or tenths; infinite and missing."""
    finite = before[np.isfinite(before)]
    if len(np.unique(finite)) <= 20:
        held = [partial(np.equal, value) for value in np.unique(finite)]
        held.append(lambda side: np.isfinite(side) & ~np.isin(side, finite))
    else:
        tenths = np.arange(1, 10) / 10
        ends = [-np.inf, *np.unique(np.quantile(finite, tenths, method="inverted_cdf")), np.inf]
        held = [partial(lies_in, low, high) for low, high in pairwise(ends)]
    return [*held, np.isinf, np.isnan]


def lies_in(low, high, side):
    return np.isfinite(side) & (side > low) & (side <= high)


def in_groups(name):
    """Return the rows of baseline and window in each of the index's groups of a field."""
    if name == "channel":
        sides = then()[name], now()[name]
        kinds = kinds_of_categories(sides[0])
    else:
        sides = numbers(then(), name), numbers(now(), name)
        kinds = kinds_of_numbers(sides[0])
    rows = [[int(kind(side).sum()) for side in sides] for kind in kinds]
    totals = np.sum(rows, axis=0)
    for place in reversed(range(1, len(rows))):
        if totals.min() * (np.array(rows[place]) / totals).max() < 5:
            rows[place - 1] = np.add(rows[place - 1], rows[place]).tolist()
            del rows[place]
    return np.transpose(rows)


def distances(name):
    rows = in_groups(name)
    p, q = rows / rows.sum(axis=1, keepdims=True)
    smooth = rows + 0.5
    ps, qs = smooth / smooth.sum(axis=1, keepdims=True)
    total, df = rows.sum(), rows.shape[1] - 1
    chi2 = stats.chi2_contingency(rows, correction=False).statistic
    least = min(df + 1 - df**2 / (total - 1), 2 - 1 / (total - 1)) - 1
    return {
        "psi": ((qs - ps) * np.log(qs / ps)).sum(),
        "js_distance": jensenshannon(p, q, base=2),
        "hellinger": np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2),
        "l_infinity": np.abs(q - p).max(),
        "cramers_v": np.sqrt(max(0, chi2 / total - df / (total - 1)) / least),
    }


@pytest.mark.parametrize("name", ["amount", "term", "channel", "score"])
def test_distances_over_groups_are_those_of_their_pages(name):
    found = {measure: readings()[measure, name].value for measure in distances(name)}
    assert found == pytest.approx(distances(name), rel=1e-9)


@pytest.mark.parametrize("name", ["amount", "term", "score"])
def test_distances_of_numbers_are_those_of_their_pages(name):
    before, after = (
        side[~np.isnan(side)] for side in (numbers(then(), name), numbers(now(), name))
    )
    assert readings()["ks", name].value == pytest.approx(stats.ks_2samp(before, after).statistic)
    before, after = (side[np.isfinite(side)] for side in (before, after))
    scale = np.subtract(*np.quantile(before, [0.75, 0.25], method="inverted_cdf")) / 1.349
    apart = stats.wasserstein_distance(before, after) / scale
    assert readings()["wasserstein", name].value == pytest.approx(apart, rel=1e-3)


def shares():
    """Return positive rows and rows of the window and of the baseline, as each page counts them."""
    before, after = then(), now()
    amounts, earlier = numbers(after, "amount"), numbers(before, "amount")
    filled = ~np.isnan(after["amount"])
    filled[ABSENT] = False
    filled[TEXTS] = True
    usable = [value for value in after["channel"] if value is not None]
    old = {"web", "branch", "phone", "broker"}
    sex = np.array([value or "" for value in after["sex"]])
    sex_then = np.array([value or "" for value in before["sex"]])
    largest, smallest = np.nanmax(earlier), np.nanmin(earlier)
    there = ~np.isnan(amounts)
    return {
        ("missing_rate", "amount"): (np.isnan(amounts), np.isnan(earlier)),
        ("absent_rate", "amount"): (
            np.isin(np.arange(3_000), np.arange(3_000)[ABSENT]),
            np.zeros(4_000),
        ),
        ("mistyped_rate", "amount"): (
            np.isin(np.arange(3_000), np.arange(3_000)[TEXTS])[filled],
            np.zeros(np.isfinite(earlier).sum()),
        ),
        ("duplicate_rate", ""): (
            np.arange(3_060) < REPEATED[1],
            np.arange(4_007) < REPEATED[0],
        ),
        ("decision_rate", ""): tuple(
            (side["decision"] == 1)[side["decision"] >= 0] for side in (after, before)
        ),
        ("undecided_rate", ""): tuple(side["decision"] < 0 for side in (after, before)),
        ("label_rate", ""): tuple(
            (side["label"] == 1)[side["label"] >= 0] for side in (after, before)
        ),
        ("unknown_share_difference", ""): (sex == "", sex_then == ""),
        ("representation_difference", "f"): (
            (sex == "f")[sex != ""],
            (sex_then == "f")[sex_then != ""],
        ),
        ("unseen_rate", "channel"): (np.array([value not in old for value in usable]), None),
        ("unseen_rate", "term"): (after["term"] == 500, None),
        ("out_of_range_rate", "amount"): (
            ((amounts < smallest) | (amounts > largest))[there],
            None,
        ),
        ("out_of_bounds_rate", "amount"): (((amounts < LEAST) | (amounts > MOST))[there], None),
        ("unknown_share", ""): (sex == "", None),
        ("representation", "f"): ((sex == "f")[sex != ""], None),
        ("group_label_coverage", "f"): ((after["label"] >= 0)[sex == "f"], None),
        ("accuracy", ""): ((after["label"] == after["decision"])[judged(after)], None),
    }


def judged(side):
    return (side["label"] >= 0) & (side["decision"] >= 0)


@pytest.mark.parametrize("key", shares(), ids=" ".join)
def test_shares_and_their_changes_are_those_of_their_pages(key):
    after, before = shares()[key]
    found = readings()[key]
    of_now = int(after.sum()), len(after)
    if before is None:
        assert found.value == pytest.approx(after.mean())
        ends = proportion_confint(*of_now, method="wilson")
    else:
        assert found.value == pytest.approx(after.mean() - before.mean())
        ends = confint_proportions_2indep(
            *of_now, int(before.sum()), len(before), method="newcomb", compare="diff"
        )
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-12)
    assert found.n == len(after)


def test_rows_and_the_last_event_are_those_of_their_pages():
    found = readings()
    assert found["rows", ""].value == 3_000 / (4_000 / BASELINE_WINDOWS) - 1
    assert found["freshness", ""].value == SILENT.total_seconds()
    assert found["label_coverage", ""].value == (now()["label"] >= 0).mean()
    chance = 2 / (np.isfinite(then()["amount"]).sum() + 1)
    assert found["out_of_range_rate", "amount"].detail["chance"] == pytest.approx(chance)
    once = np.unique(then()["channel"], return_counts=True)[1]
    missed = (once == 1).sum() / 4_000
    assert found["unseen_rate", "channel"].detail["missed"] == pytest.approx(missed)


def test_the_mean_score_is_in_standard_deviations_of_the_baseline():
    before, after = then()["score"], now()["score"]
    found = readings()["score_mean", ""]
    unit = before.std(ddof=1)
    ends = stats.ttest_ind(after, before, equal_var=False).confidence_interval()
    assert found.value == pytest.approx((after.mean() - before.mean()) / unit)
    assert (found.low, found.high) == pytest.approx((ends.low / unit, ends.high / unit))


def of_scores(side):
    """Return performance of the rows with a label, by each page's formula."""
    labelled = side["label"] >= 0
    y, s = side["label"][labelled], side["score"][labelled]
    both = judged(side)
    true, said = side["label"][both], side["decision"][both]
    p = np.clip(np.where(y == 1, s, 1 - s), 2.0**-52, 1)
    cuts = np.unique(np.quantile(then()["score"], np.arange(1, 10) / 10, method="inverted_cdf"))
    group = np.searchsorted(cuts, s)
    return {
        "auc": metrics.roc_auc_score(y, s),
        "average_precision": metrics.average_precision_score(y, s),
        "log_loss": -np.log(p).mean(),
        "brier": ((s - y) ** 2).mean(),
        "calibration_error": sum(
            (group == place).mean() * abs(y[group == place].mean() - s[group == place].mean())
            for place in np.unique(group)
        ),
        "accuracy": (true == said).mean(),
        "f1": 2 * (true & said).sum() / (true.sum() + said.sum()),
        "precision": true[said == 1].mean(),
        "recall": said[true == 1].mean(),
    }


def test_performance_and_its_changes_are_those_of_their_pages():
    before, after = of_scores(then()), of_scores(now())
    for name, value in after.items():
        assert readings()[name, ""].value == pytest.approx(value, rel=1e-9), name
        rises = name in {"log_loss", "brier", "calibration_error"}
        change = readings()[f"{name}_{'rise' if rises else 'drop'}", ""]
        worse = value - before[name] if rises else before[name] - value
        assert change.value == pytest.approx(worse, abs=1e-9), name
        assert (change.then, change.now) == pytest.approx((before[name], value)), name


def chances(side, of=None):
    """Return the chance of a positive label at each row's score, as the baseline's labels have it."""
    learned = (then()["label"] >= 0) & (True if of is None else then()["sex"] == of)
    fit = isotonic.IsotonicRegression(out_of_bounds="clip")
    fit.fit(then()["score"][learned], then()["label"][learned])
    return fit.predict(side["score"])


def area(score, chance):
    """Return the AUC of rows that are positive by a chance and negative by the rest of it."""
    return metrics.roc_auc_score(
        np.repeat([1, 0], len(score)), np.tile(score, 2), sample_weight=[*chance, *(1 - chance)]
    )


def of_table(decision, chance):
    hit, miss = (decision * chance).sum(), ((1 - decision) * chance).sum()
    false = (decision * (1 - chance)).sum()
    right = hit + ((1 - decision) * (1 - chance)).sum()
    return {
        "accuracy": right / len(decision),
        "f1": 2 * hit / (2 * hit + false + miss),
        "precision": hit / (hit + false),
        "recall": hit / (hit + miss),
    }


def test_estimates_without_labels_and_with_some_are_those_of_their_pages():
    after, before, found = now(), then(), readings()
    chance = chances(after)
    labelled, decided = after["label"] >= 0, after["decision"] >= 0
    known = np.where(labelled, after["label"], chance)
    expected = {"estimated_auc": area(after["score"], chance)}
    expected["auc_delay_adjusted"] = area(after["score"], known)
    for name, value in of_table(after["decision"][decided], chance[decided]).items():
        expected[f"estimated_{name}"] = value
    for name, value in of_table(after["decision"][decided], known[decided]).items():
        expected[f"{name}_delay_adjusted"] = value
    for name, value in expected.items():
        assert found[name, ""].value == pytest.approx(value, abs=3e-4), name
    kept = before["label"] >= 0
    flattery = area(before["score"][kept], chances(before)[kept]) - of_scores(before)["auc"]
    drift = of_scores(after)["auc"] - area(after["score"][labelled], chance[labelled]) + flattery
    assert found["concept_drift", ""].value == pytest.approx(drift, abs=3e-4)
    gap = after["label"][labelled].mean() - chance[labelled].mean()
    assert found["label_rate_gap", ""].value == pytest.approx(gap, abs=1e-9)


def test_estimates_of_a_group_learn_from_its_own_labels():
    women = (now()["sex"] == "f") & (now()["decision"] >= 0)
    decision, chance = now()["decision"][women], chances(now(), "f")[women]
    table = of_table(decision, chance)
    expected = {
        "true_positive_rate": table["recall"],
        "false_positive_rate": (decision * (1 - chance)).sum() / (1 - chance).sum(),
        "positive_predictive_value": table["precision"],
        "error_rate": 1 - table["accuracy"],
    }
    for name, value in expected.items():
        found = readings()[f"estimated_{name}", "f"]
        assert found.value == pytest.approx(value, abs=1e-9), name


def normal_scores(name):
    """Return the normal quantiles of the ranks in the baseline, of baseline and window."""
    ordered = np.sort(numbers(then(), name)[np.isfinite(numbers(then(), name))])
    scored = []
    for side in (then(), now()):
        values = numbers(side, name)
        ranks = (np.searchsorted(ordered, values) + np.searchsorted(ordered, values, "right")) / 2
        ranks = np.clip(ranks / len(ordered), 0.5 / len(ordered), 1 - 0.5 / len(ordered))
        scored.append(np.where(np.isfinite(values), stats.norm.ppf(ranks), np.nan))
    return scored


def test_changes_between_fields_are_those_of_their_pages():
    scores = [normal_scores(name) for name in ("amount", "term", "score")]
    before, after = (np.array([field[side] for field in scores]) for side in (0, 1))
    changes = []
    for first, second in ((0, 1), (0, 2), (1, 2)):
        r = []
        for side in (before, after):
            both = ~np.isnan(side[[first, second]]).any(axis=0)
            r.append(np.corrcoef(side[first][both], side[second][both])[0, 1])
        changes.append(abs(r[1] - r[0]))
    found = readings()["correlation_change", ""]
    assert found.value == pytest.approx(max(changes), abs=2e-3)
    mean, unit = np.nanmean(before, axis=1)[:, None], np.nanstd(before, axis=1)[:, None]
    then_m, now_m = (over_complete_pairs((side - mean) / unit) for side in (before, after))
    parts, vectors = np.linalg.eigh(then_m)
    explained = np.cumsum(parts[::-1]) / parts.sum()
    kept = vectors[:, ::-1][:, : int(np.searchsorted(explained, 0.65)) + 1]
    left = np.eye(3) - kept @ kept.T
    found = readings()["reconstruction_error", ""]
    assert found.detail["components"] == kept.shape[1]
    rise = np.trace(left @ now_m) / np.trace(left @ then_m) - 1
    assert found.value == pytest.approx(rise, rel=5e-3)


def over_complete_pairs(rows):
    there = ~np.isnan(rows)
    filled = np.where(there, rows, 0.0)
    return filled @ filled.T / (there.astype(float) @ there.T)


@pytest.mark.parametrize(("rows", "at_least"), [(300, 10.0), (100, 7.9)])
def test_a_column_that_turned_all_missing_has_the_index_that_is_said(rows, at_least):
    field = Field("x", "x", FieldKind.NUMERIC)
    draft = GridDraft((field,), {}, None, None)
    draft.add_field("x", pa.array(np.arange(rows, dtype=np.float64)))
    grid = draft.grid()
    sides = []
    for values in (pa.array(np.arange(rows, dtype=np.float64)), pa.nulls(rows, pa.float64())):
        builder = ProfileBuilder(grid)
        builder.add_rows(rows, WINDOW.start, WINDOW.start)
        builder.add_field("x", values, rows)
        sides.append(builder.profile)
    policy = replace(POLICY, fields=(field,), decision=None, label=None, populations=())
    found = {
        item.measure: item.result
        for item in measure_all("loans", "1", policy, ProfilePair(grid, *sides, WINDOW, 1.0))
    }
    assert at_least < found["psi"].value < at_least + 0.5
    for name in ("js_distance", "hellinger", "l_infinity", "cramers_v"):
        assert found[name].reason is Absence.NO_DATA
