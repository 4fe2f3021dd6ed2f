"""Everything that the catalogue has to say of a model version in a window."""

from collections.abc import Iterator
from dataclasses import replace

from monitor.domain.estimate import Absence, Unmeasurable
from monitor.domain.field import Field, FieldKind, Population, embeddings
from monitor.domain.policy import Policy
from monitor.domain.reading import Reading, Subject
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.groups import group_pair
from monitor.measures.measure import (
    EmbeddingMeasure,
    EmbeddingPair,
    FieldMeasure,
    FieldPair,
    GroupMeasure,
    ModelMeasure,
    ProfilePair,
)
from monitor.profile.grid import FieldGrid, Grid, NumericGrid


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
        ValueError: The policy declares populations without saying what a positive decision does.
    """
    readings = list(_of_model(Subject(model, version), pair))
    for field in policy.fields:
        readings += _of_field(Subject(model, version, field=field.name), field, pair)
    for embedding in embeddings(policy.fields):
        readings += _of_embedding(
            Subject(model, version, field=embedding.declared), embedding, pair
        )
    for population in policy.populations:
        readings += _of_population(Subject(model, version), population, policy, pair)
    return tuple(readings)


def _of_model(subject: Subject, pair: ProfilePair) -> Iterator[Reading]:
    for measure in CATALOGUE:
        if isinstance(measure, ModelMeasure) and measure.applies(pair.grid):
            yield Reading(measure.about.id, subject, measure.measure(pair))


def _of_field(subject: Subject, field: Field, pair: ProfilePair) -> Iterator[Reading]:
    measures = [measure for measure in CATALOGUE if isinstance(measure, FieldMeasure)]
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
        if measure.applies(fields.grid):
            yield Reading(measure.about.id, subject, measure.measure(fields))


def _of_embedding(subject: Subject, norm: Field, pair: ProfilePair) -> Iterator[Reading]:
    """Yield what is measured of an embedding as a whole, besides its norm."""
    changed = _changed(norm, pair.grid)
    for measure in CATALOGUE:
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
    model: Subject, population: Population, policy: Policy, pair: ProfilePair
) -> Iterator[Reading]:
    subject = replace(model, population=population.name)
    for measure in CATALOGUE:
        if not isinstance(measure, GroupMeasure) or not measure.applies(pair.grid):
            continue
        groups = group_pair(population, policy, pair, unassigned=measure.unassigned)
        if isinstance(groups, Unmeasurable):
            yield Reading(measure.about.id, subject, groups)
            continue
        reference = groups.groups[groups.reference_group]
        results = measure.measure(groups)
        for name in groups.groups:
            if name in results:  # the reference group is not held against itself
                group = replace(subject, group=name, reference_group=reference)
                yield Reading(measure.about.id, group, results[name])
