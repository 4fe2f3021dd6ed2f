"""Decisions held against what their version was allowed when they were made, by the command line."""

import json
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select, update

from monitor.domain.governance import GateAction
from monitor.engine.answering import Answered
from monitor.governance.permit import Answer
from monitor.store.sql import SqlStore
from monitor.store.tables import RUNS
from tests.e2e.deployment import Deployment, make_deployment
from tests.e2e.governed import GOVERNANCE

DAYS = [datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 9)]
FIFTH, SIXTH, SEVENTH = DAYS[4:7]
HOUR, LASTS = timedelta(hours=1), timedelta(minutes=6)
CONDITIONS = {"amount": 105.0, "human_review_share": 0.5}
RESTRICTED_AT = FIFTH + 14 * HOUR + timedelta(minutes=5)
HELD_AT = SIXTH + 6 * HOUR
GATE = "gate: {ttl: 60s, stale_grace: 300s, reviewed: {column: by, values: [person]}}\n"


def decisions(day, name, minutes, *, by=True):
    """Return decisions of a day, one every so many minutes; of every tenth the version is a stranger."""
    rows = range(0, 24 * 60, minutes)
    columns = {
        "id": [f"{day:%Y%m%d}-{name}-{row}" for row in rows],
        "at": pa.array([day + timedelta(minutes=row) for row in rows], pa.timestamp("us", "UTC")),
        "version": ["7" if row % (10 * minutes) == 0 else "1" for row in rows],
        "amount": [None if row % 14 == 0 else 90.0 + row % 31 for row in rows],
        "channel": ["web"] * len(rows),
        "score": [row / (24 * 60) for row in rows],
        "approved": [row % 3 == 0 for row in rows],
        "sex": ["fm"[row % 2] for row in rows],
    }
    if by:
        columns["by"] = [("person", "model", "model", None)[row // minutes % 4] for row in rows]
    return pa.table(columns)


def lay_out(folder, store):
    made = make_deployment(folder, days=8, store=store)
    for path in (folder / "log").rglob("*.parquet"):
        path.unlink()
    for day in DAYS:
        write(folder, day, "a", 3)
    model = folder / "models" / "credit.yaml"
    text = model.read_text().replace("id: id}", "id: id, version: version}")
    answers = GOVERNANCE.format(ttl=60, grace=300).rpartition("gate:")[0]
    model.write_text(text + answers + GATE)
    period = ("--from", "2024-01-01", "--to", "2024-01-05", "--version", "1")
    made.call("baseline", "register", "credit", *period, "--why", "as trained", "--by", "otto")
    made.call("submit", "credit", "1", "--why", "validated", "--by", "otto")
    for person in ("vera", "anna"):
        made.call("approve", "credit", "1", "--by", person, "--why", "read")
    return made


def write(folder, day, name, minutes, **more):
    (folder / "log").mkdir(exist_ok=True)
    pq.write_table(decisions(day, name, minutes, **more), folder / f"log/{day:%m%d}-{name}.parquet")


def answer(store):
    """Record what a daemon would have, had it run in January."""
    told = [
        (DAYS[0], GateAction.ALLOW, {}),
        (RESTRICTED_AT, GateAction.ALLOW_WITH_CONDITIONS, CONDITIONS),
        (HELD_AT, GateAction.ROUTE_TO_HUMAN, {}),
    ]
    with closing(SqlStore(store)) as opened:
        opened.record_answers(
            [
                Answered(at, Answer("credit", "1", action, conditions=within), LASTS)
                for at, action, within in told
            ]
        )


def rows_of(made: Deployment, *arguments):
    return json.loads(made.call(*arguments, "--output", "json").stdout)


def run(made, day):
    period = (f"{day:%Y-%m-%d}", f"{day + timedelta(days=1):%Y-%m-%d}")
    made.call("run", "--from", period[0], "--to", period[1])


def outside(made, day):
    """Return what the command tells of a day: version, reason, condition to the number."""
    period = ("--from", f"{day:%Y-%m-%d}", "--to", f"{day + timedelta(days=1):%Y-%m-%d}")
    (told,) = rows_of(made, "authority", "--decisions", *period)
    return {
        (each["version"], each["reason"], each["condition"]): each["decisions"]
        for each in told["outside"]
    }


def counted_by_hand(*tables):
    """Return the same from the rows of a day's files."""
    rows = [row | {"by": row.get("by")} for table in tables for row in table.to_pylist()]
    found = Counter(why for row in rows if (why := alone(row)))
    within = [row["by"] for row in rows if conditioned(row)]
    if within:
        short = int(CONDITIONS["human_review_share"] * len(within)) - within.count("person")
        broken = max(0, short - within.count(None))
        found["1", "condition_broken", "human_review_share"] = broken
        if short > 0 and None in within:
            found["1", "condition_unknown", "human_review_share"] = within.count(None)
    return found


def conditioned(row):
    return row["version"] == "1" and RESTRICTED_AT + LASTS <= row["at"] < HELD_AT + LASTS


def alone(row):
    """Return how a decision was outside what was allowed; None where it was not."""
    version, by, amount = row["version"], row["by"], row["amount"]
    if version == "7":
        return version, "unknown_version", None
    if by == "person" or row["at"] < RESTRICTED_AT + LASTS:
        return None
    if not conditioned(row):
        return version, "undecided" if by is None else "not_acting", None
    if amount is not None and amount <= CONDITIONS["amount"]:
        return None
    unknown = amount is None or by is None
    return version, "condition_unknown" if unknown else "condition_broken", "amount"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def store(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'modelmon.db'}"
    return request.getfixturevalue("postgres_server").new_database()


def test_each_decision_counts_by_what_was_allowed_when_it_was_made(store, tmp_path):
    made = lay_out(tmp_path, store)
    answer(store)
    run(made, SIXTH)  # the later day first
    run(made, FIFTH)
    for day in (FIFTH, SIXTH):
        assert outside(made, day) == counted_by_hand(decisions(day, "a", 3)), day
    assert outside(made, FIFTH)["1", "condition_broken", "amount"] > 0
    assert outside(made, SIXTH)["1", "not_acting", None] > 0

    # Somebody answers for it, and the version does not act.
    (standing,) = [each for each in rows_of(made, "standing") if each["version"] == "1"]
    assert (standing["state"], standing["by"]) == ("held", "daemon")
    assert "while the version was not to act" in standing["reason"]
    cases = {each["version"]: each for each in rows_of(made, "cases", "list")}
    assert cases.keys() == {"1", "7"}
    assert {each["cause"] for each in cases.values()} == {"outside_authority"}
    assert {each["accountable"] for each in cases.values()} == {"anna"}

    # A file that comes late, and has no column of who decided, makes a result of its own.
    before = outside(made, SIXTH)
    write(tmp_path, FIFTH, "late", 7, by=False)
    run(made, FIFTH)
    both = decisions(FIFTH, "a", 3), decisions(FIFTH, "late", 7, by=False)
    assert outside(made, FIFTH) == counted_by_hand(*both)
    run(made, SIXTH)
    assert outside(made, SIXTH) == before

    told = made.call("audit", "replay").stdout if store.startswith("sqlite") else ""
    assert "differ" not in told
    # What was stored is what the log, read again, and the gate's record give; and nothing else.
    (again,) = rows_of(made, "recheck", "credit", "--rows")
    assert [each["agreement"] for each in again["results"]] == ["equal"] * 3
    tamper(store)
    done = made.call("recheck", "credit", "--output", "json", check=False)
    assert done.returncode == 1
    differences = [
        (each["what"], each["subject"]["version"], each["attribute"])
        for result in json.loads(done.stdout)[0]["results"]
        for each in result["differences"]
    ]
    assert differences == [
        ("authority", "1", "decisions"),
        ("authority", "", "decisions"),
        ("authority", "1", "what was allowed"),
    ]


def tamper(store):
    """Make the version allowed longer than it was, with fewer decisions after that."""
    with closing(SqlStore(store)) as opened, opened._engine.begin() as connection:
        last = select(RUNS.c.accounting).where(RUNS.c.window_start == SIXTH)
        document = connection.execute(last).scalar_one()
        (first,) = [item for item in document["authority"] if item["regime"] == "conditioned"]
        first["regime"], first["rows"] = "allowed", first["rows"] - 1
        forged = update(RUNS).where(RUNS.c.window_start == SIXTH).values(accounting=document)
        connection.execute(forged)
