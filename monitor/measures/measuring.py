"""Everything that the catalogue has to say of a model version in a window."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from monitor.domain.estimate import Absence, Result, Unmeasurable
from monitor.domain.field import Field, FieldKind, Population, embeddings
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.domain.reference import VOLUME
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.disparity.rates import RATES
from monitor.measures.groups import held_against
from monitor.measures.measure import (
    EmbeddingMeasure,
    EmbeddingPair,
    Family,
    FieldMeasure,
    FieldPair,
    GroupMeasure,
    GroupPair,
    Measure,
    ModelMeasure,
    ProfilePair,
)
from monitor.measures.one_class import against_rest, shared
from monitor.measures.strata import group_pair_by
from monitor.measures.stretches import Stretches
from monitor.profile.grid import FieldGrid, Grid, NumericGrid

_MEMBERSHIP = frozenset({"representation", "unknown_share"})
"""Metrics of who the rows are: their differences are from the baseline, not from another group."""


def measure_all(model: str, version: str, policy: Policy, pair: ProfilePair) -> tuple[Reading, ...]:
    """Return a reading for every measure of the model, its fields and its populations.

    Pure. The order is that of the catalogue within the policy's: the model, its fields, its
    embeddings, its populations. What the policy asks for and the baseline does not know gets a reading that says
    so.

    Args:
        model: Name of the model.
        version: The model version whose rows were profiled.
        policy: What to measure: its fields, populations and band.
        pair: Baseline and window on the baseline's grid.

    Raises:
        ValueError: The policy declares populations and a decision, but not what a positive one does.
    """
    return tuple(readings_by(Subject(model, version), policy, pair, CATALOGUE))


def measure_against(
    subject: Subject, policy: Policy, pair: ProfilePair, absent: Unmeasurable | None = None
) -> tuple[Reading, ...]:
    """Return the readings of change for a window that is held against an earlier reference.

    Pure. Those are the measures of drift, the change of each group's ratio and of its share of the
    population, and how many rows came, where a limit of this reference asks for it; whatever else is a
    level, or belongs to the registered baseline (quality, performance), is not measured again.

    Args:
        subject: The model version, with the name of the reference.
        policy: What to measure.
        pair: Reference and window on the baseline's grid, with the registered profile.
        absent: Why there is no such reference: the result of every reading.
    """
    volume = VOLUME in policy.limits_against(subject.reference)
    changes = (
        measure
        for measure in CATALOGUE
        if measure.about.family is Family.DRIFT
        or _is_change_of_groups(measure)
        or (volume and measure.about.id == VOLUME)
    )
    measures = measured_against(changes, subject.reference, absent)
    return tuple(readings_by(subject, policy, pair, measures))


def measured_against(
    measures: Iterable[Measure], reference: str, absent: Unmeasurable | None
) -> tuple[Measure, ...]:
    """Return measures whose reasons speak of a reference, or that only say that it is absent."""
    return tuple(_against(measure, reference, absent) for measure in measures)


def _is_change_of_groups(measure: Measure) -> bool:
    if not isinstance(measure, GroupMeasure):
        return False
    moved = measure.metric in _MEMBERSHIP and measure.about.unchanged is not None
    return moved or measure.about.id.endswith("_ratio_change")


def _against(measure: Measure, reference: str, absent: Unmeasurable | None) -> Measure:
    """Return a measure whose reasons speak of the reference, or that only says it is absent."""

    def said(result: Result) -> Result:
        if absent is not None:
            return replace(absent, n=result.n)
        if not isinstance(result, Unmeasurable):
            return result
        return replace(
            result,
            reason=Absence.REFERENCE_UNAVAILABLE
            if result.reason is Absence.NO_BASELINE
            else result.reason,
            explanation=result.explanation.replace("the baseline", f"the reference {reference}"),
        )

    if isinstance(measure, GroupMeasure):
        of_groups = measure.measure

        def measured(groups: GroupPair) -> Mapping[str, Result]:
            return {name: said(result) for name, result in of_groups(groups).items()}

        return replace(measure, measure=measured)
    of_one: Any = measure.measure
    return replace(measure, measure=lambda pair: said(of_one(pair)))


def readings_by(
    subject: Subject, policy: Policy, pair: ProfilePair, measures: Sequence[Measure]
) -> Iterator[Reading]:
    """Yield the readings of some measures: of the model, its fields, its populations and classes."""
    yield from _of_model(subject, pair, measures)
    for field in policy.fields:
        yield from _of_field(replace(subject, field=field.name), field, pair, measures)
    for embedding in embeddings(policy.fields):
        yield from _of_embedding(
            replace(subject, field=embedding.declared), embedding, pair, measures
        )
    for population in policy.populations:
        yield from _of_population(subject, population, policy, pair, measures)
    of_rates = [
        item for item in measures if isinstance(item, GroupMeasure) and item.metric in RATES
    ]
    for name in policy.one_against_rest if of_rates else ():
        yield from _of_class(replace(subject, class_name=name), policy, pair, of_rates)


def _of_class(
    subject: Subject, policy: Policy, pair: ProfilePair, measures: Sequence[GroupMeasure]
) -> Iterator[Reading]:
    """Yield the rates of each population's groups of one class, held against all others."""
    view = against_rest(subject.class_name, policy, pair)
    for population in policy.populations:
        if isinstance(view, Unmeasurable):
            of = replace(subject, population=population.name)
            for measure in measures:
                if measure.metric in policy.disparity_metrics and not measure.within_strata:
                    yield Reading(measure.about.id, of, view)
            continue
        for reading in _of_population(subject, population, *view, measures):
            yield shared(reading, len(policy.one_against_rest))


