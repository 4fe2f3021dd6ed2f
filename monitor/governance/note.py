"""Signed notes: a text and who signed it, in the form of C2SP's ``signed-note``.

A note is a text that ends with a newline, an empty line, and a line for each signature::

    — NAME BASE64(KEY ID, four bytes, then the signature)

A key's id is the first four bytes of SHA-256 over its name, a newline, the kind of its signature
and the public key, so that a verifier finds the line that is meant for it. Ed25519 is of kind 1.

Source: c2sp.org/signed-note.

What signs is loaded when something is signed or checked: it costs a tenth of the start of a run.
"""

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ED25519 = b"\x01"
_ID_BYTES, _KEY_BYTES = 4, 32
_DASH = "— "
_NAME = re.compile(r"[^\s+]+")


class NoteError(ValueError):
    """A text is no signed note, or a key is none."""


class Signature(Struct, frozen=True):
    """One line below a note.

    Attributes:
        name: The key's name.
        key_id: The first four bytes of the key's hash.
        value: What the key made of the text.
    """

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        """Return the line."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.value).decode('ascii')}\n"


class Note(Struct, frozen=True):
    """A text and the signatures on it.

    Attributes:
        text: What was signed, with its last newline.
        signatures: In the order of their lines.
    """

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        """Return the note as it is written to a file."""
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


class VerifyingKey(Struct, frozen=True):
    """Who can be believed: a name and a public key.

    Attributes:
        name: Without blanks and plus signs; a log's key has the log's origin as its name.
        public: The Ed25519 public key, 32 bytes.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        """Refuse a name that a note's line cannot hold, and a key of another length."""
        if not _NAME.fullmatch(self.name):
            raise NoteError(f"a key's name has neither blanks nor plus signs: {self.name!r}")
        if len(self.public) != _KEY_BYTES:
            raise NoteError(f"an Ed25519 public key has {_KEY_BYTES} bytes, not {len(self.public)}")

    @property
    def key_id(self) -> bytes:
        """Return the four bytes by which a line is found."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        """Return the key as it is handed out: name, id and key, joined by plus signs."""
        key = base64.b64encode(_ED25519 + self.public).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{key}"

    def has_signed(self, note: Note) -> bool:
        """Return whether this key signed the note's text.

        Lines of other keys are passed over, as the specification asks; a line that claims to be of
        this key and is not makes the whole note unbelievable.
        """
        mine = [
            line.value
            for line in note.signatures
            if (line.name, line.key_id) == (self.name, self.key_id)
        ]
        text = note.text.encode()
        return bool(mine) and all(is_made_by(self.public, value, text) for value in mine)


def is_made_by(public: bytes, value: bytes, content: bytes) -> bool:
    """Return whether the Ed25519 key of a public key made a signature on some bytes."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, content)
    except InvalidSignature:
        return False
    return True


class SigningKey(Struct, frozen=True):
    """Who signs: a name and an Ed25519 seed. Its text form is a secret.

    Attributes:
        name: As in `VerifyingKey`.
        seed: The private key, 32 bytes.
    """

    name: str
    seed: bytes

    @property
    def verifying(self) -> VerifyingKey:
        """Return what others check signatures by."""
        public = self._private().public_key()
        return VerifyingKey(self.name, public.public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """Return the signature on a text.

        Raises:
            NoteError: The text does not end with a newline, so that it cannot be a note's.
        """
        _check_text(text)
        return Signature(self.name, self.verifying.key_id, self._private().sign(text.encode()))

    def sign_bytes(self, content: bytes) -> bytes:
        """Return the bare signature on bytes, for forms that are not a note's."""
        return self._private().sign(content)

    def __repr__(self) -> str:
        """Return the name alone: what is logged must not be the secret."""
        return f"SigningKey(name={self.name!r})"

    def encoded(self) -> str:
        """Return the key as it is kept in a file of its owner."""
        key = base64.b64encode(_ED25519 + self.seed).decode("ascii")
        return f"PRIVATE+KEY+{self.name}+{self.verifying.key_id.hex()}+{key}"

    def _private(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PrivateKey,
        )

        return Ed25519PrivateKey.from_private_bytes(self.seed)


def new_signing_key(name: str) -> SigningKey:
    """Return a new key of this name."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    return SigningKey(name, Ed25519PrivateKey.generate().private_bytes_raw())


def signing_key_of(encoded: str) -> SigningKey:
    """Return the key that a file holds.

    Raises:
        NoteError: The text is no private key, or its parts contradict each other. The message
            never holds the text.
    """
    parts = encoded.strip().split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:  # noqa: PLR2004  # its five parts
        raise NoteError("not a private key: it begins with PRIVATE+KEY+ and has a name, id and key")
    _, _, name, stated, key = parts
    found = SigningKey(name, _key_bytes(key))
    _check_id(found.verifying, stated)
    return found


def verifying_key_of(encoded: str) -> VerifyingKey:
    """Return the key that somebody handed out.

    Raises:
        NoteError: The text is no public key, or its parts contradict each other.
    """
    name, *rest = encoded.strip().split("+", 2)
    if len(rest) != 2:  # noqa: PLR2004  # id and key
        raise NoteError(f"a public key is NAME+ID+KEY, which this is not: {encoded!r}")
    found = VerifyingKey(name, _key_bytes(rest[1]))
    _check_id(found, rest[0])
    return found


def note_of(text: str) -> Note:
    """Return the note that a text holds; nothing is verified yet.

    Raises:
        NoteError: The text is no note.
    """
    body, blank, lines = text.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise NoteError("a signed note is a text, an empty line, and lines of signatures")
    _check_text(body + "\n")
    return Note(body + "\n", tuple(signature_of(line) for line in lines[:-1].split("\n")))


def signature_of(line: str) -> Signature:
    """Return the signature that a line below a note is, without its newline.

    Raises:
        NoteError: It is none.
    """
    name, blank, value = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not blank or not _NAME.fullmatch(name):
        raise NoteError(f"not a signature line: {line!r}")
    decoded = _decoded(value)
    if len(decoded) <= _ID_BYTES:
        raise NoteError(f"a signature is longer than its key's id: {line!r}")
    return Signature(name, decoded[:_ID_BYTES], decoded[_ID_BYTES:])


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("the text of a note ends with a newline")
    if any(character < " " and character != "\n" for character in text):
        raise NoteError("the text of a note holds no control characters but newlines")


def _check_id(key: VerifyingKey, stated: str) -> None:
    if key.key_id.hex() != stated.lower():
        raise NoteError(
            f"the id of the key {key.name!r} is {key.key_id.hex()}, not {stated!r}: name, id and"
            " key do not belong together"
        )


def _key_bytes(encoded: str) -> bytes:
    decoded = _decoded(encoded)
    if decoded[:1] != _ED25519 or len(decoded) != 1 + _KEY_BYTES:
        raise NoteError("the key is not one of Ed25519")
    return decoded[1:]


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"not base64: {error}") from error
