"""Published audits and worked examples, to the digits that they print.

The counts are in ``data/``, with their sources. Each number goes through the measures that a run
takes, wherever one of them is meant.
"""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from monitor.domain.estimate import Absence
from monitor.domain.field import Effect
from monitor.domain.limit import Band, HeldAgainst
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.disparity.rates import RATES
from monitor.measures.measure import GroupMeasure, GroupPair, Strata
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN
from monitor.uncertainty.difference import newcombe
from monitor.uncertainty.membership import membership_bounds
from monitor.uncertainty.multiplicity import holm
from monitor.uncertainty.stratified import association, heterogeneity, odds_ratio
from monitor.uncertainty.two_sample import fisher

pytestmark = pytest.mark.oracle

DATA = Path(__file__).parent / "data"
MEASURES = {item.about.id: item for item in CATALOGUE if isinstance(item, GroupMeasure)}
NOBODY_TOO_SMALL = Band(min_rows=1, min_expected=0.0)
"""Published audits compare groups of any size."""

Row = dict[str, str]


def rows(name):
    with (DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def tables(
    counted: list[Row],
    group: Callable[[Row], str],
    positive: Callable[[Row], bool],
    label: Callable[[Row], bool] | None = None,
    stratum: Callable[[Row], str] = lambda _: "",
    n: str = "n",
):
    """Return names of groups and strata, and rows by group × stratum × decision × label."""
    found = Counter()
    for row in counted:
        outcome = UNKNOWN if label is None else int(label(row))
        found[group(row), stratum(row), int(positive(row)), outcome] += int(row[n])
    groups, strata = (sorted({key[axis] for key in found}) for axis in (0, 1))
    table = np.zeros((len(groups), len(strata) + 2, 3, 3), np.int64)
    for (one, within, decision, outcome), rows_ in found.items():
        table[groups.index(one), strata.index(within), decision, outcome] = rows_
    return groups, strata, table


def population(made, reference, band=NOBODY_TOO_SMALL, effect=Effect.FAVOURABLE, **how):
    groups, strata, table = made
    whole = table.sum(axis=1)
    names = (*strata, "(unknown)", "(unmapped)")
    return GroupPair(
        "population", tuple(groups), whole, whole, groups.index(reference), effect, band,
        strata=Strata("factor", names, table), **how,
    )  # fmt: skip


def measured(identifier, pair):
    return MEASURES[identifier].measure(pair)


def value(identifier, pair, group):
    return measured(identifier, pair)[group].value


def of_counts(counts):
    """Return tables of group → (positive, known), in one stratum."""
    groups = list(counts)
    table = np.zeros((len(groups), 3, 3, 3), np.int64)
    for place, (positive, known) in enumerate(counts.values()):
        table[place, 0, [NEGATIVE, POSITIVE], UNKNOWN] = known - positive, positive
    return groups, ["all"], table


# ProPublica (2016), Machine Bias: how we analyzed the COMPAS recidivism algorithm.


def compas(column="race", cut=5, reference="Caucasian", band=NOBODY_TOO_SMALL):
    made = tables(
        rows("compas_counts.csv"),
        lambda row: row[column],
        lambda row: int(row["decile_score"]) >= cut,
        lambda row: row["two_year_recid"] == "1",
    )
    return population(made, reference, band, Effect.HARMFUL)


def test_propublicas_contingency_tables():
    pair = compas()
    for group, counts in {
        "African-American": [[990, 532], [805, 1369]],
        "Caucasian": [[1139, 461], [349, 505]],
        "Hispanic": [[318, 129], [87, 103]],
        "Asian": [[21, 3], [2, 6]],
        "Native American": [[5, 1], [3, 9]],
        "Other": [[208, 90], [36, 43]],
    }.items():
        assert pair.current[pair.groups.index(group), :2, :2].tolist() == counts
    assert pair.current.sum(axis=0)[:2, :2].tolist() == [[2681, 1216], [1282, 2035]]
    sexes = compas("sex", reference="Male").current[:, :2, :2]
    assert sexes.tolist() == [[[609, 195], [288, 303]], [[2072, 1021], [994, 1732]]]


@pytest.mark.parametrize(
    ("cut", "group", "printed"),
    [
        (5, "African-American", (0.4485, 0.2799, 0.63, 0.65)),
        (5, "Caucasian", (0.2345, 0.4772, 0.59, 0.71)),
        (8, "African-American", (0.1582, 0.6102, None, None)),
        (8, "Caucasian", (0.0544, 0.7981, None, None)),
    ],
)
def test_propublicas_rates_of_error(cut, group, printed):
    pair = compas(cut=cut)
    names = (
        "false_positive_rate",
        "false_negative_rate",
        "positive_predictive_value",
        "negative_predictive_value",
    )
    for name, expected, digits in zip(names, printed, (4, 4, 2, 2), strict=True):
        if expected is not None:
            assert round(value(name, pair, group), digits) == expected


def test_propublicas_rates_of_everybody_and_of_recidivism():
    pair = compas()
    everybody = pair.current.sum(axis=0)
    for name, expected in (("false_positive_rate", 0.3235), ("false_negative_rate", 0.3740)):
        events, among = RATES[name].count(everybody)
        assert round(float(events / among), 4) == expected
    again = pair.current[:, :, POSITIVE].sum(axis=1) / pair.current.sum(axis=(1, 2))
    found = dict(zip(pair.groups, again.round(2).tolist(), strict=True))
    assert (found["African-American"], found["Caucasian"]) == (0.51, 0.39)


@pytest.mark.parametrize(
    ("metric", "ratio", "difference", "sd"),
    [
        ("false_positive_rate", (1.9121, 1.7225, 2.1256), (0.2139, 0.1821, 0.2450), 12.78),
        ("false_negative_rate", (0.5864, 0.5320, 0.6469), (-0.1974, -0.2346, -0.1599), -10.50),
        ("positive_predictive_value", (1.0649, 0.9999, 1.1375), None, 1.96),
    ],
)
def test_compas_between_black_and_white_defendants(metric, ratio, difference, sd):
    pair = compas(band=Band())
    found = measured(f"{metric}_ratio", pair)["African-American"]
    assert (found.value, found.low, found.high) == pytest.approx(ratio, abs=1e-4)
    assert found.detail["sd"] == pytest.approx(sd, abs=5e-3)
    if difference:
        found = measured(f"{metric}_difference", pair)["African-American"]
        assert (found.value, found.low, found.high) == pytest.approx(difference, abs=1e-4)


def test_compas_is_far_from_chance_where_another_tool_takes_one_rate_for_another():
    pair = compas(band=Band())
    false_positives = measured("false_positive_rate_ratio", pair)["African-American"]
    assert false_positives.p_value < 1e-30
    assert fisher(805, 1795, 349, 1488) == pytest.approx(5.1e-38, rel=0.02)
    assert fisher(532, 1901, 461, 966) == pytest.approx(2.6e-25, rel=0.02)
    # Aequitas 1.1.0 prints this p, of the false discovery rate, for the false positive rate.
    found = measured("false_discovery_rate_ratio", pair)["African-American"]
    assert found.p_value == pytest.approx(0.0504, abs=5e-4)
    # 31 Asian defendants, 11 Native Americans: listed, not judged.
    few = measured("false_positive_rate_ratio", pair)["Asian"]
    assert few.reason is Absence.INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("column", "reference", "group", "metric", "printed"),
    [
        ("race", "Caucasian", "African-American", "false_positive_rate", 1.9121),
        ("race", "Caucasian", "Asian", "false_positive_rate", 0.3707),
        ("race", "Caucasian", "Hispanic", "false_positive_rate", 0.9159),
        ("race", "Caucasian", "Native American", "false_positive_rate", 1.5989),
        ("race", "Caucasian", "Other", "false_positive_rate", 0.6291),
        ("race", "Caucasian", "African-American", "false_negative_rate", 0.5864),
        ("race", "Caucasian", "African-American", "selection_rate", 1.6902),
        ("race", "Caucasian", "African-American", "positive_predictive_value", 1.0649),
        ("sex", "Male", "Female", "false_positive_rate", 0.9903),
        ("sex", "Male", "Female", "false_discovery_rate", 1.3364),
        ("age_cat", "25 - 45", "Less than 25", "false_positive_rate", 1.6219),
        ("age_cat", "25 - 45", "Greater than 45", "false_positive_rate", 0.5030),
    ],
)
def test_the_disparities_of_aequitas_demonstration(column, reference, group, metric, printed):
    """Aequitas 1.1.0, demo notebook on the same table."""
    pair = compas(column, reference=reference)
    assert value(f"{metric}_ratio", pair, group) == pytest.approx(printed, abs=5.1e-5)


