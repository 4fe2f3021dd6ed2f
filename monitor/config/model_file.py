"""``config/models/<model>.yaml`` → `Policy`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from monitor.config.checks import problems_between_keys
from monitor.config.content import policy_digest
from monitor.config.defaults import (
    DEFAULT_LIMITS,
    ONLY_WITH_PROBABILITIES,
    REOPENED_WINDOWS,
    UNJUDGED,
)
from monitor.config.disparity import disparity_limits, disparity_problems, with_profile
from monitor.config.document import Document, parse_document, read_document
from monitor.config.governance import governance_of
from monitor.config.governance_checks import governance_problems
from monitor.config.outcomes import (
    against_rest,
    classes_of,
    compared_metrics,
    decision_of,
    label_of,
)
from monitor.config.population_sections import (
    FactorSection,
    PopulationSection,
    ProtectedTableSection,
    StratumSection,
)
from monitor.config.reference_checks import OF_THE_SAME_WINDOW
from monitor.config.sections import (
    AlarmsSection,
    FieldLimitSection,
    FieldSection,
    LimitSection,
    ModelSection,
    ReferenceSection,
    ScheduleSection,
    SegmentSection,
    SourceSection,
)
from monitor.config.segment_checks import pairs_of
from monitor.config.validation import validated
from monitor.config.values import in_zone
from monitor.config.wording import quoted
from monitor.domain.alarm import AlarmRule
from monitor.domain.errors import ConfigError, Problem
from monitor.domain.field import (
    Attribute,
    Field,
    FieldKind,
    FieldRole,
    Part,
    Population,
    Stratum,
)
from monitor.domain.limit import HeldAgainst, Limit
from monitor.domain.peer import Peer
from monitor.domain.policy import (
    FieldLimit,
    LabelTable,
    Policy,
    ProtectedTable,
    SourceSpec,
    TableFormat,
)
from monitor.domain.reference import VOLUME, Reference, ReferenceKind, Season
from monitor.domain.schedule import Schedule
from monitor.domain.segment import Segment
from monitor.measures.names import MEASURE_NAMES, METRIC_NAMES, MeasureName

_DECIDING = "psi"
_SUFFIXES = (".yaml", ".yml")


def load_policy(path: Path, measures: Mapping[str, MeasureName] = MEASURE_NAMES) -> Policy:
    """Return the policy that a model's file declares.

    Args:
        path: The file.
        measures: The measures that may be given a limit.

    Raises:
        ConfigError: With every problem of the file.
    """
    policy, problems = _read(read_document(path), measures)
    if policy is None or problems:
        raise ConfigError(in_order(problems))
    return policy


def parse_policy(text: str, file: str, *, stored: bool = False) -> Policy:
    """Return the policy that a text declares.

    Args:
        text: The content of a model's file.
        file: What to call it in problems.
        stored: Whether it is one that was in force, as the store kept it. Who may have which duty was
            checked when it was a file; a rule that came later is for the next edit, and does not
            keep that edit from being compared with it.

    Raises:
        ConfigError: With every problem that this version has with it.
    """
    policy, problems = _read(parse_document(file, text), MEASURE_NAMES, governed=not stored)
    if policy is None or problems:
        raise ConfigError(in_order(problems))
    return policy


def load_policies(
    directory: Path, measures: Mapping[str, MeasureName] = MEASURE_NAMES
) -> tuple[Policy, ...]:
    """Return the policies of all models in a folder, in the order of the files' names.

    Raises:
        ConfigError: With every problem of every file; also when two files name the same model, or
            when the folder holds no file at all.
    """
    problems: list[Problem] = []
    policies: list[Policy] = []
    first: dict[str, str] = {}
    for path in _files(directory):
        document = read_document(path)
        policy, found = _read(document, measures)
        problems += found
        name = document.value.get("model")
        if isinstance(name, str) and first.setdefault(name, str(path)) != str(path):
            message = f"the model {quoted(name)} is declared in {first[name]} already"
            problems.append(document.problem(("model",), message))
        if policy is not None:
            policies.append(policy)
    if problems:
        raise ConfigError(in_order(problems))
    return tuple(policies)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems by file, line and column, each once."""
    return tuple(
        sorted(
            dict.fromkeys(problems),
            key=lambda problem: (problem.file, problem.line, problem.column, problem.key),
        )
    )


