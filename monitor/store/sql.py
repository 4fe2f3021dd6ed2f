"""The store in a SQL database: SQLite or PostgreSQL."""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, Self, TypeVar

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    func,
    select,
)

from monitor.domain.alert import Mute
from monitor.domain.baseline import Baseline
from monitor.domain.errors import BaselineError, StoreError
from monitor.domain.lease import Term
from monitor.domain.policy import Policy
from monitor.domain.quarantine import QuarantinedFile
from monitor.domain.run import Failure, Outcome, Run
from monitor.domain.window import Window
from monitor.engine.authority import Decide
from monitor.engine.past import PastFinding, RunLine
from monitor.engine.ports import (
    Committed,
    Profiled,
    Revision,
    RunCounts,
    RunHead,
    Store,
    WindowVerdicts,
)
from monitor.engine.pruning import Pruned, Pruning
from monitor.governance.ledger import Change
from monitor.governance.receipt import Receipt
from monitor.governance.record import Actor
from monitor.store.alerts import SqlAlerts
from monitor.store.audit import Auditing, Journal, Signed, append
from monitor.store.changes import bump, read_changes
from monitor.store.connection import (
    connect_lazily,
    database_url,
    reported,
    retried,
    sqlite_file,
)
from monitor.store.every_table import METADATA
from monitor.store.evidence import SqlEvidence
from monitor.store.gate import SqlGate
from monitor.store.governance import SqlAuthorities
from monitor.store.history import (
    read_counts,
    read_e_values,
    read_fingerprints,
    read_gaps,
    read_measured,
    read_past_findings,
    read_run_lines,
    read_verdicts,
)
from monitor.store.lease import require_term
from monitor.store.policies import SqlPolicies
from monitor.store.profiles import read_profiled, read_profiles
from monitor.store.pruning import SqlPruning, prune_runs
from monitor.store.quarantine import read_files
from monitor.store.registry import SqlRegistry
from monitor.store.roll_up import pruned_at, require_kept
from monitor.store.rows import baseline_of, listing_of, run_of, window_of
from monitor.store.run_records import SqlRunRecords
from monitor.store.schema import require_current
from monitor.store.size import read_size
from monitor.store.tables import (
    BASELINE_PARTS,
    BASELINES,
    FINDINGS,
    POLICIES,
    PROFILES,
    READINGS,
    REGISTRATIONS,
    RUNS,
    SCHEMA_CHANGES,
)
from monitor.store.writes import (
    commit_run,
    register_baseline,
    write_authority,
    write_decision,
    write_failure,
    write_quarantine,
)

_Written = TypeVar("_Written")


