"""Whether what is stored is what the stored profiles, baselines and policies give."""

import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from math import isclose
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from monitor.alerts.detector import e_value
from monitor.domain.baseline import Baseline
from monitor.domain.errors import BaselineError, ConfigError
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding
from monitor.domain.manifest import Accounting
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import Run
from monitor.domain.timetable import Timetable
from monitor.domain.window import Window
from monitor.engine.frozen import check_frozen
from monitor.engine.ports import Revision, Store
from monitor.engine.recount import ImpossibleError, Recount, Recounter
from monitor.engine.references import hold
from monitor.engine.register import baseline_digest
from monitor.engine.run import Conclusions, conclude
from monitor.engine.tallies import tally_document
from monitor.engine.timetable import timetable_of
from monitor.profile.codec import grid_from_bytes, profile_from_bytes
from monitor.profile.grid import Grid
from monitor.profile.profile import Profile

RELATIVE, ABSOLUTE = 1e-9, 1e-15
"""Numbers that differ by no more than this are the same: processors add in different orders, and
the inversion of a distribution makes more of the last bit. No reading is shown that precisely."""

Value = str | float | int | None
"""What is compared."""


_K = TypeVar("_K")
_V = TypeVar("_V")
_T = TypeVar("_T")


class Agreement(StrEnum):
    """How a stored result and its recomputation compare."""

    EQUAL = "equal"
    DIFFERENT = "different"
    IMPOSSIBLE = "impossible"
    """It cannot be recomputed: something it rests on is gone or cannot be read."""


class Difference(Struct, frozen=True):
    """One thing that is stored otherwise than it is computed.

    Attributes:
        what: A kind of thing: ``reading``, ``finding``, ``rows``, ``data``, ``policy``,
            ``evidence``, ``authority``.
        measure: The measure; "" where it is about none.
        subject: What was measured; None where nothing was.
        attribute: Which part of the thing; "" for its being there at all.
        stored: What the store holds; None for nothing.
        recomputed: What was computed; None for nothing.
    """

    what: str
    measure: str
    subject: Subject | None
    attribute: str
    stored: Value
    recomputed: Value


class Recheck(Struct, frozen=True):
    """One stored result, recomputed.

    Attributes:
        window: The window.
        revision: Its number among the results of the window.
        code: The version of modelmon that stored it.
        readings: How many readings are stored.
        findings: How many findings are stored.
        differences: Everything that is stored otherwise than computed.
        why: Why it cannot be recomputed; "" when it was.
        not_measured: Measures that the version which stored it did not have, or did not measure.
    """

    window: Window
    revision: int
    code: str
    readings: int
    findings: int
    differences: tuple[Difference, ...] = ()
    why: str = ""
    not_measured: tuple[str, ...] = ()

    @property
    def agreement(self) -> Agreement:
        """Return how the two compare."""
        if self.why:
            return Agreement.IMPOSSIBLE
        return Agreement.DIFFERENT if self.differences else Agreement.EQUAL


def revisions_within(
    store: Store, model: str, period: Window | None
) -> tuple[tuple[Window, Revision], ...]:
    """Return every stored result of a model, oldest window first.

    Args:
        store: The store.
        model: Name of the model.
        period: Only windows that lie within it; None for all.
    """
    return tuple(
        (window, revision)
        for window in sorted(store.heads(model), key=lambda window: (window.end, window.start))
        if period is None or (period.start <= window.start and window.end <= period.end)
        for revision in store.revisions(model, window)
    )