def _of_model(
    subject: Subject, pair: ProfilePair, measures: Sequence[Measure]
) -> Iterator[Reading]:
    for measure in measures:
        if isinstance(measure, ModelMeasure) and measure.applies(pair.grid):
            yield Reading(measure.about.id, subject, measure.measure(pair))


def _of_field(
    subject: Subject, field: Field, pair: ProfilePair, catalogue: Sequence[Measure]
) -> Iterator[Reading]:
    measures = [measure for measure in catalogue if isinstance(measure, FieldMeasure)]
    changed = _changed(field, pair.grid)
    if changed is not None:
        for measure in measures:
            yield Reading(measure.about.id, subject, changed)
        return
    fields = FieldPair(
        field,
        pair.grid.fields[field.name],
        pair.reference.fields[field.name],
        pair.current.fields[field.name],
    )
    for measure in measures:
        if measure.applies(fields.grid) and measure.asked_of(field):
            yield Reading(measure.about.id, subject, measure.measure(fields))


def _of_embedding(
    subject: Subject, norm: Field, pair: ProfilePair, measures: Sequence[Measure]
) -> Iterator[Reading]:
    """Yield what is measured of an embedding as a whole, besides its norm."""
    changed = _changed(norm, pair.grid)
    for measure in measures:
        if not isinstance(measure, EmbeddingMeasure):
            continue
        if changed is not None:
            yield Reading(measure.about.id, subject, changed)
            continue
        name = norm.declared
        vectors = EmbeddingPair(
            name,
            norm.column,
            pair.grid.vectors[name],
            pair.reference.vectors[name],
            pair.current.vectors[name],
        )
        yield Reading(measure.about.id, subject, measure.measure(vectors))


def _changed(field: Field, grid: Grid) -> Unmeasurable | None:
    """Return why the baseline cannot serve a field as the policy now describes it."""
    cells = grid.fields.get(field.name)
    if cells is None:
        what = f"{field.name} was not a field then"
    elif isinstance(cells, NumericGrid) is not (field.kind is FieldKind.NUMERIC):
        what = f"{field.name} was {_kind(cells)} then, and is {field.kind} now"
    elif grid.columns[field.name] != field.column:
        what = f"{field.name} was read from {grid.columns[field.name]}, and is from {field.column}"
    else:
        return None
    return Unmeasurable(
        Absence.NO_BASELINE, f"the baseline was registered otherwise ({what}): register a new one"
    )


def _kind(cells: FieldGrid) -> str:
    return "numeric" if isinstance(cells, NumericGrid) else "categorical"


def _of_population(
    model: Subject,
    population: Population,
    policy: Policy,
    pair: ProfilePair,
    measures: Sequence[Measure],
) -> Iterator[Reading]:
    subject = replace(model, population=population.name)
    stretches = Stretches.both(population, policy, pair)
    by_factor: dict[str, GroupPair | Unmeasurable] = {}
    for measure in _of_groups(measures, policy, pair.grid):
        if not measure.within_strata:
            longer = stretches[measure.unassigned]
            yield from _by_group(measure, subject, longer.window, longer.measured)
            continue
        for factor in policy.strata:
            if factor not in by_factor:
                by_factor[factor] = group_pair_by(population, factor, policy, pair)
            within = replace(subject, stratum=factor)
            yield from _by_group(measure, within, by_factor[factor], _in_the_window)


def _in_the_window(measure: GroupMeasure, groups: GroupPair) -> Mapping[str, Result]:
    return measure.measure(groups)


def _by_group(
    measure: GroupMeasure,
    subject: Subject,
    groups: GroupPair | Unmeasurable,
    measured: Callable[[GroupMeasure, GroupPair], Mapping[str, Result]],
) -> Iterator[Reading]:
    if isinstance(groups, Unmeasurable):
        yield Reading(measure.about.id, subject, groups)
        return
    reference = held_against(groups)
    results = measured(measure, groups)
    if "" in results:  # of the population as a whole
        yield Reading(measure.about.id, subject, results[""])
    for name in groups.groups:
        if name in results:  # one reference group is not held against itself
            group = replace(subject, group=name, reference_group=reference)
            yield Reading(measure.about.id, group, results[name])


def _of_groups(measures: Sequence[Measure], policy: Policy, grid: Grid) -> Iterator[GroupMeasure]:
    """Yield the measures of groups that the model has and the policy asks for."""
    for measure in measures:
        if (
            isinstance(measure, GroupMeasure)
            and measure.applies(grid)
            and (not measure.metric or measure.metric in policy.disparity_metrics)
        ):
            yield measure
