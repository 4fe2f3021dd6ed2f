"""The Python API: the daemon's own steps, for a notebook.

    import monitor

    model = monitor.open_model("config/models/card-late-payment.yaml")
    model.register(start="2005-04-01", end="2005-06-01", why="the two calm months")
    september = model.compare(start="2005-09-01", end="2005-10-01")
    september.findings()          # a pandas frame: what was judged, and how
    september.readings()          # a pandas frame: everything that was measured

A frame or table given as ``data`` is written to a temporary parquet file and read by the same
reader as the daemon's logs, so the numbers are the same to the last digit.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from monitor.app import in_force, open_outside, read_policy, source_of
from monitor.domain.baseline import Baseline
from monitor.domain.errors import BaselineError
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.domain.window import Window
from monitor.engine.check import run_windows
from monitor.engine.ports import Source
from monitor.engine.progress import Silent
from monitor.engine.references import hold
from monitor.engine.register import Registration, register_baselines
from monitor.engine.run import Examination, Outside, Ran, examine, prepare
from monitor.loading import uncollected
from monitor.profile.codec import profile_from_bytes
from monitor.profile.profile import Profile

if TYPE_CHECKING:
    import pandas as pd

Instant = datetime | str


def open_model(policy: str | Path | Policy, store: str = "sqlite://") -> "Model":
    """Return a model to work with.

    Args:
        policy: A configuration file, or a policy already read.
        store: Database URL; the default keeps everything in memory and forgets it. Give the
            daemon's own to see, and add to, what it has stored. A governed model is then judged by
            the policy in force there, and a looser one waits, as ``policy.waiting`` says.

    Raises:
        ConfigError: The file is wrong; every problem is named.
        StoreError: The database cannot be used.
    """
    with uncollected():
        read = policy if isinstance(policy, Policy) else read_policy(Path(policy))
        outside = open_outside(store)
    return Model(in_force(read, outside.store).policy, outside)


class Model(Struct, frozen=True):
    """A model with its policy and its store."""

    policy: Policy
    outside: Outside

    def register(
        self,
        data: Any = None,
        *,
        start: Instant,
        end: Instant,
        why: str,
        by: str = "notebook",
        version: str | None = None,
    ) -> tuple[Baseline, ...]:
        """Freeze and store a baseline of each version with rows in a period.

        Args:
            data: A path, a URI, a pandas frame or a pyarrow table; None for the model's own log.
            start: Begin of the period; text is read in the schedule's zone.
            end: End of the period, exclusive.
            why: The reason, kept with the baseline.
            by: Who registers, kept with the baseline.
            version: Only this version.

        Raises:
            BaselineError: There are no rows, or a file of the period cannot be read.
        """
        with self._source(data) as source:
            done = register_baselines(
                self.policy,
                source,
                self.window(start, end),
                registration=Registration(by, why),
                outside=self.outside,
                progress=Silent(),
                version=version,
            )
        return tuple(item.baseline for item in done)

    def compare(self, data: Any = None, *, start: Instant, end: Instant) -> "Comparison":
        """Measure and judge any period against the current baselines, and store nothing.

        Args:
            data: A path, a URI, a pandas frame or a pyarrow table; None for the model's own log.
            start: Begin of the period; text is read in the schedule's zone.
            end: End of the period, exclusive.

        Raises:
            BaselineError: Nothing is registered, or the policy has changed what was frozen.
        """
        baselines = self.outside.store.current_baselines(self.policy.model)
        if not baselines:
            raise BaselineError(f"{self.policy.model} has no baseline: call register() first")
        with self._source(data) as source:
            scan = source.scan(self.window(start, end))
            store = self.outside.store
            heads = store.heads(self.policy.model)
            held = hold(self.policy, scan.window, baselines, heads, store)
            prepared = prepare(self.policy, source, scan, baselines, held)
            seen = examine(self.policy, prepared, self.outside.compute, Silent())
        return Comparison(scan.window, seen)

    def run(self, *, start: Instant, end: Instant) -> tuple[Ran, ...]:
        """Run the schedule's windows within a period and store them, as the daemon does.

        Args:
            start: Begin of the period; text is read in the schedule's zone.
            end: End of the period.
        """
        period = self.window(start, end)
        windows = self.policy.schedule.windows(period.start, period.end)
        source = source_of(self.policy)
        return tuple(run_windows(self.policy, source, windows, self.outside, Silent()))

    def window(self, start: Instant, end: Instant) -> Window:
        """Return a period as a window in UTC; text without an offset is in the schedule's zone."""
        zone = ZoneInfo(self.policy.schedule.zone)
        bounds = [
            datetime.fromisoformat(item) if isinstance(item, str) else item for item in (start, end)
        ]
        first, last = (
            item if item.utcoffset() is not None else item.replace(tzinfo=zone) for item in bounds
        )
        return Window(first.astimezone(UTC), last.astimezone(UTC))

    @contextmanager
    def _source(self, data: Any) -> Iterator[Source]:
        if data is None or isinstance(data, str | Path):
            yield source_of(self.policy, None if data is None else str(data))
            return
        from monitor.sources.memory import write_table  # noqa: PLC0415  # pyarrow, when needed

        with TemporaryDirectory() as folder:
            path = Path(folder) / "data.parquet"
            write_table(data, path)
            yield source_of(self.policy, str(path))


