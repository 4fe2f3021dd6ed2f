"""A policy written in full and read again is the same policy."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.config.content import policy_as_yaml, policy_digest
from monitor.config.defaults import DEFAULT_LIMITS
from monitor.config.model_file import load_policy
from monitor.config.regulation import profiles
from monitor.config.segment_checks import pairs_of
from monitor.domain.alarm import AlarmRule
from monitor.domain.disparity import DisparityLimits
from monitor.domain.field import (
    Attribute,
    Classes,
    Decision,
    Effect,
    Field,
    FieldKind,
    FieldRole,
    Label,
    Part,
    Population,
    Stratum,
    embeddings,
)
from monitor.domain.limit import Band, Limit
from monitor.domain.peer import Peer
from monitor.domain.policy import FieldLimit, LabelTable, Policy, ProtectedTable, SourceSpec
from monitor.domain.reference import VOLUME, Reference, ReferenceKind
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.segment import Segment
from monitor.measures.names import MEASURE_NAMES

pytestmark = pytest.mark.slow

SURPRISING = [
    "no",
    "y",
    "012",
    "1e5",
    "12:30:45",
    "2005-06-01",
    "<<",
    "null",
    "~",
    "a: b",
    "- x",
    "#",
]

letters = st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))
names = (
    st.text(letters, min_size=1, max_size=10).filter(str.strip)
    | st.sampled_from(SURPRISING)
    | st.text("x", min_size=150, max_size=200)
)
short = names.map(lambda name: name[:187])  # leaves room for a part
texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=10).filter(
    str.strip
)
paths = texts.filter(lambda path: "://" not in path)
values = st.text(max_size=5) | st.sampled_from(SURPRISING)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
instants = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the strategy adds the zone
durations = st.integers(1, 999_999).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def limits(draw, *, floor=False):
    low, high = sorted([draw(st.floats(0, 1e6)), draw(st.floats(0, 1e6))], reverse=floor)
    return Limit(
        draw(st.sampled_from([None, low])),
        draw(st.sampled_from([None, high])),
        draw(st.integers(1, 99)),
    )


@st.composite
def sources(draw, *, label):
    identity = draw(st.just("") | texts)
    table = st.builds(
        LabelTable,
        path=texts,
        id=texts,
        time=st.just("") | texts,
        event_time=st.just("") | texts,
        wait=st.just(timedelta(0)) | durations,
    )
    return SourceSpec(
        path=draw(paths),
        event_time=draw(st.just("the event time")),
        zone=draw(st.sampled_from(["UTC", "Europe/Amsterdam", "America/New_York"])),
        id=identity,
        version=draw(st.just("") | texts),
        default_version=draw(names),
        labels=draw(st.none() | table) if label and identity else None,
    )


def attribute(name):
    return st.one_of(
        st.builds(Attribute, st.just(name), texts, reference=st.just("") | names),
        st.builds(
            Attribute,
            st.just(name),
            texts,
            bins=st.lists(numbers, min_size=1, max_size=4, unique=True).map(sorted).map(tuple),
            unknown=st.lists(values, max_size=2).map(tuple),
            declined=st.sampled_from([(), ("would not say",)]),
            legal_basis=st.just("") | texts,
            retention_days=st.none() | st.integers(1, 9999),
        ),
        st.builds(
            Attribute,
            st.just(name),
            texts,
            bins=st.just((0.5, 2.0)),
            labels=st.lists(names, min_size=3, max_size=3, unique=True).map(tuple),
        ),
        st.builds(
            Attribute,
            st.just(name),
            texts,
            values=st.dictionaries(values, names, min_size=1, max_size=4),
        ),
    )


@st.composite
def classes(draw, label, columns):
    others = values.filter(lambda value: value not in label.positive)
    known = (*label.positive, *draw(st.lists(others, min_size=1, max_size=3, unique=True)))
    known = tuple(dict.fromkeys(known))
    apart = st.lists(columns, min_size=len(known), max_size=len(known), unique=True)
    return Classes(draw(columns), known, draw(st.just(()) | apart.map(tuple)))


@st.composite
def policies(draw):
    label = draw(
        st.none() | st.builds(Label, texts, st.lists(values, min_size=1, max_size=2).map(tuple))
    )
    source = draw(sources(label=label is not None))
    taken = {source.event_time, source.id}
    columns = texts.filter(lambda column: column not in taken)
    roles = st.sampled_from([FieldRole.FEATURE, FieldRole.PREDICTION])
    zones = st.sampled_from(["UTC", "Asia/Tokyo"])
    declared = [
        replace(field, zone=draw(zones)) if field.kind is FieldKind.DATETIME else field
        for field in (
            Field(name, draw(columns), draw(st.sampled_from(FieldKind)), draw(roles))
            for name in draw(st.lists(short, min_size=1, max_size=4, unique=True))
        )
    ]
    declared = [
        replace(
            field,
            minimum=draw(st.none() | st.floats(-9, 0)),
            maximum=draw(st.sampled_from([None, 1e300])),
        )
        if field.kind is FieldKind.NUMERIC
        else field
        for field in declared
    ]
    if draw(st.booleans()):
        declared[0] = replace(declared[0], kind=FieldKind.NUMERIC, role=FieldRole.SCORE, zone="")
    features = [place for place, item in enumerate(declared) if item.role is FieldRole.FEATURE]
    if draw(st.booleans()):
        weights = draw(st.lists(st.floats(1e-9, 1e9), min_size=4, max_size=4))
        for place in features:
            declared[place] = replace(declared[place], importance=weights[place])
    fields = [part for field in declared for part in field.in_parts()]
    limited = {
        "field": [
            fields[0].name,
            *(item.name for item in fields if item.part is Part.HOUR_OF_WEEK),
        ],
        "embedding": [item.declared for item in embeddings(fields)],
    }
    attributes = {
        name: draw(attribute(name)) for name in draw(st.lists(names, max_size=3, unique=True))
    }
    factors = names.filter(lambda name: name not in attributes)
    strata = {
        name: Stratum(Attribute(name, draw(texts), bins=(1.0,)), draw(names), draw(texts))
        for name in draw(st.lists(factors, max_size=2 if attributes else 0, unique=True))
    }
    if attributes and source.id and draw(st.booleans()):
        table = ProtectedTable(draw(paths), draw(texts), draw(st.just("") | texts))
        source = replace(source, protected=table)
        attributes = {name: replace(item, protected=True) for name, item in attributes.items()}
    crossing = [Population(tuple(attributes))] if len(attributes) > 1 else []
    length = draw(st.sampled_from(CalendarUnit) | durations)
    schedule = Schedule(
        length,
        draw(st.sampled_from(["UTC", "Asia/Tokyo"])),
        lateness=draw(st.just(timedelta(0)) | durations),
        patience=draw(st.just(timedelta(0)) | durations),
        reopen=draw(st.just(timedelta(0)) | durations),
    )
    if isinstance(length, timedelta):
        schedule = replace(schedule, anchor=draw(instants))
    decision = draw(decisions(required=bool(attributes)))
    chosen = None if label is None else draw(st.none() | classes(label, columns))
    has = {
        "score": fields[0].role is FieldRole.SCORE,
        "decision": decision is not None,
        "classes": label is not None,
        "number": False,
        "several": chosen is not None,
        "probabilities": chosen is not None and bool(chosen.probabilities),
    }
    judged = {
        name: FieldLimit(
            draw(limits(floor=measure.floor))
            if name not in DEFAULT_LIMITS
            else DEFAULT_LIMITS[name],
            {name: draw(limits()) for name in dict.fromkeys(limited.get(measure.subject, ()))},
        )
        for name, measure in MEASURE_NAMES.items()
        if measure.family != "disparity"
        and (name in DEFAULT_LIMITS or all(has[need] for need in measure.needs))
    }
    judged = {name: limit for name, limit in judged.items() if any_bound(limit)}
    held = draw(st.lists(references(), max_size=3, unique_by=lambda item: item.name))
    divided = draw(st.lists(segments(), max_size=2, unique_by=lambda item: item.name))
    called = {item.name for item in held}
    apart = [item for item in draw(peers(divided)) if item.name not in called]
    divided += draw(pairs(divided))
    inherited = {name: limit for name, limit in judged.items() if name != VOLUME}
    own = {item.name: draw(own_limits(inherited, [VOLUME])) for item in held}
    own |= {item.name: draw(own_limits(inherited)) for item in apart}
    return Policy(
        model=draw(names),
        source=source,
        fields=tuple(fields),
        decision=decision,
        label=label,
        attributes=attributes,
        populations=(*(Population((name,)) for name in attributes), *crossing),
        schedule=schedule,
        strata=strata,
        classes=chosen,
        limits=judged,
        references=tuple(held),
        peers=tuple(apart),
        segments=tuple(divided),
        reference_limits={name: limit for name, limit in own.items() if limit != inherited},
        band=draw(st.builds(Band, low=st.floats(0.1, 1), min_rows=st.integers(1, 99))),
        false_discovery_rate=draw(st.floats(0.001, 0.5)),
        alarms=draw(
            st.builds(
                AlarmRule,
                st.integers(1, 3),
                st.integers(3, 10),
                st.none() | st.floats(0.01, 100),
            )
        ),
        min_label_coverage=draw(st.floats(0, 1)) if label else 0.0,
        disparity=draw(disparity([*attributes, *(item.name for item in crossing)])),
        owner=draw(st.just("") | names),
    )


def peers(divided):
    if not divided:
        return st.just([])
    slices = values.filter(bool)
    peer = st.builds(
        Peer,
        names.filter(lambda name: name.lower() not in {"baseline", "registered"}),
        st.sampled_from([item.name for item in divided]),
        slices,
        st.just("") | slices,
    ).filter(lambda item: item.slice != item.against)
    return st.lists(peer, max_size=2, unique_by=lambda item: item.name)


def pairs(divided):
    single = [item for item in divided if len(item.columns) == 1]
    made = pairs_of(tuple(divided), 7)
    taken = {item.name for item in divided}
    apart = len({item.columns for item in single}) == len(single)
    if not (made and apart) or taken & {item.name for item in made}:
        return st.just([])
    return st.sampled_from([[], list(made)])


def bands():
    return st.builds(
        Band,
        st.floats(0.1, 1),
        st.floats(1, 10),
        st.floats(0, 0.5),
        st.floats(0.001, 0.5),
        st.integers(1, 99),
        st.floats(0, 99),
    )


def disparity(populations):
    own = st.lists(st.sampled_from(populations), unique=True) if populations else st.just([])
    named = [profile for profile, _ in profiles().values()]
    return st.builds(
        DisparityLimits,
        populations=own.flatmap(lambda names: st.fixed_dictionaries(dict.fromkeys(names, bands()))),
        change=st.none() | st.floats(0.1, 0.99),
        extend=st.integers(0, 60).map(lambda days: timedelta(days=days)),
        persistence=st.builds(AlarmRule, st.integers(1, 3), st.integers(3, 10)),
        profile=st.none() | st.sampled_from(named),
    )


def segments():
    columns = st.lists(texts, min_size=1, max_size=3, unique=True).map(tuple)
    return st.builds(Segment, names, columns, st.integers(1, 100))


@st.composite
def references(draw):
    name = draw(names.filter(lambda name: name.lower() not in {"baseline", "registered"}))
    kind = draw(st.sampled_from([ReferenceKind.PREVIOUS, ReferenceKind.ROLLING]))
    if kind is ReferenceKind.PREVIOUS:
        return Reference(name, kind)
    windows = draw(st.integers(1, 1000))
    least = draw(st.integers(1, windows))
    return Reference(name, kind, windows, draw(st.integers(0, 1000)), least)


@st.composite
def own_limits(draw, judged, others=()):
    """Return the model's limits with some measures of drift judged otherwise, or not at all."""
    drift = [name for name, measure in MEASURE_NAMES.items() if measure.family == "drift"]
    chosen = draw(st.lists(st.sampled_from([*others, *drift]), max_size=2, unique=True))
    own = {**judged, **{name: FieldLimit(draw(limits())) for name in chosen}}
    return {name: limit for name, limit in own.items() if any_bound(limit)}


def any_bound(limit):
    judged = (limit.default, *limit.fields.values())
    return any(own.warning is not None or own.critical is not None for own in judged)


@st.composite
def decisions(draw, *, required):
    positive = tuple(draw(st.lists(values, min_size=1, max_size=2)))
    effect = draw(st.sampled_from(Effect))
    column = draw(texts)
    made = st.sampled_from(
        [
            Decision(column, positive, effect=effect),
            Decision(column, positive, (f"{positive[0]}{positive[-1]}!",), effect=effect),
            Decision(column, at_least=draw(numbers), effect=effect),
        ]
    )
    return draw(made if required else made | st.none())


@given(policies())
@settings(max_examples=60)
def test_a_policy_in_full_is_read_as_the_same_policy(policy):
    digest = policy_digest(policy)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.yaml"
        path.write_text(policy_as_yaml(policy), encoding="utf-8")
        again = load_policy(path)
    assert again.digest == digest
    assert replace(again, text="", digest="", directory=".") == policy
    assert policy_as_yaml(again) == policy_as_yaml(policy)
