"""One finding for people: the reading, its history, what made it, and what it rests on."""

from collections.abc import Iterator, Sequence

from monitor.alerts.disparity import OF_CHANGE, OF_DIFFERENCE, metric_of
from monitor.domain.estimate import Estimate, Unmeasurable
from monitor.domain.finding import Finding, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.engine.why import ImportanceSource, Moment, Ranking, Why
from monitor.measures.attribution.components import Components
from monitor.measures.attribution.mix import Decomposition, GroupShift
from monitor.measures.attribution.part import Attribution, Part, Rule, figure
from monitor.measures.attribution.ranking import RankedField
from monitor.measures.catalogue import EVERY
from monitor.measures.direction import either_side
from monitor.reports.plot import LIMIT, Scale, Span, bar
from monitor.reports.registry import origin_table
from monitor.reports.slices import carrier_table
from monitor.reports.table import Table
from monitor.reports.wording import (
    alarm_text,
    change_text,
    measured_on,
    model_measure_name,
    part_words,
    slice_name,
    subject_of,
    window_name,
)

SHOWN = 12
"""Rows of a table of parts, groups or fields; the smallest of more are added up in one row."""

_MOST = 0.8
"""The largest parts are named until they make this share of the whole, or `_NAMED` of them."""

_NAMED = 3

_ABOUT = {measure.about.id: measure.about for measure in EVERY}

_QUANTITIES = {"label_coverage": "share of rows with a label", "score_mean": "mean score"}
"""Quantities that the log has no name of its own for."""

_Row = tuple[str, ...]


def finding_tables(why: Why, policy: Policy, width: int) -> tuple[Table, ...]:
    """Return a finding as tables; those that would be empty are left out.

    Args:
        why: The finding, and what is known of it.
        policy: The policy in force.
        width: Characters of a drawing.
    """
    tables = [
        _finding_table(why, policy),
        _history_table(why, width),
        *made_tables(why, policy, width),
    ]
    tables.append(carrier_table(why, width))
    if why.ranking is not None:
        tables.append(ranking_table(why.ranking, why.finding.reading.subject.field, width))
    tables.append(_provenance_table(why, policy))
    if why.origin is not None:
        tables.append(origin_table([why.origin]))
    return tuple(table for table in tables if table.rows)


def made_tables(why: Why, policy: Policy, width: int) -> Iterator[Table]:
    """Yield what made it, or why nothing can be said of that."""
    if isinstance(why.parts, Attribution):
        unit = part_words(policy, why.finding.reading.subject.field)
        yield _part_table(why.parts, width, _sides(why, policy), unit)
    elif isinstance(why.parts, Components):
        yield _component_table(why.parts, width)
    elif why.parts is not None:
        yield Table("What made it", ("why it has no parts",), ((why.parts.explanation,),))
    elif why.finding.reading.subject.field:
        none = f"{why.finding.reading.measure} is one number, which bins or values do not add up to"
        yield Table("What made it", ("why it has no parts",), ((none,),))
    told = " Mix: groups above or below the mean grew or shrank. Within: the group itself changed."
    for name, item in why.decompositions.items():
        if isinstance(item, Decomposition):
            of = why.finding.reading.subject.class_name
            yield _group_table(item, f"share of {of}" if of else _named(item, policy), told, width)
            told = ""  # once is enough
        else:
            yield Table(f"By {name}", ("why it has no groups",), ((item.explanation,),))


def mostly(parts: Attribution) -> str:
    """Return the parts that make most of a number, in words; "" when there is nothing to share.

    Of what is a largest value, and no sum, it is the part that has it.
    """
    sized = sorted(parts.parts, key=lambda part: -abs(part.contribution or 0.0))
    whole = sum(abs(part.contribution or 0.0) for part in sized)
    if not (parts.total and whole):
        return ""
    if parts.rule is Rule.LARGEST:
        return _moved(sized[0])
    named: list[str] = []
    told = 0.0
    for part in sized[:_NAMED]:
        size = abs(part.contribution or 0.0)
        named.append(f"{_moved(part)}, {size / whole:.0%} of it")
        told += size
        if told >= _MOST * whole:
            break
    return "; ".join(named)


def _moved(part: Part) -> str:
    return f"{part.name}: {part.share_then:.1%} → {part.share_now:.1%}"


