"""What the engine needs from outside."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from monitor.domain.alert import Alert, AlertEvent, Mute
from monitor.domain.baseline import Baseline
from monitor.domain.finding import Verdict
from monitor.domain.lease import Lease, Replica, Term
from monitor.domain.manifest import UNLISTED, LabelJoin, Listing, Manifest
from monitor.domain.policy import Policy
from monitor.domain.quarantine import Quarantine, QuarantinedFile
from monitor.domain.run import Failure, Outcome, Run
from monitor.domain.timetable import Timetable
from monitor.domain.window import Window
from monitor.engine.answering import Answers
from monitor.engine.authority import Authorities
from monitor.engine.past import PastFinding, RunLine
from monitor.engine.progress import Progress
from monitor.engine.pruning import Prunable
from monitor.engine.recorded_at import RunRecords
from monitor.engine.registry import RegistryMemory
from monitor.engine.revisited import Revisited
from monitor.engine.survey import Survey
from monitor.engine.used import PolicyHistory
from monitor.governance.record import Actor

if TYPE_CHECKING:  # what only reads the store waits for no statistics to be loaded
    from monitor.engine.counting import Counted, Task
    from monitor.profile.grid import Grid


class Clock(Protocol):
    """The time of day."""

    def now(self) -> datetime:
        """Return the present instant with a time zone."""
        ...


class Scan(Struct, frozen=True):
    """Which parts of a log may hold rows of a window.

    Attributes:
        window: The window.
        tasks: The parts, in the order of their paths.
        manifest: The files they come from, with the label files, and files left out.
        unplaced: Paths of log files of which nothing says when their rows are from: they are read
            for every window, and are news for none.
        timetable: By what a version was allowed when its rows are counted as well; None: they are not.
    """

    window: Window
    tasks: "tuple[Task, ...]"
    manifest: Manifest
    unplaced: frozenset[str] = frozenset()
    timetable: Timetable | None = None

    @property
    def listing(self) -> Listing:
        """Return digests of the usable files that concern the window."""
        return self.listing_of(self.manifest)

    def listing_of(self, manifest: Manifest) -> Listing:
        """Return the listing of what reading the scan left of its files."""
        placed = (file for file in manifest.files if file.path not in self.unplaced)
        return Listing.of(placed, manifest.labels)


class TaskCounter(Protocol):
    """The pure, picklable function that counts one task."""

    @property
    def joined(self) -> LabelJoin | None:
        """Return how the label table was joined; None when there is none."""
        ...

    def __call__(self, task: "Task") -> "Counted":
        """Return the counts of one task."""
        ...

    def complete(self) -> "TaskCounter":
        """Return the function with what only counting needs, for it is dear: rows that repeat others."""
        ...


class Source(Revisited, Protocol):
    """An inference log.

    A file that the quarantine holds is not opened, and yet named with the reason it had last.
    """

    def survey(self, quarantine: Quarantine | None = None) -> Survey:
        """Return what the log is as a whole, from footers where they say so.

        Raises:
            SourceError: The log cannot be reached.
        """
        ...

    def scan(self, window: Window, quarantine: Quarantine | None = None) -> Scan:
        """Return what would be read for a window, without reading rows.

        Raises:
            SourceError: The log cannot be reached.
        """
        ...

    def listings(
        self, windows: Sequence[Window], quarantine: Quarantine | None = None
    ) -> Mapping[Window, Listing]:
        """Return what `scan` would find listed for each window, from one listing of the log.

        The price is one listing and the footers of new files: a window costs no more than its own.

        Args:
            windows: In their order, none overlapping another.
            quarantine: The files that are not tried now, and so in no listing.

        Raises:
            SourceError: The log cannot be reached.
        """
        ...

    def versions(self, scan: Scan) -> Sequence[str]:
        """Return the model versions that have rows in the scan's window, in order."""
        ...

    def draft(self, scan: Scan, version: str, *, thorough: bool = False) -> "Grid":
        """Return a grid frozen from one version's rows, of numbers from a few places or all over.

        Raises:
            BaselineError: The version has no rows in the window.
        """
        ...

    def counter(self, scan: Scan, grids: "Mapping[str, Grid]") -> TaskCounter:
        """Return the function that counts one task.

        Args:
            scan: Where the tasks come from; its labels are joined.
            grids: Version to the grid its rows are counted on; rows of other versions are
                rejected, with their number.
        """
        ...


class Compute(Protocol):
    """Where tasks are mapped and their results added."""

    def count(
        self, tasks: "Sequence[Task]", count: "Callable[[Task], Counted]", progress: Progress
    ) -> "Counted":
        """Return the sum of ``count(task)`` over all tasks."""
        ...


