from datetime import UTC, datetime

import pyarrow as pa
import pytest

from monitor.domain.errors import SourceError
from monitor.domain.field import FieldKind
from monitor.domain.inferred import RoleGuess
from monitor.sources.inspect import infer_columns

N = 40
DAYS = [datetime(2005, 7, 1, tzinfo=UTC)] * N


@pytest.fixture
def found(tmp_path, write):
    """Return the guesses about a column with the given values, by name."""

    def go(path="log/a.parquet", **columns):
        base = {"event_time": pa.array(range(N), pa.timestamp("s", "UTC"))}
        write(path, base | columns)
        return {column.name: column for column in infer_columns("log", str(tmp_path))}

    return go


@pytest.mark.parametrize(
    ("name", "values", "kind", "role"),
    [
        ("request_id", [f"r{row}" for row in range(N)], FieldKind.CATEGORICAL, RoleGuess.ID),
        ("customer_id", [row % 7 for row in range(N)], FieldKind.NUMERIC, RoleGuess.IGNORE),
        ("model_version", ["1"] * N, FieldKind.CATEGORICAL, RoleGuess.VERSION),
        ("score", [row / N for row in range(N)], FieldKind.NUMERIC, RoleGuess.SCORE),
        ("p_rain", [row / N for row in range(N)], FieldKind.NUMERIC, RoleGuess.SCORE),
        ("decile_score", [row % 10 for row in range(N)], FieldKind.NUMERIC, RoleGuess.FEATURE),
        ("score_text", ["low", "high"] * (N // 2), FieldKind.CATEGORICAL, RoleGuess.FEATURE),
        ("prediction", [row * 1.5 for row in range(N)], FieldKind.NUMERIC, RoleGuess.PREDICTION),
        ("prediction", [0, 1] * (N // 2), FieldKind.BOOLEAN, RoleGuess.DECISION),
        ("approve", ["yes", "no"] * (N // 2), FieldKind.CATEGORICAL, RoleGuess.DECISION),
        ("flagged", [True, False] * (N // 2), FieldKind.BOOLEAN, RoleGuess.DECISION),
        ("approved", [row * 10.0 for row in range(N)], FieldKind.NUMERIC, RoleGuess.FEATURE),
        ("y_true", [0, 1] * (N // 2), FieldKind.BOOLEAN, RoleGuess.LABEL),
        ("SEX", ["1", "2"] * (N // 2), FieldKind.CATEGORICAL, RoleGuess.POPULATION),
        ("marital_status", ["m", "s"] * (N // 2), FieldKind.CATEGORICAL, RoleGuess.POPULATION),
        ("age", list(range(N)), FieldKind.NUMERIC, RoleGuess.FEATURE),
        ("zeros", [0] * N, FieldKind.NUMERIC, RoleGuess.FEATURE),
        ("label_time", DAYS, FieldKind.DATETIME, RoleGuess.IGNORE),
        ("created_at", DAYS, FieldKind.DATETIME, RoleGuess.FEATURE),
        ("birth_date", [day.date() for day in DAYS], FieldKind.DATETIME, RoleGuess.FEATURE),
        ("opened", [day.isoformat() for day in DAYS], FieldKind.DATETIME, RoleGuess.FEATURE),
        ("opened", [*["2005-07-01"] * (N - 1), "n/a"], FieldKind.CATEGORICAL, RoleGuess.FEATURE),
        ("note", [f"a text of words {row}" for row in range(N)], FieldKind.TEXT, RoleGuess.FEATURE),
        ("name", [f"name{row}" for row in range(N)], FieldKind.CATEGORICAL, RoleGuess.FEATURE),
        ("reason", ["one of few texts", "b c d"] * 20, FieldKind.CATEGORICAL, RoleGuess.FEATURE),
        ("embedding", [[1.0, 2.0]] * N, FieldKind.EMBEDDING, RoleGuess.FEATURE),
        ("basket", [[1.0] * (row % 3 + 1) for row in range(N)], None, RoleGuess.IGNORE),
        ("tags", [["a"]] * N, None, RoleGuess.IGNORE),
        ("empty", [[]] * N, None, RoleGuess.IGNORE),
        ("nothing", pa.nulls(N), None, RoleGuess.IGNORE),
    ],
)
def test_roles_are_guessed_from_names_types_and_values(found, name, values, kind, role):
    columns = found(**{name: values})
    assert (columns[name].kind, columns[name].role) == (kind, role)
    assert columns["event_time"].role == RoleGuess.EVENT_TIME


def test_text_may_be_the_event_time(tmp_path, write):
    write("log/a.parquet", {"ts": ["2005-07-01T00:00:00Z"] * 3, "note": ["2005-07-01"] * 3})
    roles = [column.role for column in infer_columns("log", str(tmp_path))]
    assert roles == [RoleGuess.EVENT_TIME, RoleGuess.FEATURE]


def test_folder_keys_come_last_and_calendar_ones_are_no_fields(found):
    columns = found("log/year=2005/region=north/a.parquet", amount=[1.0] * N)
    assert list(columns) == ["event_time", "amount", "year", "region"]
    assert columns["year"].role == RoleGuess.IGNORE
    assert (columns["region"].role, columns["region"].examples) == (RoleGuess.FEATURE, ("north",))


def test_a_column_is_described_by_its_sample(found):
    values = ["b"] * 20 + ["a"] * 10 + [None] * 10
    column = found(kind=values)["kind"]
    assert (column.type_text, column.distinct, column.null_share) == ("string", 2, 0.25)
    assert column.examples == ("b", "a")


def test_a_zero_of_either_sign_is_one_example(found):
    values = [0.0] * 16 + [-0.0] * 12 + [None] * 8 + [1.0, 2.5, 3.0, 1.0]
    assert found(amount=values)["amount"].examples == ("0", "1", "2.5", "3")


def test_a_log_without_readable_rows_says_which_files_it_saw(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "log/bad.parquet").write_text("no")
    with pytest.raises(SourceError, match=r"no parquet file with rows in it\n  bad\.parquet: "):
        infer_columns("log", str(tmp_path))


def test_text_that_is_not_utf8_is_told_with_its_column(found):
    text = pa.array([b"caf\xe9"] * N).view(pa.string())
    with pytest.raises(SourceError, match="log: column 'place': 'utf-8' codec can't decode"):
        found(place=text)
