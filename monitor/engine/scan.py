"""Which slices of the rows carry what was found of all of them."""

from collections.abc import Iterable

from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding
from monitor.measures.slices import CARRIED

_STEPS = 10
"""Slices that carry the same in tenths are told apart by their size: chance moves less than a tenth
from one slice to another."""


def carriers(finding: Finding, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what the scan of slices found of the same measure and field, `foremost` first.

    Nothing for a finding that is itself of a slice, of a group, or against another reference.

    Args:
        finding: Of all rows.
        findings: All those of its version and window.
    """
    subject = finding.reading.subject
    if subject.segment or subject.reference or subject.population:
        return ()
    return foremost(
        item
        for item in findings
        if item.reading.subject.scanned
        and item.reading.measure == finding.reading.measure
        and item.reading.subject.field == subject.field
        and isinstance(item.reading.result, Estimate)
    )


def foremost(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings of slices in the order of what they carry, most first.

    Of slices that carry the same tenth, the smaller one comes first: it says more closely where the
    drift is, as a crossing does of which one value alone has it.
    """
    return tuple(
        sorted(
            findings,
            key=lambda item: (-round(_STEPS * (carried(item) or 0.0)), item.reading.result.n),
        )
    )


def carried(finding: Finding) -> float | None:
    """Return what a slice carries of the drift of all rows; None where these did not drift."""
    result = finding.reading.result
    return result.detail.get(CARRIED) if isinstance(result, Estimate) else None