def _finding_table(why: Why, policy: Policy) -> Table:
    finding = why.finding
    reading = finding.reading
    about = _ABOUT[reading.measure]
    version = reading.subject.version
    told = [
        *([] if about.unit == "1" else [f"in {about.unit}"]),
        *([] if about.unchanged is None else [f"{about.unchanged:g} when nothing changed"]),
    ]
    facts = [
        ("finding", finding.fingerprint),
        ("model", policy.model + (f", version {version}" if version else "")),
        ("window", f"{window_name(why.run.window)}, revision {why.revision} of {_newest(why)}"),
        ("what", measured_on(policy, reading.measure, reading.subject)),
        ("segment", slice_name(reading.subject)),
        ("measure", ", ".join((reading.measure, about.title, *told))),
        ("reading", _reading_text(reading)),
        ("then → now", "" if reading.subject.population else change_text(reading)),
        ("limit", bounds_text(why.finding)),
        ("verdict", f"{finding.verdict.value} ({finding.reason.value})"),
        ("alarm", "" if why.alarm is None else alarm_text(why.alarm)),
        ("why", finding.explanation),
        ("mostly", mostly(why.parts) if isinstance(why.parts, Attribution) else ""),
    ]
    rows = tuple((what, text) for what, text in facts if text not in {"", "–"})
    return Table(f"{reading.measure} of {subject_of(policy, reading)}", ("what", "is"), rows)


def _newest(why: Why) -> int:
    return why.revisions[-1].number


def _reading_text(reading: Reading) -> str:
    result = reading.result
    if isinstance(result, Unmeasurable):
        return f"none: {result.reason.value}"
    text = f"{result.value:.4g}"
    if result.low is not None or result.high is not None:
        ends = ("open" if end is None else f"{end:.4g}" for end in (result.low, result.high))
        text += f", {result.level:.0%} interval {' to '.join(ends)}"
    against = f" against {result.n_reference:,}" if result.n_reference else ""
    return f"{text}; {result.n:,} rows{against}"


def _bounded(finding: Finding) -> str:
    """Return what a band bounds."""
    match metric_of(finding.reading.measure)[1]:
        case kind if kind is OF_DIFFERENCE:
            return "difference"
        case kind if kind is OF_CHANGE:
            return "logarithm of how many times the ratio is what it was"
        case _:
            return "ratio"


def bounds_text(finding: Finding) -> str:
    """Return the bounds of a limit or a band, and of what they are."""
    limit = finding.limit
    if not isinstance(limit, Limit):
        return f"{_bounded(finding)} from {limit.low:.4g} to {limit.high:.4g}"
    bounds = [
        f"{name} beyond {bound:g}"
        for name, bound in (("warning", limit.warning), ("critical", limit.critical))
        if bound is not None
    ]
    if bounds and either_side(finding.reading.measure):
        bounds.append("in either direction")
    return ", ".join(bounds) or "none"


def _history_table(why: Why, width: int) -> Table:
    marks = [at for _, at in limit_marks(why.finding)]
    spans = {moment.window: span for moment in why.history if (span := _span(moment)) is not None}
    unchanged = _ABOUT[why.finding.reading.measure].unchanged
    scale = Scale.over(list(spans.values()), marks, unchanged, width)
    rows: list[_Row] = []
    for moment in why.history:
        span = spans.get(moment.window)
        drawn = scale.line(span)
        rows.append((window_name(moment.window), *_moment(moment), drawn))
    notes = [f"{LIMIT} marks the limits of {window_name(why.run.window)}."] if marks else []
    if any(moment.finding is None for moment in why.history):
        notes.append("A window that did not judge it may have had no rows of the version.")
    return Table(
        "Its last windows",
        ("window", "value", "verdict", scale.heading),
        tuple(rows),
        " ".join(notes),
        drawn=(scale.heading,),
    )


def limit_marks(finding: Finding) -> list[tuple[str, float]]:
    """Return what is drawn as limits, by name: the bounds, or what was tolerated instead of them.

    Where a fall counts like a rise, each bound is drawn on both sides of 0.
    """
    match finding.limit:
        case Band() as band:
            return [("low", band.low), ("high", band.high)]
        case Limit() as limit:
            bounds = {Verdict.WARNING: limit.warning, Verdict.CRITICAL: limit.critical}
            tests = finding.evidence
            marks = [
                (verdict.value, max(bound, tests[verdict].tolerance) if verdict in tests else bound)
                for verdict, bound in bounds.items()
                if bound is not None
            ]
            below = either_side(finding.reading.measure)
            return [*marks, *((name, -at) for name, at in marks if below)]