class Rechecker:
    """Recomputes stored results of a model; remembers policies and baselines.

    Readings and findings are pure functions of the stored profile, the baseline that the result
    names, and the policy as its file was kept. No log is read, unless rows are to be counted again.

    Args:
        store: The store.
        model: Name of the model.
        policy_of: Returns the policy that a file's text declares. Raises ConfigError.
        rows: Counts the rows of the log once more; None to take the stored profiles for granted.
        code: The version of modelmon that computes. A measure of which no stored result of another
            version has anything was not measured by it, and is no difference; "" to tell all as one.
    """

    def __init__(
        self,
        store: Store,
        model: str,
        policy_of: Callable[[str], Policy],
        rows: Recounter | None = None,
        code: str = "",
    ) -> None:
        self._store = store
        self._model = model
        self._policy_of = policy_of
        self._rows = rows
        self._code = code
        self._policies: dict[str, Policy] = {}
        self._measured: dict[str, frozenset[str]] = {}
        self._baselines: dict[str, tuple[Baseline, Grid]] = {}

    def recheck(self, window: Window, revision: Revision) -> Recheck:
        """Return how a stored result compares with what it rests on.

        Raises:
            StoreError: The database cannot be read.
        """
        try:
            run = self._store.run(self._model, window, revision.number)
        except (ValueError, KeyError, TypeError) as error:
            # What no run ever wrote: an infinite number, an unknown verdict, a document torn.
            return Recheck(window, revision.number, "", 0, 0, (), f"its rows are damaged: {error}")
        if run is None:
            return Recheck(window, revision.number, "", 0, 0, (), "it is no longer in the store")
        results = run.results
        counts = (
            len(run.readings) + sum(len(result.readings) for result in results),
            len(run.findings) + sum(len(result.findings) for result in results),
        )
        try:
            policy = self._policy(run.policy)
            found = self.concluded(run, policy, as_then=True)
            measured, now = ({item.measure for item in _readings(each)} for each in (run, found))
            known = self._not_measured(run, now - measured) if measured else frozenset()
            if known:
                policy = _judging(measured, policy)
                found = self.concluded(run, policy, as_then=True)
            differences = (
                *_of_result(run, revision, policy, found, known),
                *self._of_authority(run, policy),
                *self._of_log(run, policy, known),
            )
        except ImpossibleError as error:
            return Recheck(window, revision.number, run.code, *counts, (), str(error))
        not_measured = tuple(sorted(known))
        return Recheck(
            window, revision.number, run.code, *counts, differences, not_measured=not_measured
        )

    def _not_measured(self, run: Run, lacking: Collection[str]) -> frozenset[str]:
        """Return which measures no result of the version has that stored one, if it is another."""
        if not lacking or self._code in {"", run.code}:
            return frozenset()
        if run.code not in self._measured:
            self._measured[run.code] = self._store.measured(self._model, run.code)
        return frozenset(lacking) - self._measured[run.code]

    def _of_log(
        self, run: Run, policy: Policy, not_measured: frozenset[str]
    ) -> Iterator[Difference]:
        """Yield what is stored otherwise than the rows of the log, counted once more, give."""
        if self._rows is None:
            return
        grids = {
            item.version: self._baseline(item.baseline)[1] for item in run.results if item.baseline
        }
        timetable = self._timetable(run, policy)
        counted = self._rows.count(run, policy, grids, timetable)
        yield from _of_accounting(run.accounting, counted.accounting)
        if {version for version, item in counted.profiles.items() if item.rows} == grids.keys():
            found = self.concluded(run, policy, as_then=True, counted=counted)
            yield from _of_readings(_readings(run), _readings(found), not_measured)

    def concluded(
        self, run: Run, policy: Policy, *, as_then: bool, counted: Recount | None = None
    ) -> Conclusions:
        """Return what a policy makes of a stored run: the one it was made under, or another.

        Args:
            run: The run.
            policy: The policy.
            as_then: Whether it must be held against what it was held against then.
            counted: Its rows, counted once more; None to take the stored profiles.

        Raises:
            ImpossibleError: What it rests on cannot be read, or the policy counts otherwise.
            StoreError: The database cannot be read.
        """
        grids: dict[str, Grid] = {}
        baselines: dict[str, Baseline] = {}
        profiles: dict[str, Profile] = {}
        for result in run.results:
            if not result.baseline:
                continue
            baselines[result.version], grids[result.version] = self._baseline(result.baseline)
            profile = _read(profile_from_bytes, result.profile, f"the profile of {result.version}")
            if profile.grid != grids[result.version].digest:
                raise ImpossibleError(
                    f"the profile of version {result.version} is not on its baseline's grid"
                )
            profiles[result.version] = (
                profile if counted is None else counted.profiles[result.version]
            )
            if not as_then:
                _agree(policy, result.version, grids[result.version])
        held = hold(policy, run.window, baselines, self._store.heads(policy.model), self._store)
        if as_then and held.of(run.results) != run.compositions:
            raise ImpossibleError("windows that it was held against have newer results")
        rows = run.accounting if counted is None else counted.accounting
        columns = run.schema_changes
        return conclude(policy, run.window, baselines, grids, profiles, rows, held, columns)

    def _timetable(self, run: Run, policy: Policy) -> Timetable | None:
        """Return what a run's decisions were held against; None where they were not."""
        if run.accounting.authority is None:
            return None
        mark = policy.governance.gate.reviewed
        return timetable_of(self._store.gate_answers(self._model), run.window, mark)

    def _of_authority(self, run: Run, policy: Policy) -> Iterator[Difference]:
        """Yield what was counted by something else than what the gate recorded."""
        timetable = self._timetable(run, policy)
        for tally in run.accounting.authority or ():
            known = () if timetable is None else timetable.of(tally.version)
            if tally.spell not in known:
                subject = Subject(run.model, tally.version)
                told = " / ".join(tally.spell.text().split("\x1e"))
                yield Difference("authority", "", subject, "what was allowed", told, None)

    def _policy(self, digest: str) -> Policy:
        if digest not in self._policies:
            try:
                policy = self._policy_of(self._store.policy_text(digest))
            except ConfigError as error:
                raise ImpossibleError(
                    f"this version cannot read the policy {digest[:12]}: {error}"
                ) from error
            self._policies[digest] = policy
        return self._policies[digest]

    def _baseline(self, digest: str) -> tuple[Baseline, Grid]:
        if digest not in self._baselines:
            try:
                baseline = self._store.baseline(digest)
            except BaselineError as error:
                raise ImpossibleError(str(error)) from error
            what = f"the baseline {digest[:12]}"
            found = _read(lambda _: baseline_digest(baseline), b"", what)
            if found != digest:
                raise ImpossibleError(f"{what} is stored with the content of {found[:12]}")
            self._baselines[digest] = baseline, _read(grid_from_bytes, baseline.grid, what)
        return self._baselines[digest]


