"""Requests made from the OpenAPI document, right ones and wrong ones, to the real server."""

from datetime import timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode

from monitor.domain.role import Role
from monitor.web.api.catalogue import ENDPOINTS
from monitor.web.api.openapi import openapi
from monitor.web.server import WebServer
from tests.front_desk import FrontDesk
from tests.fuzz.depth import examples

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("openapi")]

SCHEMA = schemathesis.openapi.from_dict(openapi(ENDPOINTS, "0"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    opened = FrontDesk(tmp_path_factory.mktemp("desk"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def robot(desk):
    return desk.token(Role.OPERATOR, Role.AUDITOR, Role.ADMIN, lasting=timedelta(days=9))


@pytest.fixture(scope="module")
def served(desk):
    server = WebServer(desk.app, ended=lambda: None)
    host, port = server.start()
    yield f"http://{host}:{port}"
    assert server.stop()


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda item: f"{item.method} {item.path}")
def test_every_answer_is_one_that_the_document_has(endpoint, mode, desk, served, robot):
    operation = SCHEMA[endpoint.path][endpoint.method]
    known = {"model": "credit", "finding": desk.findings[0], "version": "1", "number": "1"}

    @settings(examples(5), suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def asked(case):
        named = dict(case.path_parameters or {})
        wrong = [kind for kind, made in case.meta.components.items() if made.mode.is_negative]
        if ParameterLocation.PATH not in wrong and (wrong or len(str(named)) % 2):
            # Half of the right requests, and all that are wrong elsewhere, are of what is there.
            case.path_parameters = {name: known.get(name, value) for name, value in named.items()}
        headers = {"Authorization": f"Bearer {robot}"}
        answer = case.call_and_validate(base_url=served, headers=headers, timeout=60)
        assert answer.status_code < 500

    asked()
