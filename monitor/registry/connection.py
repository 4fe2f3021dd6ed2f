"""The registry that the settings name, connected with what is remembered of it."""

from collections.abc import Sequence

from monitor.domain.errors import RegistryError
from monitor.domain.policy import Policy
from monitor.domain.settings import RegistrySettings
from monitor.engine.errands import Delivery
from monitor.engine.mirrored import StoredAuthority
from monitor.engine.monitoring_runs import monitoring_runs
from monitor.engine.ports import Clock, Store
from monitor.engine.registry import Registry
from monitor.engine.registry_poll import Link
from monitor.registry.mlflow import MlflowRegistry
from monitor.registry.rest import Credentials, RestClient


def open_client(settings: RegistrySettings) -> RestClient:
    """Return what asks the server that the settings name; nothing is asked yet.

    Raises:
        RegistryError: The certificates to trust cannot be read.
    """
    who = Credentials(settings.token, settings.user, settings.password)
    return RestClient(settings.url, who, settings.ca, settings.timeout.total_seconds())


def open_registry(settings: RegistrySettings) -> Registry:
    """Return the registry that the settings name; nothing is asked yet.

    Raises:
        RegistryError: The certificates to trust cannot be read.
    """
    return MlflowRegistry(open_client(settings))


def connected(
    settings: RegistrySettings | None, store: Store, clock: Clock, policies: Sequence[Policy]
) -> tuple[Link, Delivery]:
    """Return what one look at the registry needs, and how errands get there.

    Args:
        settings: The registry's settings.
        store: What is remembered.
        clock: The time of day.
        policies: The models that are looked at.

    Raises:
        RegistryError: The settings name no registry, or its certificates cannot be read.
    """
    if settings is None:
        raise RegistryError("the daemon's file names no registry; right would be registry.url")
    registry = open_registry(settings)
    listed = {policy.model: policy.governance.registry for policy in policies}
    names = {model: entry.name for model, entry in listed.items() if entry is not None}
    authority = StoredAuthority(store, clock)
    return (
        Link(registry, store, authority, clock, settings.reverts_per_hour),
        Delivery(registry, store, clock, names, lambda errand: monitoring_runs(errand, store)),
    )