def _read(read: Callable[[bytes], _T], data: bytes, what: str) -> _T:
    try:
        return read(data)
    except (
        ValueError,
        KeyError,
        TypeError,
        zlib.error,
    ) as error:  # the ways that bytes are damaged
        raise ImpossibleError(f"{what} cannot be read: {error}") from error


def _agree(policy: Policy, version: str, grid: Grid) -> None:
    try:
        check_frozen(policy, version, grid)
    except BaselineError as error:
        raise ImpossibleError(str(error)) from error


def _readings(found: Run | Conclusions) -> list[Reading]:
    return [*(item for result in found.results for item in result.readings), *found.readings]


def _findings(found: Run | Conclusions) -> list[Finding]:
    return [*(item for result in found.results for item in result.findings), *found.findings]


def _judging(measures: Collection[str], policy: Policy) -> Policy:
    """Return a policy that judges by some measures alone: those judged together depend on how many."""
    return replace(
        policy,
        limits={name: limit for name, limit in policy.limits.items() if name in measures},
        reference_limits={
            reference: {name: limit for name, limit in limits.items() if name in measures}
            for reference, limits in policy.reference_limits.items()
        },
    )


def _of_result(
    run: Run,
    revision: Revision,
    policy: Policy,
    found: Conclusions,
    not_measured: frozenset[str],
) -> Iterator[Difference]:
    yield from _of_inputs(run, revision, policy)
    yield from _of_rows(run, found)
    yield from _of_decisions(run.accounting, run.model)
    yield from _of_evidence(run, found)
    yield from _of_readings(_readings(run), _readings(found), not_measured)
    yield from _of_findings(_findings(run), _findings(found))


def _of_accounting(stored: Accounting, again: Accounting) -> Iterator[Difference]:
    counted = ("read", "profiled", "rejected", "unregistered", "unmapped_labels", "invalid")
    for name, was, now in _compared(
        _flat({part: getattr(stored, part) for part in counted}),
        _flat({part: getattr(again, part) for part in counted}),
    ):
        yield Difference("rows", "", None, f"of the log, {name}", was, now)
    for key, (old, new) in _matched(*(_by_spell(item) for item in (stored, again))):
        subject = Subject("", key[0])
        for name, was, now in _compared(_flat(old or {}), _flat(new or {})):
            yield Difference("authority", "", subject, f"of the log, {key[1]}, {name}", was, now)
    joined = [None if item.labels is None else item.labels.digest for item in (stored, again)]
    if joined[0] != joined[1]:
        yield Difference("rows", "", None, "of the log, labels", *joined)


def _by_spell(accounting: Accounting) -> Mapping[tuple[str, str], dict[str, Any]]:
    """Return what was counted of decisions, by version and by the begin of the spell."""
    documents = [tally_document(tally) for tally in accounting.authority or ()]
    return {(item.pop("version"), item.pop("start")): item for item in documents}


def _of_inputs(run: Run, revision: Revision, policy: Policy) -> Iterator[Difference]:
    if run.manifest.digest != revision.manifest:
        yield Difference("data", "", None, "digest", revision.manifest, run.manifest.digest)
    if run.policy != policy.digest:
        # Its text was changed, or this version has defaults that the one of then did not have.
        yield Difference("policy", "", None, "digest", run.policy, policy.digest)


