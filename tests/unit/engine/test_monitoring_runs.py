"""What a registry is told of a window: numbers by name, verdicts, and what they rest on."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.estimate import Estimate
from monitor.domain.reading import Reading, Subject
from monitor.engine.monitoring_runs import LONGEST, metric_name, monitoring_runs, results_errands
from monitor.store.sql import SqlStore
from tests.registries import AT
from tests.stored import a_filled, a_run

TAKEN = re.compile(r"[/\w.\- :]+", re.ASCII)
"""MLflow's own rule for names of metrics."""


def told():
    store = SqlStore("sqlite://")
    a_filled(store)
    errands = results_errands("credit", store.heads("credit").values(), AT)
    runs = {run.at: run for errand in errands for run in monitoring_runs(errand, store)}
    stored = store.run("credit", a_run().window)
    store.close()
    return errands, runs[stored.window.end], stored


def test_every_window_is_an_errand_with_a_key_of_its_own():
    errands, *_ = told()
    assert len({each.key for each in errands}) == len(errands) >= 3
    ends = [each.payload["end"] for each in errands]
    assert ends == sorted(ends)


def test_numbers_are_of_fields_and_of_the_model_and_never_of_groups():
    _, run, stored = told()
    (result,) = [each for each in stored.results if each.version == run.version]
    names = [name for name, _ in run.metrics]
    assert len(names) == len(set(names))
    metrics = dict(run.metrics)
    assert metrics["profiled_rows"] == result.rows
    groups = {each.subject.group for each in result.readings} - {""}
    assert groups
    assert not [name for name in names for group in groups if group in name]
    found = {metric_name(each) for each in result.readings if isinstance(each.result, Estimate)}
    assert (
        set(names) - {"profiled_rows"} - {name for name in names if name.startswith("findings/")}
        < found
    )


def test_a_number_that_there_is_not_is_left_out_and_not_nought():
    _, run, stored = told()
    (result,) = [each for each in stored.results if each.version == run.version]
    absent = [each for each in result.readings if not isinstance(each.result, Estimate)]
    assert absent
    assert not {metric_name(each) for each in absent} & {name for name, _ in run.metrics}


def test_the_file_says_what_the_window_rests_on_and_names_no_group():
    _, run, stored = told()
    ((path, content),) = run.files.items()
    assert path == f"windows/{stored.window.end:%Y-%m-%dT%H%M%SZ}.json"
    document = json.loads(content)
    assert (document["run"], document["data"]) == (stored.identity, stored.manifest.digest)
    assert document["policy"] == stored.policy
    assert all(len(each["finding"]) > 10 for each in document["beyond_their_limits"])
    assert run.manifest == stored.manifest.digest
    assert run.month == f"{stored.window.end:%Y-%m}"


subjects = st.builds(
    Subject,
    model=st.just("m"),
    field=st.text(max_size=300),
    class_name=st.text(max_size=5),
    reference=st.text(max_size=5),
)


@given(st.lists(subjects, min_size=2, max_size=2, unique=True))
def test_any_field_has_a_name_that_mlflow_takes_and_no_two_share_one(pair):
    names = [metric_name(Reading("psi", subject, Estimate(0.1, 50))) for subject in pair]
    for name in names:
        assert TAKEN.fullmatch(name)
        assert len(name) <= LONGEST
        assert not name.startswith("/") and "//" not in name
        assert not any(part in (".", "..") for part in name.split("/"))
    assert names[0] != names[1]
