"""One execution for one model and window."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from msgspec import Struct

from monitor.domain.finding import Finding
from monitor.domain.manifest import UNLISTED, Accounting, Listing, Manifest
from monitor.domain.reading import Reading
from monitor.domain.reference import Composition
from monitor.domain.schema import SchemaChange
from monitor.domain.window import Window


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    NO_DATA = "no_data"
    FAILED = "failed"


def run_identity(  # noqa: PLR0917  # six nouns, each of another type
    model: str,
    window: Window,
    policy: str,
    baselines: Mapping[str, str],
    manifest: str,
    timetable: str = "",
) -> str:
    """Return the digest under which a result is stored once and only once.

    What it is held against besides baselines is added by `reference.held_identity`.

    Args:
        model: Name of the model.
        window: The window.
        policy: Digest of the policy.
        baselines: Digest of the baseline of each version.
        manifest: Digest of the data.
        timetable: Digest of what versions were allowed when; "" where nothing was counted by it.
    """
    parts = [model, window.start.isoformat(), window.end.isoformat(), policy, manifest]
    parts += [f"{version}={digest}" for version, digest in sorted(baselines.items())]
    parts += [f"timetable {timetable}"] if timetable else []
    return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class VersionResult(Struct, frozen=True):
    """What one run found for one model version.

    Attributes:
        version: The model version.
        baseline: Digest of the baseline it was held against; "" when it has none.
        rows: Rows profiled.
        profile: The profile in its bytes form; empty when there was no baseline grid.
        readings: Everything measured.
        findings: Everything judged.
    """

    version: str
    baseline: str
    rows: int
    profile: bytes
    readings: tuple[Reading, ...]
    findings: tuple[Finding, ...]


class Run(Struct, frozen=True):
    """One execution for one model and window, with all that it found.

    Attributes:
        model: Name of the model.
        window: The window.
        identity: `run_identity` of its inputs, with what its references were made of.
        policy: Digest of the policy.
        manifest: The data.
        accounting: The rows.
        outcome: How it ended; a failed run has no results and is not a revision.
        started: When the run began, by the clock.
        finished: When it ended.
        code: Version of modelmon.
        last_event: The latest event time in the window; None without rows.
        listing: The files that it rests on, as they were listed before any was read.
        results: One for each version with rows.
        findings: Findings on the log as a whole (freshness, volume), which no version owns.
        readings: Readings on the log as a whole.
        schema_changes: How the columns of its files differ from those of the baselines.
        e_value: The evidence of drift in all fields together, at most 1 on average when there is
            none; None when nothing could be tested.
        inputs: `run_identity`: of all that its profiles were made from; "" in runs of before
            references, whose identity it is.
        compositions: What the references were made of that it was held against.
    """

    model: str
    window: Window
    identity: str
    policy: str
    manifest: Manifest
    accounting: Accounting
    outcome: Outcome
    started: datetime
    finished: datetime
    code: str
    last_event: datetime | None = None
    listing: Listing = UNLISTED
    results: tuple[VersionResult, ...] = ()
    readings: tuple[Reading, ...] = ()
    findings: tuple[Finding, ...] = ()
    schema_changes: tuple[SchemaChange, ...] = ()
    e_value: float | None = None
    inputs: str = ""
    compositions: tuple[Composition, ...] = ()


class Failure(Struct, frozen=True):
    """A run that did not end: what went wrong, for the SRE."""

    model: str
    window: Window | None
    started: datetime
    finished: datetime
    error: str
    explanation: str
    code: str
