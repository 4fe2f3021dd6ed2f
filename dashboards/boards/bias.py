"""Outcomes by group: rates, comparisons and verdicts, never a ratio by itself."""

from grafana_foundation_sdk.builders import dashboard

from dashboards.boards.board import board, choice, filled, job, marks
from dashboards.boards.panels import (
    VERDICT,
    Column,
    Line,
    Panels,
    lines,
    note,
    number,
    rows,
    states,
)
from dashboards.boards.queries import OVER_ALL_ROWS, UNKNOWN, WHOLE, Scope

SCOPE = Scope(
    {
        "model": 'model="$model"',
        "model_version": 'model_version=~"$version"',
        "attribute": 'attribute="$attribute"',
        "class": 'class=~"$class"',
    }
)
RATIO, DIFFERENCE, CHANGE = (
    f'check="${{metric}}_{suffix}"' for suffix in ("ratio", "difference", "ratio_change")
)
GROUP = "{{group}} {{class}} {{model_version}}"

READ = """\
Groups of **$attribute** are held against one reference group, on **$metric**. Read a ratio with both rates and \
the records beside it: few records make wide intervals, and *unknown* is not *ok*. A disparity is a difference \
that was counted, not its cause. `modelmon report bias` makes the report that is signed, with the counts; \
`modelmon explain $model` lists the findings with their fingerprints.
"""


def level(suffix: str = "") -> str:
    """Return the chosen metric of each group; the selection rate has a series of its own."""
    rate = SCOPE.latest(f"group_outcome_ratio{suffix}")
    other = SCOPE.latest(f"group_level{suffix}")
    return (
        f'(label_replace({rate}, "check", "selection_rate", "", "") or {other}) '
        'and on (check) label_replace(vector(1), "check", "$metric", "", "")'
    )


def by_group(expr: str) -> str:
    """Return one value a group, class and version."""
    return f"max by (model_version, group, class) ({expr})"


def bias() -> dashboard.Dashboard:
    """Return the dashboard of outcomes by group."""
    return filled(
        board(
            "modelmon-bias",
            "modelmon / Outcomes by group (bias)",
            "Whose outcomes differ, on which metric, with how many records and how much certainty.",
            since="now-90d",
        ),
        _variables(),
        marks(
            SCOPE,
            (
                (
                    "Baselines",
                    "baseline_registered_timestamp_seconds",
                    "baseline of version {{model_version}}",
                    "blue",
                ),
                (
                    "Versions",
                    "model_version_first_seen_timestamp_seconds",
                    "first rows of version {{model_version}}",
                    "green",
                ),
            ),
        ),
        {
            "Now": (*_how_to_read(), *_groups(), *_held_against()),
            "Levels over time": _levels(),
            "Comparisons over time": _comparisons(),
            "Every metric, and what it rests on": _rest(),
        },
    )


def _variables() -> tuple[dashboard.QueryVariable, ...]:
    of = 'job=~"$job", model="$model"'
    return (
        job(),
        choice("model", "Model", 'label_values(modelmon_group_records{job=~"$job"}, model)'),
        choice(
            "version",
            "Version",
            f"label_values(modelmon_group_records{{{of}}}, model_version)",
            multi=True,
            everything=".+",
        ),
        choice(
            "attribute",
            "Population",
            f"label_values(modelmon_group_records{{{of}}}, attribute)",
        ),
        choice(
            "class",
            "Class against the rest",
            f"label_values(modelmon_group_outcome_ratio{{{of}}}, class)",
            multi=True,
            everything=".*",
        ),
        choice(
            "metric",
            "Metric",
            f'label_values(modelmon_disparity_ratio{{{of}, attribute="$attribute", stratum=""}}, check)',
            regex="/^(.*)_ratio$/",
        ),
    )


def _how_to_read() -> Panels:
    told = "What is compared with what, and where the evidence is."
    return (note("How to read this", told, READ),)


def _groups() -> Panels:
    return (
        rows(
            "Groups",
            "One row a group: records, the metric's rate with its interval, its ratio to the "
            "reference group's rate with its interval, and the verdict. The reference group has no "
            "ratio; an empty verdict is one that could not be had.",
            [
                Column(by_group(SCOPE.latest("group_records")), "Records"),
                Column(by_group(level()), "Rate", "percentunit"),
                Column(by_group(level("_lower_bound")), "Rate, lower end", "percentunit"),
                Column(by_group(level("_upper_bound")), "Rate, upper end", "percentunit"),
                *(
                    Column(
                        by_group(SCOPE.latest(f"disparity_ratio{end}", RATIO, OVER_ALL_ROWS)),
                        title,
                    )
                    for end, title in (
                        ("", "Ratio"),
                        ("_lower_bound", "Ratio, lower end"),
                        ("_upper_bound", "Ratio, upper end"),
                    )
                ),
                Column(
                    by_group(SCOPE.latest("disparity_state", RATIO, OVER_ALL_ROWS)),
                    "Verdict",
                    mapping=VERDICT,
                ),
            ],
            labels={"model_version": "Version", "group": "Group", "class": "Class"},
            height=9,
        ),
    )


