"""What people wrote, apart from the log: it holds a salted digest in their place.

A person's words can be erased then, with the salt, and the log is as whole as before. What is left
of them in the log is a number that nobody can lead back to the words, not even by guessing.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from monitor.governance.record import Json

MARK = "words"
"""Key of what stands in a record in place of words: their digest."""

_WHY = "why"
_OF_ENTRIES = frozenset({"reason", "closing", "control", "ending"})


def digest_of_words(salt: bytes, text: str) -> str:
    """Return the digest that stands in the log for a text."""
    return f"sha256:{hashlib.sha256(salt + text.encode()).hexdigest()}"


def erased_words(at: datetime, by: str) -> str:
    """Return what is shown in place of words that were erased."""
    return f"(erased on {at:%Y-%m-%d} by {by})"


def without_words(
    data: Mapping[str, Json], digest_for: Callable[[str], str | None]
) -> dict[str, Json]:
    """Return the data of an event with digests in place of what people wrote.

    That is its ``why``, and in the entry that it made the reasons and what was said of its end.

    Args:
        data: Of an event.
        digest_for: Returns the digest of a text; None for one that stays where it is.
    """
    found = dict(data)
    if isinstance(data.get(_WHY), str):
        found[_WHY] = _apart(data[_WHY], digest_for)
    if isinstance(data.get("after"), dict):
        found["after"] = _entry(data["after"], digest_for)
    return found


def with_words(data: Json, told: Callable[[str], str]) -> Json:
    """Return data with what is told of each digest in its place.

    Args:
        data: With digests.
        told: Returns the text of a digest, or what is left to tell of it.
    """
    if isinstance(data, dict):
        digest = data.get(MARK)
        if len(data) == 1 and isinstance(digest, str):
            return told(digest)
        return {name: with_words(item, told) for name, item in data.items()}
    if isinstance(data, list):
        return [with_words(item, told) for item in data]
    return data


def digests_in(data: Json) -> tuple[str, ...]:
    """Return the digests of all words that stand in data, in order."""
    found: list[str] = []

    def noted(digest: str) -> str:
        found.append(digest)
        return digest

    with_words(data, noted)
    return tuple(dict.fromkeys(found))


def _entry(data: Json, digest_for: Callable[[str], str | None]) -> Json:
    if isinstance(data, list):
        return [_entry(item, digest_for) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        name: _apart(item, digest_for)
        if name in _OF_ENTRIES and isinstance(item, str)
        else _entry(item, digest_for)
        for name, item in data.items()
    }


def _apart(text: Json, digest_for: Callable[[str], str | None]) -> Json:
    digest = digest_for(str(text)) if text else None
    return text if digest is None else {MARK: digest}
