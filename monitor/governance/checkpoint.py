"""Checkpoints: a log's size and root, in the form that witnesses sign.

Three lines: the log's origin, its size, and its root in base64. No extension lines are written,
and none are believed. Source: c2sp.org/tlog-checkpoint.
"""

import base64
import binascii

from msgspec import Struct

from monitor.governance.note import Note, NoteError, SigningKey, VerifyingKey

_HASH_BYTES = 32
_LINES = 3


class Checkpoint(Struct, frozen=True):
    """What a log was at a moment.

    Attributes:
        origin: Which log: a name that no other log has.
        size: Records.
        root: The Merkle root over them.
    """

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"

    def signed(self, *keys: SigningKey) -> Note:
        """Return the checkpoint with the signatures of keys: the log's own, and a new one's."""
        text = str(self)
        return Note(text, tuple(key.sign(text) for key in keys))


def checkpoint_of(note: Note, key: VerifyingKey) -> Checkpoint:
    """Return the checkpoint that a log signed.

    Args:
        note: What was found.
        key: The log's key; its name is the log's origin.

    Raises:
        NoteError: The key did not sign it, it is another log's, or it is no checkpoint.
    """
    if not key.has_signed(note):
        raise NoteError(f"the checkpoint is not signed by {key.name} (key {key.key_id.hex()})")
    found = unverified_checkpoint(note)
    if found.origin != key.name:
        raise NoteError(f"the checkpoint is of the log {found.origin!r}, not of {key.name!r}")
    return found


def unverified_checkpoint(note: Note) -> Checkpoint:
    """Return what a note says of a log, whoever signed it.

    Raises:
        NoteError: It is no checkpoint.
    """
    lines = note.text.split("\n")[:-1]
    if len(lines) != _LINES:
        raise NoteError(f"a checkpoint has the lines origin, size and root, not {len(lines)} lines")
    origin, size, root = lines
    if not origin:
        raise NoteError("a checkpoint names the log it is of")
    if not (size.isascii() and size.isdigit()) or (size != "0" and size.startswith("0")):
        raise NoteError(f"the size of a log is a whole number without leading zeros, not {size!r}")
    try:
        decoded = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"the root is not base64: {error}") from error
    if len(decoded) != _HASH_BYTES:
        raise NoteError(f"a root has {_HASH_BYTES} bytes, not {len(decoded)}")
    return Checkpoint(origin, int(size), decoded)