class Comparison(Struct, frozen=True):
    """A period held against the baselines.

    Attributes:
        window: The period.
        examination: Everything found, as values of `monitor.domain`.
    """

    window: Window
    examination: Examination

    def profiles(self) -> Mapping[str, Profile]:
        """Return the profile of each version that has a baseline."""
        return {
            item.version: profile_from_bytes(item.profile)
            for item in self.examination.results
            if item.profile
        }

    def readings(self) -> "pd.DataFrame":
        """Return everything measured, one row a reading.

        Columns: version, measure, field, population, group, reference_group, reference, segment,
        segment_value, stratum, class_name, value, low, high, then, now, n, n_reference, p_value,
        p_adjusted, note, absence, why_absent. ``value`` is missing exactly where ``absence`` says
        why; ``reference`` is empty for the registered baseline, ``segment`` for all rows, ``stratum``
        where groups are not compared within strata, and ``class_name`` where no class is held
        against all others; ``note`` names what it is the value of where
        the other columns do not.
        """
        import pandas as pd  # noqa: PLC0415  # costs 0.4 s

        found = [*self.examination.readings]
        found += [item for result in self.examination.results for item in result.readings]
        return pd.DataFrame([_reading_row(item) for item in found])

    def findings(self) -> "pd.DataFrame":
        """Return everything judged: the columns of `readings`, with verdict, reason and why.

        ``tolerance`` is what was tolerated: the limit, or ``floor``, what the baseline's own
        windows reach. ``p_beyond`` and ``p_beyond_adjusted`` are of the test that more is true;
        all four are missing where the interval decided.
        """
        import pandas as pd  # noqa: PLC0415  # costs 0.4 s

        return pd.DataFrame([_finding_row(item) for item in self.found()])

    def found(self) -> tuple[Finding, ...]:
        """Return the findings as values."""
        inside = [item for result in self.examination.results for item in result.findings]
        return (*self.examination.findings, *inside)


def _reading_row(reading: Reading) -> dict[str, Any]:
    subject, result = reading.subject, reading.result
    row: dict[str, Any] = {
        "version": subject.version,
        "measure": reading.measure,
        "field": subject.field,
        "population": subject.population,
        "group": subject.group,
        "reference_group": subject.reference_group,
        "reference": subject.reference,
        "segment": subject.segment,
        "segment_value": subject.segment_value,
        "stratum": subject.stratum,
        "class_name": subject.class_name,
    }
    numbers = ("value", "low", "high", "then", "now", "p_value", "p_adjusted")
    if isinstance(result, Estimate):
        row |= {name: getattr(result, name) for name in numbers}
        row |= {"n": result.n, "n_reference": result.n_reference, "note": result.note}
        row |= {"absence": "", "why_absent": ""}
    else:
        row |= dict.fromkeys(numbers)
        row |= {"n": result.n, "n_reference": result.n_reference, "note": ""}
        row |= {"absence": result.reason.value, "why_absent": result.explanation}
    return row


def _finding_row(finding: Finding) -> dict[str, Any]:
    row = _reading_row(finding.reading)
    row |= {
        "verdict": finding.verdict.value,
        "reason": finding.reason.value,
        "explanation": finding.explanation,
        "fingerprint": finding.fingerprint,
    }
    test = finding.decided_by
    row |= {
        "tolerance": test and test.tolerance,
        "floor": test and test.floor,
        "p_beyond": test and test.p_value,
        "p_beyond_adjusted": test and test.p_adjusted,
    }
    return row