class SqlStore(
    SqlAlerts,
    SqlAuthorities,
    SqlEvidence,
    SqlRegistry,
    SqlGate,
    SqlPolicies,
    SqlPruning,
    SqlRunRecords,
    Store,
):
    """Everything that is remembered, in one database.

    Several threads and several processes may use it at once. A database in memory (``sqlite://``)
    is for one thread, and new each time, so it brings its schema with it; any other database must
    have been made by `schema.upgrade`.
    """

    def __init__(self, url: str, auditing: Auditing | None = None) -> None:
        """Connect, and make sure that the schema is the one this code needs.

        Args:
            url: The database.
            auditing: How the audit log is signed and witnessed; None: it is not.

        Raises:
            StoreError: The database cannot be reached, or its schema is missing, behind or ahead.
        """
        self._url = database_url(url)
        in_memory = self._url.drivername == "sqlite" and sqlite_file(self._url) is None
        if not in_memory:
            require_current(url)
        self._engine = connect_lazily(self._url)
        self._term: Term | None = None
        self._auditing = auditing or Auditing()
        self._receipts: Callable[[Receipt], None] | None = None
        if in_memory:
            with reported(self._url, "making its schema"):
                # What migrations arrive at, without Alembic; nothing is there yet.
                METADATA.create_all(self._engine, checkfirst=False)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def under(self, term: Term) -> "SqlStore":
        """Return the same store, on the same connections, whose writes need a term.

        Each of them raises FencedError, having written nothing, once the term is over.
        """
        fenced = copy(self)
        fenced._term = term  # noqa: SLF001  # its own class
        return fenced

    def receipting(self, told: Callable[[Receipt], None]) -> Self:
        """Return the same store, on the same connections, whose writes tell what proves them.

        Args:
            told: Is given the receipt of each write that was recorded, after it was committed.
        """
        telling = copy(self)
        telling._receipts = told  # noqa: SLF001  # its own class
        return telling

    def changes(self) -> Mapping[str, int]:
        """Return model to the number of writes to it."""
        with reported(self._url, "looking for changes"), self._engine.connect() as connection:
            return read_changes(connection)

    def size(self) -> int:
        """Return the bytes that the store takes on its disk."""
        with reported(self._url, "asking its size"), self._engine.connect() as connection:
            return read_size(connection)

    def register(self, baseline: Baseline) -> bool:
        """Store a baseline and make it the current one of its version.

        Returns False, having changed nothing, when it already is the current one.
        """
        return self._write(
            f"registering baseline {baseline.digest}",
            {baseline.model},
            lambda to, journal: register_baseline(to, baseline, journal),
        )

    def baselines(self, model: str) -> Sequence[Baseline]:
        """Return every baseline of a model, newest registration first."""
        newest = (
            select(func.max(REGISTRATIONS.c.sequence))
            .where(REGISTRATIONS.c.model == model)
            .group_by(REGISTRATIONS.c.baseline)
        )
        return self._baselines(
            _registered().where(
                REGISTRATIONS.c.model == model, REGISTRATIONS.c.sequence.in_(newest)
            )
        )

    def current_baselines(self, model: str) -> Mapping[str, Baseline]:
        """Return the newest baseline of each version of a model."""
        newest = (
            select(func.max(REGISTRATIONS.c.sequence))
            .where(REGISTRATIONS.c.model == model)
            .group_by(REGISTRATIONS.c.version)
        )
        found = self._baselines(
            _registered().where(
                REGISTRATIONS.c.model == model, REGISTRATIONS.c.sequence.in_(newest)
            )
        )
        return {item.version: item for item in sorted(found, key=attrgetter("version"))}

    def baseline(self, digest: str) -> Baseline:
        """Return a baseline by its digest, or by the first characters of it if they are unique.

        Raises:
            BaselineError: There is none, or several begin so.
        """
        # An exact comparison: LIKE knows wildcards, and no letter's case in SQLite.
        begins = func.substr(BASELINES.c.digest, 1, len(digest)) == digest
        with reported(self._url, "looking up a baseline"), self._engine.connect() as connection:
            named = connection.scalars(select(BASELINES.c.digest).where(begins).limit(3)).all()
        if not (named and digest):
            raise BaselineError(
                f"no baseline's digest begins with {digest!r}; `modelmon baseline list` names them"
            )
        if len(named) > 1:
            raise BaselineError(
                f"several baselines' digests begin with {digest!r}; give more characters of it"
            )
        ours = REGISTRATIONS.c.baseline == named[0]
        newest = select(func.max(REGISTRATIONS.c.sequence)).where(ours).scalar_subquery()
        return self._baselines(_registered().where(ours, REGISTRATIONS.c.sequence == newest))[0]

    def commit(
        self, run: Run, policy: Policy, quarantine: Sequence[QuarantinedFile] = ()
    ) -> Committed:
        """Store a run with its policy, profiles, readings and findings; all or nothing.

        The identity of the newest revision writes no run; any other one is a new revision, also
        one that was there before: going back to an earlier policy is a change like any other.

        Raises:
            StoreError: The write failed, or the run rests on a baseline that is not here.
            ValueError: The run failed, was made under another policy, or contradicts itself.
        """
        if run.outcome is Outcome.FAILED:
            raise ValueError("a run that failed has no results to commit; store its Failure")
        if (policy.digest, policy.model) != (run.policy, run.model):
            raise ValueError(f"the run was made under policy {run.policy}, not {policy.digest}")
        return self._write(
            f"committing the run of {run.model} for {run.window}",
            {run.model},
            lambda to, journal: commit_run(to, run, policy, quarantine, journal),
        )

    def note(
        self, files: Sequence[QuarantinedFile], decided: tuple[datetime, Actor] | None = None
    ) -> int:
        """Store what is known of quarantined files, and return how many of them were written.

        One whose stored state is not the one that its own follows from is left out.
        """
        models = {file.model for file in files}
        return self._write(
            "writing the quarantine",
            models,
            lambda to, journal: len(write_quarantine(to, files, journal, decided)),
        )

    def quarantine(self, model: str) -> Mapping[str, QuarantinedFile]:
        """Return every file of a model that is or was quarantined, by path, oldest first."""
        doing = f"reading the quarantine of {model}"
        with reported(self._url, doing), self._engine.connect() as connection:
            return read_files(connection, model)

    def run_lines(self, model: str, before: datetime | None, most: int) -> Sequence[RunLine]:
        """Return the newest run of each window of a model, the latest window first."""
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return read_run_lines(connection, model, before, most)

    def policy_text(self, digest: str) -> str:
        """Return the file of a policy that a stored run was made under.

        Raises:
            StoreError: No run was.
        """
        query = select(POLICIES.c.text).where(POLICIES.c.digest == digest)
        with reported(self._url, "reading a policy"), self._engine.connect() as connection:
            text: str | None = connection.scalar(query)
        if text is None:
            raise StoreError(f"no run was made under the policy {digest}")
        return text

    def fingerprints(self, begin: str, most: int) -> Sequence[str]:
        """Return the fingerprints of stored findings that begin so, in order, at most so many."""
        with reported(self._url, "looking up a finding"), self._engine.connect() as connection:
            return read_fingerprints(connection, begin, most)

    def past_findings(
        self, fingerprint: str, until: datetime | None, most: int
    ) -> Sequence[PastFinding]:
        """Return the newest findings of one fingerprint, oldest window first."""
        doing = f"reading the history of finding {fingerprint}"
        with reported(self._url, doing), self._engine.connect() as connection:
            return read_past_findings(connection, fingerprint, until, most)

    def mute(self, mute: Mute, actor: Actor | None = None) -> None:
        """Store a person's decision that nobody is called for a finding for a while."""
        doing = f"muting finding {mute.fingerprint}"
        self._write(
            doing, {mute.model}, lambda to, journal: write_decision(to, mute, actor, journal)
        )

    def govern(self, policy: Policy, now: datetime, decide: Decide) -> Sequence[Change]:
        """Write what a decision makes of the authority of a model's versions; return it."""
        return self._write(
            f"writing the standing of {policy.model}",
            {policy.model},
            lambda to, journal: write_authority(to, policy, now, decide, journal),
        )

    def fail(self, failure: Failure) -> None:
        """Store that a run did not end."""
        self._write(
            f"storing a failure of {failure.model}",
            {failure.model},
            lambda to, journal: write_failure(to, failure, journal),
        )

    def heads(self, model: str) -> Mapping[Window, RunHead]:
        """Return the newest revision of each window of a model, in the order of their ends."""
        query = (
            select(
                RUNS.c.window_start,
                RUNS.c.window_end,
                RUNS.c.identity,
                RUNS.c.revision,
                RUNS.c.outcome,
                RUNS.c.listing,
                RUNS.c.policy,
                RUNS.c.pruned,
            )
            .where(RUNS.c.model == model)
            .order_by(RUNS.c.window_end, RUNS.c.window_start, RUNS.c.revision)
        )
        heads: dict[Window, RunHead] = {}
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            for (
                start,
                end,
                identity,
                revision,
                outcome,
                listed,
                policy,
                pruned,
            ) in connection.execute(query):
                window, ended = Window(start, end), Outcome(outcome)
                listing, gone = listing_of(listed), pruned_at(pruned)
                heads[window] = RunHead(window, identity, revision, ended, listing, policy, gone)
        return heads

    def verdicts(self, model: str, since: datetime) -> Sequence[WindowVerdicts]:
        """Return the verdicts of the windows that end after an instant, in their order."""
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return read_verdicts(connection, model, since)

    def e_values(self, model: str) -> Mapping[Window, float | None]:
        """Return the evidence of drift of every window, by its newest revision, in their order."""
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return read_e_values(connection, model)

    def gaps(self, model: str) -> Mapping[Window, frozenset[str]]:
        """Return the windows whose newest revision had to leave files out, and their paths."""
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return read_gaps(connection, model)

    def measured(self, model: str, code: str) -> frozenset[str]:
        """Return the measures that results stored by a version of modelmon have readings of."""
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return read_measured(connection, model, code)

    def revisions(self, model: str, window: Window) -> Sequence[Revision]:
        """Return the runs of a window, oldest first."""
        columns = ("revision", "identity", "policy", "manifest_digest", "outcome", "finished")
        query = (
            select(*(RUNS.c[name] for name in columns), RUNS.c.pruned)
            .where(
                RUNS.c.model == model,
                RUNS.c.window_end == window.end,
                RUNS.c.window_start == window.start,
            )
            .order_by(RUNS.c.revision)
        )
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return [
                Revision(row[0], row[1], row[2], row[3], Outcome(row[4]), row[5], pruned_at(row[6]))
                for row in connection.execute(query)
            ]

    def profiled(self, model: str) -> Mapping[Window, Profiled]:
        """Return what the newest revision of each window was profiled from, without profiles."""
        with reported(self._url, f"reading runs of {model}"), self._engine.connect() as connection:
            return read_profiled(connection, model)

    def profiles(self, model: str, windows: Collection[Window]) -> Mapping[Window, Profiled]:
        """Return the profiles of the newest revision of some windows; of those that have one."""
        doing = f"reading profiles of {model}"
        with reported(self._url, doing), self._engine.connect() as connection:
            return read_profiles(connection, model, windows)

    def run(self, model: str, window: Window, revision: int | None = None) -> Run | None:
        """Return a stored run with readings, findings and profiles; the newest revision of it."""
        query = select(RUNS).where(
            RUNS.c.model == model,
            RUNS.c.window_end == window.end,
            RUNS.c.window_start == window.start,
        )
        if revision is not None:
            query = query.where(RUNS.c.revision == revision)
        return self._run(query.order_by(RUNS.c.revision.desc()))

    def latest(self, model: str) -> Run | None:
        """Return the newest revision of the latest window of a model: the one that ends last."""
        query = select(RUNS).where(RUNS.c.model == model)
        return self._run(
            query.order_by(
                RUNS.c.window_end.desc(), RUNS.c.window_start.desc(), RUNS.c.revision.desc()
            )
        )

    def prune(self, pruning: Pruning, most: int) -> Pruned:
        """Prune some of the windows, the oldest first, in one transaction; return what went."""
        return self._write(
            f"pruning results of {pruning.model}",
            {pruning.model},
            lambda to, journal: prune_runs(to, pruning, most, journal),
        )

    def counts(self, model: str) -> RunCounts:
        """Return how runs of a model ended."""
        with reported(self._url, f"counting runs of {model}"), self._engine.connect() as connection:
            return read_counts(connection, model)

    def _write(
        self, doing: str, models: Collection[str], write: Callable[[Connection, Journal], _Written]
    ) -> _Written:
        def steps(connection: Connection) -> tuple[_Written, Signed | None]:
            if self._term is not None:
                require_term(connection, self._term)
            bump(connection, models)
            journal = Journal()
            written = write(connection, journal)
            return written, append(connection, journal.happened, self._auditing)

        with reported(self._url, doing):
            written, signed = retried(self._engine, steps)
        if signed is not None and signed.checkpoint is not None:
            self._auditing.witness(signed.checkpoint, signed.at)
        if signed is not None and self._receipts is not None:
            self._receipts(signed.receipt)
        return written

    def _run(self, query: Select[Any]) -> Run | None:
        with reported(self._url, "reading a run"), self._engine.connect() as connection:
            row = connection.execute(query.limit(1)).mappings().first()
            if row is None:
                return None
            require_kept(row["pruned"], row["model"], window_of(row))
            profiles, readings, findings, changes = (
                # Sorted here: to be sorted by the database large profiles are held several times.
                sorted(
                    connection.execute(select(table).where(table.c.run == row["id"])).mappings(),
                    key=itemgetter("position"),
                )
                for table in (PROFILES, READINGS, FINDINGS, SCHEMA_CHANGES)
            )
        return run_of(row, profiles, readings, findings, changes)

    def _baselines(self, query: Select[Any]) -> list[Baseline]:
        """Return what was registered, the newest first."""
        with reported(self._url, "reading baselines"), self._engine.connect() as connection:
            found = connection.execute(query).mappings()
            rows = sorted(found, key=itemgetter("sequence"), reverse=True)  # as in `_run`
            parts: dict[str, list[RowMapping]] = {row["digest"]: [] for row in rows}
            belonging = (
                select(BASELINE_PARTS)
                .where(BASELINE_PARTS.c.baseline.in_(parts))
                .order_by(BASELINE_PARTS.c.baseline, BASELINE_PARTS.c.position)
            )
            for part in connection.execute(belonging).mappings():
                parts[part["baseline"]].append(part)
        return [baseline_of(row, parts[row["digest"]]) for row in rows]


def _registered() -> Select[Any]:
    circumstances = [
        REGISTRATIONS.c[name]
        for name in ("sequence", "registered_at", "registered_by", "why", "manifest", "code")
    ]
    joined = BASELINES.join(REGISTRATIONS, REGISTRATIONS.c.baseline == BASELINES.c.digest)
    return select(BASELINES, *circumstances).select_from(joined)
