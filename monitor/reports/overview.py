"""Models as pages show them: their state, their alarms, what was judged last, and single results."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from monitor.domain.alarm import Alarm, AlarmState
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Verdict
from monitor.domain.policy import Policy
from monitor.domain.run import Outcome, Run
from monitor.engine.overreach import KNOWN
from monitor.engine.past import RunLine
from monitor.engine.snapshot import ModelSnapshot
from monitor.engine.withheld import Withheld
from monitor.governance.consequences import waives
from monitor.governance.ledger import Ledger
from monitor.reports.alerts import AlertLine, Shown, alert_line, open_alerts
from monitor.reports.answers import Answers, answers
from monitor.reports.authority import shown_to_all
from monitor.reports.discretion import told
from monitor.reports.evidence import ABOUT, Fact, short_text, start_text
from monitor.reports.explanation import Explained, left_out_table, row_table, run_table
from monitor.reports.overreach import decision_table, overreach_table
from monitor.reports.table import Table
from monitor.reports.wording import alarm_text, all_findings, limit_text, subject_of, window_name

LATE = 1.25
"""Intervals between windows after which a result is late, as in the rule for Prometheus."""

SHOWN_FINDINGS = 30
"""Findings of a kind that a model's page lists; those of a result list them all, up to …"""

SHOWN_IN_RESULT = 100
"""… so many; ``modelmon explain`` lists them all."""

SHOWN_FILES = 40

_NOT_LOOKED_AT = "files since then"
"""A page reads no log."""

_GRAVITY = (Verdict.CRITICAL, Verdict.WARNING, Verdict.UNKNOWN, Verdict.OK)


class State(Struct, frozen=True):
    """A model at a glance.

    Attributes:
        model: Its name.
        owner: Who owns it; "" if nobody says.
        verdict: The worst that is known: ``unknown`` where nothing is.
        sentence: What it is made of.
        alarms: How many findings call, in words.
        firing: Whether any does.
        window: Name of the latest window; "" before the first.
        result: When the last result was stored; "" before the first.
        late: Whether a result should have come since.
    """

    model: str
    owner: str
    verdict: str
    sentence: str
    alarms: str
    firing: bool
    window: str
    result: str
    late: bool


class Line(Struct, frozen=True):
    """A finding as one line.

    Attributes:
        fingerprint: Of the finding.
        what: What was measured on what.
        measure: By which measure.
        reading: The number with its interval, or why there is none.
        limit: What is tolerated.
        verdict: The judgement.
        alarm: What it amounts to.
        window: Start of the window that judged it, as addresses have it; "" for the latest one.
    """

    fingerprint: str
    what: str
    measure: str
    reading: str
    limit: str
    verdict: str
    alarm: str
    window: str = ""


class Overview(Struct, frozen=True):
    """A model's page.

    Attributes:
        state: The model at a glance.
        facts: Who owns it, what it is held against, when it was looked at.
        alerts: Its open alerts, the most urgent first.
        alarms: What calls, and what may soon, worst first.
        fields: What was judged of each field, worst first.
        groups: What was judged of groups of people, worst first.
        others: What was judged besides.
        more: How many findings are not listed, of alarms, fields, groups, others and open alerts.
        windows: Its results, the latest first.
        older: End of the oldest window listed, as addresses have it; "" where there is no older one.
        answers: Who answers for it.
        waits: Whether its file is looser than the policy in force, and waits.
        authority: What its versions may do, open cases and waivers.
    """

    state: State
    facts: tuple[Fact, ...]
    alerts: tuple[AlertLine, ...]
    alarms: tuple[Line, ...]
    fields: tuple[Line, ...]
    groups: tuple[Line, ...]
    others: tuple[Line, ...]
    more: tuple[int, int, int, int, int]
    windows: tuple[RunLine, ...]
    older: str
    answers: Answers
    waits: bool
    authority: tuple[Table, ...] = ()


