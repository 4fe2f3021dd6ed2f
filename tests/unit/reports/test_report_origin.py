"""A report says where its versions came from, as it was known when it was written."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from monitor.domain.registry import Origin
from monitor.engine.registry import Look, Observed
from monitor.engine.why import why
from monitor.reports.bias.html import as_html
from monitor.reports.finding_document import finding_document
from tests.held import day
from tests.reading_room import Room
from tests.registries import LINEAGE
from tests.reported import report, stored, verified

SEEN = datetime(2026, 9, 1, 7, 30, tzinfo=UTC)


def see(made, version, at, lineage=LINEAGE, before=None):
    origin = Origin("credit", version, f"s3://models/<{version}>", lineage, at)
    look = Look(at, None, f"look {at}")
    assert made.store.observe(Observed("credit", before, look, origins=(origin,)))


@pytest.fixture
def made(tmp_path):
    found = stored(tmp_path)
    (result,) = found.run(4).results
    see(found, result.version, SEEN)
    return found, result.version


@pytest.mark.slow
def test_the_chain_to_the_run_and_its_data_is_in_the_report_and_holds_when_it_is_verified(made):
    found, version = made
    told = report(found)
    (registered,) = told.registered
    assert (registered.version, registered.run, registered.commit) == (version, "r3", "4f2a9c1")
    assert registered.data == (("applications", "d1f0"),)
    page = as_html(told)
    text = page if isinstance(page, str) else page.decode()
    assert f"s3://models/&lt;{version}&gt;" in text and "<code>r3</code>" in text
    assert found.run(4).results[0].baseline in text
    baseline = found.store.baseline(found.run(4).results[0].baseline)
    assert baseline.manifest.digest in text
    assert not verified(found, text)
    # What the registry is found to say later is not what was known then.
    later = replace(LINEAGE, run="r9")
    see(found, version, SEEN + timedelta(days=1), later, f"look {SEEN}")
    assert not verified(found, text)
    assert report(found).registered[0].run == "r9"


@pytest.mark.slow
def test_a_version_that_no_registry_told_of_has_no_origin(tmp_path):
    found = stored(tmp_path)
    see(found, "another", SEEN)
    assert report(found).registered == ()
    assert "in its registry" not in str(as_html(report(found)))


@pytest.mark.slow
def test_a_page_of_a_finding_names_the_run_and_not_who_logged_it_or_how(made):
    found, version = made
    finding = found.finding(4, "")
    page = Room(found).read(f"/models/credit/findings/{finding.fingerprint}")
    seen = f"{version}, first seen 2026-09-01 07:30Z: s3://models/<{version}>"
    assert page.facts["version in its registry"] == seen
    assert page.facts["run that made it"] == "r3"
    assert page.facts["data set applications (training)"] == "d1f0"
    assert page.facts["commit"] == "4f2a9c1"
    assert "dana" not in page.text and "depth" not in page.text


@pytest.mark.slow
def test_a_finding_for_machines_has_the_files_of_its_data_and_of_its_baseline(made):
    found, _ = made
    finding, run = found.finding(4, ""), found.run(4)
    told = why(found.store, found.policy, finding.fingerprint, run.window)
    said = finding_document(told, found.policy)
    rests = said["provenance"]
    assert [file["path"] for file in rests["files"]] == [file.path for file in run.manifest.files]
    baseline = found.store.baseline(rests["baseline"])
    assert rests["baseline_registered"]["data"] == baseline.manifest.digest
    assert rests["baseline_registered"]["files"][0]["size"] == baseline.manifest.files[0].size
    assert said["registered"]["run"] == "r3"
    assert run.window.start == day(4).start
