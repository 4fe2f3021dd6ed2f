"""Groups that are alone, tiny, unknown, far too many, or not logged."""

import pandas as pd
import pytest

from monitor.domain.estimate import Unmeasurable
from monitor.domain.finding import Verdict
from tests.hostile.make_nasty import ROWS, write

pytestmark = pytest.mark.slow


def ratios(watched, population):
    """Return the results of the ratio of a population, by group."""
    return {
        item.subject.group: item.result
        for item in watched.readings
        if item.measure == "selection_rate_ratio" and item.subject.population == population
    }


def verdicts(watched, population):
    """Return the verdicts on a population's ratio."""
    return {
        item.verdict
        for item in watched.findings
        if item.reading.measure == "selection_rate_ratio"
        and item.reading.subject.population == population
    }


# ---------------------------------------------------------------------- cases of make_nasty


def test_g01_one_group_alone_has_no_ratio(nasty):
    watched = nasty("g01-single-group")
    found = ratios(watched, "sex")
    assert found
    assert all(isinstance(result, Unmeasurable) for result in found.values())
    assert verdicts(watched, "sex") == {Verdict.UNKNOWN}


def test_g02_a_group_of_one_is_no_finding(nasty):
    watched = nasty("g02-group-of-one")
    assert watched.outcomes.unmapped["education"].counts == {"phd": 1}
    assert Verdict.CRITICAL not in verdicts(watched, "education")
    assert "phd" not in ratios(watched, "education")


def test_g04_rows_of_unknown_membership_are_shown_with_their_number(nasty):
    watched = nasty("g04-null-groups")
    assert watched.outcomes.margin("sex").sum(axis=(1, 2))[2] == 20
    assert watched.metric("group_records", attribute="sex", group="(unknown)") == 20


def test_g05_free_text_makes_no_groups(nasty):
    watched = nasty("g05-300-groups")
    unmapped = watched.outcomes.unmapped["education"]
    assert (unmapped.rows, len(unmapped.counts)) == (3000, 300)
    assert watched.metric("group_records", attribute="education", group="(unmapped)") == 3000
    groups = {
        sample.labels["group"]
        for sample in watched.page["modelmon_group_records"]
        if sample.labels["attribute"] == "education"
    }
    assert len(groups) < 10
    told = watched.told["education", "groups", "unmapped"]
    assert told.startswith("3,000 rows of about 300 values")


def test_g07_what_is_not_logged_is_not_known(nasty):
    watched = nasty("g07-protected-column-absent")
    assert watched.counts["limit_bal"].n == 50
    assert verdicts(watched, "sex") == {Verdict.UNKNOWN}
    assert watched.changes == {("missing", "sex")}
    assert ("sex", "column", "missing") in watched.told


# ---------------------------------------------------------------------- others of each kind


def test_a_group_whose_every_decision_is_missing_is_unknown(log, rows, watch):
    many = pd.concat([rows.others] * 20, ignore_index=True)
    flagged = many.flagged.astype(object).where(many.sex != "male", None)
    ids = [f"w{row}" for row in range(len(many))]
    write(many.assign(prediction_id=ids, flagged=flagged.astype("boolean")), log / "good.parquet")
    watched = watch(log)
    assert verdicts(watched, "sex") == {Verdict.UNKNOWN}


def test_a_baseline_whose_groups_are_free_text_is_bounded(log, rows, watch):
    many = pd.concat([rows.good] * 60, ignore_index=True)
    names = [f"school {row}" for row in range(len(many))]
    ids = [f"w{row}" for row in range(len(many))]
    write(many.assign(prediction_id=ids, education=names), log / "good.parquet")
    watched = watch(log, register=False)
    watched.model.register(start="2005-07-01", end="2005-07-02", why="free text from the start")
    assert watched.run.accounting.profiled == {"1": 3000}
    by_group = [
        sample
        for sample in watched.page["modelmon_group_records"]
        if sample.labels["attribute"] == "education"
    ]
    assert len(by_group) < 110
    assert watched.told["education", "groups", "unmapped"].startswith("2,900 rows of about ")


def test_an_empty_text_is_a_group_with_a_name_of_its_own(log, rows, watch):
    many = pd.concat([rows.good] * 20, ignore_index=True)
    names = ["", "f", "m", "f"] * (len(many) // 4)
    ids = [f"w{row}" for row in range(len(many))]
    write(many.assign(prediction_id=ids, sex=names), log / "good.parquet")
    watched = watch(log, register=False)
    watched.model.register(start="2005-07-01", end="2005-07-02", why="some left it empty")
    assert watched.run.accounting.profiled == {"1": 1000}
    assert {"(empty)", "m"} <= set(ratios(watched, "sex"))
    assert watched.metric("group_records", attribute="sex", group="(empty)") == 250


def test_groups_that_pass_for_those_of_a_crossing_or_for_who_declined_are_told_apart(
    log, rows, watch
):
    many = pd.concat([rows.good] * 20, ignore_index=True)
    quarter = len(many) // 4
    ids = [f"w{row}" for row in range(len(many))]
    sexes = ["a", "a × b", "(declined)", "a ×"] * quarter
    schools = ["b × c", "c", "b", "× b"] * quarter
    write(many.assign(prediction_id=ids, sex=sexes, education=schools), log / "good.parquet")
    watched = watch(log, register=False, more="crossings: [[sex, education]]\n")
    watched.model.register(start="2005-07-01", end="2005-07-02", why="such names from the start")
    assert watched.run.accounting.profiled == {"1": 1000}
    assert set(ratios(watched, "sex")) < {"a", "a×b", "((declined))", "a×"}
    crossed = set(ratios(watched, "sex × education"))
    assert crossed < {"a × b×c", "a×b × c", "((declined)) × b", "a× × ×b"}
    assert len(crossed) == 3  # the fourth is what they are held against


def test_a_group_column_of_numbers_and_text_is_one_group_a_text(log, rows, watch):
    write(rows.others.assign(sex=[1, 2] * (ROWS // 2)), log / "second.parquet")
    watched = watch(log)
    assert watched.outcomes.unmapped["sex"].counts == {"1": 25, "2": 25}
    assert watched.changes == {("retyped", "sex")}


def test_every_row_of_unknown_membership_is_no_clean_bill(log, rows, watch):
    write(rows.good.assign(sex=pd.Series([None] * ROWS, dtype="string")), log / "good.parquet")
    watched = watch(log)
    assert verdicts(watched, "sex") == {Verdict.UNKNOWN}
    assert watched.metric("group_records", attribute="sex", group="(unknown)") == 50
