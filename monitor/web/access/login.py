"""Signed tokens of people who logged in at an issuer (OpenID Connect), believed or not."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from jwt.exceptions import PyJWTError
from msgspec import Struct, field

from monitor.domain.role import Role
from monitor.domain.settings import Issuer
from monitor.governance.authorisation import Method, Who
from monitor.web.access.keys import IssuerKeys, KeysError
from monitor.web.access.unknown import UnknownError

LEEWAY = timedelta(seconds=30)
"""How far the issuer's clock may be from this one."""

MOST_BYTES = 16_384
_MOST_LETTERS = 200


class Logins(Struct, frozen=True):
    """Reads the tokens of one issuer.

    Attributes:
        issuer: What is believed.
        keys: The issuer's keys.
        now: Returns the present.
        roles: Group of people to the roles they have for every model.
    """

    issuer: Issuer
    keys: IssuerKeys
    now: Callable[[], datetime]
    roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)

    def who(self, text: str) -> Who:
        """Return who a token says it is.

        Raises:
            UnknownError: It is not believed; what is said of it does not repeat what is in it.
        """
        claims = self._claims(text)
        account = claims.get(self.issuer.account)
        if not _a_name(account) or not _a_name(claims["sub"]):
            raise UnknownError(f"the token names nobody in {self.issuer.account}")
        if self.issuer.account == "email" and claims.get("email_verified") is not True:
            raise UnknownError("the token's e-mail address was never verified")
        groups = _names(claims.get(self.issuer.groups, []))
        held = [self.roles[name] for name in groups & self.roles.keys()]
        return Who(
            account=str(account),
            method=Method.OIDC,
            roles=frozenset[Role]().union(*held),
            groups=groups,
            authenticated_at=_instant(claims.get("auth_time")),
            id=f"oidc|{self.issuer.issuer}|{claims['sub']}",
        )

    def _claims(self, text: str) -> Mapping[str, Any]:
        if len(text) > MOST_BYTES:
            raise UnknownError("the token is too long")
        try:
            head = jwt.get_unverified_header(text)
            algorithm, name = head.get("alg"), head.get("kid")
            if algorithm not in self.issuer.algorithms or not isinstance(name, str):
                right = " or ".join(self.issuer.algorithms)
                raise UnknownError(f"the token must be signed by {right} and name its key")
            claims: Mapping[str, Any] = jwt.decode(
                text,
                self.keys.key(name, algorithm),
                algorithms=[algorithm],
                audience=self.issuer.audience,
                issuer=self.issuer.issuer,
                leeway=LEEWAY,
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    # Held against our own clock below: one that replicas agree on.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except KeysError as error:
            raise UnknownError(str(error)) from error
        except (PyJWTError, ValueError) as error:
            raise UnknownError(f"the token is not believed: {type(error).__name__}") from error
        self._require_time(claims)
        return claims

    def _require_time(self, claims: Mapping[str, Any]) -> None:
        now, ends = self.now(), _instant(claims["exp"])
        if ends is None or now >= ends + LEEWAY:
            raise UnknownError("the token is over; log in again")
        for name in ("nbf", "iat"):
            begins = _instant(claims.get(name))
            if name in claims and (begins is None or now < begins - LEEWAY):
                raise UnknownError("the token is of a time to come")


def _instant(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _a_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MOST_LETTERS and value.isprintable()


def _names(value: object) -> frozenset[str]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(item for item in listed if isinstance(item, str) and _a_name(item))
