"""References in a file to what must not stand in it: ``${NAME}`` and ``${file:/path}``."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from monitor.config.document import Document, KeyPath
from monitor.domain.errors import Problem

REFERENCE = re.compile(r"\$\{([^}]*)\}")
"""An environment variable, or the content of a file."""


def filled(
    document: Document,
    at: KeyPath,
    written: str,
    environment: Mapping[str, str],
    encode: Callable[[str], str] = str,
) -> tuple[str, list[Problem]]:
    """Return a text with its references filled in, and a problem for each that cannot be.

    Args:
        document: The file.
        at: Where the text stands in it.
        written: The text.
        environment: Variables that it may refer to.
        encode: What is done to what comes in place of a reference, if that is only a part of it.
    """
    problems: list[Problem] = []

    def found(match: re.Match[str]) -> str:
        try:
            text = referred(match[1], environment)
        except (KeyError, OSError, UnicodeDecodeError) as error:
            kind = "cannot be read" if match[1].startswith("file:") else "is not set"
            reason = f": {error.strerror}" if isinstance(error, OSError) else ""
            problems.append(document.problem(at, f"{match[0]} {kind}{reason}"))
            return ""
        return text if match[0] == written else encode(text)

    text = REFERENCE.sub(found, written)
    return ("" if problems else text), problems


def referred(reference: str, environment: Mapping[str, str]) -> str:
    """Return what a reference, without ``${`` and ``}``, refers to.

    Raises:
        KeyError: No such variable.
        OSError: The file cannot be read.
        UnicodeDecodeError: It is no text.
    """
    kind, separator, path = reference.partition(":")
    if separator and kind == "file":
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    return environment[reference]
