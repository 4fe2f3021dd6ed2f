"""One finding as a page shows it: words and numbers ready to be set, nothing to compute."""

from collections.abc import Iterator
from datetime import datetime
from shlex import quote

from msgspec import Struct

from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.finding import Finding
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.engine.why import Moment, Why
from monitor.measures.attribution.mix import Decomposition
from monitor.measures.attribution.part import Attribution
from monitor.measures.catalogue import EVERY
from monitor.measures.measure import Description
from monitor.reports.discretion import NOT_SHOWN, Told
from monitor.reports.explanation import modified_text, state_text
from monitor.reports.finding import bounds_text, limit_marks, made_tables, mostly, ranking_table
from monitor.reports.origin import Origin
from monitor.reports.slices import carrier_table
from monitor.reports.table import Table
from monitor.reports.wording import (
    alarm_text,
    change_text,
    measured_on,
    slice_name,
    subject_of,
    window_name,
)

ABOUT = {measure.about.id: measure.about for measure in EVERY}

SHOWN_GROUPS = 30
"""Groups that a page lists beside the one that it is about."""

SHOWN_FILES = 15
"""Files that a page lists; ``modelmon explain`` lists them all."""

_LEAST_P = 0.0001
"""Smaller probabilities are not told apart."""

_INSTANT = "%Y-%m-%dT%H:%MZ"


class Fact(Struct, frozen=True):
    """A name and what it is.

    Attributes:
        what: The name.
        text: What it is.
        digest: Whether it is a digest, a command or a path: to be copied, not read.
    """

    what: str
    text: str
    digest: bool = False


class Bound(Struct, frozen=True):
    """A limit as it is drawn: ``warning``, ``critical``, ``low`` or ``high``, and where it is."""

    name: str
    at: float


class Point(Struct, frozen=True):
    """What became of a finding in one window.

    Attributes:
        window: Name of the window.
        start: Its start, as addresses have it.
        revision: The window's newest revision.
        state: Its verdict, or ``not judged``.
        value: The number; None where there is none.
        low: Lower end of its interval; None when it has none.
        high: Upper end; None when it has none, or it is open.
        told: The number with its interval, or why there is none.
        alarm: What it amounted to with those before it.
        bounds: What was tolerated then.
    """

    window: str
    start: str
    revision: int
    state: str
    value: float | None
    low: float | None
    high: float | None
    told: str
    alarm: str
    bounds: tuple[Bound, ...]


class Pair(Struct, frozen=True):
    """A part or group then and now: shares, or rates."""

    name: str
    then: float
    now: float


class Made(Struct, frozen=True):
    """What made a number: a table, and the same drawn where it has two sides.

    Attributes:
        table: The table.
        pairs: What is drawn; empty for nothing.
        sides: What the two sides are called.
    """

    table: Table
    pairs: tuple[Pair, ...] = ()
    sides: tuple[str, str] = ("then", "now")


class Evidence(Struct, frozen=True):
    """A finding's page.

    Attributes:
        model: Name of the model.
        fingerprint: Of the finding.
        title: The measure, in a few words, and what it was measured on.
        window: Name of the window.
        verdict: The judgement, as its own word.
        sentence: Why, with the numbers in it.
        superseded: Whether the window has a newer revision than this.
        later: What later windows say, as a sentence; "" where this is the latest one.
        facts: The finding and its reading.
        limit: The limit, and who set it.
        unchanged: The value when nothing changed; None for a level.
        unit: Unit of the value; "" for none.
        history: Its last windows, oldest first.
        made: What made it.
        ranking: The features that moved beside it; None for the log as a whole.
        rests_on: Digests and dates of what it rests on.
        files: The files that it was made from.
        runbook: Name of the page that says what to do.
        commands: What shows and computes it again, with what it does.
        start: Start of the window, as addresses have it.
        revision: The number of the result among those of its window.
    """

    model: str
    fingerprint: str
    title: str
    window: str
    verdict: str
    sentence: str
    superseded: bool
    later: str
    facts: tuple[Fact, ...]
    limit: tuple[Fact, ...]
    unchanged: float | None
    unit: str
    history: tuple[Point, ...]
    made: tuple[Made, ...]
    ranking: Table | None
    rests_on: tuple[Fact, ...]
    files: Table
    runbook: str
    commands: tuple[Fact, ...]
    start: str
    revision: int