# Fairlearn, user guide, performing a fairness assessment: 18 rows.

Y_TRUE = [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
Y_PRED = [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
GROUP = ["b", "b", "a", "b", "b", "c", "c", "c", "a", "a", "c", "a", "b", "c", "c", "b", "c", "c"]


def fairlearns(band=NOBODY_TOO_SMALL, **how):
    made = tables(
        [
            {"group": group, "true": str(true), "predicted": str(predicted), "n": "1"}
            for group, true, predicted in zip(GROUP, Y_TRUE, Y_PRED, strict=True)
        ],
        lambda row: row["group"],
        lambda row: row["predicted"] == "1",
        lambda row: row["true"] == "1",
    )
    return population(made, "a", band, **how)


def test_fairlearns_eighteen_rows():
    pair = fairlearns()
    assert pair.current.sum(axis=(1, 2)).tolist() == [4, 6, 8]
    printed = {
        "true_positive_rate": (0.5, 0.6, 0.4),
        "false_positive_rate": (1.0, 0.0, 0.6667),
        "selection_rate": (0.75, 0.5, 0.5),
    }
    by_group = {}
    for metric, expected in printed.items():
        found = [item.value for item in measured(metric, pair).values()]
        assert found == pytest.approx(expected, abs=5e-5)
        by_group[metric] = found
    overall = {}
    for metric, expected in (
        ("true_positive_rate", 0.5),
        ("false_positive_rate", 0.6667),
        ("selection_rate", 0.5556),
    ):
        events, among = RATES[metric].count(pair.current.sum(axis=0))
        overall[metric] = float(events / among)
        assert overall[metric] == pytest.approx(expected, abs=5e-5)
    selected = np.array(by_group["selection_rate"])
    assert np.abs(selected - overall["selection_rate"]).max() == pytest.approx(0.1944, abs=5e-5)
    ratios = selected / overall["selection_rate"]
    assert np.minimum(ratios, 1 / ratios).min() == pytest.approx(0.7407, abs=5e-5)


def test_fairlearns_differences_and_ratios_are_those_to_the_highest_rate():
    pair = fairlearns(against=HeldAgainst.BEST_OFF)
    demographic = measured("selection_rate_difference", pair)
    assert min(item.value for item in demographic.values()) == pytest.approx(-0.25)
    ratios = measured("selection_rate_ratio", pair)
    assert min(item.value for item in ratios.values()) == pytest.approx(0.6667, abs=5e-5)
    # Equalized odds: the larger of the two differences, the smaller of the two ratios.
    apart = {
        name: [item.value for item in measured(name, fairlearns()).values()]
        for name in ("true_positive_rate", "false_positive_rate")
    }
    assert max(max(rates) - min(rates) for rates in apart.values()) == pytest.approx(1.0)
    assert min(min(rates) / max(rates) for rates in apart.values()) == 0.0


def test_eighteen_rows_are_too_few_to_say_anything():
    for metric in ("selection_rate", "true_positive_rate", "false_positive_rate"):
        for item in measured(f"{metric}_ratio", fairlearns(Band())).values():
            assert item.reason in {Absence.REFERENCE_UNAVAILABLE, Absence.INSUFFICIENT_DATA}


# Bickel, Hammel and O'Connell (1975); R, help of mantelhaen.test on UCBAdmissions.


def berkeley(reference="Male"):
    made = tables(
        rows("ucb_admissions.csv"),
        lambda row: row["Gender"],
        lambda row: row["Admit"] == "Admitted",
        stratum=lambda row: row["Dept"],
        n="Freq",
    )
    return population(made, reference, Band())


def test_berkeley_admitted_fewer_women():
    pair = berkeley()
    rates = measured("selection_rate", pair)
    assert (rates["Male"].value, rates["Female"].value) == pytest.approx((0.4452, 0.3035), abs=5e-5)
    ratio = measured("selection_rate_ratio", pair)["Female"]
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.6818, 0.6283, 0.7390), abs=5e-5)
    assert ratio.detail["sd"] == pytest.approx(-9.60, abs=5e-3)
    assert ratio.detail["sd"] ** 2 == pytest.approx(92.205, abs=5e-4)
    everybody = odds_ratio([1198], [2691], [557], [1835])
    assert everybody.value == pytest.approx(1.8411, abs=5e-5)


