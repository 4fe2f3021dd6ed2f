"""Tokens as tables and documents: whose they are, what for, and until when."""

from collections.abc import Sequence
from datetime import datetime

from monitor.governance.tokens import Token
from monitor.reports.table import Table

_COLUMNS = ("id", "state", "for", "roles", "models", "expires", "last used", "made by", "purpose")


def token_table(tokens: Sequence[Token], now: datetime) -> Table:
    """Return a table of tokens; a last use is known to the hour."""
    rows = tuple(
        (
            token.id,
            token.state(now),
            token.holder,
            ", ".join(sorted(token.roles)),
            "all" if token.models is None else ", ".join(sorted(token.models)),
            _shown(token.expires_at),
            "never" if token.used_at is None else _shown(token.used_at),
            token.created_by,
            token.purpose,
        )
        for token in tokens
    )
    return Table("Tokens", _COLUMNS, rows)


def token_document(token: Token, now: datetime) -> dict[str, object]:
    """Return a token as JSON has it."""
    return {
        "id": token.id,
        "state": token.state(now),
        "holder": token.holder,
        "purpose": token.purpose,
        "roles": sorted(token.roles),
        "models": None if token.models is None else sorted(token.models),
        "created_at": token.created_at.isoformat(),
        "created_by": token.created_by,
        "expires_at": token.expires_at.isoformat(),
        "revoked_at": None if token.revoked_at is None else token.revoked_at.isoformat(),
        "revoked_by": token.revoked_by or None,
        "used_at": None if token.used_at is None else token.used_at.isoformat(),
    }


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
