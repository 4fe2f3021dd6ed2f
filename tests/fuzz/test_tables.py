"""Any table, any policy over it, any layout on disk, through the real path to the metrics page."""

import tempfile
from datetime import timedelta
from itertools import islice
from math import isfinite
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from monitor.app import measure_families, open_outside, snapshot
from monitor.config.content import as_yaml
from monitor.config.model_file import load_policy
from monitor.domain.errors import BaselineError, SourceError
from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.finding import Verdict
from monitor.domain.window import Window
from monitor.engine.check import run_windows
from monitor.engine.progress import Silent
from monitor.engine.register import Registration, register_baselines
from monitor.exposition.render import Build, render
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.profile.counts import NumericCounts
from monitor.sources.inspect import infer_columns
from monitor.sources.parquet import ParquetSource
from tests.fuzz.depth import examples
from tests.fuzz.strategies import DAYS, FIRST, counted_as, layouts, policies, tables

pytestmark = pytest.mark.slow

HALF = FIRST + timedelta(days=DAYS / 2)
BASELINE = Window(FIRST, HALF)
AFTER = Window(HALF, FIRST + timedelta(days=DAYS))
LONGEST = timedelta(days=7)
WHY = Registration("fuzz", "to be held against")


class Case:
    """A policy over a folder, a store, and the baseline of the first half."""

    def __init__(self, folder, content):
        self.folder = Path(folder)
        file = self.folder / "model.yaml"
        file.write_text(as_yaml(content), encoding="utf-8")
        self.policy = load_policy(file)
        self.outside = open_outside("sqlite://")

    def register(self):
        """Register the first half; return why it was refused, "" when it was not."""
        try:
            register_baselines(
                self.policy,
                ParquetSource(self.policy),
                BASELINE,
                registration=WHY,
                outside=self.outside,
                progress=Silent(),
            )
        except BaselineError as error:
            return str(error)
        return ""

    def ran(self, folder="log"):
        """Return the runs of the second half, on another folder's files if asked."""
        policy = replace(self.policy, source=replace(self.policy.source, path=folder))
        windows = islice(self.policy.schedule.windows(AFTER.start, AFTER.end + LONGEST), 3)
        return list(run_windows(policy, ParquetSource(policy), windows, self.outside, Silent()))

    def page(self):
        build = Build("0", "fuzz")
        return (
            render([snapshot(self.policy, self.outside)], build, measure_families()).text().decode()
        )


@st.composite
def cases(draw):
    table = draw(tables())
    return table, draw(policies(table)), draw(layouts)


def check_run(run):
    """Make sure that rows are accounted for and every number is one."""
    assert run.accounting.balances
    for result in run.results:
        if not result.baseline:
            assert result.version in run.accounting.unregistered
            assert [item.verdict for item in result.findings] == [Verdict.UNKNOWN]
            continue
        profile = profile_from_bytes(result.profile)
        assert profile.rows == result.rows == run.accounting.profiled[result.version]
        assert profile.outcomes.rows == profile.rows
        assert {counts.rows for counts in profile.fields.values()} <= {profile.rows}
        assert all(isinstance(item.result, Estimate | Unmeasurable) for item in result.readings)
        for finding in result.findings:
            assert finding.reading in result.readings
            if isinstance(finding.reading.result, Unmeasurable):
                assert finding.verdict is Verdict.UNKNOWN
            else:
                words = finding.explanation.replace(",", " ").split()
                assert not {"nan", "inf", "-inf"} & set(words), finding


def check_page(text):
    """Make sure that the page is in Prometheus' format, with numbers that are numbers."""
    series = set()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert isfinite(sample.value), sample
            assert max(map(len, sample.labels.values()), default=0) <= 200
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in series
            series.add(key)
    assert series


