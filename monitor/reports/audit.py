"""What an examination of the audit log has shown."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import asdict

from monitor.governance.silence import PROMISED, Silence
from monitor.governance.verification import Examined, Flaw, StoredLog
from monitor.reports.table import Table

_Logs = Sequence[tuple[StoredLog, Examined]]


Silences = Mapping[str, Sequence[Silence] | None]
"""Origin of each log to when it was silent; None for one that no daemon ever kept."""


def audit_tables(logs: _Logs, differences: Sequence[Flaw], silent: Silences) -> tuple[Table, ...]:
    """Return the outcome as tables: the logs, their silences, and what is wrong.

    Args:
        logs: Every log of the store, and what was found of it.
        differences: What in the store is not what its newest log recorded.
        silent: When each log was silent.
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
            ("log", "records", "signed", "confirmed outside", "silences", "root", "key"),
            tuple(_row(log, found, silent[log.origin]) for log, found in logs),
            "signed: records that a checkpoint of the log covers; confirmed outside: those that a "
            "checkpoint covers which was kept elsewhere; silences: times without a record, of more "
            f"than {_minutes(PROMISED)}; –: no daemon ever kept the log",
        ),
        Table(
            "Silences",
            ("log", "from", "until", "length", "because"),
            tuple(
                (origin, *_silence(each))
                for origin, found in silent.items()
                for each in found or ()
            ),
            "Nobody wrote, or what was written is gone: a silence is no flaw of the log, and is to "
            "be explained by whoever runs the daemon",
        ),
        Table("What is wrong", ("where", "record", "fault", "explanation"), tuple(wrong)),
    )
    return tuple(table for table in tables if table.rows)


def audit_document(logs: _Logs, differences: Sequence[Flaw], silent: Silences) -> dict[str, Any]:
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
                "silences": _silences(silent[log.origin]),
            }
            for log, found in logs
        ],
        "differences": [asdict(flaw) for flaw in differences],
    }


def _silences(found: Sequence[Silence] | None) -> list[dict[str, Any]] | None:
    if found is None:
        return None
    return [
        {
            "from": each.since.isoformat(),
            "until": each.until.isoformat() if each.ended else None,
            "seconds": round(each.length.total_seconds()),
            "planned": each.planned,
        }
        for each in found
    ]


def _silence(each: Silence) -> tuple[str, ...]:
    until = f"{each.until:%Y-%m-%d %H:%M}" if each.ended else "now"
    because = "the daemon was told to end" if each.planned else "–"
    return f"{each.since:%Y-%m-%d %H:%M}", until, _minutes(each.length), because


def _minutes(length: timedelta) -> str:
    return f"{length.total_seconds() / 60:,.0f} min"


def _row(log: StoredLog, found: Examined, silent: Sequence[Silence] | None) -> tuple[str, ...]:
    return (
        log.origin,
        f"{found.size:,}",
        f"{found.covered:,}",
        f"{found.witnessed:,}",
        "–" if silent is None else f"{len(silent):,}",
        found.root.hex()[:16],
        str(log.verifying_key or "not signed at first"),
    )


def _told(flaw: Flaw) -> tuple[str, str]:
    return flaw.fault.value.replace("_", " "), flaw.explanation
