"""Whether people and programs can use the HTTP interface as the settings want it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.domain.settings import AccessSettings, DaemonSettings
from monitor.engine.examine import Condition, Examined
from monitor.governance.tokens import Token
from monitor.web.access.keys import KeysError, fetcher, usable_keys
from monitor.web.hosts import listens_here

SOON = timedelta(days=7)
"""How long before a token ends somebody should make another."""

_WHAT = "access"


def examine_access(
    settings: DaemonSettings, tokens: Sequence[Token], now: datetime
) -> tuple[Examined, ...]:
    """Look at who may change anything over HTTP, and whether they could; the worst comes first.

    Args:
        settings: The daemon's.
        tokens: Every token there is.
        now: The present.
    """
    access = settings.access
    if not access.configured:
        told = "nothing can be changed over HTTP: no way to tell who asks is configured"
        return (Examined(_WHAT, "", Condition.OK, told, ""),)
    seen = [*_of_issuer(access), *_of_tokens(access, tokens, now), *_of_address(settings)]
    if seen:
        return tuple(seen)
    ways = {"tokens": access.tokens, "logins": access.oidc, "a proxy": access.header}
    told = ", ".join(name for name, way in ways.items() if way)
    what = "changes are taken" if access.writes else "nothing can be changed; reads are"
    return (Examined(_WHAT, "", Condition.OK, f"{what} by {told}", ""),)


def _of_issuer(access: AccessSettings) -> list[Examined]:
    if access.oidc is None:
        return []
    try:
        found = usable_keys(fetcher(access.oidc.keys), access.oidc.algorithms)
    except KeysError as error:
        told = f"nobody can log in: {error}"
        advice = f"look at access.oidc.keys ({access.oidc.keys}) from this machine"
        return [Examined(_WHAT, "", Condition.FAIL, told, advice)]
    if found:
        return []
    told = f"nobody can log in: the issuer has no key for {' or '.join(access.oidc.algorithms)}"
    return [Examined(_WHAT, "", Condition.FAIL, told, "set access.oidc.algorithms to the issuer's")]


def _of_tokens(access: AccessSettings, tokens: Sequence[Token], now: datetime) -> list[Examined]:
    if not access.tokens:
        return []
    valid = [token for token in tokens if token.state(now) == "valid"]
    ending = sorted(token.expires_at for token in valid if token.expires_at < now + SOON)
    if not ending:
        return []
    told = (
        f"{len(ending)} of {len(valid)} tokens end soon, the first at {ending[0]:%Y-%m-%dT%H:%MZ}"
    )
    return [Examined(_WHAT, "", Condition.WARN, told, "modelmon token list; make others in time")]


def _of_address(settings: DaemonSettings) -> list[Examined]:
    if listens_here(settings.host):
        return []
    told = f"listens on {settings.host}, and speaks no TLS: who is on the way can read tokens"
    advice = "let nobody but a proxy with TLS reach the port; docs/how-to/give-access.md"
    return [Examined(_WHAT, "", Condition.WARN, told, advice)]
