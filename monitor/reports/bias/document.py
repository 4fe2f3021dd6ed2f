"""What the report says, before it is given a form: numbers, names and sentences.

A number that is None is not shown, and something beside it says why.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from monitor.domain.regulation import Controls, RegulationProfile
from monitor.domain.window import Window
from monitor.reports.bias.actions import Actions
from monitor.reports.bias.history import Before, Event, OpenAlarm, Since
from monitor.reports.bias.registered import Registered


class Role(StrEnum):
    """What a group is in a comparison."""

    COMPARED = "compared"
    REFERENCE = "reference"
    UNASSIGNED = "unassigned"


class Figure(Struct, frozen=True):
    """A number with its 95 % interval, and the counts that it is of.

    Attributes:
        value: The number.
        low: Lower end of its interval; None where it has none.
        high: Upper end; None where it has none or is unbounded.
        events: Rows that the rate counts; None for what is no rate.
        rows: Rows that they are of; None for what is no rate.
    """

    value: float
    low: float | None
    high: float | None
    events: int | None = None
    rows: int | None = None


class Past(Struct, frozen=True):
    """What single windows said of a group.

    Attributes:
        judged: Windows in which it was judged.
        beyond: Of them, those in which it was in breach or suspected.
        latest: The answer in the latest of them; "" when there is none.
        since: The window since which the answer is the latest one; "" as above.
    """

    judged: int
    beyond: int
    latest: str
    since: str


class Comparison(Struct, frozen=True):
    """One group held against its reference group, on one metric.

    Attributes:
        group: The group.
        role: What it is here.
        rate: Its rate in the period.
        ratio: Its rate over the reference group's.
        difference: Its rate less the reference group's.
        p_value: Of equal rates.
        p_adjusted: The same, adjusted over the groups of the population.
        detail: Further numbers by name.
        answer: The answer for the period, as one word.
        explanation: Why, as a sentence.
        past: What single windows said.
        change: The ratio now over the ratio in the baseline.
        ratio_then: The ratio in the baseline, with its interval.
        changed: Whether chance explains the change, as a sentence; "" where that is not known.
    """

    group: str
    role: Role
    rate: Figure | None
    ratio: Figure | None = None
    difference: Figure | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    detail: Mapping[str, float] = field(default_factory=dict)
    answer: str = ""
    explanation: str = ""
    past: Past | None = None
    change: Figure | None = None
    ratio_then: Figure | None = None
    changed: str = ""


class Point(Struct, frozen=True):
    """A group in one step of the period.

    Attributes:
        step: Which of the steps, from 0.
        group: The group.
        rate: Its rate.
        ratio: Its rate over the reference group's.
        answer: The answer that was stored; "" where a step is several windows.
    """

    step: int
    group: str
    rate: Figure | None
    ratio: Figure | None
    answer: str


class MetricTable(Struct, frozen=True):
    """One metric in one population.

    Attributes:
        metric: Its id.
        title: What it is, in a few words.
        tolerated: The ratios that are tolerated; None on a side that is not judged.
        comparisons: Every group, the reference group among them.
        trend: Every group in every step.
    """

    metric: str
    title: str
    tolerated: tuple[float | None, float | None]
    comparisons: tuple[Comparison, ...]
    trend: tuple[Point, ...]


class Presence(Struct, frozen=True):
    """How many rows a group has.

    Attributes:
        group: The group.
        role: What it is.
        rows: Rows in the period.
        share: Of all rows.
        rows_then: Rows in the baseline.
        share_then: Of all rows of the baseline.
        undecided: Rows whose decision is not known.
        labelled: Rows that have a label; None where the model has none.
    """

    group: str
    role: Role
    rows: int | None
    share: float | None
    rows_then: int | None
    share_then: float | None
    undecided: int | None
    labelled: int | None


class OutcomeRow(Struct, frozen=True):
    """A group's decisions by label, and the rates that follow.

    Attributes:
        group: The group.
        counts: Rows by name of the cell (``true_positive``, …).
        base_rate: Share of positive labels.
        rates: Metric id to the rate.
    """

    group: str
    counts: Mapping[str, int | None]
    base_rate: Figure | None
    rates: Mapping[str, Figure | None]


class Stratum(Struct, frozen=True):
    """A reading that holds a factor constant.

    Attributes:
        metric: The measure.
        title: What is compared, in words.
        factor: What is held constant.
        group: The group.
        reference: The group that it is held against.
        figure: The number.
        explanation: What a reader must know of it (that it has another sign than over all rows, that
            strata differ, which could not be compared), or why there is none.
        detail: Further numbers by name.
    """

    metric: str
    title: str
    factor: str
    group: str
    reference: str
    figure: Figure | None
    explanation: str
    detail: Mapping[str, float]


class StratumCount(Struct, frozen=True):
    """A group's decisions within one stratum.

    Attributes:
        rows: Rows whose decision is known; None where they are not shown.
        positive: Of them, those with a positive decision; None as above.
    """

    rows: int | None
    positive: int | None


class StrataTable(Struct, frozen=True):
    """The groups of a population by the strata of a factor.

    Attributes:
        factor: What is held constant.
        approved_by: Who approved that outcomes may differ by it.
        reason: Why they may.
        strata: Names of the strata that have rows.
        groups: Each group with its counts in the order of the strata; of everybody last, as "".
    """

    factor: str
    approved_by: str
    reason: str
    strata: tuple[str, ...]
    groups: tuple[tuple[str, tuple[StratumCount, ...]], ...]


class PopulationPart(Struct, frozen=True):
    """Everything about one population.

    Attributes:
        name: Its name.
        crossing: Whether it crosses several attributes.
        reference: The group that the others are held against.
        presences: Its groups and their rows.
        metrics: The metrics that are judged.
        outcomes: Decisions by label; empty where the model has no labels.
        conditional: Readings that hold a factor constant.
        strata: Counts by the strata of each factor, where they are told.
        withheld: Groups of which some count is not shown.
        absent: Why nothing could be measured; "" when it was.
        class_name: The class that is held against the rest; "" for what the model decides.
    """

    name: str
    crossing: bool
    reference: str
    presences: tuple[Presence, ...]
    metrics: tuple[MetricTable, ...]
    outcomes: tuple[OutcomeRow, ...]
    conditional: tuple[Stratum, ...]
    strata: tuple[StrataTable, ...]
    withheld: tuple[str, ...]
    absent: str = ""
    class_name: str = ""

    @property
    def population(self) -> str:
        """Return the name without that of the class."""
        return self.name.removesuffix(against_the_rest(self.class_name))


def against_the_rest(class_name: str) -> str:
    """Return what is added to a population's name where it is told of one class."""
    return f": {class_name} against the rest"


