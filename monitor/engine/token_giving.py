"""Tokens that are given out, by who may: at the machine and over HTTP alike."""

from datetime import datetime
from typing import Protocol

from monitor.engine.decisions import actor_of
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action, Who, authorise
from monitor.governance.record import Actor
from monitor.governance.tokens import Token, Wanted, new_token, too_much


class TokenBook(Protocol):
    """Where tokens are remembered, without their secrets."""

    def create(self, token: Token, actor: Actor) -> None:
        """Store a new token, and record who made it."""
        ...


def give(wanted: Wanted, who: Who, book: TokenBook, at: datetime) -> tuple[Token, str]:
    """Make a token, and return it with its text, which nobody can read again later.

    Args:
        wanted: What is wanted.
        who: Who wants it.
        book: Where it is remembered.
        at: When.

    Raises:
        NotAllowedError: They may not make it; with every reason.
        RefusedError: It would hold for too long or be for nothing; with every reason.
        StoreError: It cannot be written; nothing was made.
    """
    authorise(who, Action.MANAGE_TOKENS, None, at)
    reasons = too_much(who, wanted, at)
    if reasons:
        raise NotAllowedError(reasons)
    token, text = new_token(wanted, who.account, at)
    book.create(token, actor_of(who))
    return token, text
