"""Names from logs and configuration as label values."""

import re
import unicodedata
from functools import lru_cache
from hashlib import sha256

LONGEST = 200
"""Characters of the longest label value: longer names would fill the page, not inform."""

_MARK = re.compile(r"~[0-9a-f]{16}\Z")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@lru_cache(50_000)
def label_value(name: str) -> str:
    r"""Return the label value that stands for a name.

    A name stays as it is, and the text format escapes its quotes, backslashes and line feeds.
    Other control characters (which change what a terminal or a log shows) and lone surrogates
    (which UTF-8 cannot hold) become U+FFFD, and a name of more than `LONGEST` characters is cut.
    A name that was changed so ends in ``~`` and 16 hex digits of its sha256, and so does a name
    that happens to end like that itself: different names are never the same series.
    """
    if name.isprintable() and len(name) <= LONGEST and not _MARK.search(name):
        return name
    shown = "".join(_REPLACEMENT if _unprintable(character) else character for character in name)
    if shown == name and len(name) <= LONGEST and not _MARK.search(name):
        return name
    mark = "~" + sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return shown[: LONGEST - len(mark)] + mark


def _unprintable(character: str) -> bool:
    return character != "\n" and unicodedata.category(character) in {"Cc", "Cs"}
