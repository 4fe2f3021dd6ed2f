"""A reading, judged."""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct, field

from monitor.domain.limit import Band, Limit
from monitor.domain.reading import Reading


class Verdict(StrEnum):
    """The judgement of one reading under one limit."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why the verdict is what it is."""

    WITHIN = "within"
    """Inside the limit; for a disparity, the whole interval is inside: evidence of parity."""
    BEYOND_WARNING = "beyond_warning"
    BEYOND_CRITICAL = "beyond_critical"
    BREACH = "breach"
    """Disparity: the joint interval lies wholly outside the band."""
    SUSPECTED = "suspected"
    """Disparity: outside the band, and more than chance explains after adjustment."""
    REVIEW = "review"
    """Disparity: inside the band, but more than chance explains before adjustment."""
    INCONCLUSIVE = "inconclusive"
    """Disparity: the evidence supports neither parity nor disparity."""
    INSUFFICIENT_DATA = "insufficient_data"
    UNDEFINED = "undefined"
    NO_DATA = "no_data"
    MISSING_COLUMN = "missing_column"
    NO_LABELS = "no_labels"
    NO_BASELINE = "no_baseline"
    REFERENCE_UNAVAILABLE = "reference_unavailable"
    LEFT_OUT = "left_out"


class Evidence(Struct, frozen=True):
    """How surely a reading is beyond one bound of its limit.

    Attributes:
        tolerance: What was tolerated: the bound, or the floor where that is larger.
        floor: What the baseline's own windows reach; 0 when they agree or are too few.
        windows: How many of the baseline's windows said so; None for a measure that asks none.
        p_value: At most so probable is a reading of this size while the truth is within the
            tolerance.
        p_adjusted: The same, adjusted for all tests of its family.
        tests: How many tests were adjusted together.
    """

    tolerance: float
    floor: float
    windows: int | None
    p_value: float
    p_adjusted: float
    tests: int


class Finding(Struct, frozen=True):
    """A verdict with the reading and the limit that led to it.

    Attributes:
        reading: What was measured.
        limit: The limit it was judged by.
        verdict: The judgement.
        reason: Why, as one word.
        explanation: Why, as a sentence with the numbers in it.
        evidence: By the verdict it would lead to, for a reading that was tested; else empty.
    """

    reading: Reading
    limit: Limit | Band
    verdict: Verdict
    reason: Reason
    explanation: str
    evidence: Mapping[Verdict, Evidence] = field(default_factory=dict)

    @property
    def decided_by(self) -> Evidence | None:
        """Return the test that led to the verdict: that of the bound exceeded, else the nearest."""
        of_verdict = self.evidence.get(self.verdict)
        nearest = self.evidence.get(Verdict.WARNING, self.evidence.get(Verdict.CRITICAL))
        return of_verdict or nearest

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that say what was measured on what, never the value."""
        subject = self.reading.subject
        parts: tuple[str, ...] = (
            self.reading.measure,
            subject.model,
            subject.version,
            subject.field,
            subject.population,
            subject.group,
        )
        if subject.reference:  # what is held against the baseline is named as it always was
            parts = (*parts, f"against={subject.reference}")
        if subject.segment:
            parts = (*parts, f"segment={subject.segment}", f"value={subject.segment_value}")
        if subject.stratum:
            parts = (*parts, f"stratum={subject.stratum}")
        if subject.class_name:
            parts = (*parts, f"class={subject.class_name}")
        return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
