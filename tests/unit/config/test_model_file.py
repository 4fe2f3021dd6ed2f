"""A model's file → the policy."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from monitor.config.content import policy_as_yaml
from monitor.config.defaults import DEFAULT_LIMITS, ONLY_WITH_PROBABILITIES
from monitor.config.model_file import load_policies, load_policy
from monitor.domain.errors import ConfigError
from monitor.domain.field import (
    Attribute,
    Decision,
    Effect,
    Field,
    FieldKind,
    FieldRole,
    Label,
    Part,
    Population,
    Stratum,
    embeddings,
)
from monitor.domain.limit import Band, Limit
from monitor.domain.policy import FieldLimit, LabelTable, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.measures.names import MeasureName

ROOT = Path(__file__).parents[3]

MINIMAL = """
model: credit
source:
  path: log
  event_time: at
fields:
  income: numeric
  region: categorical
schedule:
  window: day
"""

PEOPLE = """
decision: {column: approved, positive: [true], positive_is: favourable}
"""


@pytest.fixture
def load(tmp_path):
    def from_text(text, **options):
        path = tmp_path / "model.yaml"
        path.write_text(dedent(text), encoding="utf-8")
        return load_policy(path, **options)

    return from_text


def test_a_short_file_has_every_default(load, tmp_path):
    policy = load(MINIMAL)
    assert policy.source == SourceSpec("log", "at")
    assert policy.fields == (
        Field("income", "income", FieldKind.NUMERIC),
        Field("region", "region", FieldKind.CATEGORICAL),
    )
    assert policy.decision is None
    assert policy.label is None
    assert policy.populations == ()
    assert policy.schedule == Schedule(CalendarUnit.DAY)
    usual = DEFAULT_LIMITS.keys() - ONLY_WITH_PROBABILITIES
    assert policy.limits == {name: FieldLimit(DEFAULT_LIMITS[name]) for name in usual}
    assert policy.band == Band()
    assert policy.owner == ""
    assert policy.text == MINIMAL
    assert policy.directory == str(tmp_path)


RICH = """
model: credit
source: {path: log, event_time: at, timezone: Asia/Tokyo}
fields:
  opened: datetime
  born: {kind: datetime, column: "date of birth", timezone: Europe/Amsterdam, role: prediction}
  note: text
  vector: embedding
