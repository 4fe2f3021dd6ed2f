"""What a reading is of, in words."""

import pytest
from msgspec.structs import replace

from monitor.domain.reading import Subject

WHOLE = Subject("credit", "1", population="sex", group="f")


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        (Subject("credit", "1"), "credit"),
        (Subject("credit", "1", field="income", reference="week"), "income, against week"),
        (Subject("credit", "1", population="sex"), "sex"),
        (WHOLE, "sex=f"),
        (replace(WHOLE, class_name="loan"), "sex=f, loan against the rest"),
        (replace(WHOLE, stratum="region"), "sex=f within region"),
        (
            Subject("credit", "1", field="income", segment="shop", segment_value="EU"),
            "income, shop=EU",
        ),
    ],
)
def test_a_subject_in_words(subject, told):
    assert str(subject) == told


def test_no_part_of_a_subject_is_lost_in_words():
    """But for model and version, and the group that another is held against, of which there is one."""
    silent = {"model", "version", "reference_group", "field"}
    whole = replace(WHOLE, segment="shop", segment_value="EU")
    for part in Subject.__struct_fields__:
        if part not in silent:
            assert str(replace(whole, **{part: "else"})) != str(whole), part
