"""A model of several classes, read as one that decides for or against one of them."""

from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Result, Unmeasurable
from monitor.domain.field import Classes, Decision, Label, ObservedWhen
from monitor.domain.limit import Band
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading
from monitor.measures.measure import ProfilePair
from monitor.profile.class_groups import of_class
from monitor.profile.classes import table_against_rest
from monitor.profile.profile import Profile


def against_rest(
    name: str, policy: Policy, pair: ProfilePair
) -> tuple[Policy, ProfilePair] | Unmeasurable:
    """Return policy and counts of a model that says of each row whether it is of one class.

    Rows of the class are its positive decisions, rows of any other class its negative ones, and so
    for labels; rows of no class, or of one that was not declared, are unknown. Everything that is
    measured of two classes can be measured on them. The error level of joint intervals is shared by
    all classes that are held against the rest (Bonferroni), as `shared` does for p-values.

    Args:
        name: One of ``policy.one_against_rest``.
        policy: Declares the classes.
        pair: Baseline and window, with their tables of classes.

    Returns:
        The two, or why nobody counted classes.
    """
    classes = pair.grid.classes
    if classes is None or name not in classes.values:
        why = f"the baseline was registered without the class {name}: register a new one"
        return Unmeasurable(Absence.NO_BASELINE, why)
    code = classes.values.index(name)
    for side, when in ((pair.reference, "the baseline"), (pair.current, "the window")):
        if side.classes is None:
            return Unmeasurable(Absence.NO_DATA, f"classes were not counted in {when}")
    decision = Decision(classes.column, (name,), _others(classes, name))
    label = _label(pair.grid.label, decision)
    grid = replace(pair.grid, decision=decision, label=label, score="")
    view = replace(
        pair,
        grid=grid,
        reference=_of_class(pair.reference, code),
        current=_of_class(pair.current, code),
        registered=None if pair.registered is None else _of_class(pair.registered, code),
        earlier=tuple(
            (window, lambda read=read: _of_class(read(), code)) for window, read in pair.earlier
        ),
    )
    return _policy(name, policy, decision), view


def shared(reading: Reading, classes: int) -> Reading:
    """Return a reading whose adjusted p-value holds for all classes together (Bonferroni).

    Args:
        reading: Of one class.
        classes: How many are held against the rest.
    """
    result: Result = reading.result
    if not isinstance(result, Estimate) or result.p_adjusted is None:
        return reading
    return replace(
        reading, result=replace(result, p_adjusted=min(1.0, classes * result.p_adjusted))
    )


def _policy(name: str, policy: Policy, decision: Decision) -> Policy:
    effect = policy.one_against_rest[name]
    classes = len(policy.one_against_rest)

    def divided(band: Band) -> Band:
        return replace(band, alpha=band.alpha / classes)

    populations = {of: divided(band) for of, band in policy.disparity.populations.items()}
    return replace(
        policy,
        decision=None if effect is None else replace(decision, effect=effect),
        label=_label(policy.label, decision),
        band=divided(policy.band),
        disparity=replace(policy.disparity, populations=populations),
    )


def _label(label: Label | None, decision: Decision) -> Label | None:
    """Return a label of whether a row is of the class.

    Where labels follow one decision only, those of rows that were given other classes are known of
    some of them at most: as if the class were the decision that they follow.
    """
    if label is None:
        return None
    observed = label.observed_when and ObservedWhen.POSITIVE
    return Label(label.column, decision.positive, decision.negative, observed)


def _others(classes: Classes, name: str) -> tuple[str, ...]:
    return tuple(value for value in classes.values if value != name)


def _of_class(profile: Profile, code: int) -> Profile:
    if profile.classes is None:
        raise ValueError("a window on a grid with classes was counted without them")
    outcomes = table_against_rest(profile.classes.table, [code])
    groups = profile.classes.groups
    scores = None if groups is None else of_class(groups, code)
    return replace(profile, outcomes=outcomes, group_scores=scores)