def test_berkeley_admitted_slightly_more_women_within_departments():
    pair = berkeley()
    found = measured("selection_rate_conditional_difference", pair)["Female"]
    assert found.value == pytest.approx(0.018425, abs=5e-7)
    assert found.now - found.then == pytest.approx(found.value)
    assert found.detail["marginal"] == pytest.approx(-0.1416, abs=5e-5)
    assert found.detail["sign_reversal"] == 1
    assert found.p_value == pytest.approx(0.2169, abs=5e-5)
    assert found.low < 0 < found.high
    ratio = measured("selection_rate_conditional_ratio", pair)["Female"]
    assert ratio.value == pytest.approx(1.058307, abs=5e-7)
    assert (ratio.low, ratio.high) == pytest.approx((0.9704, 1.1542), abs=1.1e-4)
    assert ratio.detail["marginal"] == pytest.approx(0.6818, abs=5e-5)
    assert "sign" in ratio.note


def test_berkeleys_departments_differ_among_themselves():
    found = measured("selection_rate_conditional_ratio", berkeley())["Female"]
    assert found.detail["heterogeneity_p"] == pytest.approx(0.0021, abs=5e-5)
    assert "not a summary" in found.note
    assert found.detail["strata"] == found.detail["strata_compared"] == 6


def test_berkeley_in_rs_documentation():
    pair = berkeley()
    events, known = RATES["selection_rate"].count(pair.strata.table[:, :-2])
    women, men = (pair.groups.index(name) for name in ("Female", "Male"))
    counts = events[men], known[men], events[women], known[women]
    common = odds_ratio(*counts)
    assert common.value == pytest.approx(0.9046968, abs=5e-8)
    assert common.interval == pytest.approx((0.7719074, 1.0603298), abs=5e-8)
    plain, corrected = (association(*counts, continuity=how) for how in (False, True))
    assert (plain.statistic, plain.p_value) == pytest.approx((1.5246, 0.2169), abs=5e-5)
    assert (corrected.statistic, corrected.p_value) == pytest.approx((1.4269, 0.2323), abs=5e-5)
    apart = heterogeneity(*counts, tarone=False)
    assert (apart.statistic, apart.df) == pytest.approx((18.83, 5), abs=5e-3)
    assert apart.p_value == pytest.approx(0.0021, abs=5e-5)