def _held_against() -> Panels:
    return (
        rows(
            "Held against",
            "The reference group of each version.",
            [Column(SCOPE.latest("population_reference_info"), "info", hidden=True)],
            labels={"model_version": "Version", "reference_group": "Reference group"},
            span=8,
            height=5,
        ),
        number(
            "Alarms of this population",
            "Alarms that fire on any group and metric of the chosen population.",
            SCOPE.total("alarm_firing"),
            span=8,
        ),
        number(
            "Comparisons without a verdict",
            "Comparisons of the chosen population that are unknown: too few records, or an interval "
            "that holds both the limit and no difference.",
            SCOPE.total("finding_state", UNKNOWN),
            span=8,
        ),
    )


def _levels() -> Panels:
    return (
        states(
            "Verdicts on the ratio of $metric",
            "By group. An empty stretch was not judged.",
            SCOPE.latest("disparity_state", RATIO, OVER_ALL_ROWS),
            GROUP,
        ),
        lines(
            "$metric by group",
            "The rate of each group, the reference group among them.",
            [Line(level(), GROUP)],
            unit="percentunit",
        ),
        lines(
            "Records by group",
            "How many records each rate rests on.",
            [Line(SCOPE.latest("group_records"), GROUP)],
        ),
    )


def _comparisons() -> Panels:
    return (
        lines(
            "Ratio of $metric to the reference group",
            "With the band that the policy allows. Read it beside the rates and the records.",
            [
                Line(SCOPE.latest("disparity_ratio", RATIO, OVER_ALL_ROWS), GROUP),
                Line(
                    SCOPE.latest("disparity_threshold", RATIO, OVER_ALL_ROWS),
                    "{{bound}} bound {{severity}}",
                    "limit",
                ),
            ],
        ),
        lines(
            "Difference of $metric to the reference group",
            "With the ends of its interval.",
            [
                Line(SCOPE.latest("disparity_difference", DIFFERENCE, OVER_ALL_ROWS), GROUP),
                *(
                    Line(
                        SCOPE.latest(f"disparity_difference_{end}", DIFFERENCE, OVER_ALL_ROWS),
                        f"{{{{group}}}} {{{{class}}}} {said}",
                        "bound",
                    )
                    for end, said in (("lower_bound", "lower end"), ("upper_bound", "upper end"))
                ),
            ],
        ),
        lines(
            "Change of the ratio since the baseline",
            "The logarithm of the ratio now over that of the baseline: 0 is no change.",
            [
                Line(SCOPE.latest("disparity_ratio_change", CHANGE, WHOLE), GROUP),
                Line(
                    SCOPE.latest("disparity_threshold", CHANGE, OVER_ALL_ROWS),
                    "{{bound}} bound {{severity}}",
                    "limit",
                ),
            ],
        ),
        lines(
            "Within strata: ratio of $metric",
            "The comparison within the strata of each declared factor, standardised. Empty where "
            "the policy declares none.",
            [
                Line(
                    SCOPE.latest("disparity_ratio", 'check="${metric}_conditional_ratio"'),
                    "{{group}} {{class}} within {{stratum}}",
                )
            ],
        ),
    )


def _rest() -> Panels:
    return (
        rows(
            "Verdicts on every metric",
            "Every judged comparison of the population.",
            [
                Column(
                    "max by (model_version, group, class, check, stratum) "
                    f"({SCOPE.latest('disparity_state')})",
                    "Verdict",
                    mapping=VERDICT,
                )
            ],
            labels={
                "model_version": "Version",
                "group": "Group",
                "class": "Class",
                "check": "Comparison",
                "stratum": "Within",
            },
            span=12,
            height=10,
        ),
        lines(
            "Share of records with a label",
            "By group: metrics that need labels rest on these records alone.",
            [Line(SCOPE.latest("group_label_coverage_ratio"), GROUP)],
            unit="percentunit",
            height=10,
        ),
    )
