"""The keys of a model's file: their types, defaults and descriptions, nothing else.

What one key demands of another is looked for in `monitor.config.checks`, so that a wrong type in
one section does not hide a problem in another. Descriptions are shown by editors, in messages about
missing keys, and in the reference.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from monitor.config.defaults import (
    DEFAULT_ALARMS,
    DEFAULT_DISPARITY,
    DEFAULT_FALSE_DISCOVERY_RATE,
    DEFAULT_LABEL_COVERAGE,
    DEFAULT_SLICES,
    DEFAULT_SUPPRESS_BELOW,
    MOST_AGAINST_REST,
    MOST_CLASSES,
    MOST_SLICES,
    MOST_WINDOWS,
)
from monitor.config.disparity_sections import BoundsSection, DisparitySection
from monitor.config.governance_sections import GovernanceSections
from monitor.config.population_sections import Populations, ProtectedTableSection, Strata
from monitor.config.section import Section, TableFormat, named_in_full
from monitor.config.values import (
    Duration,
    Instant,
    Length,
    Location,
    Name,
    Persistence,
    Text,
    Value,
    Zone,
    persistence_text,
    wrong,
)
from monitor.config.wording import described
from monitor.domain.field import FieldKind

Kind = Literal["numeric", "categorical", "boolean", "datetime", "text", "embedding"]
Role = Literal["feature", "score", "prediction"]
Values = Annotated[list[Value], Field(min_length=1)]


class LabelTableSection(Section):
    """A later table that brings the labels, joined by the prediction's id."""

    path: Location = Field(description="folder or file of the labels, as for source.path")
    format: TableFormat = Field("parquet", description="what keeps its files, as for source.format")
    id: Text = Field(description="column of the label table with the prediction's id")
    time: Text | None = Field(None, description="column that says when the label became known")
    event_time: Text | None = Field(
        None, description="column of the label table with the instant of the prediction"
    )
    wait: Duration = Field(
        "90d",
        validate_default=True,
        description="how long after its end a window is run again when its labels arrive",
    )


class SourceSection(Section):
    """Where the inference log is and what its bookkeeping columns are called."""

    path: Location = Field(
        description="folder or file of the log: relative to this file, absolute, or a URI such as "
        "s3://bucket/log"
    )
    format: TableFormat = Field(
        "parquet", description="what keeps its files: parquet in folders, a delta or iceberg table"
    )
    event_time: Text = Field(description="column with the instant of the prediction")
    timezone: Zone = Field("UTC", description="IANA zone in which naive event times are read")
    id: Text | None = Field(None, description="column with the prediction's id")
    version: Text | None = Field(
        None, description="column or hive partition key with the model version"
    )
    default_version: Name = Field(
        "1", description="version of rows whose log has no version column"
    )
    labels: LabelTableSection | None = Field(
        None, description="the table that brings the labels, when they are not in the log"
    )
    protected: ProtectedTableSection | None = Field(
        None, description="the table that has protected attributes which the log must not have"
    )
    catalogs: dict[Name, dict[str, Text]] = Field(
        {},
        description="properties of the catalogs of Iceberg tables by the catalog's name, as "
        "pyiceberg has them, without secrets",
    )
    max_clock_skew: Duration = Field(
        "1h",
        validate_default=True,
        description="how far event times may run ahead of the daemon's clock",
    )


class FieldSection(Section):
    """A watched column."""

    kind: Kind = Field(description="how its values are counted")
    role: Role = Field("feature", description="what it is to the model")
    column: Text | None = Field(
        None, description="column of the log, when the field has another name"
    )
    importance: float | None = Field(
        None,
        ge=0,
        description="how much the model relies on a feature, against the others; ranks findings",
    )
    min: float | None = Field(
        None, description="of a number: less than this is out of bounds, whatever the baseline held"
    )
    max: float | None = Field(
        None, description="of a number: more than this is out of bounds, whatever the baseline held"
    )
    timezone: Zone | None = Field(
        None,
        description="of a datetime: IANA zone of values that carry none, and of its hours of the "
        "week; source.timezone unless it is said",
    )


def _field_in_full(value: Any) -> Any:
    if isinstance(value, str):
        return {"kind": value}
    if isinstance(value, dict):
        return value
    kinds = ", ".join(FieldKind)
    raise wrong(f"must be {kinds}, or a section of keys, not {described(value)}")


FieldEntry = Annotated[
    FieldSection, BeforeValidator(_field_in_full, json_schema_input_type=FieldSection | Kind)
]


class DecisionSection(Section):
    """The model's decision about a person or a case."""

    column: Text = Field(description="column of the log with the decision")
    positive: Values | None = Field(None, description="values that are a positive decision")
    negative: Values | None = Field(
        None, description="values that are a negative decision; otherwise all others are"
    )
    at_least: float | None = Field(
        None, description="a decision is positive from this number on; instead of positive"
    )
    positive_is: Literal["favourable", "harmful"] | None = Field(
        None, description="what a positive decision does to the person it is about"
    )


