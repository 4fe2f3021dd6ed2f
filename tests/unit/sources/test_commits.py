"""What the commits of a table tell of its rows; each case is a log that somebody might write."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.commits import Changed, Commit, rows_committed, same_rows

START = datetime(2024, 1, 1, tzinfo=UTC)


def commit(number, added=(), removed=(), *, moves=False, brings=False, anywhere=False):
    files = Changed(frozenset(added), frozenset(removed), anywhere)
    at = START + timedelta(hours=number)
    return Commit(str(number), at, brings, not moves, lambda: files)


def moved(number, added, removed):
    return commit(number, added, removed, moves=True)


def newest_first(*commits):
    return list(reversed([commit(0, ["a", "b"], brings=True), *commits]))


def test_the_last_commit_of_rows_counts_and_not_the_last_commit():
    written = [commit(1, ["c"], brings=True), moved(2, ["d"], ["c"]), commit(3, removed=["a"])]
    assert rows_committed(newest_first(*written)) == START + timedelta(hours=1)


def test_where_rows_came_long_ago_nothing_is_said():
    assert rows_committed(newest_first(*(moved(n, [f"{n}"], []) for n in range(1, 30)))) is None
    assert rows_committed([]) is None


@pytest.mark.parametrize(
    ("commits", "now", "same"),
    [
        ([moved(1, ["c"], ["a", "b"])], ["c"], True),
        ([moved(1, ["c"], ["a", "b"]), moved(2, ["d"], ["c"])], ["d"], True),
        ([commit(1, ["x"]), moved(2, ["c"], ["a", "b"])], ["c"], True),
        ([commit(1, ["x"]), moved(2, ["c"], ["a", "b"])], ["c", "x"], False),
        ([commit(1, ["x"]), moved(2, ["c"], ["a", "b", "x"])], ["c"], False),
        ([moved(1, ["c"], ["a", "b"]), commit(2, ["d"], ["c"])], ["d"], False),
        ([commit(1, ["c"], ["a"]), moved(2, ["d"], ["b", "c"])], ["d"], False),
        ([commit(1, ["del"], anywhere=True), moved(2, ["c"], ["a", "b"])], ["c"], False),
        ([commit(1, ["x"])], ["a", "b", "x"], False),
        ([commit(1, [], ["b"])], ["a"], False),
    ],
)
def test_rows_are_the_same_only_when_the_log_leaves_no_doubt(commits, now, same):
    assert same_rows(newest_first(*commits), "0", ["a", "b"], now) is same


def test_a_log_that_does_not_go_back_so_far_is_no_proof():
    commits = [moved(2, ["c"], ["a", "b"]), commit(1, ["a", "b"])]
    assert not same_rows(commits, "0", ["a", "b"], ["c"])


@given(st.data())
def test_what_is_called_the_same_holds_the_same_rows(data):
    """Against a table that knows its rows: appended, deleted and moved at random."""
    files, commits, rows = {"f0": {0}, "f1": {1}}, [commit(0, ["f0", "f1"])], 2
    before = {name: set(held) for name, held in files.items()}
    for number in range(1, data.draw(st.integers(1, 6)) + 1):
        names = st.sampled_from(sorted(files)) if files else st.nothing()
        chosen = data.draw(st.lists(names, max_size=3, unique=True)) if files else []
        kind = data.draw(st.sampled_from(["append", "move", "delete"]))
        new = f"f{number + 1}"
        if kind == "append":
            files[new] = {rows}
            rows += 1
            commits.append(commit(number, [new]))
        elif kind == "move" and chosen:
            files[new] = set().union(*(files.pop(name) for name in chosen))
            commits.append(moved(number, [new], chosen))
        elif kind == "delete" and chosen:
            for name in chosen:
                files.pop(name)
            commits.append(commit(number, [], chosen))
    # The files of a window are those with rows of it: here of the rows that were there at first.
    now = [name for name, held in files.items()]
    if same_rows(reversed(commits), "0", list(before), now):
        assert set().union(*before.values()) == set().union(*files.values())
