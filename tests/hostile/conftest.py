"""A model on the rows of the demo, and its results on hostile logs, by the real run path."""

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

import monitor
from monitor import app
from monitor.domain.estimate import Estimate
from monitor.exposition.render import Build, render
from monitor.profile.codec import profile_from_bytes
from monitor.reports.summary import summarise
from tests.hostile.make_nasty import Rows, make, write

JULY = ("2005-07-01", "2005-08-01")
POLICY = """\
model: nasty
source:
  path: {path}
  event_time: event_time
  id: prediction_id
  version: model_version
{source}
fields:
  limit_bal: numeric
  repay_status: categorical
  bill_amt: numeric
  pay_amt: numeric
  utilisation: numeric
  education: categorical
  score: {{kind: numeric, role: score}}
{fields}
decision:
  column: flagged
  positive: [true]
  positive_is: harmful
populations: [sex, age_group, education]
schedule: {{window: month}}
{more}
"""
LABELS = """\
  labels: {path: labels, id: prediction_id, time: label_time}
"""
LABEL = """\
label: {column: late_next_month, positive: [1]}
"""


@dataclass(frozen=True)
class Watched:
    """A model on a hostile log, with everything that one run of a window says."""

    root: Path
    model: monitor.Model
    period: tuple[str, str] = JULY

    def run_again(self):
        """Run the window once more and return what came of it."""
        (ran,) = self.model.run(start=self.period[0], end=self.period[1])
        return ran

    @cached_property
    def run(self):
        """The stored run, as the store gives it back."""
        ran = self.run_again()
        stored = self.model.outside.store.run("nasty", ran.run.window)
        assert stored == ran.run
        return stored

    @property
    def rows(self):
        """Rows profiled."""
        return sum(self.run.accounting.profiled.values())

    @property
    def reported(self):
        """Files left out, with the reason."""
        return {file.path: file.reason for file in self.run.manifest.unreadable}

    @property
    def rejected(self):
        """Rows rejected, by reason."""
        return dict(self.run.accounting.rejected)

    @property
    def changes(self):
        """Changed columns as (kind, column), without those that are not watched."""
        return {(item.kind.value, item.column) for item in self.run.schema_changes if item.watched}

    @property
    def counts(self):
        """The counts of each field of version 1."""
        return profile_from_bytes(self.run.results[0].profile).fields

    @property
    def outcomes(self):
        """The outcome table of version 1."""
        return profile_from_bytes(self.run.results[0].profile).outcomes

    def file(self, path):
        """Return the account of a file."""
        (found,) = [item for item in self.run.accounting.files if item.path == path]
        return found

    def reading(self, measure, field="", **subject):
        """Return the one result of a measure."""
        (found,) = [
            item.result
            for item in self.readings
            if item.measure == measure
            and item.subject.field == field
            and all(getattr(item.subject, name) == value for name, value in subject.items())
        ]
        return found

    @property
    def readings(self):
        """Everything measured."""
        return [
            *self.run.readings,
            *(item for result in self.run.results for item in result.readings),
        ]

    @property
    def findings(self):
        """Everything judged."""
        return [
            *self.run.findings,
            *(item for result in self.run.results for item in result.findings),
        ]

    @property
    def estimates(self):
        """Every number measured."""
        return [item.result for item in self.readings if isinstance(item.result, Estimate)]

    @cached_property
    def page(self):
        """What Prometheus is told, parsed: metric name to its samples, those of small groups too."""
        assert self.run
        policy = replace(self.model.policy, suppress_in_metrics=False)
        shown = app.snapshot(policy, self.model.outside)
        page = render([shown], Build("0"), app.measure_families()).text().decode()
        return {family.name: family.samples for family in text_string_to_metric_families(page)}

    def metric(self, name, **labels):
        """Return the value of one series."""
        (found,) = [
            sample.value
            for sample in self.page[f"modelmon_{name}"]
            if labels.items() <= sample.labels.items()
        ]
        return found

    @property
    def told(self):
        """The table of the summary on what could not be judged: (what, measure, reason)."""
        assert self.run
        tables = summarise(self.model.policy, [self.run])
        named = [item for item in tables if item.title == "What could not be judged, and why"]
        return {row[:3]: row[4] for table in named for row in table.rows}


@pytest.fixture(scope="session")
def rows():
    return Rows.of_the_demo()


@pytest.fixture(scope="session")
def baseline(rows, tmp_path_factory):
    return write(rows.baseline, tmp_path_factory.mktemp("baseline") / "baseline.parquet")


@pytest.fixture(scope="session")
def cases(rows, tmp_path_factory):
    """Return the root of a case, made once and not to be changed."""
    root = tmp_path_factory.mktemp("cases")
    made = {}

    def of(name):
        if name not in made:
            made[name] = make(name, rows, root)
        return made[name]

    yield of
    for path in root.rglob("denied.parquet"):
        path.chmod(0o600)


@pytest.fixture(scope="session")
def registered():
    """Return the baselines that have been made, by what the policy says."""
    return {}


@pytest.fixture(scope="session")
def watch(tmp_path_factory, baseline, registered):
    """Return a model that watches a folder, its baseline registered."""

    def opened(root, *, source="", fields="", more="", period=JULY, register=True):
        labelled = (root / "labels").is_dir()
        path = (root if labelled else tmp_path_factory.mktemp("policy")) / "nasty.yaml"
        text = POLICY.format(
            path="log" if labelled else root,
            source=source + (LABELS if labelled else ""),
            fields=fields,
            more=more + (LABEL if labelled else ""),
        )
        path.write_text(text)
        model = monitor.open_model(path)
        if register:
            key = (source, fields, more, labelled)
            if key not in registered:
                registered[key] = model.register(
                    str(baseline), start="2005-04-01", end="2005-06-01", why="before the trouble"
                )
            for item in registered[key]:
                model.outside.store.register(item)
        return Watched(root, model, period)

    return opened


@pytest.fixture(scope="session")
def nasty(cases, watch):
    """Return a model that watches a case; without options, the one that other tests look at too."""
    plain = {}

    def of(name, **options):
        if options:
            return watch(cases(name), **options)
        if name not in plain:
            plain[name] = watch(cases(name))
        return plain[name]

    return of


@pytest.fixture
def log(tmp_path, rows):
    """Return the root of a log with the fifty good rows, to which a test may add."""
    root = tmp_path / "log-of-our-own"
    write(rows.good, root / "good.parquet")
    return root


@pytest.fixture
def copied(cases, tmp_path):
    """Return a copy of a case that a test may change."""
    return lambda name: Path(shutil.copytree(cases(name), tmp_path / name, symlinks=True))