def test_berkeleys_demographic_disparity_is_that_of_clarifys_documentation():
    pair = berkeley()
    detail = measured("selection_rate_conditional_difference", pair)["Female"].detail
    assert detail["demographic_disparity"] == pytest.approx(0.1438, abs=5e-5)
    women, everybody = pair.current[pair.groups.index("Female")], pair.current.sum(axis=0)
    shares = (women / np.maximum(everybody, 1))[:2, UNKNOWN]  # of the rejected, of the admitted
    assert shares.tolist() == pytest.approx([0.461, 0.317], abs=5e-4)
    assert detail["conditional_demographic_disparity"] == pytest.approx(-0.01928, abs=5e-6)


# Amazon SageMaker Clarify, bias analysis notebook on the German credit data.


def german(facet, stratum=lambda row: row["housing"], band=NOBODY_TOO_SMALL):
    made = tables(
        rows("german_counts.csv"),
        lambda row: "facet" if facet(row) else "rest",
        lambda row: row["good"] == "1",
        stratum=stratum,
    )
    return population(made, "rest", band)


def test_clarifys_metrics_of_foreign_workers():
    pair = german(lambda row: row["foreign"] == "1")
    facet, rest = pair.current.sum(axis=(1, 2))
    assert (rest - facet) / 1000 == pytest.approx(-0.926)
    found = measured("selection_rate_difference", pair)["facet"]
    assert -found.value == pytest.approx(0.1992646852, abs=5e-11)  # Clarify subtracts the facet
    p, q = (np.array([rate, 1 - rate]) for rate in (found.then, found.now))
    middle = np.array([0.7, 0.3])  # of all 1,000
    divergence = ((p * np.log(p / middle)).sum() + (q * np.log(q / middle)).sum()) / 2
    assert divergence == pytest.approx(0.0529310163, abs=5e-11)
    detail = measured("selection_rate_conditional_difference", pair)["facet"].detail
    assert detail["conditional_demographic_disparity"] == pytest.approx(0.0329040012, abs=5e-11)


