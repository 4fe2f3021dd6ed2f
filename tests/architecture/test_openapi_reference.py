"""docs/reference/openapi.json is what the daemon publishes; `make golden` rewrites it."""

import json
import re
from importlib.metadata import version

from monitor.governance.authorisation import Action
from monitor.web.api.catalogue import ENDPOINTS
from monitor.web.api.openapi import openapi

READS = {Action.READ_RESTRICTED, Action.LIST_TOKENS, Action.READ_AUDIT, None}


def document():
    return openapi(ENDPOINTS, version("modelmon"))


def test_the_reference_is_what_the_daemon_publishes(golden):
    golden("../../docs/reference/openapi.json", json.dumps(document(), indent=1) + "\n")


def test_every_endpoint_has_an_address_of_its_own_and_says_what_it_takes():
    addresses = [(each.method, re.sub("{[^}]*}", "{}", each.path)) for each in ENDPOINTS]
    assert len(set(addresses)) == len(addresses)
    for each in ENDPOINTS:
        assert each.method in {"GET", "POST"}
        assert each.writes == (each.body is not None), (
            f"{each.path}: what changes something is sent"
        )
        assert each.writes or each.action in READS, f"{each.path} reads what is up to {each.action}"
        assert each.summary.endswith(".")


def test_every_name_in_the_document_is_there_once():
    names = [
        operation["operationId"]
        for path in document()["paths"].values()
        for operation in path.values()
    ]
    assert len(set(names)) == len(names)
