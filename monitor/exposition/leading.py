"""Whether this replica leads: what is known of it, and its metrics."""

from datetime import timedelta

from msgspec import Struct

from monitor.domain.lease import Lease
from monitor.exposition.family import PREFIX, Kind, MetricFamily, Part


class Leading(Struct, frozen=True):
    """What a replica knows of the lease.

    Attributes:
        leads: Whether it leads at this moment.
        lease: The lease as it was last seen; None before the first time.
        takeovers: How often it began to lead.
        refused: Writes of results that were refused because its term was over.
        failures: How often the store could not be asked for the lease.
        reachable: Whether it could when it was last asked.
        skew: The store's clock minus this machine's; 0 where they agree within a second.
    """

    leads: bool
    lease: Lease | None
    takeovers: int
    refused: int
    failures: int
    reachable: bool
    skew: timedelta


def _family(name: str, meaning: str, unit: str) -> MetricFamily:
    kind = Kind.COUNTER if name.endswith("_total") else Kind.GAUGE
    return MetricFamily(PREFIX + name, kind, meaning, unit, (), Part.PROCESS)


LEADING = (
    _family("leader", "Whether this replica leads: checks models and writes results.", "bool"),
    _family(
        "lease_term", "Number of the lease's term: it rises with every change of leader.", "terms"
    ),
    _family(
        "lease_renewed_timestamp_seconds",
        "When the lease was last renewed, by the store's clock, as this replica last saw it.",
        "seconds",
    ),
    _family(
        "lease_expires_timestamp_seconds",
        "When the lease expires unless it is renewed, by the store's clock, as last seen.",
        "seconds",
    ),
    _family("lease_takeovers_total", "Times that this replica began to lead.", "terms"),
    _family(
        "fenced_writes_total",
        "Writes of this replica that were refused because its term was over.",
        "writes",
    ),
    _family("store_reachable", "Whether the store could be asked for the lease just now.", "bool"),
    _family(
        "lease_failures_total", "Times that the store could not be asked for the lease.", "times"
    ),
    _family(
        "clock_skew_seconds",
        "The store's clock minus this machine's; 0 where they agree within a second.",
        "seconds",
    ),
)
