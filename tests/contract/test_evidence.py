"""What was found of what approvals rest on, on each kind of database and between two processes."""

import pytest
from msgspec.structs import replace

from monitor.domain.governance import RegistryEntry
from monitor.engine.evidence import MODEL_FILE, REGISTRY, Found
from tests.ledgers import AT, GOVERNANCE, HOUR, POLICY

NASTY = "3\x00\ud800 \\u0041"
REPORT = Found(NASTY, "report", "sha256:aa", AT)
UNSEEN = Found("2", "model", None, AT, "/srv/\ud800: Permission denied")


def test_nothing_was_found_where_nobody_has_looked(stores):
    assert stores.reader.found("credit") == ()


def test_what_was_found_is_given_back_as_it_was(stores):
    stores.writer.note_found("credit", [REPORT, UNSEEN])
    assert set(stores.reader.found("credit")) == {REPORT, UNSEEN}
    assert stores.reader.found("fraud") == ()


def test_what_was_found_last_takes_the_place_of_what_was_found_before(stores):
    stores.writer.note_found("credit", [REPORT, UNSEEN])
    gone = replace(REPORT, digest="", since=AT + HOUR)
    stores.writer.note_found("credit", [gone])
    assert set(stores.reader.found("credit")) == {gone, UNSEEN}


@pytest.mark.parametrize(
    ("governance", "names"),
    [
        ({}, set()),
        ({"rests_on": {"report": "report.html"}}, {"report"}),
        ({"registry": RegistryEntry("credit")}, {REGISTRY, MODEL_FILE}),
    ],
)
def test_what_the_policy_has_nobody_look_at_decides_nothing(stores, governance, names):
    found = [Found("3", name, "sha256:aa", AT) for name in ("report", REGISTRY, MODEL_FILE)]
    stores.writer.note_found("credit", [*found, Found("3", "model", None, AT, "away")])
    policy = replace(POLICY, governance=replace(GOVERNANCE, **governance))
    _, present = stores.reader.authority(policy, AT)
    assert set(present.observed.get("3", {})) == names
