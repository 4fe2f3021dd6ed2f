"""A file that is written wholly or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

TARGET = click.Path(dir_okay=False, path_type=Path)


@contextmanager
def whole(target: Path | None) -> Iterator[BinaryIO]:
    """Open a file that takes its name once everything is in it; on an exception nothing is left.

    Args:
        target: The file, which may be there and is replaced then; None for standard output.

    Raises:
        click.FileError: It cannot be written.
    """
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    written = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with written.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        written.replace(target)
    except OSError as error:
        raise click.FileError(str(target), hint=error.strerror or str(error)) from error
    finally:
        written.unlink(missing_ok=True)
