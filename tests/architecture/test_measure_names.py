"""The plain list that configuration is checked with says what the catalogue says."""

from monitor.measures.catalogue import CATALOGUE
from monitor.measures.direction import either_side
from monitor.measures.measure import FieldMeasure, GroupMeasure, ModelMeasure
from monitor.measures.names import MEASURE_NAMES, MeasureName

SUBJECTS = {FieldMeasure: "field", ModelMeasure: "model", GroupMeasure: "group"}


def test_the_names_are_those_of_the_catalogue():
    expected = {
        item.about.id: MeasureName(item.about.family.value, SUBJECTS[type(item)])
        for item in CATALOGUE
    }
    assert dict(MEASURE_NAMES) == expected


def test_what_is_judged_on_either_side_can_go_either_way():
    for item in CATALOGUE:
        if either_side(item.about.id):
            assert item.about.lower is None or item.about.lower < 0, item.about.id
