"""The log over HTTP: every record as it was hashed, and proofs that hold without modelmon."""

import json
from base64 import b64decode
from hashlib import sha256

import pytest

from monitor.domain.role import Role
from monitor.governance.checkpoint import checkpoint_of
from monitor.governance.merkle import is_included
from monitor.governance.note import new_signing_key, note_of
from monitor.store.audit_store import AuditStore
from monitor.web.api import audit
from tests.front_desk import ROOT
from tests.issuer import NOW


@pytest.fixture
def reader(desk):
    return desk.token(Role.AUDITOR)


@pytest.mark.slow
def test_every_record_is_read_page_by_page(desk, reader, monkeypatch):
    monkeypatch.setattr(audit, "MOST", 5)
    bodies, place = [], 0
    while place is not None:
        page = desk.ask("GET", f"/v1/audit/since/{place}", who=reader).document
        bodies += page["records"]
        place = page["next"]
    assert [json.loads(body)["seq"] for body in bodies] == list(range(page["size"]))
    assert bodies[-1] == desk.bodies()[-1]
    over = desk.ask("GET", f"/v1/audit/since/{page['size']}", who=reader).document
    assert (over["records"], over["next"]) == ([], None)


def test_a_record_is_proved_against_a_signed_checkpoint(desk, reader):
    key = new_signing_key(json.loads(desk.bodies()[0])["log"])
    store = AuditStore(desk.url)
    store.sign((key,), ROOT, NOW)
    store.close()
    for place, body in enumerate(desk.bodies()):
        found = desk.ask("GET", f"/v1/audit/records/{place}/proof", who=reader).document
        checkpoint = checkpoint_of(note_of(found["checkpoint"]), key.verifying)
        leaf = sha256(b"\0" + body.encode()).digest()
        assert (found["record"], found["leaf"]) == (body, leaf.hex())
        proof = [bytes.fromhex(item) for item in found["proof"]]
        assert is_included(leaf, place, checkpoint.size, proof, checkpoint.root)
        assert b64decode(found["checkpoint"].splitlines()[2]) == checkpoint.root


def test_a_log_that_is_not_signed_has_proofs_without_a_checkpoint(desk, reader):
    found = desk.ask("GET", "/v1/audit/records/0/proof", who=reader).document
    assert (found["checkpoint"], found["size"]) == (None, len(desk.bodies()))


@pytest.mark.parametrize("place", ["-1", "x", "01", "9" * 15, "9" * 30, "1.0"])
def test_what_is_not_there_is_not_proved(desk, reader, place):
    assert desk.ask("GET", f"/v1/audit/records/{place}/proof", who=reader).status == 404
