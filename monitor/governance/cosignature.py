"""Cosignatures: that a witness saw a checkpoint, when, and nothing that contradicts it.

A witness signs the words ``cosignature/v1``, a time, and the checkpoint's text, after it was shown
that the log only grew since it last signed. Its line on the note holds the key's id, the time (eight
bytes, seconds since 1970) and the signature. Its key is of kind 4, so that a cosignature is never
taken for a log's own signature.

Source: c2sp.org/tlog-cosignature.
"""

import base64
import binascii
import hashlib
from datetime import UTC, datetime

from msgspec import Struct

from monitor.governance.note import Note, NoteError, Signature, VerifyingKey, is_made_by

_KIND = b"\x04"
_KEY_BYTES, _ID_BYTES, _TIME_BYTES = 32, 4, 8


class WitnessKey(Struct, frozen=True):
    """A witness who can be believed: a name and an Ed25519 public key.

    Attributes:
        name: Without blanks and plus signs.
        public: The key, 32 bytes.
    """

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Return the four bytes by which a line is found."""
        named = self.name.encode() + b"\n" + _KIND + self.public
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        """Return the key as it is handed out: name, id and key, joined by plus signs."""
        key = base64.b64encode(_KIND + self.public).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{key}"

    def cosigned_at(self, note: Note) -> datetime | None:
        """Return when this witness signed a note; None when it did not, or a line of it is false."""
        mine = [
            line.value
            for line in note.signatures
            if (line.name, line.key_id) == (self.name, self.key_id)
        ]
        instants = [self._instant(value, note.text) for value in mine]
        known = [instant for instant in instants if instant is not None]
        return max(known) if known and len(known) == len(instants) else None

    def _instant(self, value: bytes, text: str) -> datetime | None:
        seconds = int.from_bytes(value[:_TIME_BYTES])
        signed = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        if not is_made_by(self.public, value[_TIME_BYTES:], signed):
            return None
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return None  # a time that no clock shows


def witness_key_of(encoded: str) -> WitnessKey:
    """Return the key that a witness handed out.

    Raises:
        NoteError: The text is no key of a witness, or its parts contradict each other.
    """
    name, *rest = encoded.strip().split("+", 2)
    try:
        raw = base64.b64decode(rest[1], validate=True)
    except (IndexError, binascii.Error, ValueError) as error:
        raise NoteError(
            f"a witness's key is NAME+ID+KEY, which this is not: {encoded!r}"
        ) from error
    if raw[:1] != _KIND or len(raw) != 1 + _KEY_BYTES:
        raise NoteError(f"not the key of a witness (Ed25519 cosignatures, kind 4): {encoded!r}")
    VerifyingKey(name, raw[1:])  # which refuses a name that a line cannot hold
    found = WitnessKey(name, raw[1:])
    if found.key_id.hex() != rest[0].lower():
        raise NoteError(f"name, id and key do not belong together: {encoded!r}")
    return found


def with_cosignatures(note: Note, lines: tuple[Signature, ...]) -> Note:
    """Return a note with the lines of witnesses below its own."""
    return Note(note.text, (*note.signatures, *lines))
