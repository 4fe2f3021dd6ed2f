from itertools import permutations

import pytest

from monitor.domain.schema import (
    LISTED_CHANGES,
    ColumnChange,
    KnownColumn,
    Schema,
    SchemaChange,
    joined,
)

KNOWN = Schema(
    {
        "age": KnownColumn(("int64",)),
        "city": KnownColumn(("string",)),
        "note": KnownColumn(("string",), everywhere=False),
        "empty": KnownColumn(()),
        "id": KnownColumn(("int64", "string"), repeated=True),
    },
    complete=True,
)
AS_KNOWN = [("age", "int64"), ("city", "string"), ("empty", ""), ("id", "string")]


def changed(found, **options):
    return [
        (kind.value, column, was, now)
        for kind, column, was, now in KNOWN.differences(found, **options)
    ]


def test_what_is_as_it_was_has_no_differences():
    assert changed(AS_KNOWN) == []
    assert changed([*AS_KNOWN, ("note", "string"), ("id", "int64")]) == []
    assert changed([("empty", "double"), *AS_KNOWN[:2], AS_KNOWN[3]]) == []


@pytest.mark.parametrize(
    ("found", "change"),
    [
        (AS_KNOWN[1:], ("missing", "age", "int64", "")),
        ([*AS_KNOWN, ("new", "bool")], ("extra", "new", "", "bool")),
        ([("age", "string"), *AS_KNOWN[1:]], ("retyped", "age", "int64", "string")),
        ([*AS_KNOWN, ("city", "string")], ("duplicate", "city", "", "2 times")),
        ([*AS_KNOWN, ("CITY ", "string")], ("case_variant", "city", "city", "CITY ")),
        ([*AS_KNOWN[:3], ("id", "bool")], ("retyped", "id", "int64 or string", "bool")),
    ],
)
def test_each_difference_is_told(found, change):
    assert changed(found) == [change]


def test_a_column_of_nulls_alone_is_of_every_type():
    assert changed([("age", ""), *AS_KNOWN[1:]]) == []


def test_the_first_of_two_columns_of_a_name_tells_its_type():
    assert [kind for kind, *_ in changed([*AS_KNOWN, ("age", "string")])] == ["duplicate"]


def test_a_column_of_the_folders_is_not_missing():
    assert changed(AS_KNOWN[1:], keys={"age"}) == []


def test_a_schema_that_is_not_complete_calls_nothing_extra():
    partial = Schema(KNOWN.columns)
    assert list(partial.differences([*AS_KNOWN, ("new", "bool")])) == []
    assert list(Schema().differences(AS_KNOWN)) == []


def change(column="a", path="p", files=1, kind=ColumnChange.EXTRA, *, watched=True):
    return SchemaChange("1", kind, column, "", "double", watched, files, path)


def test_the_same_change_of_several_files_is_one_in_any_order():
    changes = [change(path="b"), change("z", path="x"), change(path="a", files=2)]
    expected = (change(path="a", files=3), change("z", path="x"))
    for order in permutations(changes):
        assert joined(order) == expected
        assert joined((*joined(order[:1]), *joined(order[1:]))) == expected


def test_watched_columns_are_kept_before_the_others():
    many = [change(f"c{number:04d}", watched=False) for number in range(2 * LISTED_CHANGES)]
    kept = joined([*many, change("zzz")])
    assert len(kept) == LISTED_CHANGES
    assert kept[0].column == "zzz"
    parts = joined((*joined(many[::2]), *joined(many[1::2])))
    assert parts == joined(many)


@pytest.mark.parametrize(
    ("kind", "was", "now", "told"),
    [
        (ColumnChange.MISSING, "int64", "", "the column is gone (int64 before)"),
        (ColumnChange.EXTRA, "", "", "a column that the baseline does not have (all null)"),
        (ColumnChange.RETYPED, "int64", "string", "int64 before, string now"),
        (ColumnChange.DUPLICATE, "", "2 times", "the column is there 2 times; the first is read"),
        (ColumnChange.CASE_VARIANT, "a", "A", "a column is named 'A'; names are exact"),
    ],
)
def test_a_change_can_be_read(kind, was, now, told):
    assert str(SchemaChange("1", kind, "a", was, now, watched=True, files=1, path="p")) == told
