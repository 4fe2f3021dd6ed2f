from monitor.domain.schema import LISTED_COLUMNS, KnownColumn
from monitor.profile.columns import ColumnTally


def test_the_columns_of_all_files_are_one_schema():
    tally = ColumnTally()
    tally.add([("a", "int64"), ("b", "string"), ("b", "bool")])
    tally.add([("a", "double"), ("c", "")])
    schema = tally.schema(())
    assert schema.complete
    assert dict(schema.columns) == {
        "a": KnownColumn(("double", "int64")),
        "b": KnownColumn(("string",), everywhere=False, repeated=True),
        "c": KnownColumn((), everywhere=False),
    }
    assert list(schema.differences([("a", "int64"), ("b", "string"), ("c", "bool")])) == []


def test_of_very_many_columns_the_watched_ones_are_kept():
    tally = ColumnTally()
    tally.add([(f"c{number:05d}", "double") for number in range(LISTED_COLUMNS + 1)])
    last = f"c{LISTED_COLUMNS:05d}"
    schema = tally.schema({last})
    assert (len(schema.columns), schema.complete) == (LISTED_COLUMNS, False)
    assert last in schema.columns


def test_ever_new_names_do_not_fill_the_memory():
    tally = ColumnTally()
    for file in range(9):
        tally.add([(f"f{file}-{number}", "double") for number in range(LISTED_COLUMNS)])
    tally.add([("late", "double")])
    schema = tally.schema({"late"})
    assert (len(schema.columns), schema.complete) == (LISTED_COLUMNS, False)
