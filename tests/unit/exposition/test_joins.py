from msgspec.structs import replace

from monitor.domain.field import Label
from monitor.domain.schema import ColumnChange, SchemaChange
from monitor.exposition.joins import add_columns
from monitor.exposition.sheet import Sheet

READ = "modelmon_window_read_columns_changed"


def change(kind, column, *, watched=True, files=1, version="1"):
    return SchemaChange(version, kind, column, "string", "", watched, files, "a.parquet")


def shown(make, *changes):
    sheet = Sheet()
    add_columns(
        sheet, make.run(schema_changes=changes), replace(make.policy(), label=Label("late"))
    )
    return sheet.series


def test_columns_that_the_policy_reads_are_named_with_their_files_of_all_versions(make):
    series = shown(
        make,
        change(ColumnChange.MISSING, "sex", files=2),
        change(ColumnChange.MISSING, "sex", version="2"),
        change(ColumnChange.DUPLICATE, "limit"),
        change(ColumnChange.MISSING, "debug", watched=False),
    )
    assert {tuple(value for _, value in key): files for key, files in series[READ].items()} == {
        ("limit", "duplicate", "credit"): 1,
        ("sex", "missing", "credit"): 3,
    }


def test_no_column_is_named_while_all_are_as_they_were(make):
    assert READ not in shown(make, change(ColumnChange.EXTRA, "debug", watched=False))


def test_a_label_that_is_not_there_yet_is_awaited_and_no_lost_column(make):
    assert READ not in shown(make, change(ColumnChange.MISSING, "late"))
    twice = shown(make, change(ColumnChange.DUPLICATE, "late"))
    assert list(twice[READ].values()) == [1]
