"""Tokens and answered requests in SQL; what gives or refuses access is in the audit log."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from monitor.domain.errors import RefusedError
from monitor.domain.role import Role
from monitor.governance.events import EventType
from monitor.governance.log import Happened
from monitor.governance.receipt import Receipt
from monitor.governance.record import Actor, AuditEvent, Json
from monitor.governance.tokens import USE_NOTED, Token, revoked
from monitor.governance.verification import Fault, Flaw
from monitor.store.access_tables import ANSWERS, TOKENS
from monitor.store.audit import Auditing, Signed, append
from monitor.store.audit_pages import AuditPages
from monitor.store.connection import connect_lazily, database_url, reported, retried
from monitor.store.recorded_beside import differs, said_of

ANSWERS_KEPT = timedelta(days=7)
"""How long a request's id is remembered."""

_Written = TypeVar("_Written")
_Steps = Callable[[Connection], tuple[_Written, Sequence[Happened]]]


class Answered(Struct, frozen=True):
    """What became of a request that carries an id.

    Attributes:
        digest: SHA-256 of what was asked.
        status: What was answered; None while nobody knows.
        body: The answer; "" while nobody knows.
    """

    digest: str
    status: int | None
    body: str


class AccessStore:
    """Tokens, refusals and answered requests, on connections of their own."""

    def __init__(self, url: str, auditing: Auditing | None = None) -> None:
        """Connect when something is first asked for.

        Raises:
            StoreError: The URL is none, or its driver is not installed.
        """
        self._url = database_url(url)
        self._engine = connect_lazily(self._url)
        self._auditing = auditing or Auditing()
        self._receipts: Callable[[Receipt], None] | None = None

    def receipting(self, told: Callable[[Receipt], None]) -> Self:
        """Return the same, on the same connections, whose writes tell what proves them."""
        telling = copy(self)
        telling._receipts = told  # noqa: SLF001  # its own class
        return telling

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @property
    def log(self) -> AuditPages:
        """Return the audit log, to be read page by page."""
        return AuditPages(self._engine)

    def tokens(self) -> Sequence[Token]:
        """Return every token that there ever was, oldest first.

        Raises:
            StoreError: The database cannot be read.
        """
        query = select(TOKENS).order_by(TOKENS.c.created_at, TOKENS.c.id)
        with reported(self._url, "reading tokens"), self._engine.connect() as connection:
            return [_token_of(row) for row in connection.execute(query).mappings()]

    def token(self, public: str) -> Token | None:
        """Return a token by its public part; None for one that is not what the audit log has of it.

        Whoever can write the database can write a row; without its record that is no token.

        Raises:
            StoreError: The database cannot be read.
        """
        with reported(self._url, "looking up a token"), self._engine.connect() as connection:
            token = _read(connection, public)
            return None if token is None or differs(connection, token) else token

    def create(self, token: Token, actor: Actor) -> None:
        """Store a new token.

        Raises:
            StoreError: It cannot be written.
        """

        def steps(connection: Connection) -> tuple[None, Sequence[Happened]]:
            connection.execute(insert(TOKENS), _row(token))
            data: dict[str, Json] = {**said_of(token), "purpose": token.purpose}
            return None, [_event(EventType.TOKEN_CREATED, token, actor, data, token.created_at)]

        self._write("creating a token", steps)

    def revoke(  # five nouns, each of another type
        self, public: str, by: str, actor: Actor, at: datetime, why: str = ""
    ) -> Token:
        """End a token.

        Args:
            public: Its public part.
            by: Who ends it, as an account.
            actor: The same, as the audit log names them.
            at: When.
            why: The reason they give, if they give one.

        Raises:
            RefusedError: There is none, or it is revoked already.
            StoreError: It cannot be written.
        """

        def steps(connection: Connection) -> tuple[Token, Sequence[Happened]]:
            known = _read(connection, public)
            if known is None:
                raise RefusedError((f"there is no token {public}; see: modelmon token list",))
            ended = revoked(known, by, at)
            changed = update(TOKENS).where(TOKENS.c.id == public)
            connection.execute(changed.values(revoked_at=at, revoked_by=by))
            data: dict[str, Json] = {**_named(ended), "why": why}
            return ended, [_event(EventType.TOKEN_REVOKED, ended, actor, data, at)]

        return self._write("revoking a token", steps)

    def used(self, token: Token, at: datetime) -> bool:
        """Note that a token was used, unless that was noted within the hour; return whether.

        Raises:
            StoreError: It cannot be written.
        """
        if token.used_at is not None and at < token.used_at + USE_NOTED:
            return False

        def steps(connection: Connection) -> tuple[None, Sequence[Happened]]:
            connection.execute(update(TOKENS).where(TOKENS.c.id == token.id).values(used_at=at))
            return None, ()

        self._write("noting the use of a token", steps)
        return True

    def denied(self, happened: Happened) -> None:
        """Record that somebody was refused.

        Raises:
            StoreError: It cannot be written.
        """
        self._write("recording a refusal", lambda _: (None, [happened]))

    def begin(self, account: str, request: str, digest: str, at: datetime) -> Answered | None:
        """Note that a request is being carried out; return what became of it if it was before.

        Raises:
            StoreError: It cannot be written.
        """
        mine = (ANSWERS.c.account == account) & (ANSWERS.c.request == request)

        def steps(connection: Connection) -> tuple[Answered | None, Sequence[Happened]]:
            connection.execute(delete(ANSWERS).where(ANSWERS.c.at < at - ANSWERS_KEPT))
            row = connection.execute(select(ANSWERS).where(mine)).mappings().first()
            if row is not None:
                return Answered(row["digest"], row["status"], row["body"] or ""), ()
            new = {"account": account, "request": request, "digest": digest, "at": at}
            connection.execute(insert(ANSWERS), new)
            return None, ()

        return self._write("noting a request", steps)

    def end(self, account: str, request: str, status: int | None, body: str) -> None:
        """Note what was answered; None where nothing was done, so that it may be asked again.

        Raises:
            StoreError: It cannot be written.
        """
        mine = (ANSWERS.c.account == account) & (ANSWERS.c.request == request)

        def steps(connection: Connection) -> tuple[None, Sequence[Happened]]:
            if status is None:
                connection.execute(delete(ANSWERS).where(mine))
            else:
                connection.execute(update(ANSWERS).where(mine).values(status=status, body=body))
            return None, ()

        self._write("noting an answer", steps)

    def _write(self, doing: str, write: _Steps[_Written]) -> _Written:
        def steps(connection: Connection) -> tuple[_Written, Signed | None]:
            written, happened = write(connection)
            return written, append(connection, happened, self._auditing)

        with reported(self._url, doing):
            written, signed = retried(self._engine, steps)
        if signed is not None and signed.checkpoint is not None:
            self._auditing.witness(signed.checkpoint, signed.at)
        if signed is not None and self._receipts is not None:
            self._receipts(signed.receipt)
        return written


