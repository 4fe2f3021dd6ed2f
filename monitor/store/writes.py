"""What is written in one transaction: a run, a failure, a baseline, files in quarantine.

Each write notes in its journal what the audit log is to say of it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from monitor.domain.alert import Mute
from monitor.domain.baseline import Baseline
from monitor.domain.errors import StoreError
from monitor.domain.policy import Policy
from monitor.domain.quarantine import QuarantinedFile
from monitor.domain.run import Failure, Run
from monitor.engine.authority import Decide
from monitor.engine.overreach import KNOWN, exceeded_of, overreach_of
from monitor.engine.ports import Committed
from monitor.governance.consequences import register, settled
from monitor.governance.exceeding import Exceeded, exceed
from monitor.governance.ledger import Book, Change
from monitor.governance.projection import happened
from monitor.governance.record import Actor
from monitor.governance.recorded import (
    alert_changed,
    alert_muted,
    authority_exceeded,
    baseline_registered,
    policy_activated,
    quarantine_changed,
    run_completed,
    run_failed,
)
from monitor.store.alerts import write_mute
from monitor.store.audit import Journal
from monitor.store.digest import results_digest
from monitor.store.gate import read_answers
from monitor.store.governance import read_ledger, read_present, write_changes
from monitor.store.life import write_life
from monitor.store.pruning import require_not_pruned
from monitor.store.quarantine import write_files
from monitor.store.rows import (
    baseline_row,
    failure_row,
    part_rows,
    registration_row,
    result_rows,
    run_row,
)
from monitor.store.tables import (
    BASELINE_PARTS,
    BASELINES,
    FAILURES,
    FINDINGS,
    POLICIES,
    PROFILES,
    READINGS,
    REGISTRATIONS,
    RUNS,
    SCHEMA_CHANGES,
)
from monitor.store.unaltered import require_as_recorded

_AT_ONCE = 1000  # rows that are written by one statement: values are copied for each of them


def register_baseline(connection: Connection, baseline: Baseline, journal: Journal) -> bool:
    """Make a baseline the current one of its version; False when it already is."""
    ours = REGISTRATIONS.c.model == baseline.model
    # The number comes first: PostgreSQL shows each statement what was committed before it, so what
    # is registered after this one finds its number taken, and what was registered before is seen.
    last = connection.scalar(select(func.max(REGISTRATIONS.c.sequence)).where(ours)) or 0
    newest = (
        select(REGISTRATIONS.c.baseline)
        .where(ours, REGISTRATIONS.c.version == baseline.version)
        .order_by(REGISTRATIONS.c.sequence.desc())
        .limit(1)
    )
    if connection.scalar(newest) == baseline.digest:
        return False
    known = select(BASELINES.c.digest).where(BASELINES.c.digest == baseline.digest)
    if connection.scalar(known) is None:
        connection.execute(insert(BASELINES), baseline_row(baseline))
        _insert(connection, BASELINE_PARTS, part_rows(baseline))
    connection.execute(insert(REGISTRATIONS), registration_row(baseline, last + 1))
    journal.add(baseline_registered(baseline))
    book = _book(connection, baseline.model, baseline.registered_at)
    book.actor = Actor(baseline.registered_by, "cli")
    if baseline.version not in book.ledger.standings:
        register(book, baseline.version)
    _write_book(connection, book, "", journal)
    return True


def write_authority(
    connection: Connection,
    policy: Policy,
    now: datetime,
    decide: Decide,
    journal: Journal,
) -> Sequence[Change]:
    """Write what a decision makes of the authority of a model's versions."""
    book = _book(connection, policy.model, now)
    present = read_present(connection, policy, now)
    book.changes.extend(decide(book.ledger, present))
    _write_book(connection, book, policy.digest, journal)
    return book.changes


def _book(connection: Connection, model: str, now: datetime) -> Book:
    return Book(read_ledger(connection, model), now)


def _write_book(connection: Connection, book: Book, policy: str, journal: Journal) -> None:
    require_as_recorded(connection, book.ledger.model, book.changes)
    write_changes(connection, book.changes)
    for change in book.changes:
        journal.add(happened(book.ledger.model, policy, change))


def write_decision(
    connection: Connection, mute: Mute, actor: Actor | None, journal: Journal
) -> None:
    """Write that nobody is called for a finding for a while, or is again."""
    write_mute(connection, mute)
    journal.add(alert_muted(mute, actor))


def write_failure(connection: Connection, failure: Failure, journal: Journal) -> None:
    """Write that a run did not end; the same cause is recorded once, for as long as it lasts."""
    lasts = _lasts(connection, failure)
    connection.execute(insert(FAILURES), failure_row(failure))
    if not lasts:
        journal.add(run_failed(failure))


