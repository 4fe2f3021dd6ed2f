"""Files that another program reads: whole and readable, or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

import click

TARGET = click.Path(dir_okay=False, path_type=Path)
"""A file that is written."""

PRIVATE = 0o600
"""For a file that only its owner may read."""

MODE = 0o644
"""Whoever reads a file is another user than whoever runs modelmon."""


@contextmanager
def whole(path: Path, mode: int = MODE) -> Iterator[BinaryIO]:
    """Open a file that takes its place at once when all is in it; on an exception nothing is left.

    Args:
        path: The file, which may be there.
        mode: Its permissions.

    Raises:
        UsageError: The folder is not there, or it cannot be written.
    """
    try:
        # Hidden, and with an ending that nobody looks for, until it is whole.
        number, name = mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(number, "wb") as file:
                yield file
                file.flush()
                os.fsync(number)
            part.chmod(mode)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror or error}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in its place at once, so that no reader ever sees half of it.

    Raises:
        UsageError: The folder is not there, or it cannot be written.
    """
    with whole(path) as file:
        file.write(content)
