"""What one stored result rests on: its inputs, its rows, its files, and what was found."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.structs import asdict, replace

from monitor.domain.manifest import Accounting, LateChange, LogFile, TableSnapshot
from monitor.domain.policy import Policy
from monitor.domain.reference import Composition
from monitor.domain.registry import Origin
from monitor.domain.run import Run
from monitor.engine.ports import Revision
from monitor.engine.recorded_at import RecordedAt
from monitor.engine.tallies import tally_document
from monitor.reports.file_notes import notes_on_files
from monitor.reports.finding_document import judged_document
from monitor.reports.groups import membership_table
from monitor.reports.overreach import decision_table
from monitor.reports.registry import origin_document, origin_table
from monitor.reports.summary import label_table
from monitor.reports.table import Table
from monitor.reports.wording import (
    all_findings,
    finding_name,
    limit_text,
    subject_of,
    value_text,
    window_name,
)


class Explained(Struct, frozen=True):
    """A stored run, and what is told beside it.

    Attributes:
        run: The run.
        revision: Its number among the runs of its window.
        revisions: All runs of its window, oldest first.
        policy: The policy in force now, which need not be the run's.
        since: How the window's files differ now from those of the run; None when the log cannot be
            reached.
        origins: Where its versions came from, as a registry told it when each was first seen.
        recorded: Its record in the audit log; None for a run from before there was one.
    """

    run: Run
    revision: int
    revisions: Sequence[Revision]
    policy: Policy
    since: LateChange | None = None
    origins: Sequence[Origin] = ()
    recorded: RecordedAt | None = None

    @property
    def written(self) -> str:
        """Return the digest of the data that was written with the run."""
        return next(item.manifest for item in self.revisions if item.number == self.revision)

    @property
    def intact(self) -> bool:
        """Return whether the manifest in the store is the one that was written."""
        return self.run.manifest.digest == self.written


def explanation_tables(explained: Explained) -> tuple[Table, ...]:
    """Return the explanation as tables; those that would be empty are left out."""
    tables = (
        run_table(explained),
        row_table(explained.run),
        decision_table(explained.run),
        label_table(explained.policy, [explained.run]),
        membership_table(explained.policy, [explained.run]),
        _file_table(explained.run),
        left_out_table(explained.run),
        _note_table(explained),
        _since_table(explained),
        _reference_table(explained.run),
        origin_table(explained.origins),
        _finding_table(explained),
        _revision_table(explained),
    )
    return tuple(table for table in tables if table.rows)


def explanation_document(explained: Explained) -> dict[str, Any]:
    """Return the explanation for machines: numbers as numbers, instants in ISO form."""
    run, accounting = explained.run, explained.run.accounting
    return {
        "model": run.model,
        "window": {"start": run.window.start.isoformat(), "end": run.window.end.isoformat()},
        "revision": explained.revision,
        "newest_revision": explained.revisions[-1].number,
        "outcome": run.outcome.value,
        "identity": run.identity,
        "audit_record": None if explained.recorded is None else asdict(explained.recorded),
        "policy": run.policy,
        "policy_in_force": explained.policy.digest,
        "baselines": {result.version: result.baseline or None for result in run.results},
        "code": run.code,
        "started": run.started.isoformat(),
        "finished": run.finished.isoformat(),
        "last_event": None if run.last_event is None else run.last_event.isoformat(),
        "accounting": _accounting_document(accounting),
        "manifest": {
            **to_builtins(run.manifest),
            "digest": run.manifest.digest,
            "digest_written": explained.written,
            "intact": explained.intact,
        },
        "references": [_composition_document(item) for item in run.compositions],
        "registered": [origin_document(item) for item in explained.origins],
        "schema_changes": [asdict(change) for change in run.schema_changes],
        "since": None if explained.since is None else _change_document(explained.since),
        "findings": [judged_document(item) for item in all_findings(run)],
        "revisions": [
            {**asdict(item), "finished": item.finished.isoformat()} for item in explained.revisions
        ],
    }


def run_table(explained: Explained) -> Table:
    """Return what a run is, and what it rests on."""
    run = explained.run
    newest = explained.revisions[-1].number
    current = "in force" if run.policy == explained.policy.digest else "no longer in force"
    facts = [
        ("model", run.model),
        ("window", str(run.window)),
        ("revision", f"{explained.revision} of {newest}"),
        ("outcome", run.outcome.value),
        ("identity", run.identity),
        ("audit record", "none" if explained.recorded is None else explained.recorded.text),
        ("policy", f"{run.policy} ({current})"),
        *((f"baseline of version {item.version}", item.baseline or "none") for item in run.results),
        ("data", _digest_text(explained)),
        *(("table", state_text(state)) for state in run.manifest.snapshots),
        ("files since then", _since_text(explained.since)),
        ("started", _instant(run.started)),
        ("finished", f"{_instant(run.finished)}, after {_seconds(run.finished - run.started)}"),
        ("latest event", "none" if run.last_event is None else _instant(run.last_event)),
        ("code", f"modelmon {run.code}"),
    ]
    return Table("The run", ("what", "is"), tuple(facts))


def state_text(state: TableSnapshot) -> str:
    """Return which state of a table was read, and when it was committed."""
    return f"{state}, committed {state.committed}" if state.committed else str(state)


def _digest_text(explained: Explained) -> str:
    found = explained.run.manifest.digest
    if explained.intact:
        return f"{found} (computed again: the same)"
    return f"{explained.written} was written, and the files below make {found}"


def row_table(run: Run) -> Table:
    """Return what became of every row that was read."""
    accounting = run.accounting
    parts = [
        *((f"profiled, version {name}", rows) for name, rows in accounting.profiled.items()),
        *((f"rejected, {reason}", rows) for reason, rows in accounting.rejected.items()),
    ]
    total = sum(rows for _, rows in parts)
    rows = [*parts, ("sum", total), ("read", accounting.read)]
    note = "Every row read is accounted for."
    if not accounting.balances:
        note = f"{accounting.read - total:,} rows read are NOT accounted for."
    return Table("Its rows", ("what", "rows"), tuple((what, f"{n:,}") for what, n in rows), note)


def _file_table(run: Run) -> Table:
    rows = [
        (
            kind,
            file.path,
            f"{file.rows:,}",
            f"{file.size:,}",
            modified_text(file),
            file.digest[:12] or "–",
        )
        for kind, files in (
            ("log", run.manifest.files),
            ("labels", run.manifest.labels),
            ("protected", run.manifest.protected),
        )
        for file in files
    ]
    columns = ("kind", "path", "rows", "bytes", "modified", "footer")
    note = "Rows are those of the whole file; it may hold rows of other windows. The digest is that of its footer."
    return Table("The files it was made from", columns, tuple(rows), note)


def left_out_table(run: Run) -> Table:
    """Return the files that could not be used, and why."""
    rows = [
        (file.path, file.reason, "yes" if file.placed else "nobody knows", file.explanation)
        for file in run.manifest.unreadable
    ]
    columns = ("path", "reason", "has rows of this window", "why")
    return Table("The files that were left out", columns, tuple(rows))


def _note_table(explained: Explained) -> Table:
    notes = notes_on_files(explained.policy, explained.run)
    rows = [note for note in notes if note[1] != "file"]  # those left out have their own table
    columns = ("what", "of what", "reason", "why")
    return Table("What its rows and columns had other than expected", columns, tuple(rows))


def _since_table(explained: Explained) -> Table:
    since = explained.since
    kinds = {} if since is None else _change_document(since)
    rows = [(kind, path) for kind, paths in kinds.items() for path in paths]
    return Table("What has become of its files since", ("what", "path"), tuple(rows))


def _since_text(since: LateChange | None) -> str:
    if since is None:
        return "nobody knows: the log cannot be reached"
    return f"{since.files:,} changed" if since.files else "unchanged"


def _change_document(change: LateChange) -> dict[str, tuple[str, ...]]:
    return {"added": change.added, "rewritten": change.rewritten, "removed": change.removed}


def _reference_table(run: Run) -> Table:
    rows = [
        (
            item.version,
            item.reference,
            f"{len(item.parts)} of {item.wanted}",
            ", ".join(window_name(window) for window, _ in item.parts) or "none",
        )
        for item in run.compositions
    ]
    columns = ("version", "reference", "windows", "which")
    note = "Sums of stored profiles; the baseline is held against as well."
    return Table("What it was held against besides the baseline", columns, tuple(rows), note)


def _composition_document(composition: Composition) -> dict[str, Any]:
    return {
        "version": composition.version,
        "reference": composition.reference,
        "wanted": composition.wanted,
        "windows": [
            {"start": window.start.isoformat(), "end": window.end.isoformat(), "inputs": inputs}
            for window, inputs in composition.parts
        ],
    }


def _finding_table(explained: Explained) -> Table:
    rows = [
        (
            finding_name(item),
            item.reading.subject.version or "–",
            item.reading.measure,
            subject_of(explained.policy, item.reading),
            value_text(item.reading),
            limit_text(item),
            item.reason.value,
            item.explanation,
            item.verdict.value,
        )
        for item in all_findings(explained.run)
    ]
    columns = (
        "finding",
        "version",
        "measure",
        "what",
        "value",
        "limit",
        "reason",
        "why",
        "verdict",
    )
    note = "modelmon explain FINDING says why."
    return Table("What was judged", columns, tuple(rows), note)


def _revision_table(explained: Explained) -> Table:
    revisions = explained.revisions if len(explained.revisions) > 1 else ()
    rows = [
        (
            str(item.number),
            _instant(item.finished),
            item.policy[:12],
            item.manifest[:12],
            item.outcome.value,
        )
        for item in revisions
    ]
    columns = ("revision", "finished", "policy", "data", "outcome")
    return Table("All revisions of the window", columns, tuple(rows))


def modified_text(file: LogFile) -> str:
    """Return a modification time for people; what is none (an etag) is returned as it is."""
    if not file.modified.isdigit():
        return file.modified or "–"
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    try:
        return _instant(epoch + timedelta(microseconds=int(file.modified) // 1000))
    except OverflowError:
        return file.modified


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z"


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():.1f} s"


def _accounting_document(accounting: Accounting) -> dict[str, Any]:
    document = to_builtins(replace(accounting, authority=None))
    tallies = accounting.authority
    told = None if tallies is None else [tally_document(item) for item in tallies]
    return {**document, "authority": told, "balances": accounting.balances}