def _lasts(connection: Connection, failure: Failure) -> bool:
    """Return whether the model failed in the same way the last time, and nothing was stored since."""
    newest = select(FAILURES).where(FAILURES.c.model == failure.model)
    before = connection.execute(newest.order_by(FAILURES.c.id.desc()).limit(1)).mappings().first()
    if before is None or (before["finished"] > failure.finished):
        return False
    now = failure_row(failure)
    same = ("window_start", "window_end", "error", "explanation", "code")
    ended = select(func.max(RUNS.c.finished)).where(RUNS.c.model == failure.model)
    stored = connection.scalar(ended)
    return all(before[key] == now[key] for key in same) and (
        stored is None or stored <= before["finished"]
    )


def write_quarantine(
    connection: Connection,
    files: Sequence[QuarantinedFile],
    journal: Journal,
    decided: tuple[datetime, Actor] | None = None,
) -> Sequence[QuarantinedFile]:
    """Write what is known of files; a further try of a file that is as it was is no event."""
    written = write_files(connection, files)
    for file in written:
        if decided or file.attempts <= 1 or not file.inside:
            journal.add(quarantine_changed(file, decided))
    return written


def commit_run(
    connection: Connection,
    run: Run,
    policy: Policy,
    quarantine: Sequence[QuarantinedFile],
    journal: Journal,
) -> Committed:
    """Write a run with its policy and results, unless the newest revision is the same.

    Raises:
        PrunedError: It is of a time whose results were pruned.
        StoreError: It rests on a baseline that is not here.
    """
    if quarantine:
        write_quarantine(connection, quarantine, journal)
    newest = connection.execute(
        select(RUNS.c.revision, RUNS.c.identity)
        .where(
            RUNS.c.model == run.model,
            RUNS.c.window_end == run.window.end,
            RUNS.c.window_start == run.window.start,
        )
        .order_by(RUNS.c.revision.desc())
        .limit(1)
    ).first()
    if newest is not None and newest.identity == run.identity:
        return Committed(newest.revision, new=False)
    require_not_pruned(connection, run)
    _require_baselines(connection, run)
    before = select(RUNS.c.policy).where(RUNS.c.model == run.model)
    if connection.scalar(before.order_by(RUNS.c.id.desc()).limit(1)) != policy.digest:
        journal.add(policy_activated(policy, run))
    known = select(POLICIES.c.digest).where(POLICIES.c.digest == policy.digest)
    if connection.scalar(known) is None:
        connection.execute(
            insert(POLICIES),
            {
                "digest": policy.digest,
                "model": policy.model,
                "text": policy.text,
                "first_used": run.started,
            },
        )
    revision = 1 if newest is None else newest.revision + 1
    number = connection.execute(
        insert(RUNS).returning(RUNS.c.id), run_row(run, revision)
    ).scalar_one()
    rows = result_rows(run, number)
    _insert(connection, PROFILES, rows.profiles)
    _insert(connection, READINGS, rows.readings)
    _insert(connection, FINDINGS, rows.findings)
    _insert(connection, SCHEMA_CHANGES, rows.schema_changes)
    for event in write_life(connection, run, policy):
        journal.add(alert_changed(run.model, event))
    journal.add(run_completed(run, revision, results_digest(connection, number)))
    exceeded = _tell_overreach(connection, run, policy, journal)
    _settle(connection, run, policy, exceeded, journal)
    return Committed(revision, new=True)


def _tell_overreach(
    connection: Connection, run: Run, policy: Policy, journal: Journal
) -> Sequence[Exceeded]:
    """Have decisions recorded that were outside what was allowed; return who answers for what."""
    if not policy.governance.governed:
        return ()
    found = overreach_of(run, read_answers(connection, run.model))
    for each in found:
        if each.excess in KNOWN and each.rows:
            condition = None if each.bound is None else (each.condition, each.bound)
            told = (each.version, each.excess.value, each.rows, each.last, condition)
            journal.add(authority_exceeded(run, *told))
    return exceeded_of(found, run.window)


def _settle(
    connection: Connection,
    run: Run,
    policy: Policy,
    exceeded: Sequence[Exceeded],
    journal: Journal,
) -> None:
    """Write what follows from a run for the authority of the model's versions."""
    ledger = read_ledger(connection, run.model)
    seen = [result.version for result in run.results]
    present = read_present(connection, policy, run.finished, seen)
    before = settled(ledger, present)
    book = Book(ledger.after(before), run.finished)
    exceed(book, present, exceeded)
    after = settled(book.ledger, present) if book.changes else ()
    book.changes = [*before, *book.changes, *after]
    _write_book(connection, book, policy.digest, journal)


def _require_baselines(connection: Connection, run: Run) -> None:
    named = {result.baseline for result in run.results if result.baseline}
    query = select(BASELINES.c.digest).where(BASELINES.c.digest.in_(named))
    strange = sorted(named.difference(connection.scalars(query)))
    if strange:
        raise StoreError(
            f"the run of {run.model} for {run.window} rests on baselines that are not registered "
            f"here: {', '.join(strange)}"
        )


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    for begin in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(table), rows[begin : begin + _AT_ONCE])