class Result(Struct, frozen=True):
    """The page of one stored result.

    Attributes:
        model: Name of the model.
        window: Name of the window.
        start: Its start, as addresses have it.
        revision: Its number among the results of the window.
        newest: The number of the newest of them.
        trouble: What is wrong with what is stored; "" where nothing is.
        facts: What it is.
        rows: What became of every row.
        decisions: The rows by what was allowed when; without rows where that was not counted.
        tables: Files, and files left out.
        findings: What was judged, worst first.
        more: How many findings are not listed.
        revisions: The numbers of all results of the window, with when they were made.
    """

    model: str
    window: str
    start: str
    revision: int
    newest: int
    trouble: str
    facts: tuple[Fact, ...]
    rows: Table
    decisions: Table
    tables: tuple[Table, ...]
    findings: tuple[Line, ...]
    more: int
    revisions: tuple[tuple[int, str], ...]


def state_of(shot: ModelSnapshot, now: datetime) -> State:
    """Return a model at a glance.

    Args:
        shot: Its newest results.
        now: The present: a result may be late.
    """
    policy, latest, counts = shot.policy, shot.latest, shot.counts
    verdict, sentence = _worst(latest)
    firing = Counter(shot.standing.values())
    for gravity, alarm in (("critical", AlarmState.CRITICAL), ("warning", AlarmState.WARNING)):
        if firing[alarm] and verdict != "critical":
            verdict = gravity
            break
    if any(each.rows for each in shot.overreach if each.excess in KNOWN):
        verdict = "critical"
        sentence += "; it decided outside of what was allowed"
    named = [
        f"{firing[item]} {item.value}"
        for item in (AlarmState.CRITICAL, AlarmState.WARNING)
        if firing[item]
    ]
    due = counts.last_success and counts.last_success + _wait(policy)
    return State(
        model=policy.model,
        owner=policy.owner,
        verdict=verdict,
        sentence=sentence,
        alarms=(", ".join(named) or "none") + _muted(shot, now),
        firing=bool(named),
        window="" if latest is None else window_name(latest.window),
        result="" if counts.last_success is None else _instant(counts.last_success),
        late=bool(due and now > due and _goes_on(shot)),
    )


def _muted(shot: ModelSnapshot, now: datetime) -> str:
    muted = sum(item.alert.firing and item.muted is not None for item in open_alerts(shot, now))
    return f" ({muted} of them muted)" if muted else ""


def _waived(line: AlertLine, item: Shown, ledger: Ledger) -> AlertLine:
    """Return the line of an alert with until when it has no consequence, if so."""
    until = [
        f"{waiver.limit} until {waiver.ends:%Y-%m-%d %H:%M}Z"
        for waiver in ledger.waivers.values()
        if waiver.holds(item.now) and waives(waiver, item.policy.governance, item.alert)
    ]
    return replace(line, state=f"{line.state}, waived: {'; '.join(until)}") if until else line


def overview(
    shot: ModelSnapshot,
    small: Callable[[Run], Withheld],
    windows: Sequence[RunLine],
    older: str,
    now: datetime,
) -> Overview:
    """Return a model's page.

    Args:
        shot: Its newest results.
        small: What is left out of the groups of a run.
        windows: Its results, the latest first.
        older: End of the oldest of them, if there are older ones; else "".
        now: The present.
    """
    lines = [] if shot.latest is None else _lines(shot, shot.latest, small(shot.latest))
    before = shot.judged  # alarms of before a window without data stay
    silent = [] if before is None else _lines(shot, before, small(before), before=True)
    known = {line.fingerprint for _, line in lines}
    called = [
        line
        for finding, line in (
            *lines,
            *(item for item in silent if item[0].fingerprint not in known),
        )
        if _call(_alarms(shot).get(finding.fingerprint))
    ]
    kinds = [[], [], []] if not lines else _by_kind(shot, lines)
    alerts = [_waived(alert_line(item), item, shot.ledger) for item in open_alerts(shot, now)]
    return Overview(
        state=state_of(shot, now),
        facts=tuple(fact for fact in _facts(shot) if fact.text),
        alerts=tuple(alerts[:SHOWN_FINDINGS]),
        alarms=tuple(called[:SHOWN_FINDINGS]),
        fields=tuple(kinds[0][:SHOWN_FINDINGS]),
        groups=tuple(kinds[1][:SHOWN_FINDINGS]),
        others=tuple(kinds[2][:SHOWN_FINDINGS]),
        more=(
            len(called[SHOWN_FINDINGS:]),
            len(kinds[0][SHOWN_FINDINGS:]),
            len(kinds[1][SHOWN_FINDINGS:]),
            len(kinds[2][SHOWN_FINDINGS:]),
            len(alerts[SHOWN_FINDINGS:]),
        ),
        windows=tuple(windows),
        older=older,
        answers=answers(shot.policy),
        waits=bool(shot.policy.waiting),
        authority=(*shown_to_all(shot.ledger, now), *_outside(shot)),
    )


