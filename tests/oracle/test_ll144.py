"""The example of New York City's rule on bias audits, under the profile that is named after it.

Counts and impact ratios: 6 RCNY 5-304, as kept in ``data/dcwp_ll144_selection_example.csv``; the table
of scores is in the text of the rule only. Ratios are printed to two or three places.
"""

import csv
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.alerts.disparity import OF_RATIO, judge_disparity, sides_of
from monitor.config.model_file import parse_policy
from monitor.domain.disparity import LeftOut
from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Effect
from monitor.domain.finding import Reason, Verdict
from monitor.domain.limit import HeldAgainst
from monitor.domain.reading import Reading, Subject
from monitor.measures.disparity.level import level
from monitor.measures.disparity.rates import RATES
from monitor.measures.disparity.ratio import ratio
from monitor.measures.measure import GroupPair
from monitor.profile.counts import NEGATIVE, POSITIVE, UNKNOWN

pytestmark = pytest.mark.oracle

RATE = RATES["selection_rate"]
SIDE = sides_of(Effect.FAVOURABLE)["selection_rate"]
UNKNOWN_ROWS = {"selection": 250, "scoring": 15}
POLICY = parse_policy(
    """model: hiring
source: {path: log, event_time: at}
fields: {score: numeric}
decision: {column: selected, positive: [true], positive_is: favourable}
populations: [sex, race]
crossings: [[race, sex]]
schedule: {window: year}
limits: {disparity: {profile: ll144}}
""",
    "hiring.yaml",
)
SCORES = {
    "sex": {"Male": (92, 50, 1.00), "Female": (76, 34, 0.82)},
    "race": {
        "Hispanic": (28, 18, 1.00),
        "White": (40, 15, 0.58),
        "Black": (32, 16, 0.78),
        "Native Hawaiian or Pacific Islander": (8, 5, 0.97),
        "Asian": (24, 10, 0.65),
        "Native American or Alaska Native": (16, 10, 0.97),
        "Two or More Races": (20, 10, 0.78),
    },
}
"""Rows, and those scored above the median of all: 84 of 168 in either table."""


def selections():
    tables = {"race": {}, "sex": {}, "intersectional": {}}
    path = Path(__file__).parent / "data" / "dcwp_ll144_selection_example.csv"
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = " × ".join(filter(None, (row["race"], row["sex"])))
            numbers = int(row["applicants"]), int(row["selected"])
            tables[row["table"]][name] = (*numbers, float(row["impact_ratio_published"]))
    return tables


EXAMPLES = {f"selection {name}": table for name, table in selections().items()} | {
    f"scoring {name}": table for name, table in SCORES.items()
}


def pair(example, *, unassigned=False):
    table = EXAMPLES[example]
    groups = list(table)
    counts = np.zeros((len(groups) + 1, 3, 3), np.int64)
    for place, (rows, favoured, _) in enumerate(table.values()):
        counts[place, POSITIVE, UNKNOWN] = favoured
        counts[place, NEGATIVE, UNKNOWN] = rows - favoured
    unknown = UNKNOWN_ROWS[example.split()[0]]
    counts[-1, [POSITIVE, NEGATIVE], UNKNOWN] = unknown // 2, unknown - unknown // 2
    listed = len(groups) + unassigned
    population = {"intersectional": "race × sex"}.get(example.split()[1], example.split()[1])
    return GroupPair(
        population,
        (*groups, "(unknown)")[:listed],
        counts[:listed],
        counts[:listed],
        0,
        Effect.FAVOURABLE,
        POLICY.band_of(population),
        POLICY.held_against,
        counts[-1],
    )


def findings(example):
    return {
        name: judge_disparity(
            Reading("selection_rate_ratio", Subject("hiring", group=name), result),
            POLICY.band_of("race", "selection_rate"),
            SIDE,
            OF_RATIO,
        )
        for name, result in ratio(RATE, pair(example)).items()
    }


def test_the_profile_holds_every_category_against_the_most_selected_one():
    assert POLICY.held_against is HeldAgainst.BEST_OFF
    assert POLICY.disparity_metrics == ("selection_rate",)
    assert (POLICY.band.min_rows, POLICY.band.min_expected) == (1, 0)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_published_impact_ratio_is_reproduced(example):
    found = findings(example)
    assert set(found) == set(EXAMPLES[example])
    for name, (_, _, published) in EXAMPLES[example].items():
        value = found[name].reading.result.value
        # The rule truncates some ratios and rounds others.
        assert value == pytest.approx(published, abs=0.0105 if "scoring" in example else 0.0051)


