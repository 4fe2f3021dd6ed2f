"""What versions were allowed when within a window, from what the gate recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.domain.governance import HUMAN_REVIEW_SHARE, GateAction
from monitor.domain.timetable import Regime, ReviewMark, Spell, Timetable
from monitor.domain.window import Window
from monitor.engine.answering import Answered

SOONER = timedelta(seconds=10)
"""How long before it was recorded an answer may have been given: the replica that records is so far
behind another one at most, since none answers that has not read the store for so long."""


def timetable_of(
    answered: Sequence[Answered], window: Window, mark: ReviewMark | None
) -> Timetable | None:
    """Return what each version was allowed when; None where nothing was recorded by then.

    A permit may be used until it lapses, so that a version is held to be allowed whatever one of
    the permits allowed that could still be used: nobody is accused for a cache. Answers are recorded
    when they are given, so that all of a window are there once the window is over; what is recorded
    after that does not reach back into it.

    Args:
        answered: Everything that the gate answered for the model, in any order.
        window: The window.
        mark: How the log shows that a person looked at a decision.
    """
    since = min((each.at for each in answered), default=None)
    if since is None or since >= window.end:
        return None
    mine: dict[str, list[Answered]] = {}
    for each in sorted(answered, key=lambda each: each.at):
        if each.at < window.end:
            mine.setdefault(each.answer.version, []).append(each)
    versions = {version: _spells(found, window, since) for version, found in sorted(mine.items())}
    return Timetable(versions, _spells([], window, since), mark)


def _spells(mine: Sequence[Answered], window: Window, since: datetime) -> tuple[Spell, ...]:
    spans = [_usable(mine, place, window) for place in range(len(mine))]
    edges = {window.start, window.end, since, *(edge for span in spans for edge in span)}
    within = sorted(edge for edge in edges if window.start <= edge <= window.end)
    spells: list[Spell] = []
    for start, end in pairwise(within):
        usable = [each for each, (b, e) in zip(mine, spans, strict=True) if b <= start < e]
        if start < since:
            regime, conditions = Regime.UNRECORDED, dict[str, float]()
        else:
            regime, conditions = _regime(usable)
        if spells and (spells[-1].regime, spells[-1].conditions) == (regime, conditions):
            start = spells.pop().start  # noqa: PLW2901  # nothing changed at this edge
        spells.append(Spell(start, end, regime, conditions))
    return tuple(spells)


def _usable(mine: Sequence[Answered], place: int, window: Window) -> tuple[datetime, datetime]:
    """Return from when until when an answer could be used."""
    this, last = mine[place], place + 1 == len(mine)
    if not this.answer.acts:
        return this.at, window.end if last else mine[place + 1].at
    return this.at - SOONER, window.end if last else mine[place + 1].at + this.lasts


def _regime(usable: Sequence[Answered]) -> tuple[Regime, dict[str, float]]:
    """Return the most that one of some answers allows, and within what."""
    acting = [each.answer for each in usable if each.answer.acts]
    if not usable:
        return Regime.UNKNOWN, {}
    if not acting:
        routed = any(each.answer.action is GateAction.ROUTE_TO_HUMAN for each in usable)
        return (Regime.ROUTED if routed else Regime.REFUSED), {}
    conditions = _widest([answer.conditions for answer in acting])
    return (Regime.CONDITIONED, conditions) if conditions else (Regime.ALLOWED, {})


def _widest(conditions: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the bounds beyond which each of some permits is broken."""
    names = set(conditions[0]).intersection(*conditions[1:])
    return {
        name: (min if name == HUMAN_REVIEW_SHARE else max)(each[name] for each in conditions)
        for name in sorted(names)
    }
