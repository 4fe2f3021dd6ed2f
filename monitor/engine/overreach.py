"""Decisions that a log shows, made outside what their version was allowed.

What a version was allowed when is what the gate recorded; how many decisions it made then, and what
they held, is what a run counted and stored. Of runs that were stored before that was counted, the
decisions of the whole window are held against it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from math import floor

from msgspec import Struct

from monitor.domain.governance import HUMAN_REVIEW_SHARE
from monitor.domain.run import Run
from monitor.domain.timetable import Regime, Spell, Tally
from monitor.domain.window import Window
from monitor.engine.answering import Answered
from monitor.engine.timetable import timetable_of
from monitor.governance.exceeding import Exceeded

_WHOLE = 1e-9  # a share times a number that is a whole one may come out just below it


class Excess(StrEnum):
    """How decisions were outside what was allowed."""

    NOT_ACTING = "not_acting"
    """The version was known, and was not to act."""
    UNKNOWN_VERSION = "unknown_version"
    """Nobody had told the monitor of the version."""
    UNDECIDED = "undecided"
    """Some of them may have been allowed: nobody counted when they were made, or who made them."""
    UNRECORDED = "unrecorded"
    """They were made before it was recorded what versions are allowed."""
    CONDITION_BROKEN = "condition_broken"
    """The version acted within conditions, and they were beyond one."""
    CONDITION_UNKNOWN = "condition_unknown"
    """The log does not say whether they were within a condition."""


KNOWN = frozenset({Excess.NOT_ACTING, Excess.UNKNOWN_VERSION, Excess.CONDITION_BROKEN})
"""What is known to have been outside of what was allowed."""

_OF_REGIME = {
    Regime.REFUSED: Excess.NOT_ACTING,
    Regime.ROUTED: Excess.NOT_ACTING,
    Regime.UNKNOWN: Excess.UNKNOWN_VERSION,
    Regime.UNRECORDED: Excess.UNRECORDED,
}


class Overreach(Struct, frozen=True):
    """Decisions of one version in one window.

    Attributes:
        version: The version.
        excess: How they were outside what was allowed.
        rows: How many; of `Excess.UNDECIDED` as many as there can be at most. Of a condition that
            was in force 0 as well, where each decision kept to it.
        last: When the last of them was made, or could have been.
        condition: The condition; "" where it is about none.
        bound: What it bounds it to; of several bounds within a window the widest.
    """

    version: str
    excess: Excess
    rows: int
    last: datetime
    condition: str = ""
    bound: float | None = None


def overreach_of(run: Run, answered: Sequence[Answered]) -> tuple[Overreach, ...]:
    """Return the decisions of a run's window that were outside what was allowed, by version.

    Of a window that was over before anything was recorded nothing is said: what was not recorded was
    not forbidden.

    Args:
        run: The run, of a model whose policy is complete.
        answered: Everything that the gate answered for the model, in any order; only looked at for
            a run that has not counted by it.
    """
    tallies = run.accounting.authority
    if tallies is None:
        return tuple(_of_whole(run, answered))
    by_version = groupby(tallies, lambda tally: tally.version)
    return tuple(each for version, found in by_version for each in _of_version(version, [*found]))


def exceeded_of(found: Iterable[Overreach], window: Window) -> tuple[Exceeded, ...]:
    """Return what somebody must answer for, by version: what is known to be outside.

    Args:
        found: What was found.
        window: Of which window.
    """
    by_version: dict[str, list[Overreach]] = {}
    for each in found:
        if each.excess in KNOWN and each.rows:
            by_version.setdefault(each.version, []).append(each)
    return tuple(
        Exceeded(
            version,
            sum(each.rows for each in mine),
            max(each.last for each in mine),
            f"in {window} {' and '.join(_told(each) for each in mine)}",
        )
        for version, mine in by_version.items()
    )


def _told(each: Overreach) -> str:
    decisions = f"{each.rows:,} decision{'s' * (each.rows != 1)}"
    match each.excess:
        case Excess.UNKNOWN_VERSION:
            return f"{decisions} while nobody knew the version"
        case Excess.CONDITION_BROKEN if each.condition == HUMAN_REVIEW_SHARE:
            return f"{decisions} short of the share of {each.bound:g} that a person looks at"
        case Excess.CONDITION_BROKEN:
            return f"{decisions} with {each.condition} beyond {each.bound:g}"
        case _:
            return f"{decisions} while the version was not to act"


def _of_version(version: str, tallies: Sequence[Tally]) -> Iterator[Overreach]:
    rows: dict[Excess, int] = {}
    last: dict[Excess, datetime] = {}
    for tally in tallies:
        for excess, number in _outside(tally):
            rows[excess] = rows.get(excess, 0) + number
            last[excess] = max(last.get(excess, tally.last), tally.last)
    yield from (Overreach(version, excess, rows[excess], last[excess]) for excess in sorted(rows))
    conditioned = [tally for tally in tallies if tally.spell.conditions]
    for name in sorted({name for tally in conditioned for name in tally.spell.conditions}):
        under = [tally for tally in conditioned if name in tally.spell.conditions]
        yield from (_share if name == HUMAN_REVIEW_SHARE else _column)(version, name, under)


def _outside(tally: Tally) -> Iterator[tuple[Excess, int]]:
    """Yield the decisions of a tally that were made though the version was not to act."""
    excess = _OF_REGIME.get(tally.spell.regime)
    if excess is None:
        return
    rows = tally.rows
    if tally.reviewed is not None and tally.unmarked is not None:
        rows -= tally.reviewed + tally.unmarked
        if tally.unmarked:
            yield Excess.UNDECIDED, tally.unmarked
    if rows:
        yield excess, rows


def _column(version: str, name: str, tallies: Sequence[Tally]) -> Iterator[Overreach]:
    bound = max(tally.spell.conditions[name] for tally in tallies)
    over = [tally for tally in tallies if tally.over[name]]
    last = max((tally.last_over or tally.last for tally in over), default=_last(tallies))
    rows = sum(tally.over[name] for tally in tallies)
    yield Overreach(version, Excess.CONDITION_BROKEN, rows, last, name, bound)
    unknown = sum(tally.unknown[name] for tally in tallies)
    if unknown:
        yield Overreach(version, Excess.CONDITION_UNKNOWN, unknown, _last(tallies), name, bound)


def _share(version: str, name: str, tallies: Sequence[Tally]) -> Iterator[Overreach]:
    """Yield how many decisions more a person should have looked at, in whole ones."""
    bound = min(tally.spell.conditions[name] for tally in tallies)
    wanted = floor(sum(tally.spell.conditions[name] * tally.rows for tally in tallies) + _WHOLE)
    short = wanted - sum(tally.reviewed or 0 for tally in tallies)
    unmarked = sum(tally.unmarked or 0 for tally in tallies)
    last = _last(tallies)
    yield Overreach(version, Excess.CONDITION_BROKEN, max(0, short - unmarked), last, name, bound)
    if short > 0 and unmarked:
        yield Overreach(version, Excess.CONDITION_UNKNOWN, unmarked, last, name, bound)


def _last(tallies: Iterable[Tally]) -> datetime:
    return max(tally.last for tally in tallies)


def _of_whole(run: Run, answered: Sequence[Answered]) -> Iterator[Overreach]:
    """Yield the decisions of a window of which nobody counted when they were made."""
    timetable = timetable_of(answered, run.window, None)
    if timetable is None or timetable.strangers[0].regime is Regime.UNRECORDED:
        return
    rows: Mapping[str, int] = {**run.accounting.profiled, **run.accounting.unregistered}
    for version, number in sorted(rows.items()):
        excess = _at_all_times(timetable.of(version))
        if number and excess is not None:
            yield Overreach(version, excess, number, run.window.end)


def _at_all_times(spells: Sequence[Spell]) -> Excess | None:
    allowed = [spell.regime in {Regime.ALLOWED, Regime.CONDITIONED} for spell in spells]
    if all(allowed):
        return None
    if any(allowed):
        return Excess.UNDECIDED
    known = any(spell.regime is not Regime.UNKNOWN for spell in spells)
    return Excess.NOT_ACTING if known else Excess.UNKNOWN_VERSION
