"""What the audit log is, as its metrics say: whatever scrapes them is a witness of it."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from monitor.exposition.family import PREFIX, Kind, MetricFamily, Part
from monitor.governance.checkpoint import Checkpoint


class Cosigned(Struct, frozen=True):
    """What a witness has said of the log.

    Attributes:
        size: Records that it has cosigned.
        at: When, by the witness's clock.
        refuses: Whether it has refused the log since: it has seen another one.
    """

    size: int = 0
    at: datetime | None = None
    refuses: bool = False


class Audited(Struct, frozen=True):
    """What a replica knows of the newest audit log.

    Attributes:
        log: Origin, size and root.
        at: Instant of its newest record; None before the first.
        differences: Where what is stored of versions is not what the log adds up to; None where
            that was not looked at here.
        witnesses: Name of each witness to what it has said.
    """

    log: Checkpoint
    at: datetime | None = None
    differences: int | None = None
    witnesses: Mapping[str, Cosigned] = field(default_factory=dict)


def _family(name: str, meaning: str, unit: str, *labels: str) -> MetricFamily:
    return MetricFamily(
        PREFIX + name,
        Kind.GAUGE,
        meaning,
        unit,
        ("log", *labels),
        Part.PROCESS,
        empty_when_healthy=True,
    )


AUDIT = (
    _family(
        "audit_log_size",
        "Records of the audit log. With the parts of its root: what it was when it was scraped.",
        "records",
    ),
    _family(
        "audit_root_part",
        "52 bits of the root over these records, the highest first (part 0); the last part has 48.",
        "hash",
        "part",
    ),
    _family(
        "audit_last_record_timestamp_seconds",
        "Instant of the newest record; there is one each hour at least.",
        "seconds",
    ),
    _family(
        "audit_state_differences",
        "Versions, requests, cases and waivers that are stored otherwise than the log adds up to;"
        " shown by the replica that leads.",
        "differences",
    ),
    _family(
        "audit_cosigned_size",
        "Records that a witness has cosigned; 0 for none. Shown by the replica that leads.",
        "records",
        "witness",
    ),
    _family(
        "audit_cosigned_timestamp_seconds",
        "When a witness last cosigned the log, by its own clock; absent before the first time.",
        "seconds",
        "witness",
    ),
    _family(
        "audit_witness_refuses",
        "Whether a witness has refused the log since it last cosigned it.",
        "bool",
        "witness",
    ),
)
