"""Damaged parquet files, each tried in a process that may die: none does."""

import io
import os
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.fuzz.compact import Document
from tests.fuzz.depth import MUTANTS, SEED
from tests.fuzz.mutants import CHECKED, FORMS, Mutant, mutant, original
from tests.fuzz.trial import Bench
from tests.fuzz.workers import try_mutants

pytestmark = pytest.mark.slow

OTHER_VALUES = "used: all rows, other values"


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_damaged_files_are_read_whole_or_left_out_with_their_name():
    outcomes: Counter[str] = Counter()
    peak, faults = 0, {}
    seeds = range(SEED, SEED + MUTANTS)
    for seed, ended in try_mutants(seeds, min(4, os.cpu_count() or 1)):
        outcomes[ended.outcome] += 1
        peak = max(peak, ended.peak)
        if ended.fault:
            damaged = mutant(seed)
            faults[seed] = f"{damaged.form}; {', '.join(damaged.steps)}: {ended.fault}"
    for outcome, number in outcomes.most_common():
        print(f"{number:>7,} {outcome}")  # noqa: T201  # make fuzz shows it
    print(f"{peak / 2**20:>7.0f} MiB in the largest process")  # noqa: T201
    assert faults == {}
    assert outcomes.total() == MUTANTS
    assert {"left out: corrupt", "left out: not_parquet", "used: as it was"} <= outcomes.keys()


@pytest.mark.parametrize("form", FORMS)
def test_an_undamaged_file_is_used_as_it_was(bench, form):
    assert bench.tried(Mutant(0, form, (), original(form))).outcome == "used: as it was"


@pytest.mark.parametrize("form", sorted(CHECKED))
def test_with_checksums_no_changed_page_is_used(bench, form):
    outcomes = {tried_with(bench, form, place) for place in places_in_pages(form)}
    assert "left out: corrupt" in outcomes
    assert outcomes <= {"left out: corrupt", "used: as it was"}  # nested columns are not read


def test_without_checksums_other_values_are_taken_for_true(bench):
    outcomes = {tried_with(bench, "plain", place) for place in places_in_pages("plain")}
    assert OTHER_VALUES in outcomes


def tried_with(bench, form, place):
    data = bytearray(original(form))
    data[place] ^= 0x10
    ended = bench.tried(Mutant(0, form, (f"flip {place}",), bytes(data)))
    assert not ended.fault, ended.fault
    return ended.outcome


def places_in_pages(form):
    """Return a few places inside the first page of each column, behind its header."""
    data = original(form)
    group = pq.read_metadata(io.BytesIO(data)).row_group(0)
    rng = np.random.default_rng(3)
    for number in range(group.num_columns):
        chunk = group.column(number)
        begin = chunk.data_page_offset
        if chunk.dictionary_page_offset is not None:
            begin = min(begin, chunk.dictionary_page_offset)
        after = Document(data, begin).end
        yield from rng.integers(after, after + min(60, chunk.total_compressed_size // 2), 3)
