"""What pages are made from: the newest results of each model, and the store for everything else."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock

from msgspec import Struct, field

from monitor.domain.errors import ConfigError
from monitor.domain.finding import Finding
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.domain.run import Run
from monitor.domain.window import Window
from monitor.engine.ports import Store
from monitor.engine.snapshot import ModelSnapshot
from monitor.engine.withheld import Withheld, withheld
from monitor.reports.evidence import ABOUT
from monitor.reports.origin import KeyPath, Origin, limit_sections

KEPT = 512
"""Runs of which it is remembered what is left out: their readings need not be read again."""


class Library(Struct, frozen=True):
    """What pages are made from.

    Attributes:
        models: Returns the newest results of each model, the same that are exported as metrics.
        store: Everything that is remembered.
        read_policy: Returns the policy that a stored file declares.
        line_of: Returns the line of a key in a stored file; None where it does not have it.
        now: Returns the present.
        lost: Returns what is to be said while the store cannot be reached; "" while it can.
    """

    models: Callable[[], Mapping[str, ModelSnapshot]]
    store: Store
    read_policy: Callable[[str], Policy]
    line_of: Callable[[str, KeyPath], int | None]
    now: Callable[[], datetime]
    lost: Callable[[], str] = str
    _small: OrderedDict[tuple[str, str], Withheld] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def small(self, policy: Policy, run: Run) -> Withheld:
        """Return what is left out of the groups of a run, as the metrics leave it out."""
        key = (run.identity, policy.digest)
        with self._lock:
            if key in self._small:
                self._small.move_to_end(key)
                return self._small[key]
        found = withheld(unscanned(run), policy)
        with self._lock:
            self._small[key] = found
            while len(self._small) > KEPT:
                self._small.popitem(last=False)
        return found

    def small_of(self, policy: Policy, window: Window, revision: int) -> Withheld:
        """Return the same of a revision of a window.

        Raises:
            LookupError: There is no such revision.
            StoreError: The database cannot be read.
        """
        revisions = self.store.revisions(policy.model, window)
        known = next((item for item in revisions if item.number == revision), None)
        if known is None:
            raise LookupError(f"{window} has no result {revision}")
        with self._lock:
            found = self._small.get((known.identity, policy.digest))
        if found is not None:
            return found
        run = self.store.run(policy.model, window, revision)
        if run is None:
            raise LookupError(f"{window} has no result {revision}")
        return self.small(policy, run)

    def origin(self, policy: Policy, run: Run, finding: Finding) -> Origin:
        """Return who set the limit of a finding, by the policy that judged it."""
        text = self.store.policy_text(run.policy)
        try:
            then = self.read_policy(text)
        except ConfigError:  # written for an earlier version: its keys stand where they stood
            then = policy
        family = ABOUT[finding.reading.measure].family
        sections = limit_sections(then, finding, family)
        lines = {section: self.line_of(text, section) for section in sections}
        named = next((section for section in sections if lines[section] is not None), sections[-1])
        return Origin(
            owner=then.owner,
            policy=run.policy,
            in_force=run.policy == policy.digest,
            section=".".join(named),
            line=lines[named],
        )


def unscanned(run: Run) -> list[Reading]:
    """Return the readings of a run without those of slices, as the metrics have them."""
    every = (*run.readings, *(item for result in run.results for item in result.readings))
    return [item for item in every if not item.subject.scanned]
