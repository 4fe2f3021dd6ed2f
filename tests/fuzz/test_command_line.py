"""Whatever is typed, the command line answers in a sentence."""

import os
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime
from io import StringIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.main import COMMANDS, ExitCode, run
from tests.fuzz.depth import examples

pytestmark = pytest.mark.slow

MODEL = """\
model: credit
source: {path: ../log, event_time: at}
fields: {amount: numeric}
schedule: {window: day}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Return the settings of a deployment with one model and no baseline."""
    folder = tmp_path_factory.mktemp("deployment")
    (folder / "models").mkdir()
    (folder / "log").mkdir()
    (folder / "modelmon.yaml").write_text("models: models\nstore: {url: sqlite:///m.db}\n")
    (folder / "models" / "credit.yaml").write_text(MODEL)
    times = pa.array([1_700_000_000 + 3_600 * hour for hour in range(96)]).cast(pa.timestamp("s"))
    pq.write_table(pa.table({"at": times, "amount": range(96)}), folder / "log" / "a.parquet")
    path = str(folder / "modelmon.yaml")
    assert run(["--config", path, "db", "upgrade"]) == ExitCode.OK
    return path


def answer(*arguments):
    """Return the exit code and what was told on standard error."""
    told = StringIO()
    with redirect_stderr(told), redirect_stdout(StringIO()):
        try:
            code = run(arguments)
        except SystemExit as ended:
            code = ended.code
    assert code in set(ExitCode), (code, arguments)
    assert "Traceback" not in told.getvalue()
    assert code == ExitCode.OK or told.getvalue().strip()
    return code


def encodable(text):
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


# What a process can be given: no NUL, and bytes that are not UTF-8 as lone surrogates.
words = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=()), max_size=20
).filter(encodable)
instants = (
    st.sampled_from(["2023-11-15", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59.999999-23:59"])
    | st.sampled_from(["0001-01-01T00:00:00+23:59", "2023-W01-1", "20231115", "2023-11-15T24:00"])
    | st.datetimes(datetime(2023, 11, 1), datetime(2023, 11, 30)).map(str)  # noqa: DTZ001
    | words
)


@given(words, words, words)
@examples(25)
def test_any_words_are_answered(config, first, second, third):
    answer("--config", config, first, second, third)


@given(
    st.sampled_from(sorted({*COMMANDS} - {"serve", "demo", "healthcheck", "init"})),
    st.lists(words, max_size=3),
)
@examples(25)
def test_any_arguments_of_a_command_are_answered(config, command, arguments):
    answer("--config", config, command, *arguments)


@given(words, instants, instants)
@examples(40)
def test_any_model_and_period_are_answered(config, model, begin, end):
    period = (f"--from={begin}", f"--to={end}")
    for name in (model, "credit"):
        answer("--config", config, "run", f"--model={name}", *period)
        answer("--config", config, "baseline", "register", *period, "--why=x", "--", name)


@given(words)
@examples(25)
def test_any_path_is_answered(config, path):
    answer("--config", path, "run")
    answer("--config", config, "init", "--", path)
    answer("--config", config, "baseline", "show", "--", path)
    answer(
        "--config",
        config,
        "baseline",
        "register",
        "credit",
        "--from=2023-11-15",
        "--to=2023-11-16",
        "--why=x",
        f"--path={path}",
    )
