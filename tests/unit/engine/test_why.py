"""A small model through the real path: what the store can say of each of its findings."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace
from scipy.stats import spearmanr

import monitor
from monitor.domain.estimate import Unmeasurable
from monitor.domain.finding import Verdict
from monitor.engine.why import ImportanceSource, latest_of, why
from monitor.reports.finding import finding_tables, mostly
from monitor.reports.finding_document import finding_document

ROOT = Path(__file__).parents[3]

POLICY = """
model: credit
source: {path: log, event_time: at, version: version}
fields:
  income: {kind: numeric, importance: 1}
  region: {kind: categorical, importance: 3}
  age: {kind: numeric, importance: 2}
  score: {kind: numeric, role: score}
decision: {column: yes_no, positive: [1], positive_is: favourable}
populations: [sex]
schedule: {window: day, end: 2024-01-09}
limits:
  drift:
    js_distance: {warning: 0.2}
    ks: {warning: 0.2}
    wasserstein: {warning: 0.5}
  quality: {missing_rate: {warning: 0.01}}
  disparity: {band: {low: 0.8}}
"""
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def rows_of(day, rows=400):
    """Days 1 to 4 are calm; on 5 income and region move; 6 has no rows; 7 lacks a column."""
    rng = np.random.default_rng(day)
    moved = 1.0 if day == 5 else 0.0
    sex = rng.choice(["f", "m"], rows)
    score = rng.beta(2, 3, rows)
    table = {
        "at": pa.array([FIRST + (day - 1) * DAY] * rows, pa.timestamp("us", "UTC")),
        "version": ["2" if day == 8 else "1"] * rows,
        "income": rng.normal(10 + moved, 1, rows),
        "region": rng.choice(["n", "s", "new"], rows, p=[0.5, 0.5 - moved / 4, moved / 4]),
        "age": rng.integers(18, 90, rows).astype(float),
        "score": score,
        "yes_no": (score > np.where(sex == "f", 0.45, 0.35)).astype(int),
        "sex": sex,
    }
    if day == 7:
        del table["age"]
    return table


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("why")
    (folder / "log").mkdir()
    for day in (1, 2, 3, 4, 5, 7, 8):
        pq.write_table(pa.table(rows_of(day)), folder / "log" / f"{day}.parquet")
    (folder / "credit.yaml").write_text(POLICY)
    opened = monitor.open_model(folder / "credit.yaml")
    opened.register(start="2024-01-01", end="2024-01-03", why="calm days")
    opened.run(start="2024-01-03", end="2024-01-09")
    return opened


def told(model, day, measure, policy=None, revision=None, **subject):
    """Return why a finding of a day is what it is."""
    policy = policy or model.policy
    window = policy.schedule.window_at(FIRST + (day - 1) * DAY)
    run = model.outside.store.run(policy.model, window)
    findings = (*run.findings, *(item for one in run.results for item in one.findings))
    (found,) = [
        item
        for item in findings
        if item.reading.measure == measure
        and all(getattr(item.reading.subject, name) == value for name, value in subject.items())
    ]
    return why(model.outside.store, policy, found.fingerprint, window, revision)


def table(told_why, model, title):
    (found,) = [
        item for item in finding_tables(told_why, model.policy, 20) if item.title.startswith(title)
    ]
    return found


@pytest.mark.slow
def test_a_drifted_field_is_taken_apart(model):
    found = told(model, 5, "psi", field="region")
    assert found.finding.verdict is Verdict.CRITICAL
    assert found.parts.total == found.finding.reading.result.value
    largest = max(found.parts.parts, key=lambda part: part.contribution)
    assert largest.name == "(unseen)"
    assert mostly(found.parts).startswith("(unseen): 0.0% → 2")
    assert found.baseline.why == "calm days"
    assert len(found.profile) == len(found.grid) == 64
    assert found.parts.note.startswith("Unseen, with their rows: 'new' (")


def test_fields_are_ranked_by_importance_times_how_far_they_moved(model):
    ranking = told(model, 5, "psi", field="income").ranking
    assert ranking.source is ImportanceSource.CONFIG
    assert [item.field for item in ranking.fields][:2] == ["region", "income"]
    first = ranking.fields[0]
    assert first.weight == pytest.approx(3 * first.effect)


def test_without_importance_how_a_field_goes_with_the_score_stands_for_it(model):
    bare = [replace(item, importance=None) for item in model.policy.fields if item.name != "region"]
    found = told(model, 5, "psi", replace(model.policy, fields=tuple(bare)), field="income")
    assert found.ranking.source is ImportanceSource.ASSOCIATION
    days = [rows_of(day) for day in (1, 2)]
    for item in found.ranking.fields:
        columns = [np.concatenate([day[name] for day in days]) for name in (item.field, "score")]
        rank_correlation = spearmanr(*columns).statistic
        assert item.importance == pytest.approx(abs(rank_correlation), abs=0.02)
        assert item.weight == pytest.approx(item.importance * item.effect)
    assert "correlation with the score" in table(found, model, "Fields").note


def test_without_importance_fields_are_ranked_by_effect_and_it_is_said(model):
    bare = [replace(item, importance=None) for item in model.policy.fields]
    found = told(model, 5, "psi", replace(model.policy, fields=tuple(bare)), field="income")
    assert found.ranking.source is ImportanceSource.NONE
    weights = [item.weight for item in found.ranking.fields]
    assert weights == sorted(weights, reverse=True)
    assert weights == [item.effect for item in found.ranking.fields]
    assert "No importance known: ranked by PSI alone." in table(found, model, "Fields").note


def test_a_field_that_was_not_measured_comes_last_with_its_reason(model):
    ranking = told(model, 7, "missing_rate", field="age").ranking
    last = ranking.fields[-1]
    assert (last.field, last.effect, last.weight) == ("age", None, None)
    assert "has the column" in last.absence or "with the column" in last.absence


def test_a_column_that_is_gone_is_missing_because_it_is_gone(model):
    found = told(model, 7, "missing_rate", field="age")
    (part,) = found.parts.parts
    assert (part.name, part.share_now, part.contribution) == ("(no such column)", 1.0, 1.0)


def test_what_has_no_number_has_no_parts_but_a_reason(model):
    found = told(model, 7, "psi", field="age")
    assert isinstance(found.parts, Unmeasurable)
    assert table(found, model, "What made it").rows == ((found.parts.explanation,),)
    assert finding_document(found, model.policy)["parts"]["absence"] == "missing_column"


def test_groups_explain_a_change_of_the_decision_rate(model):
    found = told(model, 5, "decision_rate")
    (item,) = found.decompositions.values()
    result = found.finding.reading.result
    assert item.mix + item.within == pytest.approx(result.value, abs=1e-12)
    assert [group.name for group in item.groups] == ["f", "m"]
    assert table(found, model, "By sex").rows[-1][0] == "all"


def test_groups_explain_a_disparity_in_its_own_population(model):
    found = told(model, 5, "selection_rate_ratio")
    assert list(found.decompositions) == ["sex"]
    assert found.parts is None


@pytest.mark.slow
def test_tenths_of_the_score_explain_its_mean(model):
    policy = model.policy
    limits = policy.limits | {"score_mean": policy.limits["psi"]}
    again = replace(policy, limits=limits, digest="other")
    opened = monitor.open_model(again)
    opened.outside.store.register(model.outside.store.baselines("credit")[0])
    opened.run(start="2024-01-05", end="2024-01-06")
    found = told(opened, 5, "score_mean")
    (item,) = found.decompositions.values()
    result = found.finding.reading.result
    assert item.mix + item.within == pytest.approx(result.now - result.then, abs=1e-12)
    assert len(item.groups) == 10


def test_history_has_a_row_for_every_window_judged_or_not(model):
    story = told(model, 7, "psi", field="income").history
    assert [item.window.start.day for item in story] == [3, 4, 5, 6, 7]
    verdicts = [item.finding and item.finding.verdict.value for item in story]
    assert verdicts[:2] == ["ok", "ok"]
    assert verdicts[2] in {"warning", "critical"}
    assert verdicts[3] is None  # there were no rows
    rows = table(told(model, 7, "psi", field="income"), model, "Its last windows").rows
    assert rows[3][1:3] == ("–", "not judged")
    assert [item.window.start.day for item in told(model, 4, "psi", field="age").history] == [3, 4]


def test_an_empty_window_is_explained_without_parts_or_ranking(model):
    found = told(model, 6, "rows")
    assert (found.baseline, found.parts, found.ranking) == (None, None, None)
    assert found.finding.verdict is Verdict.UNKNOWN
    document = finding_document(found, model.policy)
    assert document["ranking"] is None and document["provenance"]["baseline"] is None
    assert dict(table(found, model, "rows of").rows)["reading"] == "none: no_data"


def test_an_unregistered_version_is_explained(model):
    found = told(model, 8, "rows", version="2")
    assert found.baseline is None
    assert all(item.effect is None for item in found.ranking.fields)
    assert dict(table(found, model, "rows of").rows)["verdict"] == "unknown (no_baseline)"


@pytest.mark.slow
@pytest.mark.parametrize("day", [3, 5, 6, 7, 8])
def test_every_finding_can_be_told(model, day):
    window = model.policy.schedule.window_at(FIRST + (day - 1) * DAY)
    run = model.outside.store.run("credit", window)
    findings = (*run.findings, *(item for one in run.results for item in one.findings))
    assert findings
    for item in findings:
        found = why(model.outside.store, model.policy, item.fingerprint, window)
        assert latest_of(model.outside.store, item.fingerprint).window >= window
        for drawn in finding_tables(found, model.policy, 12):
            assert all(len(row) == len(drawn.columns) for row in drawn.rows)
        document = finding_document(found, model.policy)
        assert document["fingerprint"] == item.fingerprint
        assert document["history"][-1]["judged"] is True


def test_what_was_never_judged_is_not_found(model):
    store, window = model.outside.store, model.policy.schedule.window_at(FIRST + 4 * DAY)
    known = told(model, 5, "psi", field="income").finding.fingerprint
    with pytest.raises(LookupError, match="did not judge 0000"):
        why(store, model.policy, "0" * 16, window)
    with pytest.raises(LookupError, match="has 1 results, and none is 7"):
        why(store, model.policy, known, window, 7)
    with pytest.raises(LookupError, match="no finding 0000"):
        latest_of(store, "0" * 16)


def test_the_document_has_the_keys_that_are_documented(model):
    page = (ROOT / "docs" / "how-to" / "explain-a-finding.md").read_text("utf-8")
    _, _, section = page.partition("## For machines")
    rows = re.findall(r"^\| (`.*?`) \| (.*?) \|$", section, re.MULTILINE)
    names = {first: re.findall(r"`([a-z_]+)(?:\[\])?`", content) for first, content in rows}
    document = finding_document(told(model, 5, "decision_rate"), model.policy)
    parts = finding_document(told(model, 5, "psi", field="region"), model.policy)["parts"]
    (groups,) = document["decompositions"]
    tops = {name for first in names for name in re.findall(r"`([a-z_]+)(?:\[\])?`", first)}
    assert set(document) == tops
    assert set(document["history"][0]) == set(names["`history[]`"])
    assert set(parts) == set(names["`parts`"]) - {"sum", "largest"}
    assert set(parts["parts"][0]) == set(names["`parts.parts[]`"])
    assert set(groups) == set(names["`decompositions[]`"])
    assert set(groups["groups"][0]) == set(names["`decompositions[].groups[]`"])
    assert set(document["provenance"]) == set(names["`provenance`"])
    registered = document["provenance"]["baseline_registered"]
    assert set(registered) == set(names["`provenance.baseline_registered`"])
    ranking = {*document["ranking"], *document["ranking"]["fields"][0]}
    assert ranking == set(names["`ranking`"]) - set(ImportanceSource)