def evidence(told: Told, policy: Policy, origin: Origin, later: str = "") -> Evidence:
    """Return the page of a finding.

    Args:
        told: The finding, without what must not be shown.
        policy: The policy in force.
        origin: Who set its limit.
        later: What later windows say of it, as a sentence; "" where its own is the latest.
    """
    why = told.why
    finding, reading = why.finding, why.finding.reading
    about = ABOUT[reading.measure]
    ranking = why.ranking and ranking_table(why.ranking, reading.subject.field, 1)
    return Evidence(
        model=policy.model,
        fingerprint=finding.fingerprint,
        title=f"{about.title[:1].upper()}{about.title[1:]}: {subject_of(policy, reading)}",
        window=window_name(why.run.window),
        verdict=finding.verdict.value,
        sentence=finding.explanation,
        superseded=why.revision != why.revisions[-1].number,
        later=later,
        facts=tuple(_given(_facts(told, policy, about))),
        limit=tuple(_given(_limit(finding, origin))),
        unchanged=about.unchanged,
        unit="" if about.unit == "1" else about.unit,
        history=tuple(_point(moment, told.silent) for moment in why.history),
        made=(*_beside(told, policy), *_made(why, policy)),
        ranking=ranking if ranking and ranking.rows else None,
        rests_on=tuple(_given(_rests_on(why))),
        files=_files(why),
        runbook=runbook_of(finding, about),
        commands=_commands(why, policy),
        start=start_text(why.run.window),
        revision=why.revision,
    )


def runbook_of(finding: Finding, about: Description) -> str:
    """Return the name of the alert that a finding may raise: that of its runbook."""
    scanned = finding.reading.subject.scanned
    return "ModelMonSegment" if scanned else f"ModelMon{about.family.value.capitalize()}"


def start_text(window: Window) -> str:
    """Return the start of a window as addresses have it: readable again without loss."""
    return instant_text(window.start)


def instant_text(instant: datetime) -> str:
    """Return an instant as addresses have it."""
    short = not (instant.second or instant.microsecond)
    return f"{instant:{_INSTANT}}" if short else instant.isoformat()


def reading_text(finding: Finding) -> str:
    """Return a number with its interval, or why there is none."""
    result = finding.reading.result
    if isinstance(result, Unmeasurable):
        if result.explanation == NOT_SHOWN:
            return NOT_SHOWN
        return f"no number ({result.reason.value.replace('_', ' ')})"
    return _number(result)


def short_text(finding: Finding) -> str:
    """Return the same for a table: the interval in brackets."""
    result = finding.reading.result
    if isinstance(result, Unmeasurable):
        return reading_text(finding)
    if result.low is None and result.high is None:
        return f"{result.value:.4g}"
    low, high = ("open" if end is None else f"{end:.4g}" for end in (result.low, result.high))
    return f"{result.value:.4g} ({low} to {high})"


def _number(result: Estimate) -> str:
    text = f"{result.value:.4g}"
    if result.low is None and result.high is None:
        return f"{text}, without an interval"
    ends = ("open" if end is None else f"{end:.4g}" for end in (result.low, result.high))
    return f"{text}, {result.level:.0%} interval {' to '.join(ends)}"


def _given(facts: Iterator[Fact]) -> Iterator[Fact]:
    return (fact for fact in facts if fact.text not in {"", "–"})


def _facts(told: Told, policy: Policy, about: Description) -> Iterator[Fact]:
    why = told.why
    finding, reading = why.finding, why.finding.reading
    subject, result = reading.subject, reading.result
    yield Fact("finding", finding.fingerprint, digest=True)
    yield Fact("model", policy.model + (f", version {subject.version}" if subject.version else ""))
    yield Fact("window", f"{why.run.window}, result {why.revision} of {why.revisions[-1].number}")
    yield Fact("measured on", measured_on(policy, reading.measure, subject))
    yield Fact("slice", slice_name(subject))
    unit = "" if about.unit == "1" else f", in {about.unit}"
    yield Fact("measure", f"{reading.measure}: {about.title}{unit}")
    yield Fact("reading", reading_text(finding))
    if isinstance(result, Estimate):
        yield Fact("rows", _rows(result) if told.rows else "not shown for strata")
        yield Fact("method", result.method)
        yield Fact("then → now", "" if subject.population else change_text(reading))
    if about.unchanged is not None:
        yield Fact("when nothing changed", f"{about.unchanged:g}")
    reason = "" if not told.shown else f" ({finding.reason.value.replace('_', ' ')})"
    yield Fact("verdict", f"{finding.verdict.value}{reason}")
    yield Fact("alarm", _alarm(why))
    yield Fact("mostly", mostly(why.parts) if isinstance(why.parts, Attribution) else "")


