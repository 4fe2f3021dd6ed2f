"""Whether the model registry can be used as the settings and the models' files want it."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from monitor.domain.errors import RegistryError
from monitor.domain.governance import RegistryEntry
from monitor.domain.policy import Policy
from monitor.domain.settings import RegistrySettings
from monitor.engine.examine import Condition, Examined
from monitor.registry.connection import open_client
from monitor.registry.mlflow import MlflowRegistry
from monitor.registry.rest import DeclinedError, RestClient

_WHAT = "registry"
_HOOK = "registry webhook"
_PATH = "/v1/registry/webhook"
_SHORT = 16
"""Characters of a secret below which it can be guessed by who has seen one delivery."""

_WEBHOOKS = "/api/2.0/mlflow/webhooks"
_EVENTS = frozenset({("MODEL_VERSION_ALIAS", "CREATED"), ("MODEL_VERSION_ALIAS", "DELETED")})
"""What tells that the served alias was moved."""

_GUIDE = "docs/how-to/connect-mlflow.md"


def examine_registry(
    settings: RegistrySettings | None, policies: Sequence[Policy]
) -> Iterator[Examined]:
    """Yield how the registry is, each model in it, and its webhook; nothing where none is named.

    Args:
        settings: The registry's settings; None without one.
        policies: The policies in force.
    """
    listed = [(policy.model, policy.governance.registry) for policy in policies]
    entries = [(model, entry) for model, entry in listed if entry is not None]
    if settings is None:
        for model, entry in entries:
            found = f"its file names {entry.name}, and the daemon's file names no registry"
            yield Examined(_WHAT, model, Condition.WARN, found, f"set registry.url; {_GUIDE}")
        return
    try:
        client = open_client(settings)
        client.get("/api/2.0/mlflow/registered-models/search", {"max_results": "1"})
    except RegistryError as error:
        advice = "docs/runbooks/ModelMonRegistryDown.md"
        yield Examined(_WHAT, "", Condition.FAIL, str(error), advice)
        return
    yield Examined(_WHAT, "", Condition.OK, f"{client.shown}: asked, and it answered")
    for model, entry in entries:
        yield _entry(model, entry, client)
    if settings.webhook_secret:
        yield _webhook(settings.webhook_secret, client)


def _entry(model: str, entry: RegistryEntry, client: RestClient) -> Examined:
    try:
        found = MlflowRegistry(client).snapshot(entry.name, ())
    except RegistryError as error:
        advice = f"may the user read and edit this model? {_GUIDE}"
        return Examined(_WHAT, model, Condition.FAIL, str(error), advice)
    if found is None:
        advice = "docs/runbooks/ModelMonRegistryModelMissing.md"
        return Examined(_WHAT, model, Condition.FAIL, f"it has no model {entry.name}", advice)
    told = f"{entry.name} has {len(found.versions):,} versions"
    if not entry.alias:
        return Examined(_WHAT, model, Condition.OK, told)
    named = found.aliases.get(entry.alias)
    if named is None:
        found_so = f"{told}, and no alias {entry.alias}"
        advice = "nothing is served by that alias; is it the right one?"
        return Examined(_WHAT, model, Condition.WARN, found_so, advice)
    told += f"; {entry.alias} names {named}"
    served = found.version(named)
    if served is not None and served.run and served.stage is None:
        told += ", whose run we may not read: where it came from, and whether that is gone, stays unknown"
        advice = "let the user read the experiments that models are trained in"
        return Examined(_WHAT, model, Condition.WARN, told, advice)
    return Examined(_WHAT, model, Condition.OK, told)


def _webhook(secret: str, client: RestClient) -> Examined:
    """Look whether the registry would say that it has changed; without that, it is looked at later."""
    try:
        hooks = client.get(_WEBHOOKS, {"max_results": "100"}).get("webhooks", [])
    except DeclinedError as error:
        return Examined(_HOOK, "", Condition.WARN, *_declined(error))
    except RegistryError as error:
        return Examined(_HOOK, "", Condition.WARN, str(error), "look again")
    ours = [each for each in hooks if urlsplit(str(each.get("url"))).path.endswith(_PATH)]
    trouble = _troubles(ours, secret)
    if trouble is not None:
        return Examined(_HOOK, "", Condition.WARN, *trouble)
    return Examined(_HOOK, "", Condition.OK, f"{ours[0].get('name')} says when an alias is moved")


def _declined(error: DeclinedError) -> tuple[str, str]:
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        told = "MLflow cannot read its webhooks, and sends none to anybody: was it started again"
        advice = (
            "start MLflow with MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY, and make the webhook again"
        )
        return f"{told} without the key of their secrets? {error}", advice
    if error.status == HTTPStatus.FORBIDDEN:
        told = "only an administrator of MLflow sees its webhooks, so nobody knows whether there is one"
        return told, f"ask one: {_GUIDE} says what it needs"
    return str(error), f"has this MLflow webhooks? {_GUIDE}"


def _troubles(ours: Sequence[dict[str, Any]], secret: str) -> tuple[str, str] | None:
    """Return what is wrong with the webhook and what to do, if anything is."""
    if not ours:
        return f"MLflow has no webhook to …{_PATH}", f"have an administrator make it; {_GUIDE}"
    hook = ours[0]
    name = hook.get("name")
    if hook.get("status", "ACTIVE") != "ACTIVE":
        return f"the webhook {name} is {hook['status']}", "have an administrator switch it on"
    events = {(each.get("entity"), each.get("action")) for each in hook.get("events", [])}
    if not events >= _EVENTS:
        missing = " and ".join(sorted(f"{what} {how}" for what, how in _EVENTS - events))
        return f"the webhook {name} does not tell of {missing}", f"add the events; {_GUIDE}"
    if len(secret) < _SHORT:
        told = f"the secret has {len(secret)} characters: who sees one delivery can try them all"
        return told, "take one of 32 random bytes, such as `openssl rand -hex 32`"
    return None
