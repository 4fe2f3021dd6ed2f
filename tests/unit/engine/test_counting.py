from collections import Counter

from monitor.domain.manifest import LISTED_FILES, FileAccount
from monitor.domain.schema import ColumnChange, SchemaChange
from monitor.engine.counting import LISTED_VERSIONS, OTHER_VERSIONS, Counted


def change(path):
    return SchemaChange("1", ColumnChange.MISSING, "a", "int64", "", True, 1, path)  # noqa: FBT003


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
