"""The OpenAPI document of the JSON interface, from its catalogue."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from monitor.web.api.endpoint import Endpoint
from monitor.web.api.problem import MEDIA_TYPE, Problem
from monitor.web.api.receipts import answer_of

_ABOUT = (
    "What people and programs decide, over HTTP: the same functions, rules and records as the command line."
    " Requests that change something carry JSON and who sends them; a browser's are taken from the"
    " configured origins only."
)
_REASONS = {
    400: "the request is not understood",
    401: "it is not known who asks",
    403: "they may not; with every reason",
    404: "there is nothing of that name",
    408: "the body did not come in time",
    409: "it cannot be done as things are, or was asked under this id before",
    413: "the body is too long",
    415: "the body is not JSON",
    422: "the body is not of the form; with everything that is wrong",
    503: "the database cannot be used now; nothing was decided",
}
_MISDIRECTED = {
    "description": "it was asked by a name that is none of the daemon's, whatever the path",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}
_WRITES_ONLY = (400, 408, 409, 413, 415, 422)


def openapi(endpoints: Sequence[Endpoint], version: str) -> Mapping[str, Any]:
    """Return the document."""
    bodies = {each.body for each in endpoints if each.body is not None}
    answers = {answer_of(each) for each in endpoints} | {Problem}
    used: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((kind, "validation") for kind in bodies),
        *((kind, "serialization") for kind in answers),
    ]
    used.sort(key=lambda pair: pair[0].__name__)
    _, schemas = models_json_schema(used, ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for each in endpoints:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "modelmon", "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "a token of modelmon token create, or one of the issuer of access.oidc",
                }
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    statuses = [each for each in _REASONS if endpoint.writes or each not in _WRITES_ONLY]
    operation: dict[str, Any] = {
        "operationId": "_".join((endpoint.method.lower(), *_words(endpoint))),
        "summary": endpoint.summary,
        "description": _needs(endpoint),
        "parameters": [
            {"name": part[1:-1], "in": "path", "required": True, "schema": _name_schema()}
            for part in endpoint.segments
            if part.startswith("{")
        ],
        "responses": {
            "200": {
                "description": "done" if endpoint.writes else "what is known",
                "content": {"application/json": {"schema": _reference(answer_of(endpoint))}},
            },
            **{
                str(status): {
                    "description": _REASONS[status],
                    "content": {MEDIA_TYPE: {"schema": _reference(Problem)}},
                }
                for status in statuses
            },
            "421": _MISDIRECTED,
        },
    }
    if endpoint.body is not None:
        operation["parameters"].append(_request_id())
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _reference(endpoint.body)}},
        }
    return operation


def _needs(endpoint: Endpoint) -> str:
    if endpoint.action is None:
        return "For everybody who says who they are."
    return f"For who may `{endpoint.action}`."


def _words(endpoint: Endpoint) -> list[str]:
    return [part.strip("{}") for part in endpoint.segments[1:]]


def _reference(kind: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _name_schema() -> dict[str, Any]:
    return {"type": "string", "minLength": 1}


def _request_id() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "id of the request: sent again within seven days it is answered as before, and"
        " nothing is done twice",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,100}$"},
    }
