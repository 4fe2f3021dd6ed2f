"""What an MLflow server answers, understood or said not to be."""

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
        registry = MlflowRegistry(RestClient(url, timeout=2))
        assert registry.shown == url
        with pytest.raises(RegistryError, match=f"{url} answers something else than MLflow") as no:
            registry.snapshot("credit", ())
        assert not no.value.retryable
