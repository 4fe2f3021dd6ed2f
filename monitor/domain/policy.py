"""What a model owner asked for, in one value."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field

from monitor.domain.alarm import USUAL, AlarmRule
from monitor.domain.disparity import MOST_STRETCHED, STRETCH, DisparityLimits
from monitor.domain.field import (
    Attribute,
    Classes,
    Decision,
    Effect,
    Field,
    Label,
    Population,
    Stratum,
)
from monitor.domain.governance import Governance
from monitor.domain.limit import Band, HeldAgainst, Limit
from monitor.domain.peer import Peer
from monitor.domain.reference import VOLUME, Reference, ReferenceKind
from monitor.domain.schedule import Schedule
from monitor.domain.segment import Segment

NO_CATALOGS: Mapping[str, Mapping[str, str]] = MappingProxyType({})
"""What is said of catalogs where tables are in none."""


class TableFormat(StrEnum):
    """What keeps the files of a table: folders, or a table's own log of its snapshots."""

    PARQUET = "parquet"
    DELTA = "delta"
    ICEBERG = "iceberg"


class LabelTable(Struct, frozen=True):
    """A later table that brings the labels, joined by id.

    Attributes:
        path: Folder or file, relative to ``Policy.directory``, or a filesystem URI.
        id: Column that holds the prediction's id.
        time: Column that says when the label became known; "" when it has none.
        event_time: Column with the instant of the prediction; "" when it has none. With it, a file
            of labels concerns only the windows that it has predictions of.
        wait: How long after its end a window is run again when labels of its rows arrive.
        format: What keeps its files.
    """

    path: str
    id: str
    time: str = ""
    event_time: str = ""
    wait: timedelta = timedelta(days=90)
    format: TableFormat = TableFormat.PARQUET


class ProtectedTable(Struct, frozen=True):
    """A table of protected attributes that is kept apart from the log, and joined by id.

    Attributes:
        path: Folder or file, relative to ``Policy.directory``, or a filesystem URI.
        id: Column that holds the id.
        key: Column of the log with the same id; "" for that of the prediction.
        time: Column that says since when a row is so; "" when it has none.
        format: What keeps its files.
    """

    path: str
    id: str
    key: str = ""
    time: str = ""
    format: TableFormat = TableFormat.PARQUET


class SourceSpec(Struct, frozen=True):
    """Where a model's inference log is and how its bookkeeping columns are called.

    Attributes:
        path: Folder or file, relative to ``Policy.directory``, or a filesystem URI.
        event_time: Column with the instant of the prediction.
        zone: IANA zone in which naive event times are read.
        id: Column with the prediction's id; "" when the log has none.
        version: Column (or hive partition key) with the model version; "" when it has none.
        default_version: The version of rows whose log has no version column.
        labels: The table that brings the labels later; None when they are in the log.
        format: What keeps its files.
        max_clock_skew: How far the event times may run ahead of the daemon's clock.
        protected: The table that has attributes which the log must not have; None for none.
        catalogs: Properties of the catalogs that Iceberg tables are in, by their names; secrets are
            not among them.
    """

    path: str
    event_time: str
    zone: str = "UTC"
    id: str = ""
    version: str = ""
    default_version: str = "1"
    labels: LabelTable | None = None
    format: TableFormat = TableFormat.PARQUET
    max_clock_skew: timedelta = timedelta(hours=1)
    protected: ProtectedTable | None = None
    catalogs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def snapshots(self) -> bool:
        """Return whether the log or its labels are a table with snapshots."""
        formats = {self.format, TableFormat.PARQUET if self.labels is None else self.labels.format}
        return formats != {TableFormat.PARQUET}


class FieldLimit(Struct, frozen=True):
    """The limit of one measure, and the fields (by name) that have another."""

    default: Limit
    fields: Mapping[str, Limit] = field(default_factory=dict)

    def of(self, name: str) -> Limit:
        """Return the limit that holds for a field."""
        return self.fields.get(name, self.default)