def _span(moment: Moment) -> Span | None:
    result = moment.finding.reading.result if moment.finding else None
    return Span(result.value, result.low, result.high) if isinstance(result, Estimate) else None


def _moment(moment: Moment) -> tuple[str, str]:
    finding = moment.finding
    if finding is None:
        return "–", "not judged"
    result = finding.reading.result
    if isinstance(result, Estimate):
        return f"{result.value:.3g}", finding.verdict.value
    return "–", f"{finding.verdict.value}: {result.reason.value}"


def _sides(why: Why, policy: Policy) -> tuple[str, str]:
    """Return what the two sides are called that are held against each other."""
    subject = why.finding.reading.subject
    for peer in policy.peers:
        if peer.name == subject.reference:
            return peer.others, peer.slice
    return "then", "now"


def _part_table(found: Attribution, width: int, sides: tuple[str, str], unit: str) -> Table:
    parts = _largest_parts(found)
    largest = max((abs(part.contribution or 0.0) for part in parts), default=0.0)
    rows: list[_Row] = []
    for part in parts:
        adds = part.contribution or 0.0
        rows.append((*_shares(part), f"{adds:.3g}", bar(adds, largest, width)))
        rows += [
            (f"  of which {name}", *rest, "–", "") for name, *rest in map(_shares, part.members)
        ]
    sums = found.rule is Rule.SUM
    note = f"Together {found.total:.4g}." if sums else f"The largest is {found.total:.4g}."
    return Table(
        f"What made it: {found.quantity}, in {found.unit}"
        if found.unit != "1"
        else f"What made it: {found.quantity}",
        ("part", *sides, "adds" if sums else "size", ""),
        tuple(rows),
        " ".join(filter(None, (note, found.note, unit))),
        drawn=("",),
    )


def _component_table(found: Components, width: int) -> Table:
    """Return what a largest value is the largest of, and what stands beside it."""
    moved = [item for item in found.components if item.size is not None][:SHOWN]
    beside = [item for item in found.components if item.size is None]
    largest = max((item.size or 0.0 for item in moved), default=0.0)
    rows = [
        (
            item.name,
            figure(item.then),
            figure(item.now),
            "–" if item.size is None else f"{item.size:.3g}",
            bar(item.size or 0.0, largest, width),
        )
        for item in (*moved, *beside)
    ]
    unit = "" if found.unit == "1" else f", in {found.unit}"
    return Table(
        f"What made it: {found.quantity}{unit}",
        ("what", "then", "now", "size", ""),
        tuple(rows),
        f"{len(moved)} of {found.number:,} are shown. {found.note}",
        drawn=("",),
    )


def _shares(part: Part) -> tuple[str, str, str]:
    return part.name, f"{part.share_then:.1%}", f"{part.share_now:.1%}"


def _largest_parts(found: Attribution) -> Sequence[Part]:
    """Return the parts as they are, or the largest of many and one for all the others."""
    if len(found.parts) <= SHOWN or found.rule is Rule.LARGEST:
        return found.parts
    sized = sorted(found.parts, key=lambda part: -abs(part.contribution or 0.0))
    kept, others = sized[: SHOWN - 1], sized[SHOWN - 1 :]
    rest = Part(
        f"({len(others)} others)",
        sum(part.rows_then for part in others),
        sum(part.rows_now for part in others),
        sum(part.share_then for part in others),
        sum(part.share_now for part in others),
        sum(part.contribution or 0.0 for part in others),
    )
    return [*kept, rest]


def _named(found: Decomposition, policy: Policy) -> str:
    return _QUANTITIES.get(found.quantity) or model_measure_name(policy, found.quantity)


