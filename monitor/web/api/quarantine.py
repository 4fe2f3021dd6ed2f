"""``/v1/models/{model}/quarantine``: files that could not be used, and what people decide on them."""

from pydantic import AwareDatetime, Field

from monitor.domain.quarantine import QuarantinedFile
from monitor.engine import decisions
from monitor.governance.authorisation import Action
from monitor.web.api.endpoint import Answer, Asked, Body, Endpoint, MissingError, Words

_MOST_LETTERS = 4_096


class FileWanted(Body):
    """A file, and why somebody decides on it."""

    path: str = Field(min_length=1, max_length=_MOST_LETTERS, description="as it is listed")
    why: Words = Field(description="the reason, in words; kept, and in the audit log")


class FileKnown(Answer):
    """A file that could not be used."""

    path: str
    state: str
    reason: str
    explanation: str
    first_seen: AwareDatetime
    last_tried: AwareDatetime
    next_try: AwareDatetime | None
    by: str
    why: str


class FilesKnown(Answer):
    """The files of a model that are in quarantine."""

    files: list[FileKnown]


def _listed(asked: Asked) -> FilesKnown:
    known = asked.desk.store.quarantine(asked.policy.model).values()
    return FilesKnown(files=[_shown(file) for file in known if file.inside])


def _tried_again(asked: Asked) -> FileKnown:
    body: FileWanted = asked.body
    said = asked.said(body.why)
    return _shown(decisions.retry_file(asked.desk.store, asked.policy, _path(asked), said))


def _dropped(asked: Asked) -> FileKnown:
    body: FileWanted = asked.body
    said = asked.said(body.why)
    return _shown(decisions.drop_file(asked.desk.store, asked.policy, _path(asked), said))


def _path(asked: Asked) -> str:
    body: FileWanted = asked.body
    known = asked.desk.store.quarantine(asked.policy.model)
    if body.path not in known:
        raise MissingError("no such file is in quarantine; GET the list")
    return body.path


def _shown(file: QuarantinedFile) -> FileKnown:
    return FileKnown(
        path=file.path.encode("utf-8", "backslashreplace").decode(),
        state=file.state.value,
        reason=file.reason,
        explanation=file.explanation,
        first_seen=file.first_seen,
        last_tried=file.last_tried,
        next_try=file.next_try,
        by=file.by,
        why=file.why,
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/models/{model}/quarantine",
        Action.READ_RESTRICTED,
        "The files of a model that are in quarantine, and why.",
        FilesKnown,
        _listed,
    ),
    Endpoint(
        "POST",
        "/v1/models/{model}/quarantine/retry",
        Action.DECIDE_QUARANTINE,
        "Have a file tried at the next check, a dropped one too.",
        FileKnown,
        _tried_again,
        FileWanted,
    ),
    Endpoint(
        "POST",
        "/v1/models/{model}/quarantine/drop",
        Action.DECIDE_QUARANTINE,
        "Never try a file again, though it changes; it is still counted and named.",
        FileKnown,
        _dropped,
        FileWanted,
    ),
)
