"""The slices of a stored profile, each decoded when it is asked for."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from monitor.profile.packing import Arrays, Body, size_of
from monitor.profile.profile import Profile

Decode = Callable[[Mapping[str, Any], Arrays, str], Profile]
"""Makes a profile of what is said of it and its arrays, whose names begin with a prefix."""

_BOOKMARKED = 1 << 18  # bytes of slices, after which there is another mark to read on from


def slice_prefix(segment: str, code: int | str) -> str:
    """Return what the names of a slice's arrays begin with."""
    return f"\x1e{segment}\x1e{code}\x1e"


def read_slices(
    header: Mapping[str, Any], body: Body, decode: Decode
) -> tuple[Arrays, dict[str, Mapping[int, Profile]]]:
    """Return the arrays of a profile that are not of its slices, and the slices of each segment.

    Args:
        header: What is said of the profile.
        body: What follows it; it is read to the end.
        decode: How slices are decoded.

    Raises:
        ValueError: The content ends before its arrays.
        zlib.error: It is damaged.
    """
    segments = header.get("segments", {})
    prefixes = sorted(
        slice_prefix(name, code) for name, slices in segments.items() for code in slices
    )

    def prefix_of(entry: Sequence[Any]) -> str:
        place = bisect_right(prefixes, entry[0])
        found = prefixes[place - 1] if place else ""
        return found if entry[0].startswith(found) else ""

    arrays: Arrays = {}
    places: dict[str, _Place] = {}
    mark, passed = None, 0
    for prefix, entries in groupby(header["arrays"], prefix_of):
        layout = list(entries)
        if not prefix:
            arrays |= body.arrays(layout)
            mark = None
            continue
        if mark is None or passed > _BOOKMARKED:
            mark, passed = body.bookmark(), 0
        places[prefix] = _Place(mark, passed, layout)
        size = size_of(layout)
        body.pass_over(size)
        passed += size
    deque(body.rest(), 0)
    return arrays, {
        name: _Slices(
            decode,
            {
                int(code): _Slice(prefix, described, places[prefix])
                for code, described in slices.items()
                for prefix in (slice_prefix(name, code),)
            },
        )
        for name, slices in segments.items()
    }


class _Place(NamedTuple):
    """Where the arrays of a slice are.

    Attributes:
        mark: A place before them.
        before: Bytes between the mark and them.
        layout: Their names, dtypes and shapes.
    """

    mark: Body
    before: int
    layout: Sequence[tuple[str, str, list[int]]]

    def arrays(self) -> Arrays:
        """Return them."""
        body = self.mark.bookmark()
        body.pass_over(self.before)
        return body.arrays(self.layout)


class _Slice(NamedTuple):
    prefix: str
    described: Mapping[str, Any]
    place: _Place


class _Slices(Mapping[int, Profile]):
    def __init__(self, decode: Decode, packed: Mapping[int, _Slice]) -> None:
        self._decode = decode
        self._packed = packed

    def __getitem__(self, code: int) -> Profile:
        prefix, described, place = self._packed[code]
        return self._decode(described, place.arrays(), prefix)

    def __contains__(self, code: object) -> bool:
        return code in self._packed

    def __iter__(self) -> Iterator[int]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)

    def __deepcopy__(self, memo: object) -> dict[int, Profile]:
        return dict(self)
