"""What is otherwise than in the report before, or than in the period before."""

from collections.abc import Iterator, Mapping, Sequence

from monitor.engine.period import Period
from monitor.reports.bias.comparisons import ALARMS
from monitor.reports.bias.document import Comparison, MetricTable, Role, VersionPart
from monitor.reports.bias.governed import changed_lines
from monitor.reports.bias.history import Before, Moved, Since

_Key = tuple[str, str, str, str]
"""Version, population, metric and group."""

_SHORT = 12
"""Digits of a digest: enough to name what it is of."""


def before_of(period: Period, digest: str) -> Before:
    """Return what names a period that another is held against.

    Args:
        period: The period.
        digest: Of the report on it; "" where none was named.
    """
    revisions = tuple((item.run.window, item.revision) for item in period.runs)
    return Before(digest, period.span, revisions)


def since_of(
    period: Period, versions: Sequence[VersionPart], then: Period, before: Sequence[VersionPart]
) -> Since:
    """Return what is otherwise in a period than in one before.

    Args:
        period: The period.
        versions: What was found in it.
        then: The one before.
        before: What was found in that.
    """
    old, new = _comparisons(before), _comparisons(versions)
    moved = [_moved(key, old.get(key), new.get(key)) for key in dict.fromkeys((*new, *old))]
    return Since(
        len(old.keys() & new.keys()),
        tuple(item for item in moved if item.before != item.now),
        tuple(_versions(versions, before)),
        then.policy.digest,
        changed_lines(then.policy.text, period.policy.text),
    )


def _comparisons(versions: Sequence[VersionPart]) -> Mapping[_Key, Comparison]:
    return {
        (version.version, population.name, table.metric, item.group): item
        for version in versions
        for population in version.populations
        for table in population.metrics
        for item in _compared(table)
    }


def _compared(table: MetricTable) -> Iterator[Comparison]:
    return (item for item in table.comparisons if item.role is Role.COMPARED)


def _moved(key: _Key, old: Comparison | None, new: Comparison | None) -> Moved:
    before, now = (item.answer if item else "" for item in (old, new))
    alarm, alarm_now = before in ALARMS, now in ALARMS
    return Moved(
        *key,
        before,
        now,
        old.ratio.value if old and old.ratio else None,
        new.ratio.value if new and new.ratio else None,
        None if alarm == alarm_now else alarm_now,
    )


def _versions(versions: Sequence[VersionPart], before: Sequence[VersionPart]) -> Iterator[str]:
    held = {part.version: part.baseline.digest for part in before}
    for part in versions:
        digest = part.baseline.digest
        if part.version not in held:
            yield f"version {part.version} was not in it"
        elif held[part.version] != digest:
            yield f"version {part.version} is held against another baseline, {digest[:_SHORT]}"
    for name in held.keys() - {part.version for part in versions}:
        yield f"version {name} was in it and is not here"