def test_clarifys_metrics_of_people_over_forty():
    pair = german(lambda row: int(row["age"]) > 40)
    facet, rest = pair.current.sum(axis=(1, 2))
    assert (rest - facet) / 1000 == pytest.approx(0.452)
    found = measured("selection_rate_difference", pair)["facet"]
    assert -found.value == pytest.approx(-0.0512758641, abs=5e-11)
    detail = measured("selection_rate_conditional_difference", pair)["facet"].detail
    assert detail["conditional_demographic_disparity"] == pytest.approx(-0.0601777806, abs=5e-11)


def test_german_credit_by_age_and_sex():
    young = german(lambda row: int(row["age"]) <= 25, band=Band())
    ratio = measured("selection_rate_ratio", young)["facet"]
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx(
        (0.794826, 0.6930, 0.8959), abs=1.1e-4
    )
    assert ratio.detail["sd"] == pytest.approx(-4.05, abs=5e-3)
    assert (ratio.now, ratio.then) == pytest.approx((0.5789, 0.7284), abs=5e-5)
    assert value("selection_rate_difference", young, "facet") == pytest.approx(-0.149448, abs=5e-7)
    women = german(lambda row: row["female"] == "1")
    assert value("selection_rate_difference", women, "facet") == pytest.approx(-0.074801, abs=5e-7)
    assert value("selection_rate_ratio", women, "facet") == pytest.approx(0.896567, abs=5e-7)


# Becker and Kohavi (1996), Adult; AIF360's counts.


@pytest.mark.parametrize(
    ("complete", "group", "reference", "difference", "ratio"),
    [
        (False, "sex:Female", "sex:Male", -0.194516, 0.359655),
        (True, "sex:Female", "sex:Male", -0.198901, 0.363470),
        (False, "race:other", "race:White", -0.101445, 0.600592),
    ],
)
def test_adult_incomes(complete, group, reference, difference, ratio):
    column = group.split(":")[0]
    kept = [row for row in rows("adult_counts.csv") if not complete or row["complete"] == "1"]
    assert sum(int(row["n"]) for row in kept) == (45_222 if complete else 48_842)

    def named(row):
        whole = f"{column}:{row[column]}"
        return whole if whole in {group, reference} else group

    pair = population(tables(kept, named, lambda row: row["high_income"] == "1"), reference, Band())
    assert value("selection_rate_difference", pair, group) == pytest.approx(difference, abs=5e-7)
    assert value("selection_rate_ratio", pair, group) == pytest.approx(ratio, abs=5e-7)


# New York City, Department of Consumer and Worker Protection, 6 RCNY 5-301: the examples.


def city(part):
    return {
        " × ".join(filter(None, (row["race"], row["sex"]))): (
            (int(row["selected"]), int(row["applicants"])),
            float(row["impact_ratio_published"]),
        )
        for row in rows("dcwp_ll144_selection_example.csv")
        if row["table"] == part
    }


@pytest.mark.parametrize(
    ("part", "digits"), [("race", 0.01), ("sex", 0.001), ("intersectional", 0.001)]
)
def test_every_impact_ratio_of_the_citys_selection_example(part, digits):
    printed = city(part)
    counts = {name: counted for name, (counted, _) in printed.items()}
    best = max(counts, key=lambda name: counts[name][0] / counts[name][1])
    ratios = measured("selection_rate_ratio", population(of_counts(counts), best))
    assert printed[best][1] == 1.0
    for name, (_, expected) in printed.items():
        if name != best:
            # The rule rounds or cuts off its last digit, as it goes.
            assert ratios[name].value == pytest.approx(expected, abs=digits)