class BaselineFacts(Struct, frozen=True):
    """What a version was held against.

    Attributes:
        digest: Its digest.
        window: The period it was taken from.
        rows: Rows profiled.
        registered_at: When.
        registered_by: Who registered it.
        why: The reason they gave.
        data: Digest of the files it was made from.
    """

    digest: str
    window: Window
    rows: int
    registered_at: str
    registered_by: str
    why: str
    data: str


class Proxy(Struct, frozen=True):
    """How much something that the model is given, or that is held constant, tells of an attribute.

    Attributes:
        population: The attribute.
        name: The factor or segment.
        column: Its column of the log.
        now: Cramér's V in the period; None where its counts are too few to be shown.
        then: The same in the baseline.
    """

    population: str
    name: str
    column: str
    now: float | None
    then: float | None


class Decided(Struct, frozen=True):
    """How many rows were decided, and which way.

    Attributes:
        known: Rows whose decision is known: for a model of classes, whose class is.
        positive: Of them, those with a positive decision; None for a model that chooses a class
            without any of them being what is decided for.
        rate_then: Share of positive decisions in the baseline; None likewise, and where none is
            known.
    """

    known: int
    positive: int | None
    rate_then: float | None


class VersionPart(Struct, frozen=True):
    """One model version on one baseline.

    Attributes:
        version: The version.
        baseline: What it was held against.
        rows: Rows profiled in the period.
        decided: How they were decided.
        steps: The period in the order of time.
        populations: Everything about each population.
        proxies: What tells of an attribute, the strongest first.
        not_screened: Fields that are not counted together with any attribute.
    """

    version: str
    baseline: BaselineFacts
    rows: int
    decided: Decided
    steps: tuple[Window, ...]
    populations: tuple[PopulationPart, ...]
    proxies: tuple[Proxy, ...]
    not_screened: tuple[str, ...]


