import pickle
import re

import pytest
from pyarrow import fs

from monitor.domain.errors import SourceError
from monitor.sources.reaching import CONNECT_SECONDS, SILENCE_SECONDS, bounded, reaching

TROUBLE = [
    "When reading information: AWS Error UNKNOWN (HTTP status 500) during HeadObject operation: ",
    "AWS Error NETWORK_CONNECTION during GetObject operation: curlCode: 18, a partial file",
    "AWS Error SLOW_DOWN (HTTP status 503) during GetObject operation: Please reduce your request",
    "AWS Error UNKNOWN (HTTP status 429) during GetObject operation: ",
]
OF_THE_FILE = [
    "AWS Error ACCESS_DENIED (HTTP status 403) during HeadObject operation: No response body.",
    "AWS Error NO_SUCH_KEY (HTTP status 404) during GetObject operation: gone",
    "Corrupt snappy compressed data.",
    "[Errno 5] Input/output error",
]


@pytest.mark.parametrize("said", TROUBLE)
def test_trouble_of_the_storage_is_a_source_error_that_may_pass(said):
    with pytest.raises(SourceError) as caught, reaching("a.parquet"):
        raise OSError(said + "\nmore")
    assert caught.value.retryable
    assert str(caught.value) == f"a.parquet: the storage does not answer as it should: {said}"


@pytest.mark.parametrize("said", OF_THE_FILE)
def test_what_tells_against_the_file_is_left_as_it_is(said):
    with pytest.raises(OSError, match=re.escape(said)) as caught, reaching("a.parquet"):
        raise OSError(said)
    assert str(caught.value) == said


def test_an_object_store_is_given_up_in_bounded_time_in_worker_processes_too():
    made = fs.S3FileSystem(region="eu-west-1", endpoint_override="127.0.0.1:1", scheme="http")
    found = pickle.loads(pickle.dumps(bounded(made)))  # noqa: S301  # its own bytes
    _, (options,) = found.__reduce__()
    assert (options["request_timeout"], options["connect_timeout"]) == (
        SILENCE_SECONDS,
        CONNECT_SECONDS,
    )
    assert (options["region"], options["endpoint_override"]) == ("eu-west-1", "127.0.0.1:1")
    local = fs.LocalFileSystem()
    assert bounded(local) is local
