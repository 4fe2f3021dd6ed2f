"""The JSON interface as the settings want it."""

from collections.abc import Callable

from monitor.domain.settings import AccessSettings
from monitor.sources.evidence import LocalFiles
from monitor.store.access import AccessStore
from monitor.web.access.asking import Doorkeeper
from monitor.web.access.keys import IssuerKeys, fetcher
from monitor.web.access.login import Logins
from monitor.web.api.catalogue import ENDPOINTS
from monitor.web.api.endpoint import Desk
from monitor.web.api.refusals import Refusals
from monitor.web.api.serving import Api
from monitor.web.pages.library import Library


def api_of(
    settings: AccessSettings,
    library: Library,
    access: AccessStore,
    version: str,
    count: Callable[[int], None],
) -> Api:
    """Return the JSON interface.

    Args:
        settings: Who may use it.
        library: What it is answered from.
        access: Tokens, refusals and answered requests.
        version: Of modelmon.
        count: Called with the status of each answer.
    """
    now, logins = library.now, None
    if settings.oidc is not None:
        keys = IssuerKeys(fetcher(settings.oidc.keys), now)
        logins = Logins(settings.oidc, keys, now, settings.roles)
    door = Doorkeeper(now, access if settings.tokens else None, logins, settings.header)
    desk = Desk(library.models, library.store, access, now, LocalFiles())
    refusals = Refusals(access)
    writes, origins = settings.writes, settings.origins
    return Api(ENDPOINTS, desk, door, refusals, version, writes, origins, count)