class LabelSection(Section):
    """The true outcome."""

    column: Text = Field(description="column with the label, in the log or in the label table")
    positive: Values | None = Field(
        None, description="values of the positive outcome; leave it out for a numeric label"
    )
    negative: Values | None = Field(
        None, description="values of the negative outcome; otherwise all others are"
    )
    values: dict[str, Text] | None = Field(
        None,
        min_length=1,
        description="value to the class that it means; otherwise a value is the class itself",
    )
    min_coverage: float = Field(
        DEFAULT_LABEL_COVERAGE,
        ge=0,
        le=1,
        description="share of rows that must have a label before anything is judged by labels",
    )
    observed_when: Literal["positive", "negative"] | None = Field(
        None,
        description="the decision after which alone the outcome can be known; otherwise after each",
    )


class ClassesSection(Section):
    """The classes that the model chooses one of."""

    column: Text = Field(description="column of the log with the class that was predicted")
    values: list[Value] = Field(min_length=2, max_length=MOST_CLASSES, description="the classes")
    probabilities: dict[str, Text] | None = Field(None, min_length=1, description="their columns")
    favourable: list[Value] | None = Field(
        None,
        min_length=1,
        description="classes that favour whoever is given one; instead of decision and label.positive",
    )
    one_against_rest: dict[str, Literal["favourable", "harmful", "either"]] | None = Field(
        None,
        min_length=1,
        max_length=MOST_AGAINST_REST,
        description="classes held against all others between groups: what being given one does",
    )


class SegmentSection(Section):
    """How rows are divided into slices that are judged on their own."""

    column: Text | None = Field(
        None, description="column of the log, when the segment has another name"
    )
    columns: list[Text] | None = Field(
        None, min_length=1, description="columns whose values are crossed; instead of column"
    )
    max_values: int = Field(
        DEFAULT_SLICES,
        ge=1,
        le=MOST_SLICES,
        description="how many of the baseline's values have a slice; the others are one together",
    )


Segments = Annotated[
    dict[Name, SegmentSection],
    BeforeValidator(named_in_full, json_schema_input_type=dict[Name, SegmentSection] | list[Name]),
]


class ScanSection(Section):
    """How slices are searched for those that carry a drift."""

    pairs: bool = Field(
        default=False,
        description="whether every two segments of one column each are crossed as well",
    )
    max_values: int = Field(
        DEFAULT_SLICES,
        ge=1,
        le=MOST_SLICES,
        description="how many values of a crossing have a slice, as for a segment",
    )


class ScheduleSection(Section):
    """How time is cut into windows, and when each is due."""

    window: Length = Field(
        description="hour, day, week, month, quarter, year, or a fixed length such as 15m or 14d"
    )
    timezone: Zone = Field("UTC", description="IANA zone whose midnights cut calendar windows")
    start: Instant | None = Field(
        None, description="no window before this is due; otherwise from the baseline's end on"
    )
    end: Instant | None = Field(
        None, description="no window after this is due; otherwise the model goes on"
    )
    lateness: Duration = Field(
        "0s",
        validate_default=True,
        description="how long after its end a window waits for late rows",
    )
    patience: Duration | None = Field(
        None,
        description="how much longer it waits while the log has not reached its end, or no rows "
        "were committed to its table since; of a table the length of a window unless it is said",
    )
    reopen: Duration | None = Field(
        None,
        description="how long after it was due a window is run again when its files change; "
        "otherwise for the length of seven windows",
    )
    anchor: Instant | None = Field(
        None,
        description="a bound of the windows of a fixed length; 1970-01-01 in UTC unless it is said",
    )


class FieldLimitSection(BoundsSection):
    """The limit of one field, where it differs from that of the others."""

    min_rows: int | None = Field(
        None, ge=1, description="fewer rows than this are not judged; 50 unless it is said"
    )


class LimitSection(FieldLimitSection):
    """The limit of a measure."""

    fields: dict[str, FieldLimitSection] = Field(
        {}, description="fields by name that have another limit"
    )


MeasureLimits = dict[str, LimitSection]


class LimitsSection(Section):
    """What is tolerated, by family of measures."""

    drift: MeasureLimits = Field({}, description="measures of change against the baseline")
    quality: MeasureLimits = Field({}, description="measures of broken data")
    performance: MeasureLimits = Field({}, description="measures of the model against its labels")
    disparity: DisparitySection = Field(
        {}, validate_default=True, description="unequal outcomes between groups"
    )
    false_discovery_rate: float = Field(
        DEFAULT_FALSE_DISCOVERY_RATE,
        gt=0,
        lt=1,
        description="share of the fields found beyond a limit that may be so by chance",
    )