def _outside(shot: ModelSnapshot) -> tuple[Table, ...]:
    table = overreach_table(shot.overreach, "Decisions outside of what was allowed, latest window")
    return (table,) if table.rows else ()


def result_page(explained: Explained, small: Withheld) -> Result:
    """Return the page of one stored result.

    Args:
        explained: The run, and what is told beside it.
        small: What is left out of its groups.
    """
    run, policy = explained.run, explained.policy
    findings = sorted(all_findings(run), key=_gravity)
    lines = tuple(
        _line(told(item, policy, small), policy, "", start_text(run.window), several=_several(run))
        for item in findings[:SHOWN_IN_RESULT]
    )
    trouble = (
        []
        if explained.intact
        else ["The files listed here do not make the digest that was written with the result."]
    )
    trouble += [] if run.accounting.balances else ["Not every row that was read is accounted for."]
    return Result(
        model=run.model,
        window=window_name(run.window),
        start=start_text(run.window),
        revision=explained.revision,
        newest=explained.revisions[-1].number,
        trouble=" ".join(trouble),
        facts=tuple(
            Fact(what, text) for what, text in run_table(explained).rows if what != _NOT_LOOKED_AT
        ),
        rows=row_table(run),
        decisions=decision_table(run),
        tables=tuple(item for item in (_files(run), left_out_table(run)) if item.rows),
        findings=lines,
        more=len(findings[SHOWN_IN_RESULT:]),
        revisions=tuple((item.number, _instant(item.finished)) for item in explained.revisions),
    )


def _files(run: Run) -> Table:
    files = run.manifest.files
    rows = tuple((item.path, f"{item.rows:,}", f"{item.size:,}") for item in files[:SHOWN_FILES])
    rest = len(files) - len(rows)
    note = f"{rest:,} more files follow: modelmon explain lists them." if rest else ""
    return Table("The files it was made from", ("path", "rows", "bytes"), rows, note)


def _worst(latest: Run | None) -> tuple[str, str]:
    if latest is None:
        return Verdict.UNKNOWN.value, "there is no result yet"
    if latest.outcome is Outcome.NO_DATA:
        return Verdict.UNKNOWN.value, "the latest window has no rows; alarms stay as they were"
    counts = Counter(item.verdict for item in all_findings(latest))
    said = ", ".join(f"{counts[item]:,} {item.value}" for item in _GRAVITY if counts[item])
    if not counts:
        return Verdict.UNKNOWN.value, "nothing was judged in the latest window"
    if not counts[Verdict.OK] and not counts[Verdict.WARNING] and not counts[Verdict.CRITICAL]:
        return Verdict.UNKNOWN.value, f"nothing could be judged: {said}"
    grave = next((item for item in (Verdict.CRITICAL, Verdict.WARNING) if counts[item]), Verdict.OK)
    return grave.value, f"findings of the latest window: {said}"


def _alarms(shot: ModelSnapshot) -> dict[str, Alarm]:
    if shot.latest is None:
        return {}
    return dict(shot.alarms.found.get(shot.latest.window, {}))


