"""A finding without what would let small groups be made out, for readers who are not known."""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.finding import Finding, Reason
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.domain.window import Window
from monitor.engine.why import Moment, Why
from monitor.engine.withheld import Withheld
from monitor.measures.attribution.components import Components
from monitor.measures.attribution.mix import Decomposition, GroupShift
from monitor.measures.attribution.part import Attribution, Part

NOT_SHOWN = "not shown: a group is so small that somebody in it could be made out"
"""Stands in the place of every number that is left out."""

Small = Callable[[Window, int], Withheld]
"""What is left out of a revision of a window."""


class Told(Struct, frozen=True):
    """What may be shown of a finding.

    Attributes:
        why: The finding, with `Unmeasurable` in the place of each number that is left out.
        shown: Whether its own numbers are there.
        silent: Windows of its history whose numbers are left out.
        rows: Whether the numbers of rows that it rests on may be shown.
        beside: What was found of the other groups of its population by the same measure.
    """

    why: Why
    shown: bool
    silent: frozenset[Window]
    rows: bool
    beside: tuple[Finding, ...] = ()


def redacted(why: Why, policy: Policy, small: Small) -> Told:
    """Return a finding without the counts that metrics and reports leave out as well.

    Verdicts and alarms stay: they are told of small groups too. What is taken apart by groups is
    shown wholly or not at all, because what is missing of a sum can be worked out.

    Args:
        why: The finding.
        policy: The policy in force: declares the populations, and what is small.
        small: What is left out of the groups of a run.
    """
    if not policy.suppress_in_metrics:
        return Told(why, shown=True, silent=frozenset(), rows=True, beside=_beside(why))
    here = small(why.run.window, why.revision)
    finding = told(why.finding, policy, here)
    history = tuple(_moment(moment, policy, small) for moment in why.history)
    silent = {
        item.window
        for item, before in zip(history, why.history, strict=True)
        if before.finding is not None
        and isinstance(before.finding.reading.result, Estimate)
        and item.finding is not before.finding
    }
    version = why.finding.reading.subject.version
    left = replace(
        why,
        finding=finding,
        history=history,
        parts=_parts(why, finding, policy, here),
        decompositions=_decompositions(why.decompositions, version, policy, here),
        slices=tuple(item for item in why.slices if told(item, policy, here) is item),
    )
    shown = finding is why.finding or isinstance(why.finding.reading.result, Unmeasurable)
    # Rows of strata tell by what they lack of all rows how many are in the others.
    rows = shown and not why.finding.reading.subject.stratum
    beside = tuple(told(item, policy, here) for item in _beside(why))
    return Told(left, shown, frozenset(silent), rows, beside)


def told(finding: Finding, policy: Policy, small: Withheld) -> Finding:
    """Return a finding as it may be shown: itself, or without its numbers."""
    reading = finding.reading
    if not policy.suppress_in_metrics:
        return finding
    if isinstance(reading.result, Unmeasurable):
        # Its sentence has counts that nothing else was shown with.
        of_groups = reading.subject.population or _segmented(reading, policy)
        return _without_counts(finding, reading.result) if of_groups else finding
    if _tells(reading, policy, small):
        return finding
    absent = Unmeasurable(Absence.INSUFFICIENT_DATA, NOT_SHOWN)
    return replace(
        finding,
        reading=replace(reading, result=absent),
        explanation=NOT_SHOWN,
        evidence={},
    )


def _beside(why: Why) -> tuple[Finding, ...]:
    own = why.finding.reading
    if not own.subject.population:
        return ()
    return tuple(
        item
        for result in why.run.results
        for item in result.findings
        if item.reading.measure == own.measure
        and item.reading.subject != own.subject
        and replace(item.reading.subject, group="", reference_group="")
        == replace(own.subject, group="", reference_group="")
    )


def _without_counts(finding: Finding, absent: Unmeasurable) -> Finding:
    few = absent.reason is Absence.INSUFFICIENT_DATA or finding.reason is Reason.INSUFFICIENT_DATA
    text = "too few rows" if few else absent.reason.value.replace("_", " ")
    result = Unmeasurable(absent.reason, text)
    return replace(
        finding, reading=replace(finding.reading, result=result), explanation=text, evidence={}
    )


