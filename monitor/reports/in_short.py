"""What happened, in sentences: the first thing a person reads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import exp

from msgspec import Struct

from monitor.alerts.disparity import OF_CHANGE, OF_DIFFERENCE, OF_RATIO, Disparity, metric_of
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.manifest import TOLERATED_UNTIMED
from monitor.domain.policy import Policy
from monitor.domain.reference import VOLUME
from monitor.domain.run import Run
from monitor.engine.alarms import ModelAlarms
from monitor.engine.scan import ALARMS, carried, foremost, unseen_in_all_rows
from monitor.measures.names import MEASURE_NAMES
from monitor.reports.slices import carried_text, of_all_rows
from monitor.reports.wording import (
    all_findings,
    decision_name,
    population_words,
    share,
    slice_name,
    strays,
    subject_of,
    window_name,
    window_names,
)

_PERFORMANCE = {name for name, about in MEASURE_NAMES.items() if about.family == "performance"}

_REALISED = {
    "concept_drift": "AUC",
    "label_rate_gap": "share of positive labels",
    "multiclass_concept_drift": "share of right classes",
    "label_shares_gap": "share of a class among the labels",
}
"""What is held against its estimate, by the measure that does so."""

Told = tuple[Run, Finding, Estimate]
"""A finding with the run that it is from and its number."""


class _Story(Struct, frozen=True):
    """One subject and measure over all windows, in order."""

    told: Sequence[Told]

    @property
    def last(self) -> Told:
        return self.told[-1]

    @property
    def windows(self) -> str:
        names = [window_name(run.window) for run, _, _ in self.told]
        *before, last = names
        return f"{last} (as in {window_names(before)})" if before else last

    @property
    def group(self) -> str:
        """Whose it is, of a disparity, and when: the beginning of a sentence."""
        subject = self.last[1].reading.subject
        return f"{self.windows}: {population_words(subject)} {subject.group}"

    @property
    def against(self) -> str:
        return self.last[1].reading.subject.reference_group

    @property
    def metric(self) -> str:
        return metric_of(self.last[1].reading.measure)[0].replace("_", " ")

    @property
    def tolerated(self) -> float:
        """The bound on the side where the number is; the story is of a disparity."""
        _, finding, estimate = self.last
        kind = metric_of(finding.reading.measure)[1]
        assert kind is not None and isinstance(finding.limit, Band)  # noqa: S101, PT018  # by `_is_of`
        return finding.limit.high if estimate.value > kind.alike else finding.limit.low


def in_short(
    policy: Policy, runs: Sequence[Run], alarms: ModelAlarms | None = None
) -> tuple[str, ...]:
    """Return a sentence for each critical change, each breach between groups, and what is unknown.

    Args:
        policy: The policy in force.
        runs: The newest revision of each window, oldest first.
        alarms: What the findings amount to, with the detector's calls; None where not known.
    """
    sentences = [_change(policy, story) for story in _stories(runs, _is_critical_change)]
    sentences += [_disparity(policy, story) for story in _stories(runs, _is_breach)]
    sentences += [_difference(story) for story in _stories(runs, _is_different)]
    sentences += [_ratio_change(story) for story in _stories(runs, _is_changed_ratio)]
    sentences += _detected(runs, alarms)
    findings = [item for run in runs for item in of_all_rows(all_findings(run))]
    in_slices = any(_critical_slices(run) for run in runs)
    sentences += _rest(findings, told=bool(sentences), in_slices=in_slices)
    sentences += _left_out(runs)
    sentences += _slices(runs)
    return tuple(sentences)


def _rest(findings: Sequence[Finding], *, told: bool, in_slices: bool) -> Iterator[str]:
    """Yield what is to be said of the other findings; where nothing is known, nothing was found."""
    unknown = sum(item.verdict is Verdict.UNKNOWN for item in findings)
    known = len(findings) - unknown
    if unknown and not known:
        yield f"Nothing could be judged: {_of(unknown)} unknown; the reasons are below."
        return
    if unknown:
        yield f"{unknown:,} of {len(findings):,} findings could not be judged; the reasons are below."
    if known and not told:
        among = f" among the {known:,} that could" if unknown else ""
        where = "Of all rows no" if in_slices else "No"
        yield f"{where} critical change and no breach between groups was found{among}."


def _of(unknown: int) -> str:
    return "the one finding is" if unknown == 1 else f"all {unknown:,} findings are"


def _detected(runs: Sequence[Run], alarms: ModelAlarms | None) -> Iterator[str]:
    for run in runs:
        found = None if alarms is None else alarms.detections.get(run.window)
        if found is not None and found.firing:
            yield (
                f"{window_name(run.window)}: the detector calls: the evidence of drift gathered "
                f"over all fields and windows is {found.statistic:.3g}, and {found.threshold:.3g} "
                "is enough."
            )


def _slices(runs: Sequence[Run]) -> Iterator[str]:
    """Yield how many slices are beyond a limit in the last window, and the earlier ones with critical."""
    before = [run.window for run in runs[:-1] if _critical_slices(run)]
    if before:
        yield (
            f"{window_names([window_name(item) for item in before])}: slices are beyond a critical "
            f"limit: `modelmon explain {runs[0].model} WINDOW` lists them."
        )
    every = all_findings(runs[-1]) if runs else ()
    found = [item for item in every if item.reading.subject.scanned]
    if not found:
        return
    slices = _slices_of(found)
    beyond = _slices_of(item for item in found if item.verdict in ALARMS)
    unknown = slices - _slices_of(item for item in found if item.verdict is not Verdict.UNKNOWN)
    carry = foremost(item for item in found if item.verdict in ALARMS and carried(item))
    told = (
        f"{window_name(runs[-1].window)}: {len(beyond)} of {len(slices)} slices are beyond a limit"
    )
    if critical := _critical_slices(runs[-1]):
        told += f", {len(critical)} of them beyond a critical one"
    if unknown:
        told += f", of {len(unknown)} nothing could be judged"
    if carry:
        told += f"; {_slice(carry[0])} carries {carried_text(carry[0])} of the drift of {_what(carry[0])}"
    unseen = unseen_in_all_rows(every)
    if unseen:
        where = _slices_of(item for item in unseen if _what(item) == _what(unseen[0]))
        told += (
            f"; {_what(unseen[0])} is beyond a limit in {len(where)} of them and not in all rows, "
            f"most surely in {_slice(unseen[0])}"
        )
    yield f"{told}."


def _left_out(runs: Sequence[Run]) -> Iterator[str]:
    """Yield what of the log is in no result: files that could not be used, rows without a time."""
    files = {file.path for run in runs for file in run.manifest.unreadable}
    if files:
        told = "1 file is" if len(files) == 1 else f"{len(files):,} files are"
        yield f"{told} in no result: `modelmon quarantine list` says why."
    found = [(run.accounting.untimed, run.accounting.read, run.window) for run in runs]
    many = [item for item in found if item[0] > TOLERATED_UNTIMED * item[1]]
    if many:
        rows, read, window = max(many, key=lambda item: item[0] / item[1])
        more = f"{len(many) - 1} more window{'s' if many[2:] else ''}"
        others = f", and so it is in {more}" if many[1:] else ""
        yield (
            f"{window_name(window)}: {rows:,} of {read:,} rows read are in no result because they have "
            f"no usable event time{others}."
        )


def _slice(finding: Finding) -> str:
    return slice_name(finding.reading.subject)


def _what(finding: Finding) -> str:
    return finding.reading.subject.field or finding.reading.measure


def _slices_of(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    subjects = (item.reading.subject for item in findings)
    return {(subject.segment, subject.segment_value) for subject in subjects}


def _critical_slices(run: Run) -> set[tuple[str, str]]:
    return _slices_of(
        item
        for item in all_findings(run)
        if item.reading.subject.scanned and item.verdict is Verdict.CRITICAL
    )


def _stories(runs: Sequence[Run], wanted: Callable[[Finding], bool]) -> Iterator[_Story]:
    found: dict[str, list[Told]] = {}
    for run in runs:
        for item in of_all_rows(all_findings(run)):
            result = item.reading.result
            if wanted(item) and isinstance(result, Estimate):
                found.setdefault(item.fingerprint, []).append((run, item, result))
    return (_Story(told) for told in found.values())


def _is_critical_change(finding: Finding) -> bool:
    return isinstance(finding.limit, Limit) and finding.verdict is Verdict.CRITICAL


def _is_breach(finding: Finding) -> bool:
    return _is_of(finding, OF_RATIO)


def _is_different(finding: Finding) -> bool:
    return _is_of(finding, OF_DIFFERENCE)


def _is_changed_ratio(finding: Finding) -> bool:
    return _is_of(finding, OF_CHANGE)


def _is_of(finding: Finding, kind: Disparity) -> bool:
    # Crossings have their own rows in the tables; here their parts are told once.
    crossed = "×" in finding.reading.subject.population
    of_kind = metric_of(finding.reading.measure)[1] is kind
    return of_kind and finding.reason is Reason.BREACH and not crossed


def _change(policy: Policy, story: _Story) -> str:
    run, finding, estimate = story.last
    limit = finding.limit
    assert isinstance(limit, Limit)  # noqa: S101  # by `_is_critical_change`
    what = subject_of(policy, finding.reading)
    reference = finding.reading.subject.reference
    before = f"in the reference {reference}" if reference else "in the baseline"
    now, then = estimate.now, estimate.then
    of = f" ({estimate.note})" if estimate.note else ""
    match finding.reading.measure:
        case "psi":
            said = f"{what} drifted: PSI {estimate.value:.2f}"
        case "drifted_share":
            said = f"drift of {estimate.note} is beyond a limit{_since(reference)}"
        case "unseen_rate":
            new = _new_values(run, finding)
            said = f"{estimate.value:.1%} of {what} are values that the baseline did not hold{new}"
        case "auc_drop":
            said = f"the score orders cases worse: AUC {now:.3f}, {then:.3f} in the baseline"
        case measure if measure in _REALISED:
            said = (
                f"labels do not follow the scores as they did: {_REALISED[measure]}{of} {now:.3f}, and "
                f"{then:.3f} was estimated, assuming no concept drift"
            )
        case measure if measure in _PERFORMANCE and now is not None and then is not None:
            said = f"{measure.replace('_', ' ')}{of}: {now:.3g}, {then:.3g} in the baseline"
        case _ if now is not None and then is not None:
            said = _moved(finding.reading.measure, f"{what}{of}", (then, now), before)
        case measure:
            said = f"{measure} of {what} is {estimate.value:.3g}"
    return f"{story.windows}: {said} (critical beyond {limit.critical:g})."


def _moved(measure: str, what: str, moved: tuple[float, float], before: str) -> str:
    then, now = moved
    if measure == VOLUME:
        return f"{now:,.0f} rows came; an average window {before} has {then:,.0f}"
    named = "missing values of " if measure == "missing_rate" else ""
    return f"{named}{what} {now:.1%}, {then:.1%} {before}"


def _since(reference: str) -> str:
    return f" against {reference}" if reference else ""


def _new_values(run: Run, finding: Finding) -> str:
    subject = finding.reading.subject
    for result in run.results:
        if result.version == subject.version:
            return strays(result).get(subject.field, "")
    return ""


def _disparity(policy: Policy, story: _Story) -> str:
    _, finding, estimate = story.last
    assert estimate.now is not None and estimate.then is not None  # noqa: S101, PT018
    bound = f"{'at most' if estimate.value > 1 else 'at least'} {story.tolerated:g}"
    of = finding.reading.subject.class_name or decision_name(policy)
    usual = metric_of(finding.reading.measure)[0] == "selection_rate"
    return (
        f"{story.group}: {of if usual else story.metric} "
        f"{share(estimate.now, estimate.n)}, {estimate.value:.2f} times the rate of "
        f"{story.against}, {share(estimate.then, estimate.n_reference)} (tolerated: {bound})."
    )


def _difference(story: _Story) -> str:
    _, _, estimate = story.last
    return (
        f"{story.group}: {story.metric} {estimate.now:.3g} over {estimate.n:,} rows, "
        f"{estimate.value:+.3g} from that of {story.against}, {estimate.then:.3g} over "
        f"{estimate.n_reference:,} (tolerated: {story.tolerated:+.3g})."
    )


def _ratio_change(story: _Story) -> str:
    _, _, estimate = story.last
    return (
        f"{story.group}: the ratio of its {story.metric} to that of {story.against} is "
        f"{exp(estimate.value):.2f} times what it was in the baseline, {estimate.now:.2f} instead of "
        f"{estimate.then:.2f} (tolerated: {exp(story.tolerated):.2f} times)."
    )
