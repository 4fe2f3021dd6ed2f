"""A reading, judged."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

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


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict with the reading and the limit that led to it.

    Attributes:
        reading: What was measured.
        limit: The limit it was judged by.
        verdict: The judgement.
        reason: Why, as one word.
        explanation: Why, as a sentence with the numbers in it.
    """

    reading: Reading
    limit: Limit | Band
    verdict: Verdict
    reason: Reason
    explanation: str

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that say what was measured on what, never the value."""
        subject = self.reading.subject
        parts = (
            self.reading.measure,
            subject.model,
            subject.version,
            subject.field,
            subject.population,
            subject.group,
        )
        return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