def _files(directory: Path) -> list[Path]:
    try:
        files = sorted(
            path
            for path in directory.iterdir()
            if path.suffix in _SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
    except OSError as error:
        message = f"the folder of models cannot be read: {error.strerror}"
        raise ConfigError((Problem(str(directory), 1, 1, "", message),)) from error
    if not files:
        message = "the folder of models holds no .yaml file; modelmon init writes one"
        raise ConfigError((Problem(str(directory), 1, 1, "", message),))
    return files


def _read(
    document: Document, measures: Mapping[str, MeasureName], *, governed: bool = True
) -> tuple[Policy | None, list[Problem]]:
    problems = list(document.problems)
    if not document.whole:
        return None, problems
    section, found = validated(document, ModelSection)
    problems += found
    problems += problems_between_keys(document, measures)
    problems += disparity_problems(document, METRIC_NAMES)
    problems += governance_problems(document, measures) if governed else ()
    if section is None or problems:
        return None, problems
    policy = _policy(section, document)
    return replace(policy, digest=policy_digest(policy, measures)), problems


def _policy(given: ModelSection, document: Document) -> Policy:
    disparities = with_profile(given.limits.disparity)
    limits_section = given.limits.model_copy(update={"disparity": disparities})
    section = given.model_copy(update={"limits": limits_section})
    fields = tuple(
        part
        for name, entry in section.fields.items()
        for part in _field(name, entry, section.source.timezone).in_parts()
    )
    short = Schedule(section.schedule.window).nominal < timedelta(days=7)
    limits = _limits(section, _hours_of_week(fields) if short else ())
    # How many rows come is held against a reference only where its own limits say so.
    inherited = {name: limit for name, limit in limits.items() if name != VOLUME}
    band, disparity = disparity_limits(disparities, _of_disparities(section.alarms))
    return Policy(
        model=section.model,
        source=_source(section.source),
        fields=fields,
        decision=decision_of(section),
        label=label_of(section),
        attributes={name: _attribute(name, entry) for name, entry in section.populations.items()},
        populations=(
            *(Population((name,)) for name in section.populations),
            *(Population(tuple(names)) for names in section.crossings),
        ),
        schedule=_schedule(section.schedule, TableFormat(section.source.format)),
        limits=limits,
        band=band,
        disparity_metrics=compared_metrics(section, document),
        held_against=HeldAgainst(disparities.reference),
        false_discovery_rate=section.limits.false_discovery_rate,
        alarms=_alarms(section.alarms),
        min_label_coverage=section.label.min_coverage if section.label else 0.0,
        references=tuple(
            _reference(name, item)
            for name, item in section.references.items()
            if item.kind != OF_THE_SAME_WINDOW
        ),
        reference_limits={
            name: own
            for name, item in section.references.items()
            if (own := _limits_against(item.limits, inherited)) != inherited
        },
        peers=tuple(
            Peer(name, item.segment, item.slice, item.against or "")
            for name, item in section.references.items()
            if item.segment is not None and item.slice is not None
        ),
        segments=_segments(section),
        strata={name: _stratum(name, item) for name, item in section.strata.items()},
        suppress_below=section.reports.suppress_below,
        suppress_in_metrics=section.reports.suppress_in_metrics,
        alias_groups=section.reports.group_labels == "alias",
        classes=classes_of(section.classes, section.label) if section.classes else None,
        one_against_rest=against_rest(section),
        disparity=disparity,
        owner=section.owner or "",
        governance=governance_of(section),
        text=document.text,
        directory=str(Path(document.file).parent),
    )


def _field(name: str, section: FieldSection, zone: str) -> Field:
    kind = FieldKind(section.kind)
    return Field(
        name,
        section.column or name,
        kind,
        FieldRole(section.role),
        section.importance,
        zone=section.timezone or zone if kind is FieldKind.DATETIME else "",
        minimum=section.min,
        maximum=section.max,
    )


def _source(section: SourceSection) -> SourceSpec:
    table = section.labels
    return SourceSpec(
        path=section.path,
        format=TableFormat(section.format),
        event_time=section.event_time,
        zone=section.timezone,
        id=section.id or "",
        version=section.version or "",
        default_version=section.default_version,
        labels=LabelTable(
            table.path,
            table.id,
            table.time or "",
            table.event_time or "",
            table.wait,
            TableFormat(table.format),
        )
        if table
        else None,
        max_clock_skew=section.max_clock_skew,
        protected=_protected(section.protected) if section.protected else None,
        catalogs=section.catalogs,
    )


def _protected(section: ProtectedTableSection) -> ProtectedTable:
    return ProtectedTable(
        section.path,
        section.id,
        section.key or "",
        section.time or "",
        TableFormat(section.format),
    )


def _attribute(name: str, section: PopulationSection) -> Attribute:
    return replace(
        _factor(name, section),
        reference=section.reference or "",
        declined=tuple(section.declined),
        legal_basis=section.legal_basis or "",
        retention_days=section.retention_days,
        protected=section.source == "protected",
    )


def _factor(name: str, section: FactorSection) -> Attribute:
    return Attribute(
        name=name,
        column=section.column or name,
        values=section.values or {},
        bins=tuple(section.bins or ()),
        unknown=tuple(section.unknown),
        labels=tuple(section.labels or ()),
    )


def _stratum(name: str, section: StratumSection) -> Stratum:
    return Stratum(_factor(name, section), section.approved_by, section.reason)


def _schedule(section: ScheduleSection, kept_by: TableFormat) -> Schedule:
    zone = section.timezone

    def utc(instant: datetime) -> datetime:
        return in_zone(instant, zone).astimezone(UTC)

    schedule = Schedule(
        length=section.window,
        zone=zone,
        start=section.start and utc(section.start),
        end=section.end and utc(section.end),
        lateness=section.lateness,
        patience=_patience(section, kept_by),
        reopen=Schedule(section.window).nominal * REOPENED_WINDOWS
        if section.reopen is None
        else section.reopen,
    )
    return replace(schedule, anchor=utc(section.anchor)) if section.anchor else schedule


def _patience(section: ScheduleSection, kept_by: TableFormat) -> timedelta:
    """Return how long a window waits for the log: a table says itself how far it is complete."""
    if section.patience is not None:
        return section.patience
    table = kept_by is not TableFormat.PARQUET
    return Schedule(section.window).nominal if table else timedelta(0)


def _hours_of_week(fields: Iterable[Field]) -> list[str]:
    return [field.name for field in fields if field.part is Part.HOUR_OF_WEEK]


def _limits(section: ModelSection, unjudged: Iterable[str]) -> dict[str, FieldLimit]:
    """Return the limit of each measure.

    Args:
        section: What the file says.
        unjudged: Fields whose PSI is judged only if the file gives them a limit of their own: in a
            window of a day the hours of the week differ from those of a month by that alone.
    """
    families = section.limits
    given = {**families.drift, **families.quality, **families.performance}
    likely = section.classes is not None and bool(section.classes.probabilities)
    usual = [name for name in DEFAULT_LIMITS if likely or name not in ONLY_WITH_PROBABILITIES]
    limits: dict[str, FieldLimit] = {}
    for name in dict.fromkeys((*usual, *given)):
        base = DEFAULT_LIMITS.get(name, UNJUDGED)
        limit = _field_limit(given[name], base) if name in given else FieldLimit(base)
        if name == _DECIDING:
            never = replace(limit.default, warning=None, critical=None)
            others = {field: never for field in unjudged if field not in limit.fields}
            limit = FieldLimit(limit.default, {**limit.fields, **others})
        if _judges(limit):
            limits[name] = limit
    return limits


def _limits_against(
    given: Mapping[str, LimitSection], limits: Mapping[str, FieldLimit]
) -> dict[str, FieldLimit]:
    """Return the limits that a reference has from the model, with its own in their place."""
    unjudged = FieldLimit(UNJUDGED)
    own = {
        name: _field_limit(section, limits.get(name, unjudged).default)
        for name, section in given.items()
    }
    return {name: limit for name, limit in {**limits, **own}.items() if _judges(limit)}


def _judges(limit: FieldLimit) -> bool:
    return any(own.bounds for own in (limit.default, *limit.fields.values()))


def _segments(section: ModelSection) -> tuple[Segment, ...]:
    """Return the declared segments, and those that the scan makes of them."""
    declared = tuple(_segment(name, item) for name, item in section.segments.items())
    scan = section.scan
    return (*declared, *(pairs_of(declared, scan.max_values) if scan.pairs else ()))


def _segment(name: str, section: SegmentSection) -> Segment:
    return Segment(name, tuple(section.columns or [section.column or name]), section.max_values)


def _reference(name: str, section: ReferenceSection) -> Reference:
    windows = section.windows or 1
    return Reference(
        name=name,
        kind=ReferenceKind(section.kind),
        windows=windows,
        gap=section.gap,
        at_least=section.at_least or (windows + 1) // 2,
        season=Season(section.season) if section.season else None,
    )


def _field_limit(section: LimitSection, base: Limit) -> FieldLimit:
    default = _limit(section, base)
    return FieldLimit(default, {name: _limit(own, default) for name, own in section.fields.items()})


def _limit(section: FieldLimitSection, base: Limit) -> Limit:
    given = section.model_fields_set  # a bound of None was given as never
    return Limit(
        warning=section.warning if "warning" in given else base.warning,
        critical=section.critical if "critical" in given else base.critical,
        min_rows=base.min_rows if section.min_rows is None else section.min_rows,
    )


def _of_disparities(section: AlarmsSection) -> AlarmRule:
    needed, of = section.disparity
    return AlarmRule(needed, of, keep=section.keep)


def _alarms(section: AlarmsSection) -> AlarmRule:
    needed, of = section.persistence
    return AlarmRule(needed, of, section.false_alarms_per_year, section.keep)