schedule: {window: WINDOW}
"""


def test_a_kind_with_parts_is_watched_as_its_parts(load):
    policy = load(RICH.replace("WINDOW", "day"))
    assert [item.name for item in policy.fields] == [
        "opened.age",
        "opened.hour_of_week",
        "born.age",
        "born.hour_of_week",
        "note.length",
        "note.tokens",
        "note.empty",
        "note.non_ascii",
        "note.digits",
        "note.punctuation",
        "vector.norm",
    ]
    assert policy.fields[0] == Field(
        "opened.age", "opened", FieldKind.NUMERIC, part=Part.AGE, zone="Asia/Tokyo"
    )
    assert policy.fields[3] == Field(
        "born.hour_of_week",
        "date of birth",
        FieldKind.CATEGORICAL,
        FieldRole.PREDICTION,
        part=Part.HOUR_OF_WEEK,
        zone="Europe/Amsterdam",
    )
    assert {item.declared_kind for item in policy.fields[4:10]} == {FieldKind.TEXT}
    assert [item.declared for item in embeddings(policy.fields)] == ["vector"]
    assert load(policy_as_yaml(policy)).digest == policy.digest


@pytest.mark.parametrize(
    ("window", "judged"),
    [("day", False), ("6d", False), ("week", True), ("7d", True), ("month", True)],
)
def test_hours_of_the_week_are_judged_in_windows_that_hold_all_of_them(load, window, judged):
    limit = load(RICH.replace("WINDOW", window)).limits["psi"]
    assert bool(limit.of("opened.hour_of_week").bounds) is judged
    assert limit.of("opened.age").bounds


def test_hours_of_the_week_are_judged_where_the_file_says_so(load):
    limits = "limits: {drift: {psi: {fields: {opened.hour_of_week: {warning: 0.2}}}}}"
    limit = load(RICH.replace("WINDOW", "day") + limits).limits["psi"]
    assert limit.of("opened.hour_of_week").warning == 0.2
    assert not limit.of("born.hour_of_week").bounds


def test_a_full_file_says_everything(load):
    policy = load("""
        model: credit
        owner: lending
        source:
          path: s3://bucket/log
          event_time: at
          timezone: Europe/Amsterdam
          id: request
          version: model_version
          default_version: "1.10"
          labels: {path: labels, id: request, time: known_at, event_time: made_at, wait: 60d}
        fields:
          days_late: {kind: numeric, column: "days late"}
          active: boolean
          score: {kind: numeric, role: score}
        decision: {column: flagged, positive: [true, 1], negative: [false, 0], positive_is: harmful}
        label: {column: paid, positive: [1.0], negative: ["no"], min_coverage: 0.5}
        populations:
          sex: {}
          age: {column: years, bins: [25, 35.5], unknown: ["", -1], reference: 35.5+}
          race: {values: {1: White, "2": Black, 3: Black}, reference: White}
          elderly:
            column: years
            bins: ecoa
            labels: [under, over]
            declined: [-2]
            legal_basis: ECOA
            retention_days: 750
        crossings: [[sex, age]]
        strata:
          product: {column: code, values: {1: card}, unknown: [0], approved_by: r.lee, reason: law}
        schedule:
          window: 14d
          timezone: America/New_York
          start: 2024-01-07
          end: 2024-06-01T00:00+02:00
          lateness: 1d
          patience: 6h
          reopen: 3d
          anchor: 2024-01-07
        """)
    assert policy.source == SourceSpec(
        "s3://bucket/log",
        "at",
        "Europe/Amsterdam",
        "request",
        "model_version",
        "1.10",
        LabelTable("labels", "request", "known_at", "made_at", timedelta(days=60)),
    )
    assert policy.fields == (
        Field("days_late", "days late", FieldKind.NUMERIC),
        Field("active", "active", FieldKind.BOOLEAN),
        Field("score", "score", FieldKind.NUMERIC, FieldRole.SCORE),
    )
    assert policy.decision == Decision(
        "flagged", ("true", "1"), ("false", "0"), effect=Effect.HARMFUL
    )
    assert policy.label == Label("paid", ("1",), ("no",))
    assert policy.attributes == {
        "sex": Attribute("sex", "sex"),
        "age": Attribute("age", "years", bins=(25.0, 35.5), unknown=("", "-1"), reference="35.5+"),
        "race": Attribute(
            "race", "race", {"1": "White", "2": "Black", "3": "Black"}, reference="White"
        ),
        "elderly": Attribute(
            "elderly",
            "years",
            bins=(62.0,),
            labels=("under", "over"),
            declined=("-2",),
            legal_basis="ECOA",
            retention_days=750,
        ),
    }
    product = Attribute("product", "code", {"1": "card"}, unknown=("0",))
    assert policy.strata == {"product": Stratum(product, "r.lee", "law")}
    assert policy.axes == {**policy.attributes, "product": product}
    assert policy.populations == (
        Population(("sex",)),
        Population(("age",)),
        Population(("race",)),
        Population(("elderly",)),
        Population(("sex", "age")),
    )
    assert policy.schedule == Schedule(
        timedelta(days=14),
        "America/New_York",
        anchor=datetime(2024, 1, 7, 5, tzinfo=UTC),
        start=datetime(2024, 1, 7, 5, tzinfo=UTC),
        end=datetime(2024, 5, 31, 22, tzinfo=UTC),
        lateness=timedelta(days=1),
        patience=timedelta(hours=6),
        reopen=timedelta(days=3),
    )
    assert policy.min_label_coverage == 0.5
    assert policy.owner == "lending"


@pytest.mark.parametrize(
    ("window", "days"),
    [("hour", 7 / 24), ("day", 7), ("week", 49), ("month", 217), ("quarter", 644), ("2d", 14)],
)
def test_files_may_come_late_for_seven_windows_unless_it_is_said(load, window, days):
    policy = load(MINIMAL.replace("window: day", f"window: {window}"))
    assert policy.schedule.reopen == timedelta(days=days)
    said = load(MINIMAL.replace("window: day", f"window: {window}\n  reopen: 0s"))
    assert said.schedule.reopen == timedelta(0)


def test_labels_that_are_declared_have_to_arrive_unless_it_is_said(load):
    label = "label: {column: paid, positive: [1]"
    assert load(MINIMAL).min_label_coverage == 0
    assert load(MINIMAL + label + "}\n").min_label_coverage == 0.9
    assert load(MINIMAL + label + ", min_coverage: 0}\n").min_label_coverage == 0


def test_a_decision_may_begin_at_a_number(load):
    policy = load(MINIMAL + "decision: {column: decile, at_least: 5, positive_is: harmful}\n")
    assert policy.decision == Decision("decile", at_least=5.0, effect=Effect.HARMFUL)


def test_a_limit_starts_from_the_default_and_a_field_from_the_limit(load):
    limits = load(
        MINIMAL
        + """
