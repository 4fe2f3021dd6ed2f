"""Rules on the model registry: it is away, it is behind, or it serves what may not act."""

from monitor.exposition.rule import Alert

REGISTRY_ALERTS = (
    Alert(
        "ModelMonAliasOutside",
        "max by (job, model) (modelmon_registry_alias_outside) == 1",
        "critical",
        "The registry serves a version of model {{ $labels.model }} that may not act",
        'Model "{{ $labels.model }}": the alias that is served names a version that nobody has approved, or that was held.'
        " Ask: modelmon registry show {{ $labels.model }}",
        wait="2m",
    ),
    Alert(
        "ModelMonRegistryModelMissing",
        "min by (job, model) (modelmon_registry_model_found) == 0",
        "warning",
        "Model {{ $labels.model }} is not in the registry",
        'Model "{{ $labels.model }}": its file names a registry entry that the registry does not have.'
        " Ask: modelmon registry show {{ $labels.model }}",
        wait="15m",
    ),
    Alert(
        "ModelMonRegistryDown",
        "min by (job) (modelmon_registry_up) == 0\n"
        "or time() - max by (job) (modelmon_registry_last_look_timestamp_seconds) > 1800",
        "warning",
        "The model registry cannot be looked at",
        "Job {{ $labels.job }} cannot look at the registry: aliases that are moved there go unnoticed.",
        wait="10m",
        owned=False,
    ),
    Alert(
        "ModelMonRegistryBehind",
        "max by (job) (modelmon_registry_outbox_oldest_seconds) > 900",
        "warning",
        "The model registry has not taken what was decided",
        "What job {{ $labels.job }} has to tell the registry has waited {{ $value | humanizeDuration }}.",
        wait="5m",
        owned=False,
    ),
)
