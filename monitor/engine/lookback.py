"""Which windows with a result are to be run again, because files came, went or were rewritten."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from monitor.domain.manifest import LateChange, Listing, LogFile, Manifest
from monitor.domain.policy import Policy
from monitor.domain.quarantine import Quarantine
from monitor.domain.run import Outcome
from monitor.domain.window import Window
from monitor.engine.ports import Profiled, RunHead, Source, Store

NAMED_AT_ONCE = 20
"""Closed windows whose changed files are named in one look: each costs a listing and a result."""


class Lookback(Struct):
    """What a process remembers of the windows that it has looked back at.

    Forgetting it costs time and changes nothing: which windows differ from their results is found
    again from the store and the log.

    Attributes:
        dealt: The listing that a window was last run for.
        asked: The listing for which it was asked last whether a window's rows were only moved.
        labels: The label files that the labels of a window are known from, where they are more than
            those of its result.
        closed: Closed windows whose files are no longer those of their result, with the listing.
        late: What has changed in them, as far as it has been looked up.
        news: Those of ``late`` that nobody has been told of.
        profiled: What was stored of each window when all were held against the references that
            they have now.
        judged_by: Digest of the policy by which they were.
    """

    dealt: dict[Window, Listing] = field(default_factory=dict)
    asked: dict[Window, Listing] = field(default_factory=dict)
    labels: dict[Window, Sequence[LogFile]] = field(default_factory=dict)
    closed: dict[Window, Listing] = field(default_factory=dict)
    late: dict[Window, tuple[Listing, LateChange]] = field(default_factory=dict)
    news: list[LateChange] = field(default_factory=list)
    profiled: Mapping[Window, Profiled] = field(default_factory=dict)
    judged_by: str = ""

    @property
    def late_files(self) -> int:
        """Return how many files came, went or were rewritten too late."""
        return sum(change.files for _, change in self.late.values())

    def told(self) -> list[LateChange]:
        """Return what was found since this was last asked."""
        told, self.news = self.news, []
        return told

    def again(  # noqa: PLR0917  # six nouns, each of another type
        self,
        policy: Policy,
        source: Source,
        store: Store,
        present: datetime,
        quarantine: Quarantine,
        lacking: Collection[Window],
    ) -> Iterator[Window]:
        """Yield the windows to run again, oldest first; note what came too late.

        The log is listed once for all of them. A window that had no data is run again whenever
        some comes: its result has said nothing that could be revised. One of whose files none is left
        keeps its result: nothing is there that could revise it, and a log that is being written over,
        or whose disk is not mounted, would make as many windows without data. One that was run without a
        file that may be used now is run again however old it is: its result said what it lacks.
        Windows whose results were pruned are not looked at: they cannot be run again.

        Args:
            policy: The model's policy.
            source: Its log.
            store: Its results.
            present: The instant by which windows are closed.
            quarantine: The files that are not tried now.
            lacking: Windows whose result had to leave out files that may be used now.

        Raises:
            SourceError: The log cannot be reached.
        """
        schedule = policy.schedule
        heads = [
            head
            for window, head in sorted(store.heads(policy.model).items())
            if schedule.window_at(window.start) == window  # else of a schedule of former times
            and head.pruned is None  # else what it would be held against is gone
        ]
        listings = source.listings([head.window for head in heads], quarantine)
        closed: dict[Window, Listing] = {}
        self._leave_moved(policy, source, store, quarantine, heads, listings)
        waiting = [head for head in heads if _awaited(policy, head, present)]
        self._leave_unlabelled(policy, source, store, quarantine, waiting, listings)
        for head in heads:
            listing, then = listings[head.window], self.dealt.get(head.window, head.listing)
            unchanged = listing in {head.listing, then}
            if head.window in lacking or (
                not unchanged and _open(policy, head, listing, then, present)
            ):
                self.labels.pop(head.window, None)
                yield head.window
                self.dealt[head.window] = listing
            elif not unchanged and (listing.log != then.log or _dated(policy)):
                closed[head.window] = listing
        self.closed = closed
        self._look_up(policy, source, store, quarantine, heads)

    def _leave_moved(  # noqa: PLR0917  # six nouns, each of another type
        self,
        policy: Policy,
        source: Source,
        store: Store,
        quarantine: Quarantine,
        heads: Sequence[RunHead],
        listings: Mapping[Window, Listing],
    ) -> None:
        """Take the windows as dealt with whose rows were only put into other files."""
        if not policy.source.snapshots:
            return
        manifests: dict[Window, Manifest] = {}
        for head in heads:
            listing = listings[head.window]
            if listing in {head.listing, self.dealt.get(head.window), self.asked.get(head.window)}:
                continue
            self.asked[head.window] = listing
            run = store.run(policy.model, head.window, head.revision)
            if run is not None and run.manifest.snapshots and head.outcome is Outcome.COMPLETED:
                manifests[head.window] = run.manifest
        for window in source.moved(manifests, quarantine):
            self.dealt[window] = listings[window]

    def _leave_unlabelled(  # noqa: PLR0917  # six nouns, each of another type
        self,
        policy: Policy,
        source: Source,
        store: Store,
        quarantine: Quarantine,
        heads: Sequence[RunHead],
        listings: Mapping[Window, Listing],
    ) -> None:
        """Take the windows as dealt with that the labels which came are not of.

        A label table that says when predictions were made has told so by itself.
        """
        if _dated(policy):
            return
        known: dict[Window, Sequence[LogFile]] = {}
        for head in heads:
            listing, then = listings[head.window], self.dealt.get(head.window, head.listing)
            if listing.log != then.log or listing.labels in {then.labels, head.listing.labels}:
                continue
            if head.window in self.labels:
                known[head.window] = self.labels[head.window]
                continue
            run = store.run(policy.model, head.window, head.revision)
            if run is not None and head.outcome is Outcome.COMPLETED:
                known[head.window] = run.manifest.labels
        for window, files in source.unlabelled(known, quarantine).items():
            self.dealt[window], self.labels[window] = listings[window], files

    def _look_up(
        self,
        policy: Policy,
        source: Source,
        store: Store,
        quarantine: Quarantine,
        heads: Sequence[RunHead],
    ) -> None:
        """Name the files that changed in closed windows, for those not named yet."""
        self.late = {
            window: known
            for window, known in self.late.items()
            if self.closed.get(window) == known[0]
        }
        unnamed = [head for head in heads if head.window in self.closed.keys() - self.late.keys()]
        for head in unnamed[:NAMED_AT_ONCE]:
            run = store.run(policy.model, head.window, head.revision)
            if run is not None:
                now = source.scan(head.window, quarantine).manifest
                change = LateChange.between(head.window, run.manifest, now)
                self.late[head.window] = self.closed[head.window], change
                self.news.append(change)


def _open(
    policy: Policy, head: RunHead, listing: Listing, then: Listing, present: datetime
) -> bool:
    if head.outcome is Outcome.NO_DATA:
        return True
    if listing.is_empty and not then.is_empty:
        return False
    if listing.log != then.log and not policy.schedule.closed(head.window, present):
        return True
    return _awaited(policy, head, present) and listing.labels != then.labels


def _awaited(policy: Policy, head: RunHead, present: datetime) -> bool:
    """Return whether a window still waits for labels."""
    table = policy.source.labels
    return table is not None and present - head.window.end < table.wait


def _dated(policy: Policy) -> bool:
    """Return whether a label file that came late is known to be of the window."""
    return policy.source.labels is not None and bool(policy.source.labels.event_time)
