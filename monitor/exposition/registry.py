"""How the model registry is, as its metrics say."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, field

from monitor.exposition.family import PREFIX, Kind, MetricFamily, Part


class Mirroring(Struct, frozen=True):
    """What the replica that leads knows of the registry.

    Attributes:
        up: Whether the registry answered when it was last asked.
        looked_at: When all models were last looked at; None before the first time.
        waiting: Errands that it has not taken; None where that cannot be read.
        oldest_seconds: How long the oldest of them has waited; 0 where none waits.
        unreachable_seconds: For how long not every model could be looked at; 0 while it can.
        models: Watched model to whether the registry has it.
        outside: Watched model to whether its served alias names a version that may not act.
    """

    up: bool
    looked_at: datetime | None = None
    waiting: int | None = None
    oldest_seconds: float = 0
    unreachable_seconds: float = 0
    models: Mapping[str, bool] = field(default_factory=dict)
    outside: Mapping[str, bool] = field(default_factory=dict)


def _family(name: str, meaning: str, unit: str, labels: tuple[str, ...] = ()) -> MetricFamily:
    return MetricFamily(
        PREFIX + name, Kind.GAUGE, meaning, unit, labels, Part.PROCESS, empty_when_healthy=True
    )


REGISTRY = (
    _family(
        "registry_up",
        "Whether the model registry answered when it was last asked; absent without a registry,"
        " and where another replica leads.",
        "bool",
    ),
    _family(
        "registry_unreachable_seconds",
        "For how long the registry could not be looked at for every model, by the audit log, also"
        " before this process began; 0 while it can.",
        "seconds",
    ),
    _family(
        "registry_last_look_timestamp_seconds",
        "When every model was last looked at in the registry.",
        "seconds",
    ),
    _family(
        "registry_outbox_pending",
        "What the registry is to be told and has not taken yet.",
        "errands",
    ),
    _family(
        "registry_outbox_oldest_seconds",
        "How long the oldest of it has waited; 0 where nothing waits.",
        "seconds",
    ),
    _family(
        "registry_model_found", "Whether the registry has the watched model.", "bool", ("model",)
    ),
    _family(
        "registry_alias_outside",
        "Whether the alias that is served names a version that may not act.",
        "bool",
        ("model",),
    ),
)
