"""What a schema says of its columns, made once for files that are alike."""

import pyarrow as pa

from monitor.sources.layout import NOT_IN_TABLE, layout

COLUMNS = [
    ("at", pa.timestamp("us")),
    ("word", pa.string()),
    ("view", pa.string_view()),
    ("many", pa.list_(pa.float64())),
    ("amount", pa.float64()),
]


def test_a_layout_says_where_columns_are_and_what_they_hold():
    found = layout(pa.schema([*COLUMNS, ("amount", pa.int64()), (f"{NOT_IN_TABLE}old", pa.int8())]))
    assert found.leaves["amount"] == (4,)  # of two columns of a name the first
    assert found.kinds["amount"] == pa.float64()
    assert found.texts == {"word", "view"}
    assert found.views == {"view"}
    assert list(found.plain) == [0, 1, 2, 4, 6]
    assert [name for name, _ in found.fields] == ["at", "word", "view", "many", "amount", "amount"]


def test_files_that_are_alike_share_one_and_others_do_not():
    first = layout(pa.schema(COLUMNS))
    assert layout(pa.schema(COLUMNS, metadata={"writer": "another"})) is first
    for other in (
        [("at", pa.timestamp("ms")), *COLUMNS[1:]],
        [*COLUMNS[1:], COLUMNS[0]],
        COLUMNS[:-1],
        [*COLUMNS[:-1], ("Amount", pa.float64())],
    ):
        assert layout(pa.schema(other)) is not first
        assert layout(pa.schema(other)).kinds == dict(other)
