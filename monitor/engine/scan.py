"""Which slices of the rows carry what was found of all of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import inf
from operator import itemgetter

from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Verdict
from monitor.measures.slices import CARRIED

_APART = 0.1
"""Slices that carry less than this apart are told apart by their size: chance moves less than a tenth
from one slice to another."""

_GRAVE_FIRST = (Verdict.CRITICAL, Verdict.WARNING, Verdict.OK, Verdict.UNKNOWN)

ALARMS = frozenset({Verdict.WARNING, Verdict.CRITICAL})
"""What is beyond a limit."""


def carriers(finding: Finding, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what the scan of slices found of the same measure and field, `foremost` first.

    Nothing for a finding that is itself of a slice, of a group, or against another reference.

    Args:
        finding: Of all rows.
        findings: All those of its version and window.
    """
    if not _of_all_rows(finding):
        return ()
    return foremost(
        item
        for item in findings
        if item.reading.subject.scanned
        and _of(item) == _of(finding)
        and isinstance(item.reading.result, Estimate)
    )


def foremost(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings of slices in the order of what they carry, most first.

    Of slices that carry nearly as much, within a tenth, the smaller one comes first: it says more
    closely where the drift is, as a crossing does of which one value alone has it. Of what all rows
    do not show no slice has a part: there the surest finding comes first.
    """
    shares = [(item, carried(item)) for item in findings]
    parts = [(item, part) for item, part in shares if part is not None]
    ranked: list[tuple[int, int, Finding]] = []
    rank, top = 0, inf
    for item, part in sorted(parts, key=itemgetter(1), reverse=True):
        if part <= top - _APART:
            rank, top = rank + 1, part
        ranked.append((rank, item.reading.result.n, item))
    others = sorted((item for item, part in shares if part is None), key=_sureness)
    return (*(item for *_, item in sorted(ranked, key=itemgetter(0, 1))), *others)


def _sureness(finding: Finding) -> tuple[int, float, int]:
    test = finding.decided_by
    return (
        _GRAVE_FIRST.index(finding.verdict),
        1.0 if test is None else test.p_adjusted,
        finding.reading.result.n,
    )


def in_turns(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the `foremost` finding of each measure and field, then the second of each, and so on.

    A drift of all rows is in nearly all slices. Put before everything else it would hide what is in
    one slice only and what all rows do not show, for which slices are looked at.
    """
    told: Counter[tuple[str, str]] = Counter()
    turns: list[tuple[int, Finding]] = []
    for item in foremost(findings):
        turns.append((told[_of(item)], item))
        told[_of(item)] += 1
    return tuple(item for _, item in sorted(turns, key=itemgetter(0)))


def together(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings with those of one measure and field side by side, in the order of the first."""
    first = {_of(item): place for place, item in reversed(list(enumerate(findings)))}
    return tuple(sorted(findings, key=lambda item: first[_of(item)]))


def unseen_in_all_rows(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what is beyond a limit in slices, of measures and fields that are not so of all rows.

    The `foremost` first.

    Args:
        findings: All of a window.
    """
    beyond = [item for item in findings if item.verdict in ALARMS]
    whole = {(item.reading.subject.version, *_of(item)) for item in beyond if _of_all_rows(item)}
    return foremost(
        item
        for item in beyond
        if item.reading.subject.scanned and (item.reading.subject.version, *_of(item)) not in whole
    )


def _of_all_rows(finding: Finding) -> bool:
    subject = finding.reading.subject
    return not (subject.segment or subject.reference or subject.population)


def _of(finding: Finding) -> tuple[str, str]:
    return finding.reading.measure, finding.reading.subject.field


def carried(finding: Finding) -> float | None:
    """Return what a slice carries of the drift of all rows; None where these did not drift."""
    result = finding.reading.result
    return result.detail.get(CARRIED) if isinstance(result, Estimate) else None
