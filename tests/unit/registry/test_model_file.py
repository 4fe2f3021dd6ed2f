"""What somebody may put into the file that describes a model, to keep it from being looked at."""

import json
import time

import pytest

from monitor.registry.model_file import MOST_BYTES, signature_of


def test_a_signature_is_one_line():
    described = b"""
run_id: r
signature:
  inputs: '[{"type": "double", "name": "income"}]'
  outputs: null
"""
    said = json.loads(signature_of(described))
    assert said == {"inputs": '[{"type": "double", "name": "income"}]', "outputs": "null"}


BOMB = b"a: &a [x, x, x, x, x, x, x, x, x, x]\n" + b"\n".join(
    b"%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]"
    % (letter, letter, *[letter - 1] * 10)
    for letter in range(ord("b"), ord("k"))
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "described",
    [
        BOMB + b"\nsignature: *j\n",
        b"signature: &self [*self]",
        b"signature: " + b"[" * 50_000,
        b"signature: " + b"[" * 900 + b"]" * 900,
        b"signature: x\n" + b"#" * MOST_BYTES,
        b"signature: {? [a]\n : b}",
        b"signature: \xff\xfe\x00",
        b"signature: !!python/object/apply:os.system [id]",
        b"- signature",
        b"\x00",
        b"",
    ],
    ids=range(11),
)
def test_what_cannot_be_read_is_no_signature_and_costs_little(described):
    before = time.process_time()
    signature_of(described)
    assert time.process_time() - before < 20


@pytest.mark.parametrize("scalar", ["2024-13-45", "9" * 5000, "0x" + "f" * 5000, "!!int x", "1:99"])
def test_what_no_number_and_no_day_can_be_is_text(scalar):
    assert scalar.rpartition(" ")[2] in signature_of(f"signature: {{inputs: {scalar}}}".encode())