def _rows(result: Estimate) -> str:
    against = f", held against {result.n_reference:,}" if result.n_reference else ""
    return f"{result.n:,}{against}"


def _alarm(why: Why) -> str:
    if why.alarm is not None:
        return alarm_text(why.alarm)
    newest = why.revision == why.revisions[-1].number
    return "not known" if newest else "none of this result: a newer one of the window counts"


def _limit(finding: Finding, origin: Origin) -> Iterator[Fact]:
    limit = finding.limit
    yield Fact("limit", bounds_text(finding))
    for verdict, test in finding.evidence.items():
        if test.tolerance == test.floor:
            raised = (
                f"{test.tolerance:.3g} for {verdict.value}: the baseline's own windows reach it"
            )
            yield Fact("tolerated here", raised)
    tested = finding.decided_by
    if tested is not None:
        least = max(tested.p_adjusted, _LEAST_P)
        sign = "below" if tested.p_adjusted < _LEAST_P else "of"
        yield Fact("test", f"adjusted p {sign} {least:.2g}, among {tested.tests:,} tests")
    yield Fact("least rows", f"{limit.min_rows:,}")
    stands = (
        "not written there: the default holds" if origin.line is None else f"line {origin.line}"
    )
    yield Fact("section of the file", f"{origin.section} ({stands})")
    yield Fact("set by", _set_by(origin))
    yield Fact("policy", origin.policy, digest=True)
    force = "in force" if origin.in_force else "no longer in force: the file has changed since"
    yield Fact("the policy is", force)


def _set_by(origin: Origin) -> str:
    if origin.line is None:
        owner = f"its owner is {origin.owner}" if origin.owner else "the file names no owner"
        return f"nobody: modelmon's default, which the model's file left as it is; {owner}"
    return f"the owner, {origin.owner}" if origin.owner else "the file, which names no owner"


def _beside(told: Told, policy: Policy) -> Iterator[Made]:
    """Yield the two sides of a comparison of groups, and the other groups beside it."""
    reading = told.why.finding.reading
    subject, result = reading.subject, reading.result
    sides = isinstance(result, Estimate) and result.then is not None and result.now is not None
    if isinstance(result, Estimate) and sides and subject.reference_group:
        rows = (f"{result.n:,}", f"{result.n_reference:,}") if told.rows else ("–", "–")
        yield Made(
            Table(
                f"The two sides, by {subject.population}",
                ("group", "is", "number", "rows"),
                (
                    (subject.group, "compared", f"{result.now:.4g}", rows[0]),
                    (subject.reference_group, "held against", f"{result.then:.4g}", rows[1]),
                ),
            )
        )
    if told.beside:
        yield Made(
            Table(
                f"The other groups of {subject.population}, by the same measure",
                ("group", "reading", "verdict", "why"),
                tuple(
                    (
                        subject_of(policy, item.reading),
                        reading_text(item),
                        item.verdict.value,
                        item.explanation,
                    )
                    for item in told.beside[:SHOWN_GROUPS]
                ),
                f"{len(told.beside) - SHOWN_GROUPS:,} more groups follow."
                if len(told.beside) > SHOWN_GROUPS
                else "",
            )
        )


def _point(moment: Moment, silent: frozenset[Window]) -> Point:
    finding = moment.finding
    result = None if finding is None else finding.reading.result
    estimate = result if isinstance(result, Estimate) else None
    return Point(
        window=window_name(moment.window),
        start=start_text(moment.window),
        revision=moment.revision,
        state="not judged" if finding is None else finding.verdict.value,
        value=None if estimate is None else estimate.value,
        low=None if estimate is None else estimate.low,
        high=None if estimate is None else estimate.high,
        told=_told(moment, hidden=moment.window in silent),
        alarm="not known" if moment.alarm is None else alarm_text(moment.alarm),
        bounds=() if finding is None else tuple(_bounds(finding)),
    )


def _told(moment: Moment, *, hidden: bool) -> str:
    if hidden:
        return NOT_SHOWN
    if moment.finding is None:
        return "the window has no such finding: it may have had no rows of the version"
    result = moment.finding.reading.result
    if isinstance(result, Unmeasurable):
        return f"no number: {result.explanation}"
    return short_text(moment.finding)


