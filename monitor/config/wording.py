"""Words for what stands in a file, and for what was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from monitor.domain.naming import scalar_text

_SHOWN = 60
"""Characters of a text that a message repeats."""

_LISTED = 30
"""Words that a message lists at most."""


def quoted(text: str) -> str:
    """Return a text in double quotes, cut when it is long, with control characters escaped."""
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    plain = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in cut)
    return f'"{plain}"'


def described(value: Any, written: str = "") -> str:
    """Return what a value is, in words.

    Args:
        value: The value.
        written: How a number is written in the file, when that is known.
    """
    match value:
        case None:
            return "empty"
        case bool():
            return f"the boolean {scalar_text(value)}"
        case int() | float():
            return f"the number {written or repr(value)}"
        case str():
            return f"the text {quoted(value)}"
        case list():
            return "a list"
        case _:
            return "a section of keys"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "…"?``, or "" when no known word is near."""
    folded = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return f"; did you mean {quoted(folded[near[0]])}?" if near else ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean "…"?``, or all known words when none is near and they are few."""
    words = list(known)
    near = nearest(word, words)
    if near or not 0 < len(words) <= _LISTED:
        return near
    shown = (name if name and name.isprintable() else quoted(name) for name in words)
    return f"; known here: {', '.join(shown)}"