def flaws_of_tokens(connection: Connection) -> Iterator[Flaw]:
    """Yield each token that is stored otherwise than it was recorded: nobody gets in with it."""
    for row in connection.execute(select(TOKENS).order_by(TOKENS.c.id)).mappings().all():
        told = differs(connection, _token_of(row))
        if told:
            yield Flaw(Fault.STATE_DIFFERS, None, f"token {row['id']}: {told}")


def _event(
    kind: EventType, token: Token, actor: Actor, data: dict[str, Json], at: datetime
) -> Happened:
    return Happened(at, AuditEvent(kind, f"token/{token.id}", actor, data=data))


def _named(token: Token) -> dict[str, Json]:
    return {
        "holder": token.holder,
        "roles": list[Json](sorted(token.roles)),
        "models": None if token.models is None else list[Json](sorted(token.models)),
    }


def _read(connection: Connection, public: str) -> Token | None:
    row = connection.execute(select(TOKENS).where(TOKENS.c.id == public)).mappings().first()
    return None if row is None else _token_of(row)


def _row(token: Token) -> dict[str, Any]:
    row = asdict(token)
    row["roles"] = sorted(token.roles)
    row["models"] = None if token.models is None else sorted(token.models)
    return row


def _token_of(row: RowMapping) -> Token:
    models = row["models"]
    parts = {name: row[name] for name in Token.__struct_fields__}
    parts["roles"] = frozenset(Role(name) for name in row["roles"])
    parts["models"] = None if models is None else frozenset(models)
    return Token(**parts)
