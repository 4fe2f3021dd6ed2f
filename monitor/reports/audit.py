"""What an examination of the audit log has shown."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from monitor.governance.verification import Examined, Flaw, StoredLog
from monitor.reports.table import Table

_Logs = Sequence[tuple[StoredLog, Examined]]


def audit_tables(logs: _Logs, differences: Sequence[Flaw]) -> tuple[Table, ...]:
    """Return the outcome as tables: the logs, and what is wrong with them or with the store.

    Args:
        logs: Every log of the store, and what was found of it.
        differences: What in the store is not what its newest log recorded.
    """
    wrong = [
        (log.origin, "–" if flaw.sequence is None else f"{flaw.sequence:,}", *_told(flaw))
        for log, found in logs
        for flaw in found.flaws
    ]
    wrong += [
        ("the store", "–" if flaw.sequence is None else f"{flaw.sequence:,}", *_told(flaw))
        for flaw in differences
    ]
    tables = (
        Table(
            "Audit log",
            ("log", "records", "signed", "confirmed outside", "root", "key"),
            tuple(_row(log, found) for log, found in logs),
            "signed: records that a checkpoint of the log covers; confirmed outside: those that a "
            "checkpoint covers which was kept elsewhere",
        ),
        Table("What is wrong", ("where", "record", "fault", "explanation"), tuple(wrong)),
    )
    return tuple(table for table in tables if table.rows)


def audit_document(logs: _Logs, differences: Sequence[Flaw]) -> dict[str, Any]:
    """Return the outcome for machines."""
    return {
        "logs": [
            {
                "origin": log.origin,
                "key": str(log.verifying_key or ""),
                "records": found.size,
                "root": found.root.hex(),
                "signed": found.covered,
                "confirmed_outside": found.witnessed,
                "flaws": [asdict(flaw) for flaw in found.flaws],
            }
            for log, found in logs
        ],
        "differences": [asdict(flaw) for flaw in differences],
    }


def _row(log: StoredLog, found: Examined) -> tuple[str, ...]:
    return (
        log.origin,
        f"{found.size:,}",
        f"{found.covered:,}",
        f"{found.witnessed:,}",
        found.root.hex()[:16],
        str(log.verifying_key or "not signed at first"),
    )


def _told(flaw: Flaw) -> tuple[str, str]:
    return flaw.fault.value.replace("_", " "), flaw.explanation