class RunHead(Struct, frozen=True):
    """What is remembered of the newest run of a window, and when its results were pruned."""

    window: Window
    identity: str
    revision: int
    outcome: Outcome
    listing: Listing = UNLISTED
    policy: str = ""
    pruned: datetime | None = None


class Profiled(Struct, frozen=True):
    """What is stored of the profiles of a window's newest run.

    Attributes:
        inputs: Digest of all that they were made from, as `domain.run.run_identity` has it.
        baselines: Version to the digest of the baseline on whose grid it was profiled; versions
            without a baseline are left out.
        profiles: Version to its profile; empty when only the digests were asked for.
    """

    inputs: str
    baselines: Mapping[str, str] = field(default_factory=dict)
    profiles: Mapping[str, bytes] = field(default_factory=dict)


class Revision(Struct, frozen=True):
    """What is remembered of one of the runs of a window, without its results.

    Attributes:
        number: Its number among them, from 1.
        identity: Digest of its inputs.
        policy: Digest of the policy.
        manifest: Digest of the data, as it was written with the run.
        outcome: How the run ended.
        finished: When.
        pruned: When its results were; None while they are kept.
    """

    number: int
    identity: str
    policy: str
    manifest: str
    outcome: Outcome
    finished: datetime
    pruned: datetime | None = None


class WindowVerdicts(Struct, frozen=True):
    """What the newest revision of a window says, without the numbers.

    Attributes:
        window: The window.
        outcome: How its run ended.
        verdicts: By fingerprint.
        since: Fingerprint of each finding on a disparity to the start of the rows that it rests on:
            the window's, or an earlier one.
    """

    window: Window
    outcome: Outcome
    verdicts: Mapping[str, Verdict]
    since: Mapping[str, datetime] = field(default_factory=dict)


class Committed(Struct, frozen=True):
    """What became of a run that was handed to the store.

    Attributes:
        revision: Its number among the runs of its window, from 1.
        new: False when the newest revision has the same identity: nothing was written.
    """

    revision: int
    new: bool


class RunCounts(Struct, frozen=True):
    """How often runs of a model ended how, since the store was made.

    Attributes:
        completed: Runs stored with rows.
        no_data: Runs stored without any.
        failed: Failures by error class name.
        last_success: When the newest stored run ended.
        last_duration: How long it took, seconds.
        first_seen: Version to the start of the first stored window with rows of it.
    """

    completed: int
    no_data: int
    failed: Mapping[str, int]
    last_success: datetime | None
    last_duration: float | None
    first_seen: Mapping[str, datetime] = field(default_factory=dict)