class AlarmsSection(Section):
    """When what was found in single windows is an alarm."""

    persistence: Persistence = Field(
        persistence_text(DEFAULT_ALARMS.needed, DEFAULT_ALARMS.of),
        validate_default=True,
        description="of how many judged windows how many must be beyond a limit before a warning "
        "is an alarm; a critical finding is one at once",
    )
    disparity: Persistence = Field(
        persistence_text(DEFAULT_DISPARITY.persistence.needed, DEFAULT_DISPARITY.persistence.of),
        validate_default=True,
        description="the same for disparities, in windows or stretches that have no row in common",
    )
    keep: int = Field(
        DEFAULT_ALARMS.keep,
        ge=1,
        le=10,
        description="how many judged windows in a row must be within the limit before an alarm "
        "is over",
    )
    false_alarms_per_year: float | None = Field(
        None,
        gt=0,
        description="how often the detector that gathers evidence over all fields and windows may "
        "call in a year without drift; otherwise there is no detector",
    )


class ReferenceSection(Section):
    """What windows are held against besides the registered baseline."""

    kind: Literal["previous", "rolling", "season", "segment"] = Field(
        description="which earlier windows it is the sum of, or other rows of the same window"
    )
    season: Literal["hour", "weekday", "hour_of_week", "month"] | None = Field(
        None, description="what windows of the same season have in common; for season only"
    )
    windows: int | None = Field(
        None, ge=1, le=MOST_WINDOWS, description="how many windows; 1 for previous"
    )
    gap: int = Field(
        0, ge=0, le=MOST_WINDOWS, description="how many windows lie between it and the window"
    )
    at_least: int | None = Field(
        None,
        ge=1,
        description="how many of its windows must be stored; half of them unless it is said",
    )
    segment: Name | None = Field(
        None, description="declared segment whose slices are held against each other; for segment"
    )
    slice: Value | None = Field(None, description="the slice that is held against others")
    against: Value | None = Field(
        None, description="the slice that it is held against; otherwise all other rows"
    )
    limits: MeasureLimits = Field(
        {},
        description="limits of drift against it, by measure, that are not the model's; and of rows",
    )


def _reference_in_full(value: Any) -> Any:
    if isinstance(value, str):
        return {"kind": value}
    if isinstance(value, dict):
        return value
    raise wrong(f"must be previous, or a section of keys, not {described(value)}")


ReferenceEntry = Annotated[
    ReferenceSection,
    BeforeValidator(
        _reference_in_full, json_schema_input_type=ReferenceSection | Literal["previous"]
    ),
]


class ReportsSection(Section):
    """What reports show."""

    suppress_below: int = Field(
        DEFAULT_SUPPRESS_BELOW, ge=5, le=30, description="least count of people that is shown"
    )
    suppress_in_metrics: bool = Field(
        default=True, description="whether /metrics leaves out the same counts of groups"
    )
    group_labels: Literal["name", "alias"] = Field(
        "name",
        description="how /metrics calls groups: by name, or by an alias that reports resolve",
    )


class WatchSections(Section):
    """What is watched of a model: its log, its fields, its populations and its limits."""

    model: Name = Field(description="name of the model, one file each")
    owner: Name | None = Field(None, description="who owns the model")
    source: SourceSection = Field(
        description="the inference log: its path and its event_time column at the least"
    )
    fields: dict[Name, FieldEntry] = Field(
        min_length=1, description="watched columns: name to kind, or to kind, role and column"
    )
    decision: DecisionSection | None = Field(None, description="the model's decision")
    label: LabelSection | None = Field(None, description="the true outcome")
    classes: ClassesSection | None = Field(None, description="what the model chooses one of")
    populations: Populations = Field(
        {}, description="protected attributes, by name or as a list of columns"
    )
    crossings: list[list[Name]] = Field(
        [],
        description="lists of populations whose crossing is a population of its own",
    )
    strata: Strata = Field(
        {},
        description="factors within whose groups outcomes are compared besides, by name",
    )
    segments: Segments = Field(
        {},
        description="slices that are profiled and judged on their own, by name or as a list of "
        "columns",
    )
    scan: ScanSection = Field(
        {}, validate_default=True, description="how slices are searched for those that drifted"
    )
    schedule: ScheduleSection = Field(
        description="how time is cut into windows, such as {window: day}"
    )
    limits: LimitsSection = Field(
        {}, validate_default=True, description="what is tolerated, by family of measures"
    )
    alarms: AlarmsSection = Field(
        {}, validate_default=True, description="when what was found in windows is an alarm"
    )
    reports: ReportsSection = Field({}, validate_default=True, description="what reports show")
    references: dict[Name, ReferenceEntry] = Field(
        {},
        description="what windows are held against besides the registered baseline, by name",
    )


class ModelSection(GovernanceSections, WatchSections):
    """A model: what is watched of it, and who answers for it."""
