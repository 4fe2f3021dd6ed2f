"""What is answered when something is wrong: problem documents (RFC 9457) with every reason."""

import json
from http import HTTPStatus

from pydantic import Field
from starlette.responses import Response

from monitor.web.api.endpoint import Answer

MEDIA_TYPE = "application/problem+json"


class Problem(Answer):
    """What is wrong, and what would be right."""

    title: str = Field(description="the kind of trouble")
    status: int = Field(description="the same as the answer's")
    reasons: list[str] = Field(description="everything that is wrong, not only the first")


class ProblemError(Exception):
    """A request cannot be answered as it is.

    Args:
        status: What the answer says.
        reasons: Everything that is wrong.
        headers: Of the answer.
    """

    def __init__(self, status: int, *reasons: str, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.reasons = reasons
        self.headers = headers or {}
        super().__init__("; ".join(reasons))


def problem(error: ProblemError) -> Response:
    """Return the answer for a request that cannot be answered."""
    title = HTTPStatus(error.status).phrase
    found = Problem(title=title, status=error.status, reasons=list(error.reasons))
    return Response(
        # Of what was sent, only what is ASCII stands in it as it was.
        json.dumps(found.model_dump(), ensure_ascii=True),
        error.status,
        {**error.headers, "Content-Type": MEDIA_TYPE},
    )
