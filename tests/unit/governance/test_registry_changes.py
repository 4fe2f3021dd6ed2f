"""What differs between two looks at a registry, and whose doing it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.registry import RegisteredModel, RunStage
from monitor.governance.registry_changes import (
    ChangeKind,
    RegistryChange,
    Told,
    Workflow,
    digest_of,
    document_of,
    model_of,
    registry_changes,
)
from tests.registries import a_model, a_version

SERVED = Workflow("champion", {"2"}, governed=True)
TWO = (a_version("2"), a_version("3"))


def changes(before, after, told=None, workflow=SERVED):
    found = registry_changes(before, after, told or Told(), workflow)
    return [(each.kind.value, each.version, each.name, each.before, each.after) for each in found]


def test_the_first_look_finds_every_version_and_alias():
    found = changes(None, a_model(*TWO, champion="2"))
    assert [(kind, version) for kind, version, *_ in found] == [
        ("model_seen", ""),
        ("version_seen", "2"),
        ("version_seen", "3"),
        ("alias_moved", "2"),
    ]


def test_the_same_twice_is_no_change():
    same = a_model(*TWO, champion="3")
    assert changes(same, same) == []


def test_a_model_that_is_gone_is_one_change_and_one_that_never_was_is_none():
    assert [kind for kind, *_ in changes(a_model(*TWO), None)] == ["model_gone"]
    assert changes(None, None) == []


def test_an_alias_on_a_version_that_may_not_act_was_moved_past_the_workflow():
    before, after = a_model(*TWO, champion="2"), a_model(*TWO, champion="3")
    assert changes(before, after) == [("alias_moved_outside", "3", "champion", "2", "3")]


@pytest.mark.parametrize(
    "workflow",
    [
        Workflow("champion", {"2", "3"}, governed=True),
        Workflow("champion", (), governed=False),
        Workflow("", {"2"}, governed=True),
        Workflow("other", {"2"}, governed=True),
    ],
    ids=["it may act", "nobody decides", "no alias is served", "another is"],
)
def test_other_moves_are_told_and_have_no_consequence(workflow):
    before, after = a_model(*TWO, champion="2"), a_model(*TWO, champion="3")
    assert changes(before, after, workflow=workflow) == [("alias_moved", "3", "champion", "2", "3")]


def test_an_alias_that_was_taken_away_takes_authority_and_gives_none():
    found = changes(a_model(*TWO, champion="2"), a_model(*TWO))
    assert found == [("alias_moved", "", "champion", "2", "")]


def test_what_we_have_moved_is_not_past_the_workflow():
    before, after = a_model(*TWO, champion="2"), a_model(*TWO, champion="3")
    ours = Told(aliases={"champion": frozenset({"3"})})
    assert changes(before, after, ours) == [("alias_moved", "3", "champion", "2", "3")]


def test_an_alias_that_was_moved_back_between_two_looks_is_noticed():
    same = a_model(*TWO, champion="3")
    waits = Told(aliases={"champion": frozenset({"2"})})
    assert changes(same, same, waits) == []
    moved_away = replace(waits, moved={"champion"})
    assert changes(same, same, moved_away) == [("alias_moved_outside", "3", "champion", "3", "3")]


def test_an_approval_that_somebody_writes_into_a_tag_is_tampering_and_nothing_else():
    before = a_model(*TWO)
    after = a_model(TWO[0], a_version("3", tags={"monitor.state": "approved"}))
    assert changes(before, after) == [("tag_tampered", "3", "monitor.state", "", "approved")]


def test_what_we_have_written_is_no_tampering_and_what_is_about_to_be_may_be_anything():
    before = a_model(a_version("2", tags={"monitor.state": "approved"}))
    after = a_model(a_version("2", tags={"monitor.state": "held"}))
    assert changes(before, after, Told(tags={"2": {"monitor.state": "held"}})) == []
    assert changes(before, after, Told(waiting={"2"})) == []


def test_a_tag_that_was_written_back_between_two_looks_is_noticed():
    same = a_model(a_version("2", tags={"monitor.state": "approved"}))
    told = Told(tags={"2": {"monitor.state": "held"}}, fresh={"2"})
    expected = [("tag_tampered", "2", "monitor.state", "approved", "approved")]
    assert changes(same, same, told) == expected


def test_a_tag_of_ours_that_was_removed_is_noticed():
    before = a_model(a_version("2", tags={"monitor.state": "held"}))
    told = Told(tags={"2": {"monitor.state": "held"}})
    assert changes(before, a_model(a_version("2")), told) == [
        ("tag_tampered", "2", "monitor.state", "held", "")
    ]


def test_a_number_that_names_something_else_has_another_identity():
    before = a_model(a_version("2"))
    (found,) = changes(before, a_model(a_version("2", run="r9")))
    assert found[:2] == ("source_changed", "2")
    assert "run r2" in found[3] and "run r9" in found[4]


@pytest.mark.parametrize("stage", [RunStage.DELETED, RunStage.MISSING])
def test_a_run_that_was_deleted_is_told_once(stage):
    before, after = (
        a_model(a_version("2", stage=RunStage.ACTIVE)),
        a_model(a_version("2", stage=stage)),
    )
    assert changes(before, after) == [("run_deleted", "2", "", "r2", stage.value)]
    assert changes(after, after) == []


versions = st.dictionaries(
    st.sampled_from("12345"),
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.dictionaries(st.sampled_from(["monitor.x"]), st.text(min_size=1)),
    ),
)
models = st.builds(
    lambda made, aliases: RegisteredModel(
        "m",
        tuple(
            a_version(number, run=run, tags=tags) for number, (run, tags) in sorted(made.items())
        ),
        {alias: to for alias, to in aliases.items() if to in made},
    ),
    versions,
    st.dictionaries(st.sampled_from(["champion", "next"]), st.sampled_from("12345")),
)


@given(models)
def test_a_look_is_stored_whole(model):
    assert model_of(json.loads(json.dumps(document_of(model)))) == model


@pytest.mark.slow
@given(models, models)
def test_looks_that_differ_have_changes_and_those_that_do_not_have_none(before, after):
    found = registry_changes(before, after, Told(), Workflow())
    untagged = [
        replace(each, versions=tuple(replace(one, tags={}) for one in each.versions))
        for each in (before, after)
    ]
    if digest_of(before) == digest_of(after):
        assert found == ()
    elif digest_of(untagged[0]) != digest_of(untagged[1]):
        assert found != ()  # a tag that is not ours and goes away is none


@pytest.mark.slow
@given(models, st.frozensets(st.sampled_from("12345")))
def test_a_served_alias_never_comes_to_a_version_that_may_not_act_unnoticed(model, acting):
    workflow = Workflow("champion", acting, governed=True)
    found = registry_changes(RegisteredModel("m"), model, Told(), workflow)
    outside = [each.after for each in found if each.kind is ChangeKind.ALIAS_MOVED_OUTSIDE]
    named = model.aliases.get("champion")
    assert outside == ([named] if named and named not in acting else [])
    assert RegistryChange(ChangeKind.MODEL_GONE) not in found