@given(cases())
@examples(15)
def test_any_table_under_any_policy_is_measured_stored_and_shown(case):
    table, content, layout = case
    with tempfile.TemporaryDirectory() as folder:
        layout.write(table, Path(folder, "log"))
        trial = Case(folder, content)
        refused = trial.register()
        assert not refused or "has no rows" in refused or "the version?" in refused
        for ran in trial.ran():
            assert ran.committed.new
            check_run(ran.run)
            stored = trial.outside.store.run(ran.run.model, ran.run.window)
            assert stored == ran.run
        check_page(trial.page())
        assert not any(ran.committed.new for ran in trial.ran())


def exact(profile):
    """Return all that must be the same to the bit: everything but sums of numbers."""
    for counts in profile.fields.values():
        if isinstance(counts, NumericCounts):
            counts.sums = np.zeros_like(counts.sums)
            counts.squares = 0.0
    for vectors in profile.vectors.values():
        for name in ("sums", "products", "cubes", "fourths"):
            setattr(vectors, name, np.zeros_like(getattr(vectors, name)))
    return profile_to_bytes(profile)


@given(cases(), layouts)
@examples(10)
def test_how_rows_lie_on_disk_changes_nothing(case, other):
    table, content, layout = case
    with tempfile.TemporaryDirectory() as folder:
        layout.write(table, Path(folder, "log"))
        other.write(table, Path(folder, "other"))
        trial = Case(folder, content)
        if trial.register():
            return
        for one, two in zip(trial.ran(), trial.ran("other"), strict=True):
            assert one.run.accounting.profiled == two.run.accounting.profiled
            assert one.run.last_event == two.run.last_event
            for mine, theirs in zip(one.run.results, two.run.results, strict=True):
                if not mine.baseline:
                    assert mine == theirs
                    continue
                assert exact(profile_from_bytes(mine.profile)) == exact(
                    profile_from_bytes(theirs.profile)
                )


@given(cases(), st.sampled_from(["gone", "null", "nulls of its type"]), st.data())
@examples(10)
def test_a_column_that_vanished_or_turned_null_is_never_well(case, how, data):
    table, content, layout = case
    content = {
        **content,
        "schedule": {"window": "day"},
        "source": {"path": "log", "event_time": "at"},
    }
    del content["limits"]
    name = data.draw(st.sampled_from(sorted(content["fields"])))
    column = content["fields"][name]["column"]
    places = [place for place, each in enumerate(table.column_names) if each == column]
    after = table
    for place in reversed(places):
        kind = table.column(place).type
        if how == "gone":
            after = after.remove_column(place)
        else:
            nulls = pa.nulls(len(table), pa.null() if how == "null" else kind)
            after = after.set_column(place, column, nulls)
    with tempfile.TemporaryDirectory() as folder:
        layout.write(table, Path(folder, "log"))
        layout.write(after, Path(folder, "after"))
        trial = Case(folder, content)
        if trial.register():
            return
        (baseline,) = trial.outside.store.baselines(trial.policy.model)
        parts = counted_as(name, content["fields"])
        counts = profile_from_bytes(baseline.profile).fields[parts[0]]
        if counts.missing == counts.rows:
            return  # the baseline had nothing either
        for ran in trial.ran("after"):
            for result in ran.run.results:
                verdicts = {
                    finding.reading.measure: finding.verdict
                    for finding in result.findings
                    if finding.reading.subject.field == parts[0]
                }
                assert {"missing_rate", "psi"} <= verdicts.keys()
                assert verdicts["missing_rate"] is not Verdict.OK
                assert verdicts["psi"] is not Verdict.OK


@given(cases())
@examples(10)
def test_init_describes_any_table_or_says_why_not(case):
    table, _, layout = case
    with tempfile.TemporaryDirectory() as folder:
        layout.write(table, Path(folder, "log"))
        refused = ""
        try:
            found = infer_columns("log", folder)
        except SourceError as error:
            refused = str(error)
        if refused:
            assert "column" in refused
            return
        assert {column.name for column in found} >= set(table.column_names)
        assert all(0 <= column.null_share <= 1 for column in found)
