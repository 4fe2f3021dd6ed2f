import json

import numpy as np

from monitor.domain.reading import Subject
from monitor.engine.recheck import Agreement, Difference, Recheck
from monitor.reports.recheck import LISTED, recheck_document, recheck_tables
from tests.stored import a_window

PSI = Difference(
    "reading", "psi", Subject("credit", "1", "income"), "value", 0.05, np.float64(1.065877)
)
GONE = Difference("finding", "ks", Subject("credit", "1", "age"), "", None, "critical")
DIGEST = Difference("data", "", None, "digest", "aa", "bb")


def recheck(day=0, code="0.2.0", differences=(), why=""):
    return Recheck(a_window(day), 1, code, 159, 35, tuple(differences), why)


def test_results_of_other_versions_are_counted_apart():
    found = [recheck(0, "0.1.0"), recheck(1), recheck(2), recheck(3, why="the baseline is gone")]
    counted, impossible = recheck_tables("credit", found, "0.2.0")
    assert counted.rows == (
        ("0.1.0", "1", "159", "35", "1", "0", "0"),
        ("0.2.0 (this one)", "3", "477", "105", "2", "0", "1"),
    )
    assert counted.note == ""
    assert impossible.rows == (("2005-06-04", "1", "the baseline is gone"),)


def test_a_difference_names_what_was_stored_and_what_is_computed():
    _, differences = recheck_tables("credit", [recheck(0, "0.2.0", [PSI, GONE, DIGEST])], "0.2.0")
    assert differences.rows == (
        ("2005-06-01", "1", "reading psi of income, version 1: value", "0.05", "1.065877"),
        ("2005-06-01", "1", "finding ks of age, version 1", "–", "critical"),
        ("2005-06-01", "1", "data: digest", "aa", "bb"),
    )


def test_a_difference_of_another_version_says_which():
    counted, differences = recheck_tables("credit", [recheck(0, "0.1.0", [PSI])], "0.2.0")
    assert differences.columns[2] == "stored by"
    assert differences.rows[0][2] == "0.1.0"
    assert "may differ because a measure has changed since; this is 0.2.0" in counted.note


def test_a_long_list_is_cut_and_says_so_and_the_document_has_all():
    found = [recheck(0, "0.2.0", [PSI] * (LISTED + 3))]
    _, differences = recheck_tables("credit", found, "0.2.0")
    assert len(differences.rows) == LISTED
    assert differences.note == "3 more are in the output of --output json."
    document = json.loads(json.dumps(recheck_document("credit", found)))
    (result,) = document["results"]
    assert result["agreement"] == Agreement.DIFFERENT
    assert len(result["differences"]) == LISTED + 3
    assert result["differences"][0]["stored"] == 0.05
    assert result["differences"][0]["subject"]["field"] == "income"
