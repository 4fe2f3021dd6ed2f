"""Single classes against the rest, told as decisions for or against each of them."""

from collections.abc import Sequence

from msgspec.structs import replace

from monitor.domain.estimate import Unmeasurable
from monitor.domain.finding import Finding
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.engine.period import Step, Stretch
from monitor.measures.one_class import against_rest
from monitor.profile.counts import NEGATIVE, POSITIVE
from monitor.reports.bias.document import Decided, PopulationPart, against_the_rest

_ALARMS = frozenset({"breach", "suspected"})


def of_class(name: str, stretch: Stretch, policy: Policy) -> tuple[Stretch, Policy] | Unmeasurable:
    """Return what a stretch says of one class, as if it were what the model decides.

    Args:
        name: The class.
        stretch: A version on a baseline.
        policy: Declares the class.

    Returns:
        The stretch and the policy of such a model, or why nobody counted the class.
    """
    whole = against_rest(name, policy, stretch.whole.pair)
    if isinstance(whole, Unmeasurable):
        return whole
    steps = []
    for step in stretch.steps:
        view = against_rest(name, policy, step.pair)
        if isinstance(view, Unmeasurable):
            return view
        steps.append(replace(step, pair=view[1]))
    viewed = replace(stretch, whole=replace(stretch.whole, pair=whole[1]), steps=tuple(steps))
    return _only(viewed, name), whole[0]


def of_decisions(stretch: Stretch) -> Stretch:
    """Return what a stretch says of what the model decides, without what it says of single classes."""
    return _only(stretch, "")


def decided(stretch: Stretch, policy: Policy) -> Decided:
    """Return how many rows of a stretch were decided, and which way."""
    pair = stretch.whole.pair
    if policy.decision is None:
        view = against_rest(next(iter(policy.one_against_rest)), policy, pair)
        if isinstance(view, Unmeasurable):
            return Decided(0, None, None)
        now = view[1].current.outcomes.margin().sum(axis=1)
        return Decided(int(now[NEGATIVE] + now[POSITIVE]), None, None)
    now, then = (side.outcomes.margin().sum(axis=1) for side in (pair.current, pair.reference))
    known_then = int(then[NEGATIVE] + then[POSITIVE])
    return Decided(
        int(now[NEGATIVE] + now[POSITIVE]),
        int(now[POSITIVE]),
        int(then[POSITIVE]) / known_then if known_then else None,
    )


def told_of_class(name: str, part: PopulationPart, withheld: Sequence[str]) -> PopulationPart:
    """Return a population's part of the report under the name of a class.

    The counts of all classes of a group add up to its rows, so that a count which is left out in one
    class could be told from the others: where one is, no class of the population is shown.

    Args:
        name: The class.
        part: What is said of it.
        withheld: Groups of the population of which some count is not shown, in any class.
    """
    called = f"{part.name}{against_the_rest(name)}"
    if part.absent or not withheld:
        return replace(part, name=called, class_name=name)
    beyond = sum(item.answer in _ALARMS for table in part.metrics for item in table.comparisons)
    compared = sum(bool(item.answer) for table in part.metrics for item in table.comparisons)
    why = (
        f"numbers of single classes are not shown: some counts of {', '.join(withheld)} are too "
        f"small; {beyond} of {compared} comparisons are suspected or in breach"
    )
    return replace(
        part,
        name=called,
        presences=(),
        metrics=(),
        outcomes=(),
        conditional=(),
        absent=why,
        class_name=name,
    )


def _only(stretch: Stretch, name: str) -> Stretch:
    return replace(
        stretch,
        whole=_step(stretch.whole, name),
        findings=_findings(stretch.findings, name),
        steps=tuple(_step(step, name) for step in stretch.steps),
        stored={window: _findings(found, name) for window, found in stretch.stored.items()},
    )


def _step(step: Step, name: str) -> Step:
    readings = (_unnamed(item) for item in step.readings if item.subject.class_name == name)
    return replace(step, readings=tuple(readings))


def _findings(findings: Sequence[Finding], name: str) -> tuple[Finding, ...]:
    return tuple(
        replace(item, reading=_unnamed(item.reading))
        for item in findings
        if item.reading.subject.class_name == name
    )


def _unnamed(reading: Reading) -> Reading:
    return replace(reading, subject=replace(reading.subject, class_name=""))
