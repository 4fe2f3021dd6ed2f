"""What another policy would have made of the windows that are stored. Nothing is run or written.

Stored profiles are judged again; no log is read. What a changed key would have counted otherwise
was not counted, and is said to be unknown rather than left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monitor.domain.change import KeyChange
from monitor.domain.disparity import STRETCH_DAYS
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Verdict
from monitor.domain.governance import RiskLimit, Rung
from monitor.domain.limit import Band
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.domain.run import Run
from monitor.domain.window import Window
from monitor.engine.alarms import alarms_of
from monitor.engine.ports import Store, WindowVerdicts
from monitor.engine.progress import Progress, Silent
from monitor.engine.recheck import Rechecker
from monitor.engine.recount import ImpossibleError
from monitor.engine.run import Conclusions

MOST_WINDOWS = 60
"""Windows that are judged again unless a period is given, the newest ones: each takes as long as
judging takes in a run."""

_CUT = frozenset({"schedule.window", "schedule.timezone", "schedule.anchor"})
_BOUNDS = (".min", ".max")


class Otherwise(Struct, frozen=True):
    """A finding that would have been judged otherwise.

    Attributes:
        window: The window.
        finding: Its fingerprint.
        reading: What was measured.
        before: The verdict under the policy in force; None where it is not judged.
        after: The verdict under the other one; None where it would not have been judged.
    """

    window: Window
    finding: str
    reading: Reading
    before: Verdict | None
    after: Verdict | None


class Called(Struct, frozen=True):
    """A finding that would have called in other windows.

    Attributes:
        finding: Its fingerprint.
        reading: What was measured, last.
        before: The windows in which it calls under the policy in force.
        after: Those in which it would have called.
    """

    finding: str
    reading: Reading
    before: tuple[Window, ...]
    after: tuple[Window, ...]


class Followed(Struct, frozen=True):
    """A window after which a version would have had another consequence.

    Attributes:
        window: The window.
        version: The version.
        before: How far the consequence of its alarms goes; None for none.
        after: How far it would have gone.
        limits: Ids of the limits that lead there under the other policy, or did under this one.
    """

    window: Window
    version: str
    before: Rung | None
    after: Rung | None
    limits: tuple[str, ...]


class Unsaid(Struct, frozen=True):
    """What the store cannot say of a policy.

    Attributes:
        about: A key, or a window.
        why: Why not.
    """

    about: str
    why: str


class Replay(Struct, frozen=True):
    """What another policy would have made of stored windows.

    Attributes:
        windows: The windows that were judged by both policies, in their order.
        left_out: How many older stored windows were not.
        otherwise: Findings with another verdict.
        called: Findings that would have called in other windows.
        followed: Windows after which a version would have had another consequence.
        unsaid: What cannot be said.
    """

    windows: tuple[Window, ...] = ()
    left_out: int = 0
    otherwise: tuple[Otherwise, ...] = ()
    called: tuple[Called, ...] = ()
    followed: tuple[Followed, ...] = ()
    unsaid: tuple[Unsaid, ...] = ()


class _Judged(Struct, frozen=True):
    """The findings of one window under both policies, by fingerprint."""

    run: Run
    before: Mapping[str, Finding]
    after: Mapping[str, Finding]


def replay(  # noqa: PLR0917  # what is asked, of what, and how to tell of it
    store: Store,
    before: Policy,
    after: Policy,
    changes: Sequence[KeyChange],
    period: Window | None,
    policy_of: Callable[[str], Policy],
    progress: Progress | None = None,
) -> Replay:
    """Return what a policy would have made of the newest stored result of each window.

    Args:
        store: The store.
        before: The policy in force.
        after: The other one.
        changes: The keys by which they differ.
        period: Only windows that lie within it; None for the newest ones.
        policy_of: Returns the policy that a file's text declares. Raises ConfigError.
        progress: Told as windows are judged.

    Raises:
        StoreError: The database cannot be read.
    """
    unsaid = list(_keys_unsaid(changes))
    if any(item.key in _CUT for item in changes):
        return Replay(unsaid=tuple(unsaid))
    windows, left_out = _windows(store, after, period)
    rechecker = Rechecker(store, after.model, policy_of)
    progress = progress or Silent()
    judged: list[_Judged] = []
    impossible: dict[str, list[Window]] = {}
    for window in windows:
        progress.advance(1)
        run = store.run(after.model, window)
        if run is None:  # pruned since it was listed
            continue
        try:
            judged.append(_by_both(rechecker, run, before, after))
        except ImpossibleError as error:
            impossible.setdefault(str(error), []).append(window)
    return Replay(
        windows=tuple(item.run.window for item in judged),
        left_out=left_out,
        otherwise=tuple(found for item in judged for found in _otherwise(item)),
        called=tuple(_called(judged, before, after)),
        followed=tuple(_followed(judged, before, after)),
        unsaid=(*unsaid, *(Unsaid(_named(found), why) for why, found in impossible.items())),
    )


def _named(windows: Sequence[Window]) -> str:
    begin, end = windows[0].start, windows[-1].end
    windows_are = "1 window" if len(windows) == 1 else f"{len(windows):,} windows"
    return f"{windows_are} from {begin:%Y-%m-%dT%H:%MZ} to {end:%Y-%m-%dT%H:%MZ}"


def _keys_unsaid(changes: Iterable[KeyChange]) -> Iterator[Unsaid]:
    for item in changes:
        if item.key in _CUT:
            yield Unsaid(item.key, "windows would be cut otherwise, and none of them is stored")
        elif item.key.startswith("source."):
            yield Unsaid(
                item.key, "the log would be read otherwise, and what it gives is not stored"
            )
        elif item.key.startswith("fields.") and item.key.endswith(_BOUNDS):
            yield Unsaid(item.key, "rows are counted by it, and were counted by the old value")
        elif item.before is None and item.key.startswith(("fields.", "segments.", "scan.")):
            yield Unsaid(item.key, "it was not counted in any stored window")


def _windows(store: Store, policy: Policy, period: Window | None) -> tuple[list[Window], int]:
    stored = sorted(store.heads(policy.model), key=lambda window: (window.end, window.start))
    ours = [window for window in stored if policy.schedule.window_at(window.start) == window]
    if period is not None:
        return [
            window for window in ours if period.start <= window.start and window.end <= period.end
        ], 0
    return ours[-MOST_WINDOWS:], len(ours[:-MOST_WINDOWS])


def _by_both(rechecker: Rechecker, run: Run, before: Policy, after: Policy) -> _Judged:
    then = (
        _findings(run)
        if run.policy == before.digest
        else _findings(rechecker.concluded(run, before, as_then=False))
    )
    now = _findings(rechecker.concluded(run, after, as_then=False))
    return _Judged(run, then, now)


def _findings(found: Run | Conclusions) -> dict[str, Finding]:
    ours = (*(item for result in found.results for item in result.findings), *found.findings)
    return {item.fingerprint: item for item in ours}


def _otherwise(judged: _Judged) -> Iterator[Otherwise]:
    for name in dict.fromkeys((*judged.before, *judged.after)):
        was, now = judged.before.get(name), judged.after.get(name)
        verdicts = tuple(None if item is None else item.verdict for item in (was, now))
        known = now or was
        if known is not None and verdicts[0] is not verdicts[1]:
            yield Otherwise(judged.run.window, name, known.reading, *verdicts)


def _called(judged: Sequence[_Judged], before: Policy, after: Policy) -> Iterator[Called]:
    readings = {
        name: finding.reading
        for item in judged
        for name, finding in {**item.before, **item.after}.items()
    }
    was = _firing(before, [_verdicts(item.run, item.before) for item in judged])
    now = _firing(after, [_verdicts(item.run, item.after) for item in judged])
    for name in dict.fromkeys((*was, *now)):
        if was.get(name, ()) != now.get(name, ()):
            yield Called(name, readings[name], was.get(name, ()), now.get(name, ()))


def _firing(policy: Policy, history: Sequence[WindowVerdicts]) -> Mapping[str, tuple[Window, ...]]:
    found: dict[str, tuple[Window, ...]] = {}
    for item, alarms in zip(history, alarms_of(policy, history), strict=True):
        for name, alarm in alarms.items():
            if alarm.firing:
                found[name] = (*found.get(name, ()), item.window)
    return found


def _followed(judged: Sequence[_Judged], before: Policy, after: Policy) -> Iterator[Followed]:
    """Yield where the limits on risk lead to another rung. Waivers and deadlines are left out."""
    was = _broken(before, [(item.run, item.before) for item in judged])
    now = _broken(after, [(item.run, item.after) for item in judged])
    for item, broken, would_be in zip(judged, was, now, strict=True):
        for result in item.run.results:
            version = result.version
            follows, would_follow = _furthest(broken, version), _furthest(would_be, version)
            if follows is not would_follow:
                told = broken if would_follow is None else would_be
                names = {limit.id for limit, of in told if of in {"", version}}
                ids = tuple(sorted(names))
                yield Followed(item.run.window, version, follows, would_follow, ids)


def _broken(
    policy: Policy, judged: Sequence[tuple[Run, Mapping[str, Finding]]]
) -> list[list[tuple[RiskLimit, str]]]:
    """Return the limits on risk that are broken as of each window, with the version they are of."""
    alarms = alarms_of(policy, [_verdicts(run, findings) for run, findings in judged])
    known: dict[str, Reading] = {}
    found: list[list[tuple[RiskLimit, str]]] = []
    for (_, findings), calling in zip(judged, alarms, strict=True):
        known |= {name: item.reading for name, item in findings.items()}
        found.append(
            [
                (limit, known[name].subject.version)
                for name, alarm in calling.items()
                if alarm.firing
                for limit in policy.governance.limits
                if limit.covers(known[name].measure, known[name].subject, Verdict(alarm.state))
            ]
        )
    return found


def _furthest(broken: Sequence[tuple[RiskLimit, str]], version: str) -> Rung | None:
    ours = (limit.consequence for limit, of in broken if of in {"", version})
    return max(ours, default=None)


def _verdicts(run: Run, findings: Mapping[str, Finding]) -> WindowVerdicts:
    return WindowVerdicts(
        run.window,
        run.outcome,
        {name: item.verdict for name, item in findings.items()},
        {
            name: _since(run.window, item)
            for name, item in findings.items()
            if isinstance(item.limit, Band)
        },
    )


def _since(window: Window, finding: Finding) -> datetime:
    """Return where the rows begin that a finding on a disparity rests on."""
    result = finding.reading.result
    days = result.detail.get(STRETCH_DAYS) if isinstance(result, Estimate) else None
    return window.start if days is None else window.end - timedelta(days=days)
