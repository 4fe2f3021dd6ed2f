"""The tree against the reference roots of Certificate Transparency, and every proof of small trees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.governance.merkle import (
    EMPTY_ROOT,
    Frontier,
    appended_proof,
    consistency_proof,
    frontier_of,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

# Inputs and roots of the reference implementation of RFC 6962.
INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [leaf_hash(bytes([number])) for number in range(40)]
TREES = [root_of(LEAVES[:size]) for size in range(41)]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_reference_roots(size):
    leaves = [leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]
    assert root_of(leaves).hex() == ROOTS[size - 1]


def test_a_log_without_records_has_the_hash_of_nothing():
    assert root_of([]) == EMPTY_ROOT == Frontier().root


def by_definition(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(by_definition(leaves[:half]), by_definition(leaves[half:]))


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_appending_one_by_one_gives_the_tree_of_the_definition(bodies):
    leaves = [leaf_hash(body) for body in bodies]
    frontier = frontier_of(leaves)
    assert frontier.root == by_definition(leaves)
    assert len(frontier.hashes) == len(leaves).bit_count()


def test_hashes_that_are_no_tree_of_that_size_are_refused():
    with pytest.raises(ValueError, match="no tree: one of 3 leaves has 2 complete subtrees, not 1"):
        Frontier(3, (LEAVES[0],))


@pytest.mark.parametrize("size", range(1, 41))
def test_every_leaf_is_proved_at_its_place_and_at_no_other(size):
    for index in range(size):
        proof = inclusion_proof(LEAVES[:size], index)
        places = [
            place
            for place in range(-1, size + 2)
            if is_included(LEAVES[index], place, size, proof, TREES[size])
        ]
        assert places == [index]
        assert not is_included(LEAVES[index], index, size, (*proof, LEAVES[0]), TREES[size])
        assert not is_included(leaf_hash(b"other"), index, size, proof, TREES[size])


@pytest.mark.parametrize("size", range(1, 41))
def test_every_earlier_tree_is_proved_to_be_the_beginning(size):
    for first in range(1, size + 1):
        proof = consistency_proof(LEAVES[:size], first)
        assert is_consistent(first, TREES[first], size, TREES[size], proof)
        assert not is_consistent(first, TREES[first - 1], size, TREES[size], proof)
        assert not is_consistent(first, TREES[first], size, TREES[size - 1], proof)
        for left_out in range(len(proof)):
            shorter = proof[:left_out] + proof[left_out + 1 :]
            assert not is_consistent(first, TREES[first], size, TREES[size], shorter)


def test_the_empty_log_is_the_beginning_of_every_other():
    assert is_consistent(0, EMPTY_ROOT, 5, TREES[5], ())
    assert not is_consistent(0, TREES[1], 5, TREES[5], ())


def test_a_log_that_shrank_is_consistent_with_nothing():
    assert not is_consistent(5, TREES[5], 4, TREES[4], ())


@pytest.mark.parametrize("index", [-1, 5])
def test_a_leaf_that_is_not_there_has_no_proof(index):
    with pytest.raises(ValueError, match="a tree of 5 leaves has no leaf"):
        inclusion_proof(LEAVES[:5], index)


@pytest.mark.parametrize("first", [0, 6])
def test_a_size_that_never_was_has_no_proof(first):
    with pytest.raises(ValueError, match="a tree of 5 leaves never was one of"):
        consistency_proof(LEAVES[:5], first)


@pytest.mark.slow
@given(st.integers(0, 70), st.integers(1, 40))
def test_what_was_just_appended_is_proved_from_the_frontier_alone(before, more):
    leaves = [leaf_hash(str(number).encode()) for number in range(before + more)]
    frontier = frontier_of(leaves[:before])
    for index in range(before, before + more):
        proof = appended_proof(frontier, leaves[before:], index)
        assert proof == inclusion_proof(leaves, index)
        assert is_included(leaves[index], index, len(leaves), proof, root_of(leaves))


@pytest.mark.parametrize("index", [-1, 4, 7])
def test_what_was_not_appended_is_not_proved_from_the_frontier(index):
    leaves = [leaf_hash(str(number).encode()) for number in range(7)]
    with pytest.raises(ValueError, match="none of those from 5 to 7"):
        appended_proof(frontier_of(leaves[:5]), leaves[5:], index)