class Store(Authorities, RegistryMemory, Answers, PolicyHistory, Prunable, RunRecords, Protocol):
    """Where everything is remembered. Every write is one transaction."""

    def under(self, term: Term) -> "Store":
        """Return the same store, whose writes are refused once a term is over.

        The term is asked in the transaction of each write, so that a replica that was paused or
        cut off cannot write over what another one has written since. A refused write raises
        FencedError and has written nothing.
        """
        ...

    def changes(self) -> Mapping[str, int]:
        """Return model to the number of writes to it; models never written to are left out."""
        ...

    def size(self) -> int:
        """Return the bytes that the store takes on its disk."""
        ...

    def register(self, baseline: Baseline) -> bool:
        """Store a baseline and make it the current one of its version.

        Returns False, having changed nothing, when it already is the current one.
        """
        ...

    def baselines(self, model: str) -> Sequence[Baseline]:
        """Return every baseline of a model, newest registration first."""
        ...

    def current_baselines(self, model: str) -> Mapping[str, Baseline]:
        """Return the newest baseline of each version of a model."""
        ...

    def baseline(self, digest: str) -> Baseline:
        """Return a baseline by its digest, or by the first characters of it if they are unique.

        Raises:
            BaselineError: There is none, or several begin so.
        """
        ...

    def commit(
        self, run: Run, policy: Policy, quarantine: Sequence[QuarantinedFile] = ()
    ) -> Committed:
        """Store a run with its policy, profiles, readings, findings and what they make of alerts.

        All of it, or nothing. The identity of the window's newest revision writes no run; any
        other identity is a new revision, also one that an older revision had: going back is a
        change like any other.

        Args:
            run: The run.
            policy: The policy it was made under.
            quarantine: Files of which it changed what is known, as for `note`.

        Raises:
            PrunedError: Its window begins before the end of one whose results were pruned.
        """
        ...

    def note(
        self, files: Sequence[QuarantinedFile], decided: tuple[datetime, Actor] | None = None
    ) -> int:
        """Store what is known of quarantined files, and return how many of them were written.

        A state is written only after the state it follows from, by ``change``: of two writers
        that began with the same one, the second is left out and has to look again.

        Args:
            files: What is known.
            decided: When and by whom, where somebody decided it; None for what was seen.
        """
        ...

    def quarantine(self, model: str) -> Mapping[str, QuarantinedFile]:
        """Return every file of a model that is or was quarantined, by path."""
        ...

    def gaps(self, model: str) -> Mapping[Window, frozenset[str]]:
        """Return the windows whose newest revision lacks files, and their paths; pruned ones not."""
        ...

    def measured(self, model: str, code: str) -> frozenset[str]:
        """Return the measures that results stored by a version of modelmon have readings of."""
        ...

    def revisions(self, model: str, window: Window) -> Sequence[Revision]:
        """Return the runs of a window, oldest first."""
        ...

    def run_lines(self, model: str, before: datetime | None, most: int) -> Sequence[RunLine]:
        """Return the newest run of each window of a model, the latest window first.

        Args:
            model: Name of the model.
            before: Only windows that end before this instant; None for all.
            most: How many at the most.
        """
        ...

    def policy_text(self, digest: str) -> str:
        """Return the file of a policy that a stored run was made under.

        Raises:
            StoreError: No run was.
        """
        ...

    def fingerprints(self, begin: str, most: int) -> Sequence[str]:
        """Return the fingerprints of stored findings that begin so, in order, at most so many.

        Args:
            begin: Hex digits, in lower case.
            most: How many at the most.
        """
        ...

    def past_findings(
        self, fingerprint: str, until: datetime | None, most: int
    ) -> Sequence[PastFinding]:
        """Return the findings of one fingerprint, every revision of it, oldest window first.

        Args:
            fingerprint: What was measured on what.
            until: Only windows that end by then; None for all.
            most: How many at the most: the newest ones.
        """
        ...

    def fail(self, failure: Failure) -> None:
        """Store that a run did not end."""
        ...

    def heads(self, model: str) -> Mapping[Window, RunHead]:
        """Return the newest revision of each window of a model."""
        ...

    def verdicts(self, model: str, since: datetime) -> Sequence[WindowVerdicts]:
        """Return the verdicts of the windows that end after an instant, in order; pruned ones not."""
        ...

    def e_values(self, model: str) -> Mapping[Window, float | None]:
        """Return the evidence of drift of every window, by its newest revision, in their order."""
        ...

    def profiled(self, model: str) -> Mapping[Window, Profiled]:
        """Return what the newest revision of each window was profiled from; pruned profiles not."""
        ...

    def profiles(self, model: str, windows: Collection[Window]) -> Mapping[Window, Profiled]:
        """Return the profiles of the newest revision of some windows; of those that have one."""
        ...

    def alerts(self, model: str) -> Sequence[Alert]:
        """Return the newest episode of each finding of a model, the newest first window first."""
        ...

    def episodes(self, model: str, fingerprint: str) -> Sequence[Alert]:
        """Return every episode of a finding, oldest first."""
        ...

    def alert_events(self, model: str, fingerprint: str) -> Sequence[AlertEvent]:
        """Return what runs have changed in what was known of a finding's alerts, oldest first."""
        ...

    def mute(self, mute: Mute, actor: Actor | None = None) -> None:
        """Store a person's decision that nobody is called for a finding for a while.

        Args:
            mute: What they decided.
            actor: Who they are, and how that is known; None where a command says so.
        """
        ...

    def mutes(self, model: str) -> Mapping[str, Mute]:
        """Return the newest decision of each finding that was ever muted."""
        ...

    def decisions(self, model: str) -> Sequence[Mute]:
        """Return every decision to mute a finding of a model or to end that, oldest first."""
        ...

    def run(self, model: str, window: Window, revision: int | None = None) -> Run | None:
        """Return a stored run with readings, findings and profiles; the newest revision of it.

        Raises:
            PrunedError: These were pruned; it is never returned as one that has found nothing.
        """
        ...

    def latest(self, model: str) -> Run | None:
        """Return the newest revision of the latest window of a model."""
        ...

    def counts(self, model: str) -> RunCounts:
        """Return how runs of a model ended."""
        ...


class Leases(Protocol):
    """Who of several replicas may write results."""

    def ask(self, replica: Replica, ttl: timedelta) -> tuple[Lease, datetime]:
        """Renew the replica's lease or take a free one; return who has it, and the present.

        The present is that of the store's clock, by which alone leases begin and expire.

        Args:
            replica: Who asks.
            ttl: How long the lease is good for without being renewed.

        Raises:
            StoreError: The store cannot be reached.
        """
        ...

    def release(self, term: Term) -> None:
        """Let any replica take the lease at once, if it still is of this term.

        Raises:
            StoreError: The store cannot be reached.
        """
        ...