@pytest.mark.parametrize("example", EXAMPLES)
def test_nobody_alarms_in_the_published_example(example):
    verdicts = {name: item.verdict for name, item in findings(example).items()}
    assert {name for name, item in verdicts.items() if item is Verdict.CRITICAL} == set()
    assert {name for name, item in verdicts.items() if item is Verdict.WARNING} == set()


def test_the_black_row_is_for_a_person_to_review():
    found = findings("selection race")["Black or African American"]
    result = found.reading.result
    assert found.reason is Reason.REVIEW
    assert f"{result.value:.2f}" == "0.84"
    assert (result.low, result.high) == (
        pytest.approx(0.737, abs=5e-4),
        pytest.approx(0.959, abs=5e-4),
    )
    assert result.p_value == pytest.approx(0.0087, abs=5e-5)  # by z; by Fisher 0.0094
    assert result.p_adjusted > POLICY.band.alpha  # over all 21 pairs; 0.057 over the six
    assert result.detail["sd"] == pytest.approx(-2.62, abs=5e-3)
    assert result.note == "against White"


def test_who_is_in_no_known_category_is_counted_and_in_no_ratio():
    levels = level(RATE, pair("selection race", unassigned=True))
    assert levels["(unknown)"].n == UNKNOWN_ROWS["selection"]
    assert "(unknown)" not in findings("selection race")


def test_a_category_below_two_per_cent_is_shown_with_its_numbers_and_is_never_the_reference():
    found = findings("selection intersectional")
    rows = {name: item[0] for name, item in EXAMPLES["selection intersectional"].items()}
    small = [name for name, number in rows.items() if number < 0.02 * sum(rows.values())]
    assert "Native American or Alaska Native × Female" in small
    for name in small:
        result = found[name].reading.result
        assert result.n == rows[name]
        assert found[name].verdict in {Verdict.OK, Verdict.UNKNOWN}
    favoured = found["Native American or Alaska Native × Female"].reading.result
    assert f"{favoured.value:.3f}" == "0.789"
    assert {item.reading.result.note for item in found.values()} == {"against White × Male"}


def test_the_scores_above_the_median_are_half_of_all():
    for table in SCORES.values():
        assert sum(rows for rows, _, _ in table.values()) == 168
        assert sum(above for _, above, _ in table.values()) == 84


def test_a_category_below_two_per_cent_is_left_out_with_its_rows_rate_and_justification():
    example = "selection intersectional"
    table = EXAMPLES[example]
    whole = pair(example)
    rare = {name for name, (rows, _, _) in table.items() if rows < 0.02 * whole.current.sum()}
    assert "Native American or Alaska Native × Female" in rare
    asked = replace(whole, left_out=LeftOut(0.02, "fewer than 2 % of applicants"))
    ratios, rates = ratio(RATE, asked), level(RATE, asked)
    assert {name for name, item in ratios.items() if isinstance(item, Unmeasurable)} == rare
    for name in rare:
        rows, selected, _ = table[name]
        assert ratios[name].reason is Absence.LEFT_OUT
        assert "because fewer than 2 % of applicants" in ratios[name].explanation
        assert (rates[name].n, rates[name].value) == (rows, pytest.approx(selected / rows))
    full = ratio(RATE, whole)
    for name in set(ratios) - rare:  # the most selected one is not rare: ratios stay as published
        assert ratios[name].value == full[name].value
        assert ratios[name].p_adjusted <= full[name].p_adjusted  # fewer are compared


def test_the_most_selected_category_is_not_one_that_is_left_out():
    table = np.zeros((3, 3, 3), np.int64)
    table[:, [POSITIVE, NEGATIVE], UNKNOWN] = [[19, 1], [300, 300], [250, 350]]
    usual = pair("selection race")
    groups = ("rare", "many", "more")
    asked = replace(
        usual, groups=groups, current=table, reference=table, left_out=LeftOut(0.02, "rare")
    )
    found = ratio(RATE, asked)
    assert found["rare"].reason is Absence.LEFT_OUT
    assert found["more"].value == pytest.approx(250 / 300)


def test_a_reference_group_that_is_left_out_cannot_be_held_against():
    table = np.zeros((2, 3, 3), np.int64)
    table[:, [POSITIVE, NEGATIVE], UNKNOWN] = [[9, 1], [300, 300]]
    asked = replace(
        pair("selection sex"),
        groups=("rare", "many"),
        current=table,
        reference=table,
        against=HeldAgainst.LARGEST,
        left_out=LeftOut(0.05, "rare"),
    )
    found = ratio(RATE, asked)
    assert found["many"].reason is Absence.REFERENCE_UNAVAILABLE
