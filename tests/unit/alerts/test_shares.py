"""What the verdicts on single features come to."""

import pytest
from msgspec.structs import replace

from monitor.alerts.shares import drifted_shares, judged_shares
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Field, FieldKind, FieldRole
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Limit
from monitor.domain.policy import FieldLimit
from monitor.domain.reading import Reading, Subject
from tests.stored import a_policy

FIELDS = (
    *(Field(f"f{place}", f"f{place}", FieldKind.NUMERIC) for place in range(4)),
    *Field("text", "text", FieldKind.TEXT).in_parts(),
    Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
)
POLICY = replace(a_policy(), fields=FIELDS, limits={})
OK, WARNING, CRITICAL, UNKNOWN = Verdict.OK, Verdict.WARNING, Verdict.CRITICAL, Verdict.UNKNOWN


def found(field, verdict, measure="psi", **subject):
    result = (
        Unmeasurable(Absence.NO_DATA, "nothing came", 70, 900)
        if verdict is UNKNOWN
        else Estimate(0.2, 80, 1000)
    )
    reason = Reason.NO_DATA if verdict is UNKNOWN else Reason.WITHIN
    reading = Reading(measure, Subject("credit", "1", field, **subject), result)
    return Finding(reading, Limit(0.1, 0.25), verdict, reason, "said")


def shares(*findings, policy=POLICY):
    return {item.subject: item.result for item in drifted_shares(findings, policy)}


def the_share(*findings):
    (result,) = shares(*findings).values()
    return result


def judged(limit, *findings):
    policy = replace(POLICY, limits={"drifted_share": FieldLimit(limit)})
    (finding,) = judged_shares(drifted_shares(findings, policy), policy)
    return finding


def test_the_share_is_that_of_features_beyond_a_limit():
    share = the_share(found("f0", OK), found("f1", WARNING), found("f2", CRITICAL), found("f3", OK))
    assert (share.value, share.low, share.high) == (0.5, None, None)
    assert (share.n, share.n_reference) == (80, 1000)
    assert share.note == "2 of 4 features (f1, f2)"
    assert share.detail == {"beyond": 2, "judged": 4, "unjudged": 0}


def test_a_feature_counts_once_whatever_it_was_measured_by():
    share = the_share(
        found("f0", OK),
        found("f0", WARNING, "ks"),
        found("text.length", OK),
        found("text.tokens", CRITICAL),
        found("text.empty", UNKNOWN),
    )
    assert (share.value, share.note) == (1.0, "2 of 2 features (f0, text)")


def test_output_quality_and_single_slices_are_no_drift_of_features():
    assert shares(found("score", CRITICAL)) == {}
    assert shares(found("", CRITICAL, "decision_rate")) == {}
    assert shares(found("f0", CRITICAL, "missing_rate")) == {}
    assert shares(found("f0", CRITICAL, segment="region", segment_value="n")) == {}


def test_each_reference_has_a_share_of_its_own():
    found_shares = shares(
        found("f0", OK),
        found("f0", WARNING, reference="yesterday"),
        found("f1", OK, reference="yesterday"),
        found("f0", WARNING, reference="peers", segment="region", segment_value="n"),
    )
    told = {(item.reference, item.segment_value): r.value for item, r in found_shares.items()}
    assert told == {("", ""): 0.0, ("yesterday", ""): 0.5, ("peers", "n"): 1.0}


def test_what_could_not_be_judged_makes_the_ends():
    share = the_share(found("f0", WARNING), found("f1", OK), found("f2", UNKNOWN))
    assert share.value == 0.5
    assert (share.low, share.high) == pytest.approx((1 / 3, 2 / 3))


def test_nothing_judged_is_no_share_and_says_why():
    share = the_share(found("f0", UNKNOWN), found("f1", UNKNOWN))
    assert (share.reason, share.n, share.n_reference) == (Absence.NO_DATA, 70, 900)
    assert "none of 2 features" in share.explanation


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ((OK, OK, OK, WARNING), OK),
        ((OK, WARNING, WARNING, CRITICAL), CRITICAL),
        ((OK, OK, WARNING, WARNING), WARNING),
        ((OK, OK, OK, UNKNOWN), OK),
        ((OK, OK, WARNING, UNKNOWN), UNKNOWN),  # with it, a half is beyond
        ((WARNING, WARNING, WARNING, UNKNOWN), CRITICAL),  # without it as well
        ((UNKNOWN,) * 4, UNKNOWN),
    ],
)
def test_it_is_judged_by_what_is_known_and_never_ok_by_what_is_not(verdicts, verdict):
    findings = [found(f"f{place}", item) for place, item in enumerate(verdicts)]
    assert judged(Limit(0.4, 0.6), *findings).verdict is verdict


def test_unknown_features_are_named_in_the_reason():
    finding = judged(Limit(0.4, None), found("f0", WARNING), found("f1", OK), found("f2", UNKNOWN))
    assert finding.reason is Reason.INSUFFICIENT_DATA
    assert "1 could not be judged, with which it may be 0.667" in finding.explanation


def test_without_a_limit_it_is_not_judged_and_a_reference_has_its_own():
    findings = (found("f0", WARNING), found("f0", WARNING, reference="yesterday"))
    own = {"yesterday": {"drifted_share": FieldLimit(Limit(None, 0.5))}}
    policy = replace(POLICY, reference_limits=own)
    (finding,) = judged_shares(drifted_shares(findings, policy), policy)
    assert finding.reading.subject.reference == "yesterday"
    assert finding.verdict is CRITICAL
    assert "f0" in finding.explanation