limits:
  drift:
    psi: {critical: 0.3, fields: {region: {warning: 0.2}, income: {critical: never, min_rows: 9}}}
    ks: {critical: 0.3}
  disparity: {band: {min_rows: 100}}
"""
    ).limits
    assert limits["psi"].default == Limit(0.1, 0.3)
    assert limits["psi"].of("region") == Limit(0.2, 0.3)
    assert limits["psi"].of("income") == Limit(0.1, None, 9)
    assert limits["ks"] == FieldLimit(Limit(None, 0.3))


def test_a_measure_without_any_bound_is_not_judged(load):
    policy = load(
        MINIMAL
        + """
limits:
  drift: {psi: {warning: never, critical: never}, ks: {min_rows: 9}}
  quality: {unseen_rate: {warning: never, critical: never, fields: {region: {critical: 0.1}}}}
"""
    )
    assert "psi" not in policy.limits
    assert "ks" not in policy.limits
    assert policy.limits["unseen_rate"] == FieldLimit(
        Limit(None, None), {"region": Limit(None, 0.1)}
    )


def test_measures_can_be_given_by_the_caller(load):
    measures = {"surprise": MeasureName("drift", "field")}
    policy = load(MINIMAL + "limits: {drift: {surprise: {critical: 1}}}\n", measures=measures)
    assert policy.limits["surprise"].default == Limit(None, 1.0)
    with pytest.raises(ConfigError, match="unknown measure; known here: surprise"):
        load(MINIMAL + "limits: {drift: {psi: {critical: 1}}}\n", measures=measures)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (MINIMAL, "# a comment\n" + MINIMAL.replace("path: log", "path:   'log'   # here")),
        (MINIMAL, MINIMAL.replace("income: numeric", "income: {kind: numeric, column: income}")),
        (MINIMAL, MINIMAL + "limits: {drift: {psi: {warning: 0.10}}}\n"),
        (PEOPLE + MINIMAL, MINIMAL + PEOPLE.replace("[true]", '["true"]')),
        (
            MINIMAL + PEOPLE + "populations: [sex]\n",
            MINIMAL + PEOPLE + "populations: {sex: {column: sex}}\n",
        ),
    ],
)
def test_comments_layout_and_short_forms_are_no_part_of_the_digest(load, one, other):
    assert load(one).digest == load(other).digest


@pytest.mark.parametrize(
    "change",
    [
        ("path: log", "path: ./log"),
        ("income: numeric", "income: {kind: numeric, role: score}"),
        ("window: day", "window: 1d"),
        ("model: credit", "model: credits"),
        ("window: day", "window: day\n  lateness: 1h"),
    ],
)
def test_whatever_is_said_is_part_of_the_digest(load, change):
    assert load(MINIMAL).digest != load(MINIMAL.replace(*change)).digest


def test_switching_a_default_limit_off_is_part_of_the_digest(load):
    off = load(MINIMAL + "limits: {drift: {psi: {warning: never, critical: never}}}\n")
    assert off.digest != load(MINIMAL).digest
    assert load(policy_as_yaml(off)).digest == off.digest


def test_the_folder_is_no_part_of_the_digest(tmp_path, load):
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "model.yaml"
    path.write_text(MINIMAL)
    assert load_policy(path).digest == load(MINIMAL).digest


def test_the_policy_in_full_can_be_read_again(load):
    policy = load(MINIMAL)
    text = policy_as_yaml(policy)
    assert "warning: 0.1" in text
    assert load(text).digest == policy.digest


def test_a_folder_of_models_is_read_in_the_order_of_names(tmp_path):
    for name in ("b.yaml", "a.yml"):
        (tmp_path / name).write_text(MINIMAL.replace("credit", name[0]))
    (tmp_path / "notes.txt").write_text("not a model")
    (tmp_path / ".hidden.yaml").write_text("not: a model")
    assert [policy.model for policy in load_policies(tmp_path)] == ["a", "b"]


def test_problems_of_all_files_are_told_at_once(tmp_path):
    (tmp_path / "a.yaml").write_text(MINIMAL + "owner: 3\n")
    (tmp_path / "b.yaml").write_text(MINIMAL)
    (tmp_path / "c.yaml").write_text("model: [\n")
    with pytest.raises(ConfigError) as caught:
        load_policies(tmp_path)
    found = [(Path(problem.file).name, problem.key) for problem in caught.value.problems]
    assert found == [("a.yaml", "owner"), ("b.yaml", "model"), ("c.yaml", "")]
    assert "is declared in" in caught.value.problems[1].message


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_a_folder_without_models_is_an_error(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="folder of models"):
        load_policies(tmp_path / folder)


def test_the_shipped_model_is_valid():
    (policy,) = load_policies(ROOT / "config" / "models")
    assert policy.model == "card-late-payment"
    assert [population.name for population in policy.populations] == [
        "sex",
        "age_group",
        "education",
        "marital_status",
        "sex × age_group",
    ]
    assert policy.schedule.end == datetime(2005, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["delta", "iceberg"])
def test_a_table_whose_package_is_missing_says_what_to_install(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("monitor.config.checks.find_spec", lambda _: None)
    file = tmp_path / "m.yaml"
    file.write_text(
        "model: m\n"
        f"source: {{path: lake/models.log, event_time: at, format: {kind}}}\n"
        "fields: {income: numeric}\n"
        "schedule: {window: day}\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_policy(file)
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (2, "source.format")
    assert f"install modelmon[{kind}]" in problem.message


@pytest.mark.parametrize(
    ("preset", "bins"),
    [("adea", [40]), ("ecoa", [62]), ("decades", [20, 30, 40, 50, 60, 70, 80])],
)
def test_cut_points_of_ages_have_names(load, preset, bins):
    decision = "decision: {column: d, positive: [1], positive_is: harmful}\n"
    populations = "populations: {age: {bins: BINS}}\n"
    named = load(MINIMAL + decision + populations.replace("BINS", preset))
    said = load(MINIMAL + decision + populations.replace("BINS", str(bins)))
    assert named.attributes["age"].bins == tuple(map(float, bins))
    assert named.digest == said.digest


REFERENCES = """
segments: [region]
references:
  yesterday: previous
  weekday: {kind: season, season: weekday, windows: 4, limits: {rows: {warning: 0.3}}}
limits:
  quality: {rows: {warning: 0.9}}
"""


def test_how_many_rows_come_is_held_against_a_reference_that_says_so(load):
    policy = load(MINIMAL + REFERENCES)
    assert policy.limits_against("")["rows"].default == Limit(0.9, None)
    assert policy.limits_against("weekday")["rows"].default == Limit(0.3, None)
    assert "rows" not in policy.limits_against("yesterday")
    assert policy.limits_against("yesterday")["psi"] == policy.limits["psi"]
    again = load(policy_as_yaml(policy))
    for reference in ("", "weekday", "yesterday"):
        assert again.limits_against(reference) == policy.limits_against(reference)
    assert again.digest == policy.digest


def test_rows_of_a_slice_are_not_held_against_those_of_others(load):
    peer = (
        "  north: {kind: segment, segment: region, slice: north, limits: {rows: {warning: 0.3}}}\n"
    )
    text = MINIMAL + REFERENCES.replace("  yesterday: previous\n", peer)
    with pytest.raises(ConfigError, match="rows is no drift, and is held against the registered"):
        load(text)