class Policy(Struct, frozen=True):
    """A model's configuration, validated, with every default filled in.

    Attributes:
        model: Name of the model.
        source: Where its log is.
        fields: The watched columns, in the order of the file; those of a kind with parts as their
            parts.
        decision: Its decision column; None when it makes none (regression).
        label: Its label; None when there is none.
        attributes: Protected attributes by name.
        populations: What disparity is measured on: each attribute, and each declared crossing.
        schedule: Its windows.
        limits: Measure id to the limit it is judged by; a measure that is not here is measured
            and not judged.
        band: The band disparities are judged by, where ``disparity`` has no other.
        disparity_metrics: Ids of the metrics that are compared between groups.
        held_against: What groups are held against where their population names no reference.
        false_discovery_rate: Share of the fields found beyond a limit that may be so by chance.
        alarms: When findings become alarms.
        min_label_coverage: Share of a window's rows that must have a label before anything that
            rests on labels is judged.
        references: What windows are held against besides the registered baseline.
        reference_limits: Name of a reference to the limits that changes against it are judged by,
            where they are not ``limits``; of a peer as well.
        peers: Slices that are held against other rows of the same window.
        segments: How rows are divided into slices that are profiled and judged on their own.
        strata: What outcomes of groups are compared within, by name; none has a population's name.
        suppress_below: Counts from 1 to one below this are not shown in reports.
        suppress_in_metrics: Whether ``/metrics`` leaves out the same counts of groups.
        alias_groups: Whether ``/metrics`` calls groups by an alias, so that what people are does not
            spread to every reader of a dashboard.
        classes: The classes that the model chooses one of; None for any other model.
        one_against_rest: Class to what being given it does to a person, for each class that is held
            against all others between groups; None where either side may harm.
        disparity: How disparities are judged besides.
        owner: Who owns the model; "" until the file says so.
        governance: What is delegated, who is accountable, and what follows from alerts.
        text: The file as it was read.
        digest: sha256 of the validated content: comments and layout do not change it.
        directory: Folder of the file; relative paths start here. Not part of the digest.
        waiting: Digest of a looser file that waits for its approvals while this policy is in force; ""
            where none does. Not part of the digest.
    """

    model: str
    source: SourceSpec
    fields: tuple[Field, ...]
    decision: Decision | None
    label: Label | None
    attributes: Mapping[str, Attribute]
    populations: tuple[Population, ...]
    schedule: Schedule
    limits: Mapping[str, FieldLimit]
    band: Band
    disparity_metrics: tuple[str, ...] = ("selection_rate",)
    held_against: HeldAgainst = HeldAgainst.LARGEST
    min_label_coverage: float = 0.0
    false_discovery_rate: float = 0.05
    alarms: AlarmRule = USUAL
    references: tuple[Reference, ...] = ()
    reference_limits: Mapping[str, Mapping[str, FieldLimit]] = field(default_factory=dict)
    peers: tuple[Peer, ...] = ()
    segments: tuple[Segment, ...] = ()
    strata: Mapping[str, Stratum] = field(default_factory=dict)
    classes: Classes | None = None
    one_against_rest: Mapping[str, Effect | None] = field(default_factory=dict)
    suppress_below: int = 10
    suppress_in_metrics: bool = True
    alias_groups: bool = False
    disparity: DisparityLimits = field(default_factory=DisparityLimits)
    owner: str = ""
    governance: Governance = field(default_factory=Governance)
    text: str = ""
    digest: str = ""
    directory: str = "."
    waiting: str = ""

    @property
    def axes(self) -> Mapping[str, Attribute]:
        """Return what an outcome table is counted by: attributes, then factors of strata."""
        return {**self.attributes, **{name: item.factor for name, item in self.strata.items()}}

    def limits_against(self, reference: str) -> Mapping[str, FieldLimit]:
        """Return the limits of what is held against a reference; "" is the registered baseline.

        They are the model's where the reference has none of its own, but for `VOLUME`, which is held
        against a reference only where its own limits say so.
        """
        own = self.reference_limits.get(reference)
        if own is not None:
            return own
        return {name: item for name, item in self.limits.items() if not reference or name != VOLUME}

    @property
    def stretch(self) -> Reference | None:
        """Return which earlier windows small groups are measured over; None for none."""
        extend, window = self.disparity.extend, self.schedule.nominal
        windows = min(int(extend / window), MOST_STRETCHED) - 1
        if not self.populations or windows < 1:
            return None
        return Reference(STRETCH, ReferenceKind.ROLLING, windows, registered=False)

    @property
    def earlier(self) -> tuple[Reference, ...]:
        """Return everything that earlier windows are added up for."""
        return self.references if self.stretch is None else (*self.references, self.stretch)

    def band_of(self, population: str, metric: str = "") -> Band:
        """Return the band of a population, or of one metric in it."""
        return self.disparity.band(self.band, population, metric)
