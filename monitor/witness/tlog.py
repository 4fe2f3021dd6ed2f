"""A witness over HTTP: shown a checkpoint with the proof that the log only grew, it cosigns it.

Source: c2sp.org/tlog-witness.
"""

import base64
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus

from msgspec import Struct

from monitor.domain.errors import WitnessError
from monitor.governance.cosignature import WitnessKey, with_cosignatures
from monitor.governance.note import Note, NoteError, Signature, signature_of
from monitor.witness.http import asked

_SIZE = "text/x.tlog.size"
_SHOWN = 300


class HttpWitness(Struct, frozen=True):
    """Where a witness is, and by which key it is believed."""

    url: str
    key: WitnessKey


class CosignedBy(Struct, frozen=True):
    """It has cosigned: its line, and the time that it says."""

    line: Signature
    at: datetime


class LastSaw(Struct, frozen=True):
    """It last cosigned another size than the proof begins with (409)."""

    size: int


class RefusedBy(Struct, frozen=True):
    """It did not cosign.

    Attributes:
        status: The HTTP status; 200 where what it answered is no cosignature of its key.
        said: What it said.
        asked: What it was asked: with its answer it is evidence.
    """

    status: int
    said: str
    asked: str

    @property
    def contradicts(self) -> bool:
        """Return whether it has seen another log: 409 and 422, and not a mistake in the settings."""
        return self.status in {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}


def add_checkpoint(
    witness: HttpWitness, old: int, proof: Sequence[bytes], note: Note
) -> CosignedBy | LastSaw | RefusedBy:
    """Show a witness a checkpoint, and return what it made of it.

    Args:
        witness: The witness.
        old: The size that it last cosigned; 0 for none.
        proof: The proof that the log only grew since; empty when ``old`` is 0.
        note: The signed checkpoint.

    Raises:
        WitnessError: It cannot be reached, or is in trouble itself.
    """
    lines = [base64.b64encode(each).decode("ascii") for each in proof]
    request = "\n".join([f"old {old}", *lines, "", str(note)])
    replied = asked(witness.url, "/add-checkpoint", body=request.encode())
    said = replied.body.decode(errors="replace")
    if replied.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise WitnessError(f"{witness.key.name} answers {replied.status}: {said[:_SHOWN]}")
    if replied.status == HTTPStatus.CONFLICT and replied.kind == _SIZE and said.strip().isdigit():
        size = int(said.strip())
        if size != old:
            return LastSaw(size)
    if replied.status == HTTPStatus.OK:
        found = _cosigned(witness.key, note, said)
        if found is not None:
            return found
        said = f"not a cosignature of {witness.key}: {said}"
    return RefusedBy(replied.status, said[:_SHOWN].strip(), request)


def _cosigned(key: WitnessKey, note: Note, said: str) -> CosignedBy | None:
    for text in said.removesuffix("\n").split("\n"):
        try:
            line = signature_of(text)
        except NoteError:
            continue
        at = key.cosigned_at(with_cosignatures(Note(note.text, ()), (line,)))
        if at is not None:
            return CosignedBy(line, at)
    return None
