"""The SQL that users are shown works, and the store's own SQL uses its indexes."""

import re
from pathlib import Path

import pytest
from sqlalchemy import event

from monitor.store.tables import METADATA
from tests.stored import FIRST, a_filled, a_quarantined, a_window

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "store.md"
QUERIES = re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_has_queries_and_names_every_table():
    assert len(QUERIES) == 4
    tables = re.findall(r"^\| `(modelmon_\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(tables) == sorted(METADATA.tables)


@pytest.mark.parametrize("query", QUERIES, ids=["judged", "history", "alerts", "baselines"])
def test_a_query_of_the_page_finds_rows_in_a_filled_store(store, query):
    a_filled(store, days=3)
    with store._engine.connect() as connection:
        found = connection.exec_driver_sql(query).mappings().all()
    assert {row["window_start"] is not None for row in found} == {True}
    assert len(found) >= 3
    empty = {name for name in found[0] if all(row[name] is None for row in found)}
    assert not empty


def test_the_history_of_a_finding_is_one_row_a_window(store):
    a_filled(store, days=3)
    with store._engine.connect() as connection:
        found = connection.exec_driver_sql(QUERIES[1]).mappings().all()
    assert [(row["revision"], row["value"], row["verdict"]) for row in found] == [
        (1, 0.31, "critical"),
        (1, 1.31, "critical"),
        (1, 2.31, "critical"),
    ]


@pytest.mark.parametrize("url", ["file"], indirect=True)
def test_no_query_scans_a_table_of_results(store):
    a_filled(store, days=1)
    seen = []

    def note(_connection, _cursor, statement, parameters, *_):
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(store._engine, "before_cursor_execute", note)
    store.latest("credit")
    store.heads("credit")
    store.run("credit", a_window(), 1)
    store.counts("credit")
    store.gaps("credit")
    store.verdicts("credit", FIRST)
    store.e_values("credit")
    store.revisions("credit", a_window())
    store.quarantine("credit")
    store.policy_text("policy-1")
    (found,) = store.fingerprints("", 1)
    store.fingerprints(found, 3)
    store.past_findings(found, a_window().end, 5)
    for alert in store.alerts("credit"):
        store.episodes("credit", alert.fingerprint)
        store.alert_events("credit", alert.fingerprint)
    store.mutes("credit")
    a_filled(store, days=2)  # one window more, and with it the life of alerts
    store.note([a_quarantined()])
    queries = [*seen, (QUERIES[1], ())]
    scans = []
    with store._engine.connect() as connection:
        for statement, parameters in queries:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            scans += [(line[3], statement) for line in plan if line[3].startswith("SCAN")]
    scans = [scan for scan in scans if scan[0] != "SCAN modelmon_audit_logs"]  # one row, as a rule
    assert len(queries) > 10
    assert scans == []
