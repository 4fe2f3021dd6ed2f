"""How two policies of a model differ, key by key, and whether that gives authority or takes it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct


class ChangeClass(StrEnum):
    """What a change does to what the machine may do, and to what is noticed of it."""

    TIGHTEN = "tighten"
    """Less is tolerated, or more is noticed: it holds at once."""
    NEUTRAL = "neutral"
    """Nothing that is judged, and nothing that follows, is otherwise: it holds at once."""
    LOOSEN = "loosen"
    """More is tolerated, less is noticed, or nobody can say: it waits for its approvals."""


class KeyChange(Struct, frozen=True):
    """One key of a policy that is otherwise.

    Attributes:
        key: Its name, with the names of the sections it is in.
        before: Its value, every default filled in; None where there was no such key.
        after: Its value now; None where there is no such key.
        change: What that does.
    """

    key: str
    before: Any
    after: Any
    change: ChangeClass


def change_of(changes: Iterable[KeyChange]) -> ChangeClass:
    """Return what several changes do together: one that loosens is not outweighed by any other."""
    found = {item.change for item in changes}
    for gravest in (ChangeClass.LOOSEN, ChangeClass.TIGHTEN):
        if gravest in found:
            return gravest
    return ChangeClass.NEUTRAL