def _of_rows(run: Run, found: Conclusions) -> Iterator[Difference]:
    accounting = run.accounting
    if not accounting.balances:
        told = sum(accounting.profiled.values()) + sum(accounting.rejected.values())
        yield Difference("rows", "", None, "read", accounting.read, told)
    profiled = {result.version: result.rows for result in found.results}
    for result in run.results:
        subject = Subject(run.model, result.version)
        if result.rows != profiled.get(result.version):
            now = profiled.get(result.version)
            yield Difference("rows", "", subject, "in the profile", result.rows, now)
        if result.rows != accounting.profiled.get(result.version, 0):
            now = accounting.profiled.get(result.version, 0)
            yield Difference("rows", "", subject, "in the sum of rows", result.rows, now)


def _of_decisions(accounting: Accounting, model: str) -> Iterator[Difference]:
    """Yield versions whose decisions, by what was allowed when, are not all of their rows."""
    if accounting.authority is None:
        return
    counted: Counter[str] = Counter()
    for tally in accounting.authority:
        counted[tally.version] += tally.rows
    for version, rows in accounting.profiled.items():
        if counted[version] != rows:
            subject = Subject(model, version)
            yield Difference("authority", "", subject, "decisions", counted[version], rows)
    if counted.total() != accounting.placed:
        whole = counted.total(), accounting.placed
        yield Difference("authority", "", Subject(model), "decisions", *whole)


def _of_evidence(run: Run, found: Conclusions) -> Iterator[Difference]:
    again = e_value(finding for result in found.results for finding in result.findings)
    if not _same(run.e_value, again):
        yield Difference("evidence", "", None, "e_value", run.e_value, again)


def _of_readings(
    stored: Iterable[Reading], again: Iterable[Reading], not_measured: frozenset[str]
) -> Iterator[Difference]:
    for (measure, subject), (old, new) in _matched(
        {(item.measure, item.subject): item for item in stored},
        {(item.measure, item.subject): item for item in again if item.measure not in not_measured},
    ):
        if old is None or new is None:
            yield Difference("reading", measure, subject, "", _said(old), _said(new))
        elif old != new:
            for name, was, now in _compared(_flat(old.result), _flat(new.result)):
                yield Difference("reading", measure, subject, name, was, now)


def _of_findings(stored: Iterable[Finding], again: Iterable[Finding]) -> Iterator[Difference]:
    for (measure, subject), (old, new) in _matched(
        {(item.reading.measure, item.reading.subject): item for item in stored},
        {(item.reading.measure, item.reading.subject): item for item in again},
    ):
        if old is None or new is None:
            verdicts = (None if item is None else item.verdict.value for item in (old, new))
            yield Difference("finding", measure, subject, "", *verdicts)
        elif old != new:
            for name, was, now in _compared(_judgement(old), _judgement(new)):
                yield Difference("finding", measure, subject, name, was, now)


def _matched(
    stored: Mapping[_K, _V], again: Mapping[_K, _V]
) -> Iterator[tuple[_K, tuple[_V | None, _V | None]]]:
    for key in dict.fromkeys((*stored, *again)):
        yield key, (stored.get(key), again.get(key))


def _compared(
    stored: Mapping[str, Value], again: Mapping[str, Value]
) -> Iterator[tuple[str, Value, Value]]:
    for name, (was, now) in _matched(stored, again):
        if not _same(was, now):
            yield name, was, now


def _same(was: Value, now: Value) -> bool:
    if isinstance(was, int | float) and isinstance(now, int | float):
        return isclose(was, now, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return was == now


def _flat(value: Any, name: str = "") -> dict[str, Value]:
    """Return every part of a nest of structs and mappings, by its dotted name."""
    inner = asdict(value) if isinstance(value, Struct) else value
    if not isinstance(inner, Mapping):
        return {name: inner}
    flat: dict[str, Value] = {}
    for key, item in inner.items():
        flat |= _flat(item, f"{name}.{key}" if name else str(key))
    return flat


def _judgement(finding: Finding) -> dict[str, Value]:
    return {
        name: part
        for attribute, value in asdict(finding).items()
        if attribute != "reading"
        for name, part in _flat(value, attribute).items()
    }


def _said(reading: Reading | None) -> Value:
    if reading is None:
        return None
    result = reading.result
    return result.value if isinstance(result, Estimate) else result.reason.value
