"""A root as whole numbers that a sample of a time series holds exactly.

A sample is a floating point number: it holds 53 bits. Five parts of at most 52 bits are the 256 bits
of a root, so that whatever keeps series keeps the whole root.
"""

from collections.abc import Sequence

BITS = 52
PARTS = 5
_ROOT_BITS = 256


def parts_of(root: bytes) -> tuple[int, ...]:
    """Return the parts of a root, the highest bits first; the last part has 48 bits.

    Raises:
        ValueError: It has not 32 bytes.
    """
    if len(root) * 8 != _ROOT_BITS:
        raise ValueError(f"a root has {_ROOT_BITS // 8} bytes, not {len(root)}")
    whole = int.from_bytes(root)
    return tuple(whole >> low & (1 << high - low) - 1 for high, low in _BOUNDS)


def root_of_parts(parts: Sequence[int]) -> bytes:
    """Return the root that some parts are of.

    Raises:
        ValueError: They are not the parts of a root.
    """
    if len(parts) != PARTS:
        raise ValueError(f"a root has {PARTS} parts, not {len(parts)}")
    whole = 0
    for number, (part, (high, low)) in enumerate(zip(parts, _BOUNDS, strict=True)):
        if not 0 <= part < 1 << high - low:
            raise ValueError(f"part {number} of a root has {high - low} bits; this is {part}")
        whole |= part << low
    return whole.to_bytes(_ROOT_BITS // 8)


_BOUNDS = tuple(
    (_ROOT_BITS - number * BITS, max(_ROOT_BITS - (number + 1) * BITS, 0))
    for number in range(PARTS)
)
