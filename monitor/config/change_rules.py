"""What a change of one value does: tighten, loosen or neither."""

import json
from collections.abc import Callable, Iterable
from math import inf
from typing import Any

from pydantic_core import PydanticCustomError

from monitor.config.values import NEVER, parse_duration, parse_instant, parse_persistence
from monitor.domain.change import ChangeClass
from monitor.measures.names import MEASURE_NAMES

Path = tuple[str, ...]
Rule = Callable[[Path, Any, Any], ChangeClass]
"""What a change does, of the key at a path, from a value to another; None where there is no key."""


def always(change: ChangeClass) -> Rule:
    """Return the rule that any change does the same."""
    return lambda _path, _before, _after: change


LOOSENS = always(ChangeClass.LOOSEN)
NEUTRAL = always(ChangeClass.NEUTRAL)


def added(_path: Path, before: Any, _after: Any) -> ChangeClass:
    """What was not there before is watched as well; anything else that changes is watched otherwise."""
    return ChangeClass.TIGHTEN if before is None else ChangeClass.LOOSEN


def besides(path: Path, before: Any, after: Any) -> ChangeClass:
    """As `added`, of a key that only has more measured of what is there."""
    return added(path, before, after)


def named(_path: Path, before: Any, _after: Any) -> ChangeClass:
    """An answer that was not there takes nothing away; another answer is another agreement."""
    return ChangeClass.NEUTRAL if before is None else ChangeClass.LOOSEN


def smaller(_path: Path, before: Any, after: Any) -> ChangeClass:
    """Less tightens, and nothing at all is without bound."""
    return _from_to(_size(before, inf), _size(after, inf))


def larger(_path: Path, before: Any, after: Any) -> ChangeClass:
    """More tightens, and nothing at all is less than any."""
    return _from_to(-_size(before, -inf), -_size(after, -inf))


def left_out(_path: Path, before: Any, after: Any) -> ChangeClass:
    """Less that is left out tightens, and without the key nothing is."""
    return _from_to(_size(before, 0.0), _size(after, 0.0))


def bound(path: Path, before: Any, after: Any) -> ChangeClass:
    """A limit tightens downwards, and a floor upwards."""
    measure = next(part for part in path if part in MEASURE_NAMES)
    rule = larger if MEASURE_NAMES[measure].floor else smaller
    return rule(path, before, after)


def condition(path: Path, before: Any, after: Any) -> ChangeClass:
    """What a machine may do at most tightens downwards; what people look at, upwards."""
    rule = larger if path[-1] == "human_review_share" else smaller
    return rule(path, before, after)


def ordered(*names: str) -> Rule:
    """Return the rule that later ones of some values tighten; no value is before the first."""

    def rule(_path: Path, before: Any, after: Any) -> ChangeClass:
        places = [names.index(value) if value in names else -1 for value in (after, before)]
        return _from_to(*map(float, places))

    return rule


def without(value: str, rule: Rule) -> Rule:
    """Return a rule of a key that says a value where it is not there."""
    return lambda path, before, after: rule(path, before or value, after or value)


def more(_path: Path, before: Any, after: Any) -> ChangeClass:
    """More entries tighten; one that is gone loosens, whatever came in its place."""
    was, now = _entries(before), _entries(after)
    if was == now:
        return ChangeClass.NEUTRAL
    return ChangeClass.TIGHTEN if was < now else ChangeClass.LOOSEN


def fewer(path: Path, before: Any, after: Any) -> ChangeClass:
    """Fewer entries tighten; one that came loosens, whatever went for it."""
    return more(path, after, before) if _entries(before) != _entries(after) else ChangeClass.NEUTRAL


def duty(path: Path, before: Any, after: Any) -> ChangeClass:
    """Fewer people tighten; where nobody is left, nobody stops, agrees or asks any more."""
    return fewer(path, before, after) if after else ChangeClass.LOOSEN


def about(path: Path, before: Any, after: Any) -> ChangeClass:
    """More entries tighten, and none at all means everything; of a limit that is new, any do."""
    if before and after:
        return more(path, before, after)
    if before is None or after is None:  # the limit itself came, or went
        return ChangeClass.TIGHTEN if before is None else ChangeClass.LOOSEN
    return ChangeClass.TIGHTEN if before else ChangeClass.LOOSEN


def persistence(_path: Path, before: Any, after: Any) -> ChangeClass:
    """Fewer windows out of as many or more tighten."""
    (needed, of), (needs, now_of) = parse_persistence(before), parse_persistence(after)
    if (needs, now_of) == (needed, of):
        return ChangeClass.NEUTRAL
    return ChangeClass.TIGHTEN if needs <= needed and now_of >= of else ChangeClass.LOOSEN


def earlier(_path: Path, before: Any, after: Any) -> ChangeClass:
    """An earlier start tightens; without one, windows start where the baseline ends."""
    if before is None or after is None:
        return ChangeClass.LOOSEN
    return _from_to(parse_instant(before).timestamp(), parse_instant(after).timestamp())


def later(_path: Path, before: Any, after: Any) -> ChangeClass:
    """A later end tightens, and none at all is the latest."""
    ends = [inf if value is None else parse_instant(value).timestamp() for value in (after, before)]
    return _from_to(*ends)


def _from_to(before: float, after: float) -> ChangeClass:
    if before == after:
        return ChangeClass.NEUTRAL
    return ChangeClass.TIGHTEN if after < before else ChangeClass.LOOSEN


def _size(value: Any, nothing: float) -> float:
    if value is None or value == NEVER:
        return nothing
    if isinstance(value, int | float):
        return float(value)
    try:
        return parse_duration(value).total_seconds()
    except PydanticCustomError:
        return nothing


def _entries(values: Iterable[Any] | None) -> frozenset[str]:
    return frozenset(json.dumps(value, sort_keys=True) for value in values or ())
