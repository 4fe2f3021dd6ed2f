"""The data of a run: one data set that says where it is, and nothing that is guessed."""

import json

import pytest

from monitor.domain.errors import RegistryError
from monitor.domain.settings import RegistrySettings
from monitor.registry.run_data import data_of_run
from tests.answers import answering


def a_set(name, source, context=""):
    tags = [{"key": "mlflow.data.context", "value": context}] if context else []
    return {"dataset": {"name": name, "digest": "d1", "source": source}, "tags": tags}


def told(*sets):
    answer = {"run": {"info": {}, "inputs": {"dataset_inputs": list(sets)}}}
    with answering((200, {}, json.dumps(answer).encode())) as (url, _):
        settings = RegistrySettings(url)
        with data_of_run(settings, "r1", "") as data:
            return data


@pytest.mark.parametrize("key", ["uri", "path", "url"])
def test_the_data_set_that_it_was_trained_on_is_read_where_it_is(key):
    source = json.dumps({key: "s3://lake/train"})
    found = told(
        a_set("test", '{"uri": "s3://lake/test"}', "eval"), a_set("train", source, "training")
    )
    assert found.path == "s3://lake/train"
    assert found.told == "data set train (d1) of run r1"


def test_the_only_data_set_needs_no_context():
    assert told(a_set("all", '{"uri": "/srv/all"}')).path == "/srv/all"


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ([], "names 0 data sets \\(none\\)"),
        ([a_set("a", "{}"), a_set("b", "{}")], "names 2 data sets \\(a, b\\)"),
        ([a_set("a", '{"tags": {}}')], "does not say where it is"),
        ([a_set("a", "from a notebook")], "does not say where it is"),
        ([a_set("a", "[1]")], "does not say where it is"),
        ([a_set("a", '{"uri": ""}')], "does not say where it is"),
    ],
)
def test_data_that_cannot_be_told_are_not_guessed(sets, message):
    with pytest.raises(RegistryError, match=message):
        told(*sets)


def test_without_a_registry_there_is_no_run():
    with (
        pytest.raises(RegistryError, match=r"right would be registry\.url"),
        data_of_run(None, "r", ""),
    ):
        pass
