"""What is measured of a slice that is held against other rows of the same window."""

from collections.abc import Mapping
from math import sqrt

from msgspec.structs import replace

from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.peer import Peer
from monitor.domain.policy import FieldLimit, Policy
from monitor.domain.reading import Reading, Subject
from monitor.measures.catalogue import CATALOGUE
from monitor.measures.measure import Family, FieldMeasure, Measure, ModelMeasure, ProfilePair
from monitor.measures.measuring import measured_against, readings_by
from monitor.measures.names import MEASURE_NAMES
from monitor.measures.variability import SQUARED, Floor, Floors, floors_against
from monitor.profile.profile import Profile, merged
from monitor.profile.segments import slice_names


def measure_peer(
    peer: Peer, model: str, version: str, policy: Policy, pair: ProfilePair
) -> tuple[Reading, ...]:
    """Return the readings of drift of a slice that is held against other rows of the same window.

    Pure, and of one window alone. What slices do not count (times, texts, embeddings, how fields
    move together) has no reading.

    Args:
        peer: The slice, and what it is held against.
        model: Name of the model.
        version: The model version.
        policy: What to measure.
        pair: Baseline and window, all rows.
    """
    apart = peer_pair(peer, pair)
    absent = apart if isinstance(apart, Unmeasurable) else None
    subject = Subject(
        model, version, reference=peer.name, segment=peer.segment, segment_value=peer.slice
    )
    held = pair if isinstance(apart, Unmeasurable) else apart
    measures = measured_against(_MEASURES, peer.name, absent)
    return tuple(readings_by(subject, _of_slices(policy), held, measures))


def peer_pair(peer: Peer, pair: ProfilePair) -> ProfilePair | Unmeasurable:
    """Return a slice of a window and what it is held against, or why there is no such slice.

    Args:
        peer: The slice, and what it is held against.
        pair: All rows; its current side is what is divided.
    """
    grid = next(item for item in pair.grid.segments if item.name == peer.segment)
    codes = {name: code for code, name in enumerate(slice_names(grid))}
    for name in filter(None, (peer.slice, peer.against)):
        if name not in codes:
            return Unmeasurable(
                Absence.REFERENCE_UNAVAILABLE,
                f"the baseline has no slice {name} of {peer.segment}; its slices are "
                + ", ".join(codes),
            )
    parts = pair.current.segments.get(peer.segment, {})
    others = [codes[peer.against]] if peer.against else parts.keys() - {codes[peer.slice]}
    nobody = Profile.of_slice(pair.grid)
    found = [parts[code] for code in sorted(others) if code in parts]
    return replace(
        pair,
        reference=merged(found) if found else nobody,
        current=parts.get(codes[peer.slice], nobody),
        reference_windows=1.0,
    )


def peer_floors(learned: Floors, peer: Peer, policy: Policy, pair: ProfilePair) -> Floors:
    """Return what is tolerated between a slice and its peer.

    Slices differ at all times: what is asked is whether they lie farther apart than in the
    baseline. Distances obey the triangle inequality, so a slice that was ``d`` from the other one,
    and moved by no more than the tolerated ``t``, lies within ``d + t``; for a squared distance,
    within ``(√d + √t)²``. ``d`` is the upper end of its interval in the baseline, and ``t`` the
    limit, or what two windows reach by themselves where that is more. The root of PSI is a metric
    only to second order, where it is that of chi-square.

    Args:
        learned: The floors of all rows.
        peer: The slice, and what it is held against.
        policy: Has the limits.
        pair: The baseline on both sides, all rows.
    """
    limits = policy.limits_against(peer.name)
    apart = _apart(measure_peer(peer, policy.model, "", policy, pair))
    found: dict[tuple[str, ...], Floor] = {}
    for (measure, field, *_), floor in floors_against(learned, peer.name, 1).items():
        key = (measure, field, peer.name)
        found[key] = _beside(floor, apart.get((measure, field), 0.0), measure, field, limits)
    return found


def _apart(readings: tuple[Reading, ...]) -> dict[tuple[str, str], float]:
    """Return how far slice and peer lie apart at most, by measure and field."""
    return {
        (item.measure, item.subject.field): max(
            abs(end)
            for end in (item.result.value, item.result.low, item.result.high)
            if end is not None
        )
        for item in readings
        if isinstance(item.result, Estimate)
    }


def _beside(
    floor: Floor, apart: float, measure: str, field: str, limits: Mapping[str, FieldLimit]
) -> Floor:
    if not apart or measure not in limits:
        return floor
    limit = limits[measure].of(field)

    def tolerated(bound: float | None, reached: float) -> float:
        moved = max(bound or 0.0, reached)
        return (sqrt(apart) + sqrt(moved)) ** 2 if measure in SQUARED else apart + moved

    return replace(
        floor,
        warning=tolerated(limit.warning, floor.warning),
        critical=tolerated(limit.critical, floor.critical),
    )


def _of_slices(policy: Policy) -> Policy:
    """Return a policy of the fields that slices count."""
    return replace(policy, fields=tuple(item for item in policy.fields if item.part is None))


_MEASURES: tuple[Measure, ...] = tuple(
    measure
    for measure in CATALOGUE
    if measure.about.family is Family.DRIFT
    and not MEASURE_NAMES[measure.about.id].together
    and isinstance(measure, FieldMeasure | ModelMeasure)
)