class WindowRow(Struct, frozen=True):
    """One window of the period, and what its result rests on."""

    window: Window
    revision: int
    outcome: str
    read: int
    used: int
    rejected: Mapping[str, int]
    labelled: int | None
    unreadable: tuple[str, ...]
    run: str
    policy: str
    manifest: str
    code: str
    profiles: Mapping[str, str]


class PolicyPart(Struct, frozen=True):
    """The policy in force at the end of the period.

    Attributes:
        digest: Its digest.
        owner: Who set it; "" when the file does not say.
        profile: The regulation profile whose defaults hold; None for modelmon's own.
        effect: What a positive decision does to a person.
        decision: Which decision is judged, in words.
        label: Which outcome it is checked by, in words; "" for none.
        limits: What is tolerated, one sentence each.
        metrics: The metrics that are judged.
        text: The file.
        changes: Other policies of the period: from when, digest, and lines taken out and put in.
        answers: What the policy answers of delegation, accountability and risk: question and answer.
        missing: Questions that it leaves open.
    """

    digest: str
    owner: str
    profile: RegulationProfile | None
    effect: str
    decision: str
    label: str
    limits: tuple[str, ...]
    metrics: tuple[str, ...]
    text: str
    changes: tuple[tuple[Window, str, tuple[str, ...]], ...]
    answers: Mapping[str, str]
    missing: tuple[str, ...]


class Identity(Struct, frozen=True):
    """What a report is of: all that it is made again from.

    Attributes:
        model: The model.
        span: The period.
        revisions: Which result of each window.
        unsuppressed: Whether small counts are shown.
        suppress_below: The least count that is shown otherwise.
        code: The version of the program that wrote it.
        as_of: When the newest result that it rests on was stored.
        before: What it is held against; None where nothing is stored of it.
        decided: When the last decision that it tells of was made, or the last version was seen in
            its registry; "" where there is none.
    """

    model: str
    span: Window
    revisions: tuple[tuple[Window, int], ...]
    unsuppressed: bool
    suppress_below: int
    code: str
    as_of: str
    before: Before | None
    decided: str = ""


class Report(Struct, frozen=True):
    """The whole report.

    Attributes:
        identity: What it is of.
        summary: The first thing a person reads; at most eight sentences.
        versions: What was found.
        windows: The windows of the period.
        left_out: Windows of another schedule that lie in the period.
        events: New policies, versions and baselines.
        policy: What is tolerated, and by whom.
        since: What is otherwise than in the report before; None where there is none.
        alarms: What is open at the period's end.
        actions: What was waived, and what somebody had to answer for.
        controls: What instruments ask for, and what of modelmon serves each.
        notes: What else a reader must know.
        registered: Where its versions came from, as their registry told it.
    """

    identity: Identity
    summary: tuple[str, ...]
    versions: tuple[VersionPart, ...]
    windows: tuple[WindowRow, ...]
    left_out: tuple[Window, ...]
    events: tuple[Event, ...]
    policy: PolicyPart
    since: Since | None
    alarms: tuple[OpenAlarm, ...]
    actions: Actions
    controls: Controls
    notes: tuple[str, ...]
    registered: tuple[Registered, ...] = ()
