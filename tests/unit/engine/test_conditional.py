"""Groups compared within strata: a real log, a real store."""

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate
from monitor.domain.field import Attribute, Stratum
from monitor.engine.recheck import Agreement, Rechecker, revisions_within
from monitor.reports.strata import SHOWN_GROUPS, strata_table
from monitor.reports.summary import summarise
from monitor.reports.wording import subject_of
from tests.held import Deployment

REGIONS = np.array(["n", "n", "s"])
REGION = {"region": Stratum(Attribute("region", "region"), "r.lee", "set before the model")}
CONDITIONAL = {"selection_rate_conditional_difference", "selection_rate_conditional_ratio"}


@pytest.fixture
def deployment(tmp_path):
    """Two days of baseline, and two more; on the last, nobody says where he lives."""
    made = Deployment(tmp_path, strata=REGION)
    for place in range(4):
        made.write(place, rows=900, regions=REGIONS if place < 3 else None)
    made.register()
    made.check(4)
    return made


def within(deployment, place):
    (result,) = deployment.run(place).results
    return {item.measure: item for item in result.readings if item.subject.stratum}


@pytest.mark.slow
def test_what_is_stored_says_within_what_it_was_compared(deployment):
    found = within(deployment, 2)
    assert set(found) == CONDITIONAL
    for reading in found.values():
        assert isinstance(reading.result, Estimate)
        assert reading.subject.stratum == "region"
        assert reading.result.n + reading.result.n_reference == 900
        assert reading.result.detail["strata_compared"] == 2
        said = subject_of(deployment.policy, reading)
        assert (
            said
            == f"sex: {reading.subject.group} against {reading.subject.reference_group} within region"
        )


def test_strata_that_are_not_known_are_never_alike(deployment):
    for reading in within(deployment, 3).values():
        assert reading.result.reason is Absence.UNDEFINED
        assert "no stratum of region" in reading.result.explanation


def test_it_is_shown_beside_what_is_judged_and_not_judged_itself(deployment):
    (result,) = deployment.run(2).results
    judged = {item.reading.measure for item in result.findings}
    assert "selection_rate_ratio" in judged
    assert not CONDITIONAL & judged


@pytest.mark.slow
def test_a_factor_changes_nothing_of_what_is_measured_over_all_rows(deployment, tmp_path):
    plain = Deployment(tmp_path / "plain")
    for place in range(4):
        plain.write(place, rows=900, regions=REGIONS if place < 3 else None)
    plain.register()
    plain.check(4)
    for place in (2, 3):
        (one,), (other,) = deployment.run(place).results, plain.run(place).results
        assert [item for item in one.readings if not item.subject.stratum] == list(other.readings)


@pytest.mark.slow
def test_what_was_stored_is_found_again(deployment):
    store, policy = deployment.store, deployment.policy
    rechecker = Rechecker(store, policy.model, lambda _: policy)
    found = [
        rechecker.recheck(window, revision)
        for window, revision in revisions_within(store, policy.model, None)
    ]
    assert {item.agreement for item in found} == {Agreement.EQUAL}


@pytest.mark.slow
def test_the_summary_shows_both_differences_with_rates_and_rows(deployment):
    table = strata_table(deployment.policy, [deployment.run(1), deployment.run(2)])
    assert table.title == "Within strata, 2024-01-03"
    ((what, metric, rows, over_all, inside, known),) = table.rows
    found = within(deployment, 2)["selection_rate_conditional_difference"].result
    assert (what.split(" against ")[1], metric) == ("f within region", "selection_rate")
    assert rows == f"{found.n} against {found.n_reference}"
    assert over_all == f"{100 * found.detail['marginal']:+.1f}"
    assert inside.startswith(f"{100 * found.value:+.1f} (")
    assert inside.endswith(f"{found.now:.1%} against {found.then:.1%}")
    assert known == found.note
    assert "(p = 0.028)" in known  # by chance, as once in twenty windows
    assert table in summarise(deployment.policy, [deployment.run(2)])


@pytest.mark.slow
def test_the_summary_says_why_nothing_could_be_compared_within_strata(deployment):
    ((*_, inside, known),) = strata_table(deployment.policy, [deployment.run(3)]).rows
    assert inside == "–"
    assert "no stratum of region has rows of both" in known
    assert strata_table(deployment.policy, []).rows == ()


@pytest.mark.slow
def test_the_summary_names_first_what_has_to_be_known(deployment):
    run = deployment.run(2)
    (result,) = run.results
    plain = within(deployment, 2)["selection_rate_conditional_difference"]
    plain = replace(plain, result=replace(plain.result, note=""))
    noted = replace(
        plain,
        subject=replace(plain.subject, group="x"),
        result=replace(plain.result, note="the sign is another than over all rows"),
    )
    alike = replace(
        plain, subject=replace(plain.subject, group="y"), result=Estimate(0.0, 9, method="itself")
    )
    many = replace(result, readings=(*[plain] * 40, noted, alike))
    table = strata_table(deployment.policy, [replace(run, results=(many,))])
    assert len(table.rows) == SHOWN_GROUPS
    assert table.rows[0][0].startswith("sex: x against")
    assert table.rows[0][-1] == "the sign is another than over all rows"
    assert "12 further comparisons are stored" in table.note
    few = replace(run, results=(replace(result, readings=(alike,)),))
    assert strata_table(deployment.policy, [few]).rows[0][3:] == ("–", "–", "itself")
