"""Single classes against the rest, from the log to what people read: run, explained, reported, verified."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.app import read_policy
from monitor.cli.main import run
from monitor.config.regulation import controls
from monitor.domain.window import Window
from monitor.engine.period import period_of
from monitor.reports.bias.build import report_of
from monitor.store.sql import SqlStore

FIRST, DAY, ROWS = datetime(2026, 3, 1, tzinfo=UTC), timedelta(days=1), 4000
NAMES = np.array(["card", "loan", "mortgage"])
POLICY = """
model: products
source: {path: ../log, event_time: at}
fields: {income: numeric}
classes:
  column: offered
  values: [card, loan, mortgage]
  favourable: [loan, mortgage]
  one_against_rest: {mortgage: favourable, card: either}
label: {column: bought}
populations: {sex: {reference: m}}
schedule: {window: day, end: 2026-03-05}
"""


def log_of(shares):
    """Return four days; on the last two every second mortgage to a woman becomes a card."""
    rng = np.random.default_rng(3)
    tables = []
    for day in range(4):
        sex = rng.choice(["f", "m", "x"], ROWS, p=shares)
        true = rng.choice(3, ROWS, p=[0.5, 0.3, 0.2])
        said = np.where(rng.random(ROWS) < 0.8, true, rng.integers(0, 3, ROWS))
        if day > 1:
            said[(sex == "f") & (said == 2) & (rng.random(ROWS) < 0.5)] = 0
        at = [FIRST + day * DAY + timedelta(seconds=20 * row) for row in range(ROWS)]
        tables.append(
            pa.table(
                {
                    "at": pa.array(at, pa.timestamp("us", "UTC")),
                    "income": rng.normal(size=ROWS),
                    "offered": NAMES[said],
                    "bought": NAMES[true],
                    "sex": sex,
                }
            )
        )
    return pa.concat_tables(tables)


def stored(folder, shares, policy=POLICY):
    """Run a model of products as a user would; return how to give it further commands."""
    for name in ("log", "models"):
        (folder / name).mkdir()
    pq.write_table(log_of(shares), folder / "log" / "all.parquet")
    (folder / "models" / "products.yaml").write_text(policy, encoding="utf-8")
    settings = folder / "modelmon.yaml"
    settings.write_text(f'store: {{url: "sqlite:///{folder}/m.db"}}\nmodels: models\n')

    def modelmon(*words):
        return run(["--config", str(settings), *words])

    assert modelmon("db", "upgrade") == 0
    told = ("--from", "2026-03-01", "--to", "2026-03-03", "--why", "the first days")
    assert modelmon("baseline", "register", "products", *told) == 0
    assert modelmon("run", "--from", "2026-03-03", "--to", "2026-03-05") == 0
    return modelmon


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    return stored(folder, [0.46, 0.5, 0.04]), folder


def whole_report(folder, **options):
    store = SqlStore(f"sqlite:///{folder}/m.db")
    policy = read_policy(folder / "models" / "products.yaml")
    period = period_of(
        store, "products", Window(FIRST + 2 * DAY, FIRST + 4 * DAY), lambda _: policy
    )
    return report_of(period, "test", controls(), **options)


def report(folder, **options):
    (version,) = whole_report(folder, **options).versions
    return {part.name: part for part in version.populations}


def answers(part, metric="selection_rate"):
    (table,) = (item for item in part.metrics if item.metric == metric)
    return {item.group: item.answer for item in table.comparisons if item.group != "m"}


@pytest.mark.slow
def test_the_report_has_a_part_for_each_class_and_each_its_own_numbers(products):
    _, folder = products
    parts = report(folder, unsuppressed=True)
    assert list(parts) == ["sex", "sex: mortgage against the rest", "sex: card against the rest"]
    of_set, mortgage, card = parts.values()
    assert answers(mortgage)["f"] == "breach"
    assert answers(of_set)["f"] != "breach"
    rates = {
        part.name: {item.group: item.rate.events for item in part.metrics[0].comparisons}
        for part in parts.values()
    }
    log = log_of([0.46, 0.5, 0.04]).slice(2 * ROWS)
    offered, sex = (np.array(log[name].to_pylist()) for name in ("offered", "sex"))
    for group in ("f", "m", "x"):
        counts = {name: int(((offered == name) & (sex == group)).sum()) for name in NAMES}
        assert rates["sex"][group] == counts["loan"] + counts["mortgage"]
        assert rates[mortgage.name][group] == counts["mortgage"]
        assert rates[card.name][group] == counts["card"]


@pytest.mark.slow
def test_a_report_is_verified_and_says_so(products, tmp_path, capsys):
    modelmon, _ = products
    file = tmp_path / "report.html"
    period = ("--from", "2026-03-03", "--to", "2026-03-05")
    assert modelmon("report", "bias", "--model", "products", *period, "-o", str(file)) == 0
    assert "against the rest: card, mortgage" in capsys.readouterr().err
    assert "mortgage against the rest" in file.read_text(encoding="utf-8")
    assert modelmon("report", "verify", str(file)) == 0
    file.write_text(file.read_text(encoding="utf-8").replace("breach", "within", 1))
    assert modelmon("report", "verify", str(file)) == 1


def test_stored_results_are_what_the_profiles_give(products, capsys):
    modelmon, _ = products
    assert modelmon("recheck", "products") == 0
    assert "0" in capsys.readouterr().out


def test_a_finding_on_a_class_is_explained_by_that_class(products, capsys):
    modelmon, folder = products
    store = SqlStore(f"sqlite:///{folder}/m.db")
    run_of_day = store.run("products", Window(FIRST + 3 * DAY, FIRST + 4 * DAY), 1)
    (finding,) = (
        item
        for item in run_of_day.results[0].findings
        if item.reading.measure == "selection_rate_ratio"
        and (item.reading.subject.group, item.reading.subject.class_name) == ("f", "mortgage")
    )
    assert modelmon("explain", finding.fingerprint) == 0
    told = capsys.readouterr().out
    assert "sex: f against m, mortgage against the rest" in told
    assert "By sex: share of mortgage" in told


@pytest.mark.slow
def test_where_a_class_of_a_group_is_rare_no_class_shows_numbers(tmp_path):
    modelmon = stored(tmp_path, [0.495, 0.5, 0.005])
    del modelmon
    parts = report(tmp_path)
    for name, part in parts.items():
        if name != "sex":
            assert "some counts of" in part.absent
            assert not (part.metrics or part.presences or part.outcomes or part.conditional)
    shown = report(tmp_path, unsuppressed=True)
    assert all(part.metrics and not part.absent for part in shown.values())


@pytest.mark.slow
def test_a_model_without_a_favourable_set_is_told_class_by_class(tmp_path, capsys):
    no_set = POLICY.replace("  favourable: [loan, mortgage]\n", "")
    modelmon = stored(tmp_path, [0.46, 0.5, 0.04], no_set)
    found = whole_report(tmp_path, unsuppressed=True)
    (version,) = found.versions
    assert [part.name for part in version.populations] == [
        "sex: mortgage against the rest",
        "sex: card against the rest",
    ]
    assert answers(version.populations[0])["f"] == "breach"
    scope, meaning, *_ = found.summary
    assert f"{2 * ROWS:,} decisions of products were checked over 1 attribute" in scope
    assert "mortgage (helps the person it is given to), card (may help or harm)" in meaning
    assert any("Of mortgage against the rest: " in limit for limit in found.policy.limits)

    file = tmp_path / "report.html"
    period = ("--from", "2026-03-03", "--to", "2026-03-05")
    assert modelmon("report", "bias", "--model", "products", *period, "-o", str(file)) == 0
    assert modelmon("report", "verify", str(file)) == 0
    file.write_text(file.read_text(encoding="utf-8").replace("breach", "within", 1))
    assert modelmon("report", "verify", str(file)) == 1
    assert "every number" not in capsys.readouterr().out
