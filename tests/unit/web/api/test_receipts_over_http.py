"""What changed something is answered with what proves that it was recorded."""

import json

import pytest

from monitor import audit_verify
from monitor.domain.role import Role
from monitor.governance.note import new_signing_key
from tests.front_desk import FrontDesk

SUBMIT = "/v1/models/credit/versions/1/submit"
WHY = {"why": "as the committee said"}


@pytest.fixture
def signed_desk(tmp_path):
    opened = FrontDesk(tmp_path, signed=True)
    yield opened
    opened.close()


@pytest.fixture
def verified(tmp_path, capsys):
    """Return a function that verifies an answer as an approver does, with the key alone."""

    def verify(document, key):
        path = tmp_path / "answer.json"
        path.write_text(json.dumps(document))
        code = audit_verify.main(["--receipt", str(path), "--key", str(key.verifying)])
        told = capsys.readouterr()
        return code, told.out + told.err

    return verify


def submitted(desk, **headers):
    return desk.ask("POST", SUBMIT, WHY, who=desk.login(Role.OWNER), **headers).document


def test_an_answer_proves_itself(signed_desk, verified):
    answer = submitted(signed_desk)
    (receipt,) = answer["receipts"]
    assert [each["record"] for each in receipt["records"]] == signed_desk.bodies()[-2:]
    code, told = verified(answer, signed_desk.key)
    assert (code, "0 things wrong" in told) == (0, True), told
    code, told = verified(answer, new_signing_key(receipt["log"]))
    assert (code, "not signed by the key that is believed" in told) == (1, True)
    assert verified(answer, new_signing_key("elsewhere"))[0] == 2


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            lambda one: one.update(record=one["record"].replace("credit", "kredit")),
            "hash and place",
        ),
        (lambda one: one.update(proof=one["proof"][1:]), "does not lead to the root"),
        (lambda one: one.update(proof=[*one["proof"], "00" * 32]), "does not lead to the root"),
        (lambda one: one.update(seq=one["seq"] - 1), "hash and place"),
    ],
    ids=["another record", "a shorter way", "a longer way", "another place"],
)
def test_a_receipt_that_was_changed_proves_nothing(signed_desk, verified, change, wrong):
    answer = submitted(signed_desk)
    change(answer["receipts"][0]["records"][-1])
    code, told = verified(answer, signed_desk.key)
    assert (code, wrong in told) == (1, True), told


def test_asked_again_it_is_answered_with_the_same_receipt(signed_desk):
    first, again = (submitted(signed_desk, Idempotency_Key="one") for _ in range(2))
    assert first == again
    assert first["receipts"]


def test_of_a_log_that_is_not_signed_the_receipt_says_so(desk, verified):
    answer = submitted(desk)
    assert answer["receipts"][0]["checkpoint"] is None
    code, told = verified(answer, new_signing_key(answer["receipts"][0]["log"]))
    assert (code, "it proves nothing" in told) == (1, True)


@pytest.mark.parametrize("content", ["{}", '{"receipts": [3]}', '{"log": "x", "records": []}', "3"])
def test_what_is_no_receipt_is_said(tmp_path, capsys, content):
    path = tmp_path / "answer.json"
    path.write_text(content)
    key = new_signing_key("x")
    assert audit_verify.main(["--receipt", str(path), "--key", str(key.verifying)]) == 2
    assert str(path) in capsys.readouterr().err
