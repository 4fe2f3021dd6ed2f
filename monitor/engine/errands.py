"""What a registry is to be told is told: in order, again until it is taken, and nothing twice."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.errors import PrunedError, RegistryError
from monitor.domain.registry import Errand, ErrandKind
from monitor.engine.ports import Clock
from monitor.engine.registry import MonitoringRun, Registry, RegistryMemory
from monitor.governance.log import Happened
from monitor.governance.registry_events import errand_ended

_FIRST = timedelta(seconds=5)
_LONGEST = timedelta(minutes=5)
"""Time to the second try, twice as long to each further one, and the longest there is."""

_AT_ONCE = 50
"""Windows whose results are told in one go, so that what takes authority away never waits long."""

_URGENT = (ErrandKind.ALIAS, ErrandKind.STATE)

_SUPERSEDED = "a later one tells more"


class Delivery(Struct, frozen=True):
    """How errands get to the registry.

    Attributes:
        registry: The registry.
        memory: Where they wait.
        clock: The time of day.
        names: Watched model to its name in the registry; errands of others wait.
        results: Errand on a window to what is told of it.
        stopping: Whether to begin no further one.
        enough: Whether, once a window's results were told, others wait until the next time:
            something else is due.
    """

    registry: Registry
    memory: RegistryMemory
    clock: Clock
    names: Mapping[str, str]
    results: Callable[[Errand], Sequence[MonitoringRun]]
    stopping: Callable[[], bool] = lambda: False
    enough: Callable[[], bool] = lambda: False


def deliver(delivery: Delivery, *, at_once: bool = False) -> int:
    """Tell the registry what it has not taken yet, and return how much it has taken.

    Aliases and tags come first. What a later errand on the same tags tells anew is left out. A
    registry that cannot be asked is left alone until the next time; one that refuses an errand is
    told the others.

    Args:
        delivery: How.
        at_once: Try also what was in vain a short while ago: the registry is back.
    """
    taken = windows = 0
    for errand in _in_order(delivery.memory):
        due = at_once or errand.due_at <= delivery.clock.now()
        if not due or errand.model not in delivery.names:
            continue
        waits = errand.kind is ErrandKind.RESULTS and windows > 0 and delivery.enough()
        if waits or delivery.stopping():
            break
        windows += errand.kind is ErrandKind.RESULTS
        try:
            told = _tell(delivery, errand)
        except PrunedError as error:
            _too_late(delivery, errand, error)
        except RegistryError as error:
            _in_vain(delivery, errand, error)
            if error.retryable:
                break
        else:
            _taken(delivery, errand, told)
            taken += 1
    return taken


def _in_order(memory: RegistryMemory) -> Sequence[Errand]:
    """Return what waits: aliases, the last tags of each version, some windows."""
    urgent = memory.waiting(_URGENT)
    last = {(each.model, each.version): each for each in urgent if each.kind is ErrandKind.STATE}
    for each in urgent:
        if each.kind is ErrandKind.STATE and last[each.model, each.version] is not each:
            memory.settle(replace(each, done_at=each.made_at, error=_SUPERSEDED), ())
    aliases = [each for each in urgent if each.kind is ErrandKind.ALIAS]
    return [*aliases, *last.values(), *memory.waiting((ErrandKind.RESULTS,), _AT_ONCE)]


def _tell(delivery: Delivery, errand: Errand) -> str:
    """Tell the registry, and return what became of it in words."""
    name, payload = delivery.names[errand.model], errand.payload
    match errand.kind:
        case ErrandKind.STATE:
            tags = {key: str(value) for key, value in payload.items()}
            delivery.registry.set_state(name, errand.version, tags)
            return "the tags are there"
        case ErrandKind.ALIAS:
            alias, to = str(payload["alias"]), str(payload["to"])
            named = delivery.registry.demote(name, alias, errand.version, to)
            if named == errand.version:
                raise RegistryError(
                    f"the alias {alias} of {name} names {named} again right after it was moved",
                    retryable=True,
                )
            return f"the alias {alias} names {named or 'nothing'}"
        case ErrandKind.RESULTS:
            runs = [delivery.registry.record(run) for run in delivery.results(errand)]
            return f"written to {', '.join(runs) or 'no run: the window has no results'}"


def _taken(delivery: Delivery, errand: Errand, told: str) -> None:
    now = delivery.clock.now()
    happened = () if errand.kind is ErrandKind.RESULTS else (_event(errand, now, told, taken=True),)
    delivery.memory.settle(replace(errand, done_at=now, error=""), happened)


def _in_vain(delivery: Delivery, errand: Errand, error: RegistryError) -> None:
    now, attempts = delivery.clock.now(), errand.attempts + 1
    pause = min(_FIRST * 2 ** min(attempts - 1, 10), _LONGEST)
    first = errand.attempts == 0 and errand.kind is not ErrandKind.RESULTS
    happened = (_event(errand, now, str(error), taken=False),) if first else ()
    after = replace(errand, attempts=attempts, error=str(error), due_at=now + pause)
    delivery.memory.settle(after, happened)


def _too_late(delivery: Delivery, errand: Errand, error: PrunedError) -> None:
    """Give up an errand on results that were pruned before the registry had taken them."""
    now = delivery.clock.now()
    happened = (_event(errand, now, str(error), taken=False),)
    delivery.memory.settle(replace(errand, done_at=now, error=str(error)), happened)


def _event(errand: Errand, at: datetime, told: str, *, taken: bool) -> Happened:
    return errand_ended(errand, at, taken=taken, told=told)
