"""What a registry has of a model, as people read it."""

from msgspec.structs import replace

from monitor.domain.registry import Errand, ErrandKind, Lineage, Origin, RunStage
from monitor.engine.registry import Look
from monitor.governance.registry_changes import digest_of
from monitor.reports.registry import (
    origin_document,
    origin_facts,
    origin_table,
    registry_tables,
)
from tests.registries import AT, LINEAGE, a_model, a_version

MODEL = a_model(
    a_version("1", stage=RunStage.DELETED),
    a_version("2", tags={"monitor.state": "approved" * 100}),
    champion="2",
    next="2",
)
ORIGIN = Origin("credit", "2", "s3://models/2", LINEAGE, AT)


def shown(look, waiting=(), states=None):
    return registry_tables("credit", look, {"2": ORIGIN}, states or {}, waiting)


def test_versions_are_shown_newest_first_with_standing_aliases_and_run():
    table, *_ = shown(Look(AT, MODEL, digest_of(MODEL)), states={"2": "held"})
    assert [row[:3] for row in table.rows] == [
        ("2", "held", "champion, next"),
        ("1", "not known", ""),
    ]
    assert table.rows[1][4] == "r1 deleted"
    assert len(table.rows[0][3]) == 100


def test_a_model_that_was_never_looked_at_and_one_that_is_not_there_are_told_apart():
    assert "never looked at" in shown(None)[0].title
    assert "not there on 2026-09-01" in shown(Look(AT, None, ""))[0].title


def test_what_waits_is_shown_with_its_tries_and_last_error():
    errand = Errand("k", "credit", ErrandKind.ALIAS, "2", {}, AT, AT, 3, "away " * 100)
    *_, table = shown(None, [errand])
    assert table.rows[0][:4] == ("alias", "2", "2026-09-01 00:00Z", "3")
    assert len(table.rows[0][4]) == 100


def test_where_a_version_came_from_is_told_as_far_as_it_is_known():
    facts = dict(origin_facts(ORIGIN))
    assert facts["data sets"] == "applications (training, d1f0)"
    assert facts["run"] == "r3 (active when it was first seen)"
    assert facts["logged by (as they said)"] == "dana"
    bare = replace(ORIGIN, lineage=Lineage())
    assert dict(origin_facts(bare)) == {"files": "s3://models/2", "first seen": "2026-09-01 00:00Z"}
    assert origin_table([]).rows == ()


def test_machines_are_given_all_of_it():
    document = origin_document(ORIGIN)
    assert document["seen_at"] == AT.isoformat()
    assert document["data"][0]["digest"] == "d1f0"
    assert document["params"] == {"depth": "3"}
