"""What dirty data do to a verdict, from the file to the finding."""

import json

import numpy as np
import pandas as pd
import pytest

import monitor
from monitor.cli.main import ExitCode
from monitor.cli.main import run as modelmon
from monitor.domain.finding import Verdict

pytestmark = pytest.mark.slow

DAYS, ROWS = 10, 400
PERIOD = {"start": "2026-01-01", "end": "2026-01-11"}
DAY = {"start": "2026-01-11", "end": "2026-01-12"}
CONFIG = """\
model: dirty
source: {path: log, event_time: at}
fields: {amount: numeric, steady: numeric, channel: categorical}
schedule: {window: day}
limits: {drift: {ks: {warning: 0.1, critical: 0.2}, wasserstein: {warning: 0.2, critical: 0.5}}}
"""
ALARM = {Verdict.WARNING, Verdict.CRITICAL}


def log(first, days, rows, seed=1, shift=0.0):
    rng = np.random.default_rng(seed)
    total = days * rows
    return pd.DataFrame(
        {
            "at": pd.Timestamp(first, tz="UTC")
            + pd.to_timedelta(np.arange(total) * 86_400 // rows, unit="s"),
            "amount": rng.normal(shift, 1, total),
            "steady": rng.exponential(1, total),
            "channel": rng.choice(["web", "shop", "phone"], total, p=[0.6, 0.3, 0.1]),
        }
    )


BASELINE = log("2026-01-01", DAYS, ROWS)


def today(rows=ROWS, seed=2, shift=0.0):
    return log("2026-01-11", 1, rows, seed, shift)


@pytest.fixture
def model(tmp_path):
    (tmp_path / "dirty.yaml").write_text(CONFIG)
    return monitor.open_model(tmp_path / "dirty.yaml")


def compared(model, window, baseline=BASELINE):
    model.register(baseline, **PERIOD, why="clean")
    return model.compare(window, **DAY)


def reading(comparison, measure, field="amount"):
    (result,) = comparison.examination.results
    (found,) = [
        item.result
        for item in result.readings
        if (item.measure, item.subject.field) == (measure, field)
    ]
    return found


def verdicts(comparison, measure):
    return {
        item.reading.subject.field: item.verdict
        for item in comparison.found()
        if item.reading.measure == measure
    }


def with_value(frame, value, column="amount"):
    frame = frame.copy()
    frame.loc[len(frame) // 2, column] = value
    return frame


@pytest.mark.parametrize("value", [1e300, -1e300, np.inf, -np.inf])
def test_one_huge_value_among_a_hundred_thousand_changes_nothing(model, value):
    window = today(100_000)
    clean = reading(compared(model, window), "psi").value
    spoilt = reading(model.compare(with_value(window, value), **DAY), "psi").value
    assert abs(spoilt - clean) < 1e-3


@pytest.mark.parametrize("value", [1e300, np.inf])
def test_a_shift_is_found_beneath_outliers_on_both_sides(model, value):
    moved = with_value(today(shift=1.0), value)
    found = compared(model, moved, with_value(BASELINE, value))
    assert verdicts(found, "psi")["amount"] is Verdict.CRITICAL
    assert verdicts(found, "ks")["amount"] is Verdict.CRITICAL


def test_two_nulls_in_five_alarm_on_their_column_alone(model):
    window = today()
    window.loc[window.index % 5 < 2, "amount"] = np.nan
    found = compared(model, window)
    assert verdicts(found, "missing_rate") == {
        "amount": Verdict.CRITICAL,
        "steady": Verdict.OK,
        "channel": Verdict.OK,
    }
    assert verdicts(found, "psi")["amount"] in ALARM
    assert verdicts(found, "psi")["steady"] is Verdict.OK


SPOILT = {
    "all null": lambda frame: frame.assign(amount=pd.Series([np.nan] * len(frame))),
    "vanished": lambda frame: frame.drop(columns="amount"),
    "retyped": lambda frame: frame.assign(amount=["many"] * len(frame)),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_column_that_is_gone_is_never_healthy_and_the_others_are_judged(
    tmp_path, spoil, monkeypatch, capsys
):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "dirty.yaml").write_text(CONFIG)
    (tmp_path / "modelmon.yaml").write_text(f"store: {{url: 'sqlite:///{tmp_path}/m.db'}}\n")
    logs = tmp_path / "models" / "log"
    logs.mkdir()
    BASELINE.to_parquet(logs / "baseline.parquet")
    spoil(today()).to_parquet(logs / "today.parquet")
    monkeypatch.chdir(tmp_path)
    config = ["--config", "modelmon.yaml"]
    span = ["--from", "2026-01-01", "--to", "2026-01-11"]
    assert modelmon([*config, "db", "upgrade"]) == ExitCode.OK
    registered = modelmon([*config, "baseline", "register", "dirty", *span, "--why", "clean"])
    assert registered == ExitCode.OK
    capsys.readouterr()
    day = ["--from", "2026-01-11", "--to", "2026-01-12"]
    assert modelmon([*config, "run", *day]) == ExitCode.OK
    capsys.readouterr()
    assert modelmon([*config, "explain", "dirty", "latest", "--output", "json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    found = {
        (item["measure"], item["subject"]["field"]): item["verdict"]
        for item in document["findings"]
    }
    assert {found[measure, "amount"] for measure in ("psi", "ks", "wasserstein")} <= {
        "unknown",
        "critical",
    }
    assert found["missing_rate", "amount"] == "critical"
    for field in ("steady", "channel"):
        assert found["psi", field] == "ok"
    tests = {
        item["evidence"]["warning"]["tests"]
        for item in document["findings"]
        if item["measure"] in {"psi", "ks", "wasserstein"} and item["evidence"]
    }
    assert tests == {7}  # psi of three fields, ks and wasserstein of two: none dropped out


@pytest.mark.parametrize("unit", [1e-9, 1e12])
def test_the_unit_of_a_column_changes_nothing(model, unit):
    window = today(shift=0.3)
    plain = compared(model, window)
    scaled = BASELINE.assign(amount=BASELINE["amount"] * unit)
    other = compared(model, window.assign(amount=window["amount"] * unit), scaled)
    for measure in ("psi", "js_distance", "ks", "hellinger"):
        assert reading(other, measure).value == reading(plain, measure).value
    moved = reading(other, "wasserstein")
    assert moved.value == pytest.approx(reading(plain, "wasserstein").value, abs=1e-9)
    assert verdicts(other, "wasserstein") == verdicts(plain, "wasserstein")
    assert verdicts(other, "psi") == verdicts(plain, "psi")


@pytest.mark.parametrize("rows", [801, 2_000, 10_001])
def test_a_stray_category_never_alarms(model, rows):
    found = compared(model, with_value(today(rows), "carrier pigeon", "channel"))
    assert verdicts(found, "psi")["channel"] is Verdict.OK
    assert verdicts(found, "unseen_rate")["channel"] is Verdict.OK


def test_a_category_that_comes_for_good_does(model):
    window = today(2_000)
    window.loc[window.index % 4 == 0, "channel"] = "carrier pigeon"
    found = compared(model, window)
    assert verdicts(found, "psi")["channel"] is Verdict.CRITICAL
    assert verdicts(found, "unseen_rate")["channel"] is Verdict.CRITICAL
