"""The file that a newcomer starts from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.document import parse_document
from monitor.config.model_file import load_policy
from monitor.config.starter import starter_yaml
from monitor.domain.errors import ConfigError
from monitor.domain.field import Decision, Field, FieldKind, FieldRole, Label
from monitor.domain.inferred import InferredColumn, RoleGuess

NUMERIC, CATEGORICAL, BOOLEAN = FieldKind.NUMERIC, FieldKind.CATEGORICAL, FieldKind.BOOLEAN

EVENT_TIME = InferredColumn("at", "timestamp[us, tz=UTC]", None, RoleGuess.EVENT_TIME, 900, 0.0)
INCOME = InferredColumn("income", "double", NUMERIC, RoleGuess.FEATURE, 800, 0.015, ("1", "2.5"))
CREDIT = [
    InferredColumn("request", "string", CATEGORICAL, RoleGuess.ID, 900, 0.0, ("a1",)),
    EVENT_TIME,
    InferredColumn("version", "string", CATEGORICAL, RoleGuess.VERSION, 1, 0.0, ("1",)),
    INCOME,
    InferredColumn("region", "string", CATEGORICAL, RoleGuess.FEATURE, 3, 0.0, ("no", "se", "dk")),
    InferredColumn("days late", "int8", NUMERIC, RoleGuess.FEATURE, 9, 0.0, ("0",)),
    InferredColumn("notes", "list<string>", None, RoleGuess.FEATURE, 0, 0.0),
    InferredColumn("score", "double", NUMERIC, RoleGuess.SCORE, 700, 0.0, ("0.1",)),
    InferredColumn("score_2", "double", NUMERIC, RoleGuess.SCORE, 700, 0.0, ("0.1",)),
    InferredColumn("amount", "double", NUMERIC, RoleGuess.PREDICTION, 700, 0.0, ("9",)),
    InferredColumn("approved", "bool", BOOLEAN, RoleGuess.DECISION, 2, 0.0, ("false", "true")),
    InferredColumn("paid", "int8", NUMERIC, RoleGuess.LABEL, 2, 0.3, ("1", "0")),
    InferredColumn("sex", "string", CATEGORICAL, RoleGuess.POPULATION, 2, 0.0, ("f", "m")),
    InferredColumn("age", "int16", NUMERIC, RoleGuess.POPULATION, 60, 0.0, ("31",)),
    InferredColumn("row", "int64", NUMERIC, RoleGuess.IGNORE, 900, 0.0, ("0",)),
]


@pytest.fixture
def load(tmp_path):
    def from_text(text):
        path = tmp_path / "model.yaml"
        path.write_text(text, encoding="utf-8")
        return load_policy(path)

    return from_text


def test_the_text_is_as_people_expect_it(golden):
    golden("config/starter/credit.yaml", starter_yaml("credit", "../log", CREDIT))


def test_a_log_without_anything_gets_instructions(golden):
    golden("config/starter/nothing.yaml", starter_yaml("credit", "../log", []))


LETTERS = [
    EVENT_TIME,
    InferredColumn(
        "sent", "timestamp[us]", FieldKind.DATETIME, RoleGuess.FEATURE, 9, 0.1, ("2024",)
    ),
    InferredColumn("body", "string", FieldKind.TEXT, RoleGuess.FEATURE, 900, 0.0, ("Dear Zoë, …",)),
    InferredColumn("vector", "list<float>[4]", FieldKind.EMBEDDING, RoleGuess.FEATURE, 0, 0.0),
    InferredColumn("sent.age", "double", NUMERIC, RoleGuess.FEATURE, 9, 0.0, ("1",)),
    InferredColumn("reply" * 38, "string", FieldKind.TEXT, RoleGuess.FEATURE, 9, 0.0),
]


def test_letters_become_a_file_that_quotes_none_and_is_valid(load, golden):
    text = starter_yaml("letters", "../log", LETTERS)
    golden("config/starter/letters.yaml", text)
    assert "Zoë" not in text
    fields = load(text).fields
    assert {item.declared for item in fields} == {"body", "vector", "sent.age"}


def test_what_was_inferred_is_valid_as_it_is(load):
    policy = load(starter_yaml("credit", "../log", CREDIT, window="month"))
    assert policy.source.event_time == "at"
    assert (policy.source.id, policy.source.version) == ("request", "version")
    assert policy.fields == (
        Field("income", "income", NUMERIC),
        Field("region", "region", CATEGORICAL),
        Field("days late", "days late", NUMERIC),
        Field("score", "score", NUMERIC, FieldRole.SCORE),
        Field("score_2", "score_2", NUMERIC),
        Field("amount", "amount", NUMERIC, FieldRole.PREDICTION),
    )
    assert policy.decision == Decision("approved", ("true",))
    assert policy.label == Label("paid", ("1",))
    assert policy.schedule.length == "month"


def test_what_is_commented_out_is_valid_once_it_is_decided(load):
    text = starter_yaml("credit", "../log", CREDIT)
    text = text.replace("# positive_is: favourable   or harmful", "positive_is: favourable #")
    for line in ("populations:", "  sex: {}", "  age: {bins: [25, 35, 45, 55]}"):
        assert f"\n# {line}\n" in text
        text = text.replace(f"\n# {line}\n", f"\n{line}\n")
    assert list(load(text).attributes) == ["sex", "age"]
    for line in ("segments: [region, sex]", "scan: {pairs: true}"):
        assert f"\n# {line}" in text
        text = text.replace(f"\n# {line}", f"\n{line}")
    segments = load(text).segments
    assert [item.name for item in segments] == ["region", "sex", "region × sex"]


ANSWERS = {
    "statement:": "Approve loans",
    "by:": "cro",
    "{target: }": "{target: desk}",
    "accountable:": "head",
    "owners: []": "owners: [olga]",
    "validators: []": "validators: [vic]",
    "tier:": "medium",
    "rationale:": "credit",
}


def test_the_questions_of_governance_are_no_answers_and_take_them(load):
    text = starter_yaml("credit", "../log", CREDIT)
    watched, asked = text.split("# Before a version may act")
    assert not load(text).governance.governed
    asked = "\n".join(line.removeprefix("# ") for line in asked.split("\n")[1:])
    with pytest.raises(ConfigError, match=r"delegation\.statement: has no value"):
        load(watched + asked)
    for question, answer in ANSWERS.items():
        assert question in asked
        whole = answer if question.endswith(("}", "]")) else f"{question} {answer}"
        asked = asked.replace(question, whole)
    assert load(watched + asked).governance.governed


@pytest.mark.parametrize("column", [EVENT_TIME, INCOME])
def test_what_could_not_be_inferred_is_named_by_the_check(load, column):
    with pytest.raises(ConfigError, match="is missing"):
        load(starter_yaml("credit", "../log", [column]))


def test_positive_values_are_not_guessed(load):
    decision = InferredColumn(
        "said", "string", CATEGORICAL, RoleGuess.DECISION, 2, 0, ("yes", "no")
    )
    label = InferredColumn("grade", "string", CATEGORICAL, RoleGuess.LABEL, 2, 0, ("a", "b"))
    policy = load(starter_yaml("credit", "../log", [EVENT_TIME, INCOME, decision, label]))
    assert policy.decision is None
    assert policy.label is None


def test_a_number_is_a_label_without_positive_values(load):
    label = InferredColumn("cost", "double", NUMERIC, RoleGuess.LABEL, 500, 0, ("1", "2"))
    policy = load(starter_yaml("credit", "../log", [EVENT_TIME, INCOME, label]))
    assert policy.label == Label("cost")


names = st.text(max_size=12) | st.sampled_from(["no", "y", "012", "1e5", "<<", "a: b", "# c", "-"])
columns = st.builds(
    InferredColumn,
    name=names,
    type_text=st.sampled_from(["double", "string", "list<a\nb>"]),
    kind=st.sampled_from([*FieldKind, None]),
    role=st.sampled_from(RoleGuess),
    distinct=st.integers(0, 3),
    null_share=st.floats(0, 1),
    examples=st.lists(names | st.sampled_from(["true", "false", "0", "1"]), max_size=3).map(tuple),
)


@pytest.mark.slow
@given(st.lists(columns, max_size=6, unique_by=lambda column: column.name))
def test_a_file_for_any_log_is_read_without_a_surprise(found):
    document = parse_document("file.yaml", starter_yaml("credit", "../log", found))
    assert document.problems == ()
    watched = document.value.get("fields", {})
    assert set(watched) <= {column.name for column in found}
