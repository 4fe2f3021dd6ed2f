"""Secrets that programs and people use instead of logging in.

A token is shown once, when it is made. What is kept is the SHA-256 of its secret, which has 256 bits
of chance in it: no slow hash is needed against guessing, and whoever reads the database can use
none of them. Each one ends by itself.
"""

import hmac
import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.errors import RefusedError
from monitor.domain.role import Role
from monitor.governance.authorisation import GIVEN, Method, Who

LONGEST = timedelta(days=366)
"""How long a token may hold."""

USE_NOTED = timedelta(hours=1)
"""How old the instant of a token's last use may be: a use is not written each time."""

_FORM = re.compile("mon_([0-9a-f]{16})_([0-9a-f]{64})")
_MOST_LETTERS = 200


class Token(Struct, frozen=True):
    """What is known of a token; its secret is not.

    Attributes:
        id: Its public part.
        digest: SHA-256 of the secret, in hex.
        holder: The account that it is for, as policies name people.
        purpose: What it is for, in words.
        roles: What it is for: see `authorisation.GIVEN` for those that it has by itself.
        models: The models it is for; None for all.
        created_at: When it was made.
        created_by: Who made it.
        expires_at: When it ends by itself.
        revoked_at: When somebody ended it; None while nobody has.
        revoked_by: Who ended it; "" while nobody has.
        used_at: When it was last used, to the hour; None before the first time.
    """

    id: str
    digest: str
    holder: str
    purpose: str
    roles: frozenset[Role]
    models: frozenset[str] | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str = ""
    used_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """Return ``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if now >= self.expires_at else "valid"

    @property
    def who(self) -> Who:
        """Return who uses it."""
        return Who(
            self.holder,
            Method.TOKEN,
            self.roles & GIVEN,
            within=self.roles,
            models=self.models,
            id=f"token|{self.id}|{self.holder}",
            ends=self.expires_at,
        )


class Wanted(Struct, frozen=True):
    """A token that somebody wants to be made.

    Attributes:
        holder: The account that it is for.
        purpose: What it is for, in words.
        roles: What it is for.
        models: The models it is for; None for all.
        lasting: How long it holds.
    """

    holder: str
    purpose: str
    roles: frozenset[Role]
    models: frozenset[str] | None
    lasting: timedelta


def new_token(wanted: Wanted, by: str, at: datetime) -> tuple[Token, str]:
    """Return a new token and its text, which nobody can read again later.

    Raises:
        RefusedError: It would hold for too long or be for nothing; with every reason.
    """
    reasons = _faults(wanted)
    if reasons:
        raise RefusedError(reasons)
    public, secret = secrets.token_hex(8), secrets.token_hex(32)
    token = Token(
        id=public,
        digest=_digest(secret),
        holder=wanted.holder,
        purpose=wanted.purpose,
        roles=wanted.roles,
        models=wanted.models,
        created_at=at,
        created_by=by,
        expires_at=at + wanted.lasting,
    )
    return token, f"mon_{public}_{secret}"


def too_much(who: Who, wanted: Wanted, at: datetime) -> tuple[str, ...]:
    """Return why somebody who may make tokens may not make this one.

    Whoever administers access approves nothing, and so makes no token by which they could act in
    another's name. What is made by a token gives no more than it, and not for longer. Whoever is
    at the machine could write the database as well.

    Args:
        who: Who wants it.
        wanted: What they want.
        at: When.
    """
    if who.method is Method.CLI:
        return ()
    reasons = []
    persons = sorted(wanted.roles - GIVEN)
    if persons:
        told = " and ".join(persons)
        reasons.append(
            f"a token for {told} would act in the name of {wanted.holder}, as policies have it: it is"
            " made at the machine, by modelmon token create"
        )
    if Role.ADMIN in wanted.roles and who.method is not Method.OIDC:
        reasons.append("a token for admin takes a person's login, or is made at the machine")
    if who.ends is not None and at + wanted.lasting > who.ends:
        ends = f"{who.ends:%Y-%m-%dT%H:%MZ}"
        reasons.append(f"what is made with a token ends with it at the latest: {ends}")
    if who.models is not None and (wanted.models is None or not wanted.models <= who.models):
        told = ", ".join(sorted(who.models))
        reasons.append(f"this token is for {told} alone, and so is what is made with it")
    return tuple(reasons)


def revoked(token: Token, by: str, at: datetime) -> Token:
    """Return a token that nobody can use any more.

    Raises:
        RefusedError: It is revoked already.
    """
    if token.revoked_at is not None:
        raise RefusedError((f"the token {token.id} is revoked already, by {token.revoked_by}",))
    return replace(token, revoked_at=at, revoked_by=by)


def id_of(text: str) -> str | None:
    """Return the public part of a token's text; None where it is not of that form."""
    found = _FORM.fullmatch(text)
    return None if found is None else found[1]


def fits(text: str, token: Token) -> bool:
    """Return whether a text is that of a token; it takes as long whatever differs."""
    found = _FORM.fullmatch(text)
    secret = "" if found is None else found[2]
    return hmac.compare_digest(_digest(secret), token.digest)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _faults(wanted: Wanted) -> tuple[str, ...]:
    reasons = []
    for what, text in (("the account it is for", wanted.holder), ("its purpose", wanted.purpose)):
        if not text.strip() or len(text) > _MOST_LETTERS or not text.isprintable():
            reasons.append(f"{what} takes 1 to {_MOST_LETTERS} characters that can be seen")
    if not wanted.roles or Role.SYSTEM in wanted.roles:
        right = ", ".join(sorted(set(Role) - {Role.SYSTEM}))
        reasons.append(f"a token needs roles; right are {right}")
    if wanted.models is not None and not wanted.models:
        reasons.append("a token for no model at all is of no use; name some, or leave them out")
    if not timedelta(minutes=1) <= wanted.lasting <= LONGEST:
        reasons.append(f"a token holds for a minute at least and for {LONGEST.days} days at most")
    return tuple(reasons)