def _group_table(found: Decomposition, what: str, told: str, width: int) -> Table:
    groups = _largest_groups(found)
    largest = max((abs(item.mix + item.within) for item in groups), default=0.0)
    rate = found.quantity != "score_mean"

    def level(value: float | None) -> str:
        if value is None:
            return "–"
        return f"{value:.1%}" if rate else f"{value:.4g}"

    def signed(value: float) -> str:
        return f"{round(value, 4) + 0.0:+.4f}" if rate else f"{value + 0.0:+.3g}"

    rows = [
        (
            item.name,
            f"{item.weight_then:.1%}→{item.weight_now:.1%}",
            f"{level(item.value_then)}→{level(item.value_now)}",
            signed(item.mix),
            signed(item.within),
            bar(item.mix + item.within, largest, min(width, 10)),
        )
        for item in groups
    ]
    total = (
        "all",
        "",
        f"{level(found.then)}→{level(found.now)}",
        signed(found.mix),
        signed(found.within),
        "",
    )
    own = "rate" if rate else "mean"
    return Table(
        f"By {found.over}: {what}",
        ("group", "share of rows", own, "mix", "within", ""),
        (*rows, total),
        f"mix + within = {found.mix + found.within:+.4g}, the whole change.{told}",
        drawn=("",),
    )


def _largest_groups(found: Decomposition) -> Sequence[GroupShift]:
    if len(found.groups) <= SHOWN:
        return found.groups
    sized = sorted(found.groups, key=lambda item: -abs(item.mix + item.within))
    kept, others = sized[: SHOWN - 1], sized[SHOWN - 1 :]
    rest = GroupShift(
        f"({len(others)} others)",
        sum(item.rows_then for item in others),
        sum(item.rows_now for item in others),
        sum(item.weight_then for item in others),
        sum(item.weight_now for item in others),
        None,
        None,
        sum(item.mix for item in others),
        sum(item.within for item in others),
    )
    return [*kept, rest]


_RANKED_BY = {
    ImportanceSource.CONFIG: "By importance × PSI, the importance being that of the policy.",
    ImportanceSource.ASSOCIATION: (
        "By importance × PSI, the importance being the size of the correlation with the score in the "
        "baseline. `importance` of a field in the model's file says better."
    ),
    ImportanceSource.NONE: (
        "No importance known: ranked by PSI alone. `importance` of a field in the model's file says it."
    ),
}


def ranking_table(ranking: Ranking, own: str, width: int) -> Table:
    """Return the features of a model, those that moved most first.

    Args:
        ranking: The features.
        own: The one that is marked; "" for none.
        width: Characters of a drawing.
    """
    known = any(item.importance is not None for item in ranking.fields)
    placed = list(enumerate(ranking.fields, 1))
    shown = placed[:SHOWN] + [item for item in placed[SHOWN:] if item[1].field == own]
    largest = max((item.weight or 0.0 for _, item in shown), default=0.0)
    rows = [
        (
            str(place),
            item.field + (" ←" if item.field == own else ""),
            *_weights(item, known),
            bar(item.weight or 0.0, largest, width),
        )
        for place, item in shown
    ]
    rest = len(placed) - len(shown)
    note = _RANKED_BY[ranking.source]
    if rest:
        note += f" {rest:,} more fields follow."
    return Table(
        "Fields that moved",
        ("#", "field", "PSI less its bias", *(("importance",) if known else ()), ""),
        tuple(rows),
        note,
        drawn=("",),
    )


def _weights(item: RankedField, known: bool) -> _Row:  # noqa: FBT001  # which columns there are
    effect = "–" if item.effect is None else f"{item.effect:.3g}"
    importance = "–" if item.importance is None else f"{item.importance:.3g}"
    return (effect, importance) if known else (effect,)


def _provenance_table(why: Why, policy: Policy) -> Table:
    run = why.run
    force = "in force" if run.policy == policy.digest else "no longer in force"
    baseline = why.baseline
    facts = [
        ("run", run.identity),
        ("audit record", "" if why.recorded is None else why.recorded.text),
        ("policy", run.policy),
        ("", force),
        ("baseline", "" if baseline is None else baseline.digest),
        ("", "" if baseline is None else f"{window_name(baseline.window)}: {baseline.why}"),
        ("files of the baseline", "" if baseline is None else baseline.manifest.digest),
        ("grid", why.grid),
        ("profile", why.profile),
        ("data", run.manifest.digest),
        ("code", f"modelmon {run.code}, {run.finished:%Y-%m-%d %H:%M:%S}Z"),
    ]
    rows = tuple((what, text) for what, text in facts if text)
    note = f"modelmon recheck {policy.model} computes it again; modelmon explain {policy.model} "
    return Table(
        "What it rests on",
        ("what", "digest"),
        rows,
        f"{note}{run.window.start:%Y-%m-%dT%H:%M}Z shows its files and rows.",
    )
