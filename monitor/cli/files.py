"""Files that another program reads: whole and readable, or not there."""

import os
from pathlib import Path
from tempfile import mkstemp

import click

MODE = 0o644
"""Whoever reads a file is another user than whoever runs modelmon."""


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place at once, so that no reader ever sees half of it.

    Raises:
        UsageError: The folder is not there, or it cannot be written.
    """
    try:
        # Hidden, and with an ending that nobody looks for, until it is whole.
        number, name = mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(number)
            part.chmod(MODE)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror or error}") from error
