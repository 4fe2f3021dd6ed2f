from collections import Counter

from monitor.domain.manifest import LISTED_FILES, FileAccount
from monitor.domain.schema import ColumnChange, SchemaChange
from monitor.engine.counting import (
    BUNDLED_FILES,
    BUNDLED_ROWS,
    LISTED_VERSIONS,
    OTHER_VERSIONS,
    SMALL_ROWS,
    Counted,
    Task,
    bundled,
)


def change(path):
    return SchemaChange("1", ColumnChange.MISSING, "a", "int64", "", True, 1, path)  # noqa: FBT003


def tied(*rows):
    """Return how many rows each file has in each bundle, and the rows that it says it has."""
    found = bundled([Task(str(place), (0,), size) for place, size in enumerate(rows)])
    places = [[int(task.path) for task in (bundle, *bundle.others)] for bundle in found]
    return [[rows[place] for place in some] for some in places], [bundle.rows for bundle in found]


def test_small_neighbours_are_one_task():
    assert tied(5, 6, 7) == ([[5, 6, 7]], [18])
    assert tied() == ([], [])


def test_what_is_not_small_is_a_task_of_its_own():
    large = SMALL_ROWS + 1
    assert tied(5, 6, large, 7, large, large, 8, 9)[0] == [
        [5, 6],
        [large],
        [7],
        [large],
        [large],
        [8, 9],
    ]


def test_a_bundle_has_neither_too_many_rows_nor_too_many_files():
    bundles, rows = tied(*[SMALL_ROWS] * 20)
    assert [len(bundle) for bundle in bundles] == [8, 8, 4]
    assert max(rows) <= BUNDLED_ROWS
    assert [len(bundle) for bundle in tied(*[1] * (BUNDLED_FILES + 1))[0]] == [BUNDLED_FILES, 1]


def test_parts_of_a_file_are_one_account():
    total = Counted()
    for rows in (3, 4):
        part = Counted(read=rows + 1, rejected=Counter(bad_event_time=1))
        part.files = [FileAccount("a", rows + 1, rows, {"bad_event_time": 1}, {"x": rows}, 1)]
        part.schema_changes = (change("a"),)
        total.merge(part)
    accounting = total.accounting()
    assert accounting.files == (FileAccount("a", 9, 7, {"bad_event_time": 2}, {"x": 7}, 2),)
    assert (accounting.invalid, accounting.without_id) == ({"x": 7}, 2)
    assert [item.files for item in total.schema_changes] == [2]


def test_of_many_files_the_most_troubled_are_kept():
    total = Counted()
    total.files = [FileAccount(f"{n:04d}", 1, 1) for n in range(LISTED_FILES + 9)]
    total.files.append(FileAccount("zzzz", 2, 1, {"no_event_time": 1}))
    files = total.accounting().files
    assert len(files) == LISTED_FILES
    assert [file.path for file in files[:2]] == ["zzzz", "0000"]


def test_of_many_versions_the_most_frequent_are_named():
    many = Counter({f"v{n:03d}": 1 for n in range(50)})
    many["often"] = 7
    listed = Counted(unregistered=many, read=57, rejected=Counter(no_baseline=57)).accounting()
    assert listed.balances
    assert len(listed.unregistered) == LISTED_VERSIONS + 1
    assert listed.unregistered["often"] == 7
    assert listed.unregistered[OTHER_VERSIONS] == 57 - 7 - (LISTED_VERSIONS - 1)
    assert listed.placed == 57
