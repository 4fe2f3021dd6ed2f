"""What is tolerated, who set it, and what changed in the period."""

from collections.abc import Iterator, Sequence
from difflib import unified_diff

from monitor.domain.disparity import LeftOut
from monitor.domain.field import Decision, Effect, Label
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.engine.period import Period, Stretch
from monitor.reports.bias.actions import answers_of
from monitor.reports.bias.comparisons import TITLES
from monitor.reports.bias.document import BaselineFacts, PolicyPart
from monitor.reports.bias.history import Event
from monitor.reports.bias.looks import percent


def policy_part(period: Period, metrics: tuple[str, ...]) -> PolicyPart:
    """Return the policy in force at the period's end, and how it came to be."""
    policy = period.policy
    decision = policy.decision
    return PolicyPart(
        period.runs[-1].run.policy,
        policy.owner,
        policy.disparity.profile,
        decision.effect.value if decision and decision.effect else "",
        decision_text(decision) if decision else _classes_text(policy),
        label_text(policy.label),
        (*_limits(policy), *_own_limits(policy, metrics)),
        metrics,
        policy.text,
        _changes(period),
        answers_of(policy.governance),
        policy.governance.missing,
    )


def baseline_facts(stretch: Stretch) -> BaselineFacts:
    """Return what a version was held against, and who registered it."""
    found = stretch.baseline
    return BaselineFacts(
        found.digest,
        found.window,
        found.rows,
        f"{found.registered_at:%Y-%m-%d}",
        found.registered_by,
        found.why,
        found.manifest.digest,
    )


def decision_text(decision: Decision) -> str:
    """Return which decisions count as positive, in the log's own words."""
    if decision.at_least is not None:
        return f"{decision.column} is at least {decision.at_least:g}"
    return f"{decision.column} is {' or '.join(decision.positive)}"


def label_text(label: Label | None) -> str:
    """Return which outcomes count as positive; "" without a label."""
    if label is None:
        return ""
    return f"{label.column} is {' or '.join(label.positive)}" if label.positive else label.column


def _classes_text(policy: Policy) -> str:
    """Return which classes are held against the others, and what being given one does to a person."""
    return ", ".join(
        f"{name} ({_DOES[effect]})" for name, effect in policy.one_against_rest.items()
    )


_DOES = {
    Effect.FAVOURABLE: "helps the person it is given to",
    Effect.HARMFUL: "harms the person it is given to",
    None: "may help or harm",
}


def _sides(policy: Policy) -> Iterator[str]:
    """Yield which side of the band is judged, of what is decided and of single classes."""
    decision, band = policy.decision, policy.band
    if decision is not None:
        harmful = decision.effect is Effect.HARMFUL
        bound = f"at most {band.high:g}" if harmful else f"at least {band.low:g}"
        side = "more often" if harmful else "less often"
        yield (
            f"The ratio of a group's rate to its reference group's is tolerated if it is {bound}: "
            f"only the side on which the group is decided on {side} is judged."
        )
    for name, effect in policy.one_against_rest.items():
        bound = {
            Effect.HARMFUL: f"at most {band.high:g}",
            Effect.FAVOURABLE: f"at least {band.low:g}",
            None: f"from {band.low:g} to {band.high:g}",
        }[effect]
        yield (
            f"Of {name} against the rest: the ratio of a group's rate to its reference group's is "
            f"tolerated if it is {bound}."
        )


def _limits(policy: Policy) -> tuple[str, ...]:
    band = policy.band
    return (
        *_sides(policy),
        f"A difference of less than {band.min_difference:.3g} in rates is never beyond the band.",
        f"The error level is {band.alpha:g} over all groups of a population together.",
        (
            f"A group needs {band.min_rows} rows, and {band.min_expected:g} expected decisions of either "
            "kind, to be compared."
        ),
        *_left_out(policy.disparity.left_out),
    )


def _left_out(rule: LeftOut | None) -> Iterator[str]:
    if rule is not None:
        yield (
            f"A group with less than {percent(rule.below)} of its population's rows is left out of all "
            f"comparisons, because {rule.because}; its rows and its rate are shown."
        )


def _own_limits(policy: Policy, metrics: tuple[str, ...]) -> Iterator[str]:
    """Yield what is tolerated of single populations and metrics, where it is something else."""
    for population in policy.populations:
        for metric in metrics:
            band = policy.band_of(population.name, metric)
            if band != policy.band:
                yield (
                    f"Of {population.name}, {TITLES[metric]}: a ratio from {band.low:g} to "
                    f"{band.high:g}, of which the harmful side is judged; differences from "
                    f"{band.min_difference:g}; groups of {band.min_rows} rows; error level "
                    f"{band.alpha:g}."
                )
    change = policy.disparity.change
    if change is None:
        yield "How a ratio changes since the baseline is measured and not judged."
    else:
        yield (
            f"A ratio that went {1 / change:.3g} times as far to the harmful side as it was in the baseline, "
            "by more than chance explains, has changed."
        )
    rule = policy.disparity.persistence
    yield (
        f"A breach is an alarm at once, a suspicion when it is found in {rule.needed} of the last "
        f"{rule.of} windows that could be judged."
    )


def _changes(period: Period) -> tuple[tuple[Window, str, tuple[str, ...]], ...]:
    found: list[tuple[Window, str, tuple[str, ...]]] = []
    before = ""
    for item in period.runs:
        digest = item.run.policy
        if before and digest != before:
            found.append((item.run.window, digest, _difference(period, before, digest)))
        before = digest
    return tuple(found)


def _difference(period: Period, before: str, after: str) -> tuple[str, ...]:
    missing = [digest for digest in (before, after) if digest in period.unread]
    if missing:
        return (f"this version cannot read the policy {missing[0]}",)
    return changed_lines(*(period.policies[digest].text for digest in (before, after)))


def changed_lines(before: str, after: str) -> tuple[str, ...]:
    """Return the lines that were taken out of a file (−) and put into it (+)."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return tuple(line for line in lines if not line.startswith("@@"))


def events(period: Period) -> tuple[Event, ...]:
    """Return what a reader of a trend has to know, in the order of time."""
    found: list[Event] = []
    before: Sequence[tuple[str, str]] | None = None
    for window, digest, _ in _changes(period):
        found.append(Event(window, f"policy {digest[:12]} comes into force"))
    for item in period.runs:
        held = [(result.version, result.baseline) for result in item.run.results]
        if before is not None and held:
            found += [Event(item.run.window, text) for text in _new(before, held)]
        before = held or before
    return tuple(sorted(found, key=lambda event: (event.window.end, event.what)))


def _new(before: Sequence[tuple[str, str]], held: Sequence[tuple[str, str]]) -> list[str]:
    versions = {version for version, _ in before}
    new = [f"version {version} appears" for version, _ in held if version not in versions]
    rebased = [
        f"version {version} is held against baseline {digest[:12]}"
        for version, digest in held
        if version in versions and (version, digest) not in before
    ]
    gone = [
        f"version {version} has no more rows"
        for version in sorted(versions - {version for version, _ in held})
    ]
    return [*new, *rebased, *gone]


def span_text(window: Window) -> str:
    """Return a period in words, both days included where it begins and ends at midnight."""
    start, end = window.start, window.end
    if (start.hour, start.minute, end.hour, end.minute) != (0, 0, 0, 0):
        return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
    last = end.fromordinal(end.toordinal() - 1)
    first = f"{start.day} {start:%B %Y}"
    until = f"{last.day} {last:%B %Y}"
    return first if first == until else f"{first} to {until}"
