"""The files that hold keys: the one that signs the audit log, and the one that signs permits."""

import os
from pathlib import Path

from monitor.domain.errors import AuditError
from monitor.governance.note import NoteError, SigningKey, signing_key_of

_OTHERS = 0o077


def read_key(
    path: Path, of: str = "the audit log", made_by: str = "modelmon audit init"
) -> SigningKey:
    """Return the key that a file holds.

    Args:
        path: The file.
        of: What it signs.
        made_by: The command that makes one.

    Raises:
        AuditError: There is none, others may read it, or it is no key. No message holds the key.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(
            f"the key of {of}, {path}, cannot be read: {_said(error)}; `{made_by}` makes one"
        ) from error
    if mode & _OTHERS:
        raise AuditError(
            f"others than its owner may read or write the key of {of}: chmod 600 {path}"
        )
    try:
        return signing_key_of(text)
    except NoteError as error:
        raise AuditError(f"{path} holds no key of {of}: {error}") from error


def write_key(path: Path, key: SigningKey) -> None:
    """Write a key to a new file that only its owner may read.

    Raises:
        AuditError: There is a file already, or none can be made.
    """
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise AuditError(f"{path} is there already; a key is never written over") from error
    except OSError as error:
        raise AuditError(f"no key can be written to {path}: {error.strerror}") from error
    with os.fdopen(made, "w", encoding="ascii") as file:
        file.write(key.encoded() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _said(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is not ASCII text"
