"""What an MLflow server answers, understood or said not to be."""

import json

import pytest

from monitor.domain.errors import RegistryError
from monitor.registry.mlflow import MlflowRegistry
from monitor.registry.rest import RestClient
from tests.answers import answering


@pytest.mark.parametrize(
    "answer",
    [
        b"{}",
        b'{"registered_model": null}',
        b'{"registered_model": {"aliases": [7]}}',
        b'{"registered_model": {}, "model_versions": [{"version": "1"}]}',
        b'{"registered_model": {}, "model_versions": [{"version": "1", "creation_timestamp": "x"}]}',
        b'{"registered_model": {}, "model_versions": [{"version": 1, "creation_timestamp": 1e99}]}',
    ],
)
def test_an_answer_that_is_not_of_mlflow_is_an_error_that_says_where(answer):
    with answering((200, {}, answer), (200, {}, answer)) as (url, _):
        registry = MlflowRegistry(RestClient(url, timeout=60))
        assert registry.shown == url
        with pytest.raises(RegistryError, match=f"{url} answers something else than MLflow") as no:
            registry.snapshot("credit", ())
        assert not no.value.retryable


def test_pages_without_end_are_an_error():
    model = (200, {}, b'{"registered_model": {}}')
    page = (200, {}, b'{"model_versions": [], "next_page_token": "again"}')
    with answering(model, page) as (url, asked):
        with pytest.raises(RegistryError, match="versions of credit page by page without end"):
            MlflowRegistry(RestClient(url, timeout=60)).snapshot("credit", ())
        assert len(asked) == 3


def test_a_run_that_is_not_ours_to_read_leaves_the_model_to_be_looked_at():
    version = {"version": "2", "creation_timestamp": 0, "run_id": "r", "source": "s3://m"}
    model = {"registered_model": {"aliases": [{"alias": "champion", "version": "2"}]}}
    answers = [model, {"model_versions": [version]}]
    forbidden = (403, {}, b'{"error_code": "PERMISSION_DENIED", "message": "no"}')
    sent = [(200, {}, json.dumps(each).encode()) for each in answers]
    with answering(*sent, forbidden) as (url, _):
        found = MlflowRegistry(RestClient(url, timeout=60)).snapshot("credit", ())
        assert (found.aliases, found.version("2").stage) == ({"champion": "2"}, None)
    asked = (200, {}, json.dumps({"model_version": version}).encode())
    with answering(asked, forbidden, forbidden) as (url, _):
        lineage = MlflowRegistry(RestClient(url, timeout=60)).lineage("credit", "2")
        assert (lineage.run, lineage.stage, lineage.data) == ("r", None, ())


def test_a_server_that_says_nothing_of_a_run_for_now_is_asked_again():
    version = {"version": "2", "creation_timestamp": 0, "run_id": "r"}
    model = {"registered_model": {"aliases": [{"alias": "champion", "version": "2"}]}}
    sent = [(200, {}, json.dumps(each).encode()) for each in (model, {"model_versions": [version]})]
    with answering(*sent, (503, {}, b"busy")) as (url, _):
        registry = MlflowRegistry(RestClient(url, timeout=60, sleep=lambda _: None))
        with pytest.raises(RegistryError, match="503") as later:
            registry.snapshot("credit", ())
        assert later.value.retryable
