import pickle
import re
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from pyarrow import fs

from monitor.domain.errors import SourceError
from monitor.sources.reaching import CONNECT_SECONDS, SILENCE_SECONDS, bounded, reaching

TROUBLE = [
    "When reading information: AWS Error UNKNOWN (HTTP status 500) during HeadObject operation: ",
    "AWS Error NETWORK_CONNECTION during GetObject operation: curlCode: 18, a partial file",
    "AWS Error SLOW_DOWN (HTTP status 503) during GetObject operation: Please reduce your request",
    "AWS Error UNKNOWN (HTTP status 429) during GetObject operation: ",
    "google::cloud::Status(UNAVAILABLE: Retry policy exhausted, with a last message of CURL error [7]",
    "GetProperties failed for 'http://a/b'. Azure Error: [] Fail to get a new connection for: http://a",
    "GetProperties failed for 'http://a/b'. Azure Error: [ServerBusy] 503 Service Unavailable",
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


def test_a_storage_that_refuses_everything_tells_against_no_file():
    def ask():
        raise OSError(
            "AWS Error UNKNOWN (HTTP status 400) during ListObjectsV2: ExpiredToken\nmore"
        )

    with pytest.raises(SourceError, match=r"ExpiredToken$") as caught, reaching("a.parquet", ask):
        raise OSError(OF_THE_FILE[0])
    assert caught.value.retryable
    asked = []
    with pytest.raises(OSError, match="ACCESS_DENIED"), reaching("a", lambda: asked.append(1)):
        raise OSError(OF_THE_FILE[0])
    assert asked == [1]
    with pytest.raises(FileNotFoundError), reaching("a.parquet", ask):
        raise FileNotFoundError


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
    made = fs.GcsFileSystem(anonymous=True, endpoint_override="127.0.0.1:1", scheme="http")
    found = pickle.loads(pickle.dumps(bounded(made)))  # noqa: S301  # its own bytes
    _, (options,) = found.__reduce__()
    assert options["retry_time_limit"] == timedelta(seconds=30)
    assert (options["anonymous"], options["endpoint_override"]) == (True, "127.0.0.1:1")


class Refusing(BaseHTTPRequestHandler):
    """An object store that answers every request with one status, in its own words."""

    protocol_version = "HTTP/1.1"
    status = 503

    def answer(self):
        body = b"" if self.command == "HEAD" else b'{"error": {"code": 1, "message": "busy"}}'
        self.send_response(self.status)
        self.send_header("x-ms-error-code", "ServerBusy")
        self.send_header("Content-Length", str(len(body)))
        if body:
            self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = answer  # noqa: N815  # names of the library

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    serving = Thread(target=server.serve_forever)
    serving.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


def google(address):
    soon = timedelta(seconds=1)
    return fs.GcsFileSystem(
        anonymous=True, endpoint_override=address, scheme="http", retry_time_limit=soon
    )


def azure(address):
    blob = {"blob_storage_authority": address, "blob_storage_scheme": "http"}
    return fs.AzureFileSystem("account", account_key="YWJj", **blob)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("store", "status", "of_storage"),
    [
        (google, 503, True),
        (google, 429, True),
        (google, 403, False),
        (google, 404, False),
        (azure, 429, True),
        (azure, 403, False),
    ],
)
def test_what_google_s_and_azure_s_clients_say_of_a_server_s_answer_is_told_apart(
    address, monkeypatch, store, status, of_storage
):
    monkeypatch.setattr(Refusing, "status", status)
    wanted = SourceError if of_storage else OSError
    with pytest.raises(wanted), reaching("a.parquet"):
        store(address).open_input_file("bucket/a.parquet").read()