def _wait(policy: Policy) -> timedelta:
    return LATE * policy.schedule.interval


def _goes_on(shot: ModelSnapshot) -> bool:
    schedule, latest = shot.policy.schedule, shot.latest
    if schedule.end is None or latest is None:
        return True
    return schedule.window_at(latest.window.end).end <= schedule.end


def _facts(shot: ModelSnapshot) -> Iterable[Fact]:
    policy, latest, counts = shot.policy, shot.latest, shot.counts
    yield Fact("owner", policy.owner or "nobody: the file names no owner")
    yield Fact("policy in force", policy.digest, digest=True)
    yield Fact("looser policy that waits for approval", policy.waiting, digest=True)
    for version, baseline in shot.baselines.items():
        told_of = f"{baseline.window}, {baseline.rows:,} rows, registered by {baseline.registered_by}: {baseline.why}"
        yield Fact(f"baseline of version {version}", told_of)
    yield Fact("baseline", "" if shot.baselines else "none: nothing can be compared")
    yield Fact("latest window", "none yet" if latest is None else str(latest.window))
    if latest is not None and latest.last_event is not None:
        yield Fact("latest row", _instant(latest.last_event))
    yield Fact("last result", "" if counts.last_success is None else _instant(counts.last_success))
    failed = sum(counts.failed.values())
    yield Fact(
        "results",
        f"{counts.completed + counts.no_data:,}, of windows without rows {counts.no_data:,}",
    )
    reasons = ", ".join(f"{name} {number:,}" for name, number in counts.failed.items())
    yield Fact("failed checks", f"{failed:,}: {reasons}" if failed else "")
    waiting = sum(item.inside for item in shot.quarantine.values())
    yield Fact("files that cannot be used", f"{waiting:,}" if waiting else "")


def _lines(
    shot: ModelSnapshot, run: Run, small: Withheld, *, before: bool = False
) -> list[tuple[Finding, Line]]:
    alarms = _alarms(shot)
    start = start_text(run.window) if before else ""
    found = [
        (item, alarms.get(item.fingerprint))
        for item in sorted(all_findings(run), key=_gravity)
        if not item.reading.subject.scanned
    ]
    found.sort(key=lambda pair: -_call(pair[1]))
    return [
        (
            item,
            _line(
                told(item, shot.policy, small),
                shot.policy,
                "not known" if alarm is None else alarm_text(alarm),
                start,
                several=_several(run),
            ),
        )
        for item, alarm in found
    ]


def _call(alarm: Alarm | None) -> int:
    grave = (AlarmState.PENDING, AlarmState.WARNING, AlarmState.CRITICAL)
    return 0 if alarm is None or alarm.state not in grave else 1 + grave.index(alarm.state)


def _gravity(finding: Finding) -> tuple[int, float]:
    result = finding.reading.result
    psi = finding.reading.measure == "psi" and isinstance(result, Estimate)
    return _GRAVITY.index(finding.verdict), -result.value if psi else 0.0  # type: ignore[union-attr]


def _by_kind(shot: ModelSnapshot, lines: Sequence[tuple[Finding, Line]]) -> list[list[Line]]:
    names = {item.name for item in shot.policy.fields}
    kinds: list[list[Line]] = [[], [], []]
    for finding, line in lines:
        subject = finding.reading.subject
        kinds[1 if subject.population else 0 if subject.field in names else 2].append(line)
    return kinds


def _several(run: Run) -> bool:
    return len(run.results) > 1


def _line(finding: Finding, policy: Policy, alarm: str, window: str, *, several: bool) -> Line:
    reading = finding.reading
    subject = reading.subject
    version = f" (version {subject.version})" if subject.version and several else ""
    return Line(
        fingerprint=finding.fingerprint,
        what=f"{subject_of(policy, reading)}{version}",
        measure=ABOUT[reading.measure].title,
        reading=short_text(finding),
        limit=limit_text(finding),
        verdict=finding.verdict.value,
        alarm=alarm,
        window=window,
    )


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M}Z"
