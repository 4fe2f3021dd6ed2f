"""JSON Schema for editors says what the check says."""

from monitor.config.schema import daemon_schema, model_schema
from monitor.domain.field import FieldKind
from monitor.measures.names import MEASURE_NAMES


def sections(schema):
    return {"": schema, **schema["$defs"]}


def test_every_key_has_a_description():
    for schema in (model_schema(), daemon_schema()):
        for name, section in sections(schema).items():
            for key, value in section["properties"].items():
                assert value.get("description"), f"{name}.{key}"


def test_unknown_keys_are_refused_everywhere():
    for schema in (model_schema(), daemon_schema()):
        for section in sections(schema).values():
            assert section["additionalProperties"] is False


def test_every_measure_that_has_a_limit_is_offered_in_its_family():
    families = model_schema()["$defs"]["LimitsSection"]["properties"]
    for name, measure in MEASURE_NAMES.items():
        if measure.family != "disparity":
            assert name in families[measure.family]["properties"]
    assert families["drift"]["additionalProperties"] is False
    assert families["drift"]["properties"]["psi"] == {
        "$ref": "#/$defs/LimitSection",
        "description": "warning 0.1 and critical 0.25 unless it is said",
    }


def test_short_forms_are_offered():
    properties = model_schema()["properties"]
    field = properties["fields"]["additionalProperties"]
    assert field["anyOf"] == [
        {"$ref": "#/$defs/FieldSection"},
        {"enum": [*FieldKind], "type": "string"},
    ]
    assert {variant["type"] for variant in properties["populations"]["anyOf"]} == {
        "object",
        "array",
    }


def test_a_key_that_is_left_out_is_not_null():
    def nulls(node):
        if isinstance(node, dict):
            yield from (key for key, value in node.items() if value == "null" and key == "type")
            for value in node.values():
                yield from nulls(value)
        elif isinstance(node, list):
            for value in node:
                yield from nulls(value)

    assert list(nulls(model_schema())) == []
    assert list(nulls(daemon_schema())) == []
