"""Limits of a finding, in words and as they are drawn."""

import pytest

from monitor.alerts.judge import judge
from monitor.domain.estimate import Estimate
from monitor.domain.limit import Limit
from monitor.domain.reading import Reading, Subject
from monitor.measures.direction import either_side
from monitor.reports.finding import bounds_text, limit_marks


def found(measure, limit):
    estimate = Estimate(-0.13, n=500, n_reference=900, low=-0.15, high=-0.11)
    reading = Reading(measure, Subject("credit", "1"), estimate)
    return judge(reading, limit, either_side=either_side(measure))


@pytest.mark.parametrize("measure", ["concept_drift", "multiclass_concept_drift", "score_mean"])
def test_where_a_fall_counts_like_a_rise_limits_are_on_both_sides(measure):
    finding = found(measure, Limit(warning=0.05, critical=0.1))
    assert finding.verdict == "critical"
    assert bounds_text(finding) == "warning beyond 0.05, critical beyond 0.1, in either direction"
    assert limit_marks(finding) == [
        ("warning", 0.05),
        ("critical", 0.1),
        ("warning", -0.05),
        ("critical", -0.1),
    ]


def test_elsewhere_they_are_on_the_side_that_is_worse():
    finding = found("auc_drop", Limit(warning=0.05, critical=None))
    assert bounds_text(finding) == "warning beyond 0.05"
    assert limit_marks(finding) == [("warning", 0.05)]


def test_where_there_is_no_limit_none_is_drawn():
    finding = found("label_rate_gap", Limit(warning=None, critical=None))
    assert (bounds_text(finding), limit_marks(finding)) == ("none", [])