def _bounds(finding: Finding) -> Iterator[Bound]:
    for name, at in limit_marks(finding):
        yield Bound(name, at)


def _made(why: Why, policy: Policy) -> Iterator[Made]:
    pairs = list(_drawn(why))
    for place, table in enumerate(made_tables(why, policy, 1)):
        yield Made(table, pairs[place] if place < len(pairs) else ())
    carriers = carrier_table(why, 1)
    if carriers.rows:
        yield Made(carriers)


def _drawn(why: Why) -> Iterator[tuple[Pair, ...]]:
    """Yield what is drawn beside each of `made_tables`, in their order."""
    if isinstance(why.parts, Attribution):
        yield tuple(Pair(item.name, item.share_then, item.share_now) for item in why.parts.parts)
    elif why.parts is not None or why.finding.reading.subject.field:
        yield ()
    for item in why.decompositions.values():
        rates = isinstance(item, Decomposition) and item.quantity != "score_mean"
        yield (
            tuple(
                Pair(group.name, group.value_then, group.value_now)
                for group in item.groups
                if group.value_then is not None and group.value_now is not None
            )
            if isinstance(item, Decomposition) and rates
            else ()
        )


def _rests_on(why: Why) -> Iterator[Fact]:
    run, baseline = why.run, why.baseline
    yield Fact("run", run.identity, digest=True)
    if why.recorded is not None:
        yield Fact("audit record", why.recorded.text)
    yield Fact("result", f"{why.revision} of {why.revisions[-1].number} of its window")
    yield Fact("data", run.manifest.digest, digest=True)
    for state in run.manifest.snapshots:
        yield Fact("table", state_text(state))
    if baseline is not None:
        yield Fact("baseline", baseline.digest, digest=True)
        registered = f"{baseline.registered_at:%Y-%m-%d} by {baseline.registered_by}"
        yield Fact(
            "of the baseline",
            f"{baseline.window}, registered {registered}: {baseline.why}",
        )
        yield Fact("files of the baseline", baseline.manifest.digest, digest=True)
    yield from _registered(why)
    yield Fact("grid", why.grid, digest=True)
    yield Fact("profile", why.profile, digest=True)
    yield Fact("code", f"modelmon {run.code}")
    yield Fact("finished", f"{run.finished:%Y-%m-%d %H:%M:%S}Z")


def _registered(why: Why) -> Iterator[Fact]:
    """Yield where the version came from, but not whose it is nor how it was set."""
    if why.origin is None:
        return
    lineage = why.origin.lineage
    seen = f"first seen {why.origin.seen_at:%Y-%m-%d %H:%M}Z"
    yield Fact("version in its registry", f"{why.origin.version}, {seen}: {why.origin.source}")
    yield Fact("run that made it", lineage.run)
    for each in lineage.data:
        yield Fact(f"data set {each.name} ({each.context or 'read'})", each.digest)
    yield Fact("commit", lineage.commit)
    yield Fact("model file", lineage.model_file, digest=True)


def _files(why: Why) -> Table:
    manifest = why.run.manifest
    every = [
        (kind, file)
        for kind, files in (("log", manifest.files), ("labels", manifest.labels))
        for file in files
    ]
    rows = tuple(
        (kind, file.path, f"{file.rows:,}", modified_text(file))
        for kind, file in every[:SHOWN_FILES]
    )
    rest = len(every) - len(rows)
    note = "Rows are those of the whole file." + (f" {rest:,} more files follow." if rest else "")
    left = len(manifest.unreadable)
    note += f" {left:,} files could not be used and were left out." if left else ""
    return Table("The files it was made from", ("kind", "path", "rows", "modified"), rows, note)


def _commands(why: Why, policy: Policy) -> tuple[Fact, ...]:
    window, begin = why.run.window, start_text(why.run.window)
    older = "" if why.revision == why.revisions[-1].number else f" --revision {why.revision}"
    name = quote(policy.model)
    return (
        Fact(
            "shows the same on a terminal",
            f"modelmon explain {why.finding.fingerprint} --window {begin}{older}",
            digest=True,
        ),
        Fact("shows its files and rows", f"modelmon explain {name} {begin}{older}", digest=True),
        Fact(
            "computes it again from the stored profiles",
            f"modelmon recheck {name} --from {begin} --to {instant_text(window.end)}",
            digest=True,
        ),
    )
