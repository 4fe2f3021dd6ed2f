"""Remote storage that is at fault, and not a file on it: how long it is waited for, what is said."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from pyarrow import fs

from monitor.domain.errors import SourceError

SILENCE_SECONDS = 10
"""How long an object store may send nothing before a request is given up."""

CONNECT_SECONDS = 10
"""How long an object store may take to accept a connection."""

ATTEMPTS = 3
"""How often a request is made before the check is; the next check makes it again."""

_TROUBLE = re.compile(
    r"HTTP status (?:408|429|5\d\d)|curlCode"
    r"|AWS Error (?:NETWORK_CONNECTION|REQUEST_TIMEOUT|SLOW_DOWN|THROTTLING|SERVICE_UNAVAILABLE"
    r"|INTERNAL_FAILURE)"
    r"|google::cloud::Status\((?:UNAVAILABLE|DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED|INTERNAL|ABORTED):"
    r"|Azure Error: \[[^]]*\] (?:408|429|5\d\d|Fail to get a new connection)"
)
"""What pyarrow says of an object store that answers with an error of its own, or not at all: S3,
Google's, Azure's."""


def bounded(filesystem: Any) -> Any:
    """Return a file system that gives up in bounded time.

    Left to itself the AWS client makes a request eleven times and waits longer each time, and
    Google's goes on for a quarter of an hour. Azure's makes it four times within seconds.
    """
    if isinstance(filesystem, fs.GcsFileSystem):
        anew, (options,) = filesystem.__reduce__()  # the way to a worker process as well
        return anew(options | {"retry_time_limit": timedelta(seconds=ATTEMPTS * SILENCE_SECONDS)})
    if not isinstance(filesystem, fs.S3FileSystem):
        return filesystem
    _, (options,) = filesystem.__reduce__()
    bounds = {
        "request_timeout": SILENCE_SECONDS,
        "connect_timeout": CONNECT_SECONDS,
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
    }
    return fs.S3FileSystem(**options | bounds)


def nothing_asked() -> None:
    """Ask nothing: the storage is this machine's, or there is nothing else on it to ask for."""


@contextmanager
def reaching(path: str, ask: Callable[[], object] = nothing_asked) -> Iterator[None]:
    """Let trouble of the storage end the check instead of telling against the file.

    A window that is judged without the files that could not be fetched for a minute would be judged
    on other rows than it has. Where the storage refuses a file, it is asked for what it gave before:
    credentials that have run out are no fault of the file.

    Args:
        path: What is read.
        ask: Asks the storage; an OSError of it says that nothing can be had any more.

    Raises:
        SourceError: The storage is in trouble.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        said = _said(error) if _TROUBLE.search(str(error)) else _refused(ask)
        if not said:
            raise
        problem = f"{path}: the storage does not answer as it should: {said}"
        raise SourceError(problem, retryable=True) from error


def _refused(ask: Callable[[], object]) -> str:
    """Return how the storage refuses what it gave before; "" if it does not."""
    try:
        ask()
    except OSError as error:
        return _said(error)
    return ""


def _said(error: OSError) -> str:
    return str(error).partition("\n")[0]
