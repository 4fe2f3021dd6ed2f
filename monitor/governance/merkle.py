"""The Merkle tree of RFC 6962: one hash that stands for a whole log, and proofs against it.

Leaves and nodes are hashed with different first bytes, so that neither can be given out as the
other. A tree of ``n`` leaves is split at the largest power of two below ``n``, so that a log that
has grown keeps the nodes it had.

Source: RFC 6962, section 2; the verifying of proofs is that of RFC 9162, section 2.1.
"""

import hashlib
from collections.abc import Sequence

from msgspec import Struct

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a log without records."""


def leaf_hash(body: bytes) -> bytes:
    """Return the hash of one record: SHA-256 of a zero byte and the record."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees: SHA-256 of a one byte and both hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier(Struct, frozen=True):
    """What is needed of a tree to append to it: at most one hash for each bit of its size.

    Attributes:
        size: Leaves.
        hashes: Roots of the complete subtrees, from the largest (and oldest) to the smallest.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse hashes that are no tree of that size."""
        if len(self.hashes) != self.size.bit_count():
            raise ValueError(
                f"no tree: one of {self.size} leaves has {self.size.bit_count()} complete subtrees, not"
                f" {len(self.hashes)}"
            )

    def appended(self, leaf: bytes) -> "Frontier":
        """Return the frontier with one more leaf."""
        hashes, size, joined = list(self.hashes), self.size, leaf
        while size & 1:
            joined = node_hash(hashes.pop(), joined)
            size >>= 1
        return Frontier(self.size + 1, (*hashes, joined))

    @property
    def root(self) -> bytes:
        """Return the hash over all leaves."""
        if not self.hashes:
            return EMPTY_ROOT
        joined = self.hashes[-1]
        for larger in reversed(self.hashes[:-1]):
            joined = node_hash(larger, joined)
        return joined


def frontier_of(leaves: Sequence[bytes]) -> Frontier:
    """Return the frontier over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.appended(leaf)
    return frontier


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    return frontier_of(leaves).root


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the hashes that lead from one leaf to the root, from the leaf up.

    Args:
        leaves: Every leaf hash of the tree.
        index: Which leaf, from 0.

    Raises:
        ValueError: There is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves has no leaf {index}")
    begin, end, proof = 0, len(leaves), list[bytes]()
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(root_of(leaves[middle:end]))
            end = middle
        else:
            proof.append(root_of(leaves[begin:middle]))
            begin = middle
    return tuple(reversed(proof))


def appended_proof(before: Frontier, leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return `inclusion_proof` of a leaf that was just appended, without the leaves before it.

    What stands to the left of it is made of the complete subtrees that the frontier has.

    Args:
        before: The frontier before.
        leaves: Every leaf hash that was appended.
        index: Which leaf of the whole tree, from 0.

    Raises:
        ValueError: It is none of those that were appended.
    """
    size = before.size + len(leaves)
    if not before.size <= index < size:
        raise ValueError(f"leaf {index} is none of those from {before.size} to {size}")
    known, begin = dict[tuple[int, int], bytes](), 0
    for subtree in before.hashes:
        end = begin + (1 << (before.size - begin).bit_length() - 1)
        known[begin, end] = subtree
        begin = end

    def root(begin: int, end: int) -> bytes:
        if (begin, end) in known:
            return known[begin, end]
        if end - begin == 1:
            return leaves[begin - before.size]
        middle = begin + _split(end - begin)
        return node_hash(root(begin, middle), root(middle, end))

    begin, end, proof = 0, size, list[bytes]()
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(root(middle, end))
            end = middle
        else:
            proof.append(root(begin, middle))
            begin = middle
    return tuple(reversed(proof))


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether a proof shows that a leaf stands at its place in the tree of a root.

    Args:
        leaf: The hash of the record.
        index: Where it is said to stand, from 0.
        size: Leaves of the tree.
        proof: What `inclusion_proof` gave.
        root: The root of the tree.
    """
    if not 0 <= index < size:
        return False
    here, last, joined = index, size - 1, leaf
    for sibling in proof:
        if not last:
            return False
        if here & 1 or here == last:
            joined = node_hash(sibling, joined)
            while not here & 1 and here:  # the rightmost of an odd number has no sibling
                here, last = here >> 1, last >> 1
        else:
            joined = node_hash(joined, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and joined == root


def consistency_proof(leaves: Sequence[bytes], first: int) -> tuple[bytes, ...]:
    """Return the hashes that show that the tree only grew since it had its first leaves.

    Args:
        leaves: Every leaf hash of the tree.
        first: Its size then, at least 1.

    Raises:
        ValueError: The tree never had that size.
    """
    if not 1 <= first <= len(leaves):
        raise ValueError(f"a tree of {len(leaves)} leaves never was one of {first}")
    begin, end, proof, whole = 0, len(leaves), list[bytes](), True
    while first < end:
        middle = begin + _split(end - begin)
        if first <= middle:
            proof.append(root_of(leaves[middle:end]))
            end = middle
        else:
            proof.append(root_of(leaves[begin:middle]))
            begin, whole = middle, False
    if not whole:
        proof.append(root_of(leaves[begin:end]))
    return tuple(reversed(proof))


def is_consistent(
    first: int, first_root: bytes, second: int, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Return whether a proof shows that a tree begins with all leaves of an earlier one.

    Args:
        first: Leaves of the earlier tree.
        first_root: Its root.
        second: Leaves of the later tree.
        second_root: Its root.
        proof: What `consistency_proof` gave.
    """
    if not 0 < first < second:
        same = first_root == (EMPTY_ROOT if first == 0 else second_root)
        return first in {0, second} and not proof and same
    hashes = list(proof) if first & (first - 1) else [first_root, *proof]
    return bool(hashes) and _leads_to_both(hashes, first, first_root, second, second_root)


def _leads_to_both(
    hashes: Sequence[bytes], first: int, first_root: bytes, second: int, second_root: bytes
) -> bool:
    here, last = first - 1, second - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    then = now = hashes[0]
    for sibling in hashes[1:]:
        if not last:
            return False
        if here & 1 or here == last:
            then, now = node_hash(sibling, then), node_hash(sibling, now)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            now = node_hash(now, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and then == first_root and now == second_root


def _split(size: int) -> int:
    """Return the largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1
