"""What follows when a version decided outside what it was allowed: its own rung, and a case."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from monitor.governance.cases import Cause
from monitor.governance.consequences import BREACHED, Broken, Present, answered, move, open_case
from monitor.governance.ledger import Book
from monitor.governance.standing import State

NAMED = 5
"""Versions of one window that get a case of their own: more are one thing to answer for."""


class Exceeded(Struct, frozen=True):
    """What one version decided outside what it was allowed.

    Attributes:
        version: The version.
        rows: How many decisions.
        last: When the latest was made.
        told: What they were, in words.
    """

    version: str
    rows: int
    last: datetime
    told: str


def exceed(book: Book, present: Present, found: Sequence[Exceeded]) -> None:
    """Write what follows from decisions outside what was allowed.

    The version moves to the rung that the policy names, where it has authority to lose, and whoever
    is accountable must answer. What was answered for is not held against it again: decisions of
    before a case was closed open no other one.

    Args:
        book: Is written in.
        present: What is there.
        found: What was found, of one window.
    """
    rung = present.governance.gate.on_exceeded
    if rung is None:
        return
    most = sorted(found, key=lambda each: (-each.rows, each.version))
    for place, each in enumerate(most[:NAMED]):
        standing = book.ledger.standings.get(each.version)
        if standing is None or standing.state is State.RETIRED:
            continue
        rest = len(most) - NAMED
        more = f"; and {rest} more versions" if rest > 0 and not place else ""
        event, cause = BREACHED[rung], Cause.OUTSIDE_AUTHORITY.value
        broken = Broken(cause, rung, event, each.last, each.told + more)
        if not answered(book.ledger, each.version, broken):
            move(book, each.version, event, broken.reason)
            open_case(book, present.governance, each.version, broken)