def _tells(reading: Reading, policy: Policy, small: Withheld) -> bool:
    if not small.tells(reading, baseline=True):
        return False
    protected = _segmented(reading, policy)
    if not protected or not isinstance(reading.result, Estimate):
        return True
    counts = (reading.result.n, reading.result.n_reference)
    return _whole(protected, reading.subject.version, policy, small) and _large(counts, policy)


def _segmented(reading: Reading, policy: Policy) -> set[str]:
    """Return the protected attributes that the slice of a reading is made by."""
    name = reading.subject.segment
    return {
        attribute
        for item in policy.segments
        if item.name == name
        for attribute in _protected(policy, item.columns)
    }


def _moment(moment: Moment, policy: Policy, small: Small) -> Moment:
    subject = None if moment.finding is None else moment.finding.reading.subject
    if moment.finding is None or subject is None or not (subject.population or subject.segment):
        return moment
    shown = told(moment.finding, policy, small(moment.window, moment.revision))
    return moment if shown is moment.finding else replace(moment, finding=shown)


def _parts(
    why: Why, shown: Finding, policy: Policy, small: Withheld
) -> Attribution | Components | Unmeasurable | None:
    """Return the parts of a field's number; those of a protected attribute if all are large."""
    if shown is not why.finding and isinstance(shown.reading.result, Unmeasurable):
        return None if why.parts is None else shown.reading.result
    if not isinstance(why.parts, Attribution):
        return why.parts
    subject = why.finding.reading.subject
    columns = {item.column for item in policy.fields if item.name == subject.field}
    protected = _protected(policy, columns)
    if not protected:
        return why.parts
    counts = (count for part in why.parts.parts for count in _counts(part))
    if _whole(protected, subject.version, policy, small) and _large(counts, policy):
        return why.parts
    return Unmeasurable(Absence.INSUFFICIENT_DATA, NOT_SHOWN)


def _counts(part: Part) -> Iterable[int]:
    for item in (part, *part.members):
        yield from (item.rows_then, item.rows_now)


def _decompositions(
    found: Mapping[str, Decomposition | Unmeasurable],
    version: str,
    policy: Policy,
    small: Withheld,
) -> Mapping[str, Decomposition | Unmeasurable]:
    segments = {item.name: item.columns for item in policy.segments}
    attributes = {item.name: set(item.attributes) for item in policy.populations}
    shown: dict[str, Decomposition | Unmeasurable] = {}
    for name, item in found.items():
        protected = attributes.get(name) or _protected(policy, segments.get(name, ()))
        if not isinstance(item, Decomposition) or not protected:
            shown[name] = item
            continue
        counts = (count for group in item.groups for count in _sides(group))
        whole = _whole(protected, version, policy, small) and _large(counts, policy)
        shown[name] = item if whole else Unmeasurable(Absence.INSUFFICIENT_DATA, NOT_SHOWN)
    return shown


def _sides(group: GroupShift) -> Iterable[int]:
    """Yield the rows of a group, those that count in its rate, and those that do not."""
    for rows, value in ((group.rows_then, group.value_then), (group.rows_now, group.value_now)):
        counted = round((value or 0.0) * rows)
        yield from (rows, counted, rows - counted)


def _protected(policy: Policy, columns: Iterable[str]) -> set[str]:
    """Return the protected attributes that are made of some columns."""
    named = set(columns)
    return {name for name, item in policy.attributes.items() if item.column in named}


def _whole(attributes: set[str], version: str, policy: Policy, small: Withheld) -> bool:
    """Return whether nothing is left out of the populations that tell of some attributes.

    A crossing tells of all its attributes, and each of them of its other crossings.
    """
    known, before = set(attributes), set[str]()
    while known != before:
        before = set(known)
        for item in policy.populations:
            if known & set(item.attributes):
                known |= set(item.attributes)
    return all(
        small.whole(version, item.name)
        for item in policy.populations
        if known & set(item.attributes)
    )


def _large(counts: Iterable[int], policy: Policy) -> bool:
    return all(count == 0 or count >= policy.suppress_below for count in counts)
