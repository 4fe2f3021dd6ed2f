"""Quarantined files as a table and as a document."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec.structs import asdict

from monitor.domain.quarantine import QuarantinedFile
from monitor.reports.table import Table


def quarantine_table(files: Iterable[QuarantinedFile]) -> Table:
    """Return a table of files: why they are set aside, and what happens next."""
    rows = [
        (
            file.model,
            file.path,
            file.state.value,
            file.reason,
            _instant(file.first_seen),
            str(file.attempts),
            _instant(file.next_try),
            file.explanation,
            f"{file.by}: {file.why}" if file.by else "",
        )
        for file in files
    ]
    columns = ("model", "path", "state", "reason", "since", "tries", "next try", "why", "decided")
    return Table("Quarantine", columns, tuple(rows))


def quarantine_document(files: Iterable[QuarantinedFile]) -> list[dict[str, Any]]:
    """Return the same for machines: every attribute, instants in ISO form."""
    return [
        {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(file).items()
        }
        for file in files
    ]


def _instant(instant: datetime | None) -> str:
    return "–" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S}Z"