def test_the_citys_ratios_are_those_to_the_group_that_is_best_off():
    printed = city("intersectional")
    counts = {name: counted for name, (counted, _) in printed.items()}
    pair = population(of_counts(counts), next(iter(counts)), Band(), against=HeldAgainst.BEST_OFF)
    found = measured("selection_rate_ratio", pair)
    white_men = found["White × Male"]
    assert (white_men.value, white_men.method) == (1.0, "held against itself")
    alaskan = "Native American or Alaska Native × Female"
    assert found[alaskan].reason is Absence.INSUFFICIENT_DATA
    assert counts[alaskan] == (7, 17)
    assert 17 / sum(n for _, n in counts.values()) == pytest.approx(0.0066, abs=5e-5)
    assert fisher(7, 17, 215, 412) == pytest.approx(0.46, abs=5e-3)


def test_one_row_of_the_citys_example_in_full():
    counts = {name: counted for name, (counted, _) in city("race").items()}
    found = measured("selection_rate_ratio", population(of_counts(counts), "White", Band()))
    black = found["Black or African American"]
    assert (black.value, black.low, black.high) == pytest.approx((0.843, 0.737, 0.959), abs=5e-4)
    assert black.detail["sd"] == pytest.approx(-2.62, abs=5e-3)
    assert black.detail["shortfall"] == pytest.approx(21.2, abs=0.05)
    assert fisher(170, 390, 412, 797) == pytest.approx(0.0094, abs=5e-5)
    exact = [fisher(*counts[name], *counts["White"]) for name in counts if name != "White"]
    assert min(holm(exact)) == pytest.approx(0.057, abs=5e-4)
    # This table is large enough for z, whose p is .0087.
    assert black.p_value == pytest.approx(0.0087, abs=5e-5)
    assert 0.05 < black.p_adjusted < 0.057


def test_the_citys_250_unknown_applicants_could_bring_a_ratio_below_four_fifths():
    """As an audit of such audits does: the unselected among them in proportion."""
    counts = {name: counted for name, (counted, _) in city("race").items()}
    black, white = counts["Black or African American"], counts["White"]
    proportional = 250 * black[1] / sum(known for _, known in counts.values())
    bounds = membership_bounds((*black, *white), 0, proportional)
    assert float(bounds.low) == pytest.approx(0.769, abs=5e-4)
    table = np.zeros((3, 3), np.int64)
    table[NEGATIVE, UNKNOWN] = 250
    pair = population(of_counts(counts), "White", Band(), unassigned=table)
    detail = measured("selection_rate_ratio", pair)["Black or African American"].detail
    assert detail["unknown_low"] == pytest.approx(170 / 640 / (412 / 797))


def test_the_citys_scoring_example():
    """Scoring rates are shares above the median of the sample: 84 of 168."""
    sexes = {"Male": (50, 92), "Female": (34, 76)}
    races = {
        "Hispanic or Latino": (18, 28),
        "White": (15, 40),
        "Black or African American": (16, 32),
        "Native Hawaiian or Pacific Islander": (5, 8),
        "Asian": (10, 24),
        "Native American or Alaska Native": (10, 16),
        "Two or More Races": (10, 20),
    }
    for counts in (sexes, races):
        assert sum(above for above, _ in counts.values()) == 84
        assert sum(n for _, n in counts.values()) == 168
    rates = measured("selection_rate", population(of_counts(races), "Hispanic or Latino"))
    printed = (0.642, 0.375, 0.50, 0.625, 0.417, 0.625, 0.50)  # the first is cut off, not rounded
    assert [item.value for item in rates.values()] == pytest.approx(printed, abs=1e-3)
    ratios = measured("selection_rate_ratio", population(of_counts(races), "Hispanic or Latino"))
    assert [round(item.value, 2) for item in ratios.values()] == [
        0.58, 0.78, 0.97, 0.65, 0.97, 0.78,
    ]  # fmt: skip
    pair = population(of_counts(sexes), "Male")
    levels = measured("selection_rate", pair)
    assert [round(item.value, 3) for item in levels.values()] == [0.543, 0.447]
    assert round(value("selection_rate_ratio", pair, "Female"), 2) == 0.82


def test_a_group_of_nobody_selected_has_a_bounded_ratio_and_difference():
    pair = population(of_counts({"a": (5, 30), "b": (0, 20)}), "a")
    ratio = measured("selection_rate_ratio", pair)["b"]
    assert (ratio.value, ratio.low) == (0, 0)
    assert 1 < ratio.high < 1.06
    found = measured("selection_rate_difference", pair)["b"]
    assert (found.low, found.high) == pytest.approx(newcombe(0, 20, 5, 30))
