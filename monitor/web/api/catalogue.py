"""Every endpoint of the JSON interface, in one place."""

from monitor.web.api import audit, authority, mutes, people, quarantine
from monitor.web.api.endpoint import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *people.ENDPOINTS,
    *mutes.ENDPOINTS,
    *quarantine.ENDPOINTS,
    *authority.ENDPOINTS,
    *audit.ENDPOINTS,
)
