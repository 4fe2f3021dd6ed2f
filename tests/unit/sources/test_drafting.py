"""How many batches a draft reads numbers of, and what becomes of it where they were unlike the rest."""

from datetime import timedelta

import numpy as np
import pytest

from monitor import open_model
from monitor.engine import register
from monitor.profile.codec import grid_from_bytes, profile_from_bytes
from monitor.profile.draft import COARSE_SHARE, is_coarse
from monitor.sources import drafting
from monitor.sources.parquet import ParquetSource

FILES, ROWS = 20, 40


@pytest.fixture
def drafts(monkeypatch):
    """Let three batches be enough however few rows they have; list what was asked of each draft."""
    monkeypatch.setattr(drafting, "_READ_FOR_SAMPLE", 1)
    asked = []
    draft = ParquetSource.draft

    def noted(self, scan, version, *, thorough=False):
        asked.append(thorough)
        return draft(self, scan, version, thorough=thorough)

    monkeypatch.setattr(ParquetSource, "draft", noted)
    return asked


@pytest.fixture
def registered(policy, rows, write, june):
    """Register what a function makes of the place of each row; return the baseline's grid."""

    def of(amount):
        for number in range(FILES):
            places = np.arange(number * ROWS, (number + 1) * ROWS)
            start = june.start + timedelta(days=number)
            write(f"log/{number:02}.parquet", rows(ROWS, start, amount=amount(places)))
        model = open_model(policy())
        (baseline,) = model.register(start="2005-06-01", end="2005-07-01", why="a test")
        grid, profile = grid_from_bytes(baseline.grid), profile_from_bytes(baseline.profile)
        assert profile.rows == FILES * ROWS
        assert not is_coarse(grid, profile)
        return grid.fields["amount"], profile.fields["amount"].cells

    return of


def test_numbers_of_the_first_the_last_and_a_batch_half_way_are_enough_of_a_log_that_is_alike(
    registered, drafts, monkeypatch
):
    read = []
    take = drafting._Drafting._take_numbers

    def noted(self, parts, before, step):
        read.extend(part.file.path for part in parts)
        take(self, parts, before, step)

    monkeypatch.setattr(drafting._Drafting, "_take_numbers", noted)
    registered(lambda places: places % 37)
    assert drafts == [False]
    assert read == ["00.parquet", "10.parquet", "19.parquet"]


def test_a_log_that_is_sorted_by_a_number_is_drafted_again_from_all_over(registered, drafts):
    grid, rows = registered(lambda places: places.astype(float))
    assert drafts == [False, True]
    assert rows[~grid.atoms].max() <= COARSE_SHARE * rows.sum()


@pytest.mark.slow
def test_a_number_that_only_batches_between_had_is_not_unseen_in_its_own_baseline(
    registered, drafts
):
    grid, rows = registered(lambda places: np.where(places // ROWS == 5, 7, places % 2))
    assert drafts == [False, True]
    assert grid.discrete
    assert rows[grid.atoms].tolist() == [FILES * ROWS // 2 - ROWS // 2] * 2 + [ROWS]


@pytest.mark.slow
def test_numbers_that_only_batches_between_had_at_all_are_found(registered, drafts):
    grid, rows = registered(
        lambda places: [float(place) if place // ROWS == 5 else None for place in places.tolist()]
    )
    assert drafts == [False, True]
    assert rows[grid.atoms].tolist() == [1] * ROWS


@pytest.mark.slow
def test_a_draft_that_was_thorough_already_is_not_counted_again(registered, drafts, monkeypatch):
    monkeypatch.setattr(drafting, "SAMPLE_BATCHES", FILES)
    monkeypatch.setattr(register, "is_coarse", lambda *_: True)
    counts = []
    count = register._count_part
    monkeypatch.setattr(register, "_count_part", lambda *args: counts.append(args) or count(*args))
    registered(lambda places: places.astype(float))
    assert drafts == [False, True]
    assert len(counts) == 1
