"""The reference of all metrics, written from the catalogue: ``python -m monitor.exposition.reference``."""

import sys

from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.family import MetricFamily, Part
from monitor.exposition.label import LONGEST

_INTRODUCTION = f"""\
# Metrics

Written from the catalogue in `monitor/exposition/catalogue.py`; `make golden` rewrites this page.

`GET /metrics` answers in the format that the client likes best, OpenMetrics 1.0 or the Prometheus text
format 0.0.4, gzipped where it accepts that. `modelmon metrics list` prints this page as a table or as JSON.
Two parts make the page. **Results** come from the store and are rendered once a run: every model
with its latest window. **Process** metrics tell of the daemon itself and are rendered at every
scrape; the usual `process_*` and `python_*` metrics of the Prometheus client are beside them.

## How to read them

- **A verdict is a series.** `modelmon_finding_state` has one series for each verdict (`ok`,
  `warning`, `critical`, `unknown`), 1 for the one that holds. The `*_state` gauges hold 0 (ok),
  1 (warning) or 2 (critical) and are absent while the verdict is unknown, so
  `modelmon_finding_state{{verdict="unknown"}} == 1` is what to ask for what could not be judged, and
  `modelmon_findings_unknown` says why.
- **A number that could not be measured is absent**: never NaN, never 0. No series is not good news.
- **Alert on alarms, draw scores and tolerances.** Drift, quality and disparities are judged by
  tests, so a score above its threshold line may still be noise. The state is the verdict that was
  stored; `modelmon_alarm_firing` is what the verdicts of the last windows amount to, and goes on
  while the log is silent.
- **`check` is a measure** (`psi`, `missing_rate`, `selection_rate_ratio`, …); on drift metrics it
  is called `method`. `attribute` is a population as the policy names it, `group` one of its groups.
- **Series of disparities** count groups × metrics of `limits.disparity.metrics`, nine a pair (a
  level, a ratio and a difference with two bounds each), three more for the change of the ratio
  against each reference, and those of the verdicts: a metric that is not listed has none.
- **`family`** is the section of `limits` that a measure belongs to: `drift`, `quality`, `performance` or
  `disparity`. By it `modelmon_alarm_firing` says whom to call, whatever the measure.
- **`stratum`** names the factor within whose strata groups are compared (`check` is then
  `…_conditional_ratio` or `…_conditional_difference`); without it, they are compared over all rows.
- **`class`** names the class that is held against all others, of a model of several classes; without
  it, it is what the model decides. A population has numbers of classes where none of their counts is small.
- **`reference`** names the earlier windows or other rows that something is held against; without it, it is the
  registered baseline.
- **Labels without a value are left out.** Readings on the log as a whole have no `model_version`.
- **Names become label values as they are**, with the escapes of the text format. Control
  characters other than the line feed, and lone surrogates, become U+FFFD; a name of more than
  {LONGEST} characters is cut. A name that was changed ends in `~` and 16 hex digits of its sha256,
  and so does one that ends like that by itself, so that two names are never one series.
- **Empty when healthy** marks metrics without a series on a daemon that has nothing to report.

## How many series

Under the default limits a feature has some 80 series, ten to fourteen for each measure that is judged and three for
each that is not; a group of a population has some 30 for each metric of `limits.disparity.metrics`. One model
may have `metrics.max_series_per_model` of them, 50,000 if the daemon's settings say nothing else: enough for
600 features. `modelmon doctor` counts them before there is a Prometheus.

A model that would have more shows the features and groups that fare worst: first those whose alarms fire,
then by verdict (critical, warning, unknown, ok), then by how far beyond the limit, then by name. All series
of a feature or group are on the page or none. What is of the model as a whole, and what counts (findings by
verdict, features drifted, series of segments), is always there. `modelmon_series_dropped{{reason="limit"}}` is
how many series are left out, and an alert tells of it: no rule sees what is not on the page.

Rendering is paid for once a run, by the model that was run: some 9 µs of CPU a series. A scrape costs
1 ms whatever the size of the fleet ([figures](../../benchmarks/RESULTS.md)).

## Where names differ from what is usual

What other exporters call otherwise, and why it is so here:

| usual | here | because |
|---|---|---|
| a label `check` on runs, misses and durations | none | one check of a model measures everything; its runs are the model's |
| `late_records_total` | `modelmon_late_files`, `modelmon_closed_windows_changed` | rows that come late within `schedule.reopen` are in a new revision of their window; later ones are never read, so their files are what can be counted |
| `files_quarantined_total` | `modelmon_files_quarantined` by reason, `modelmon_file_quarantines_total` | how many cannot be used now, and how often one was put aside, are two questions |
| `series_dropped_total` | `modelmon_series_dropped`, a gauge | it is how many are not on this page; adding up pages would count a series once a run |
| `disparity_ratio` with the metric in its name | `modelmon_disparity_ratio` with `check` | metrics are chosen in the policy, so names of metrics would be no catalogue |
| `baseline_id` | `baseline`, `policy` on `modelmon_model_info` | both are digests; the first 12 digits tell them apart |
| a histogram of durations | `modelmon_check_last_duration_seconds` | runs are hours apart, and a gauge says how long the last one took |
"""

_TITLES = {Part.RESULTS: "Results", Part.PROCESS: "Process"}


def reference() -> str:
    """Return the reference in Markdown."""
    parts = [_INTRODUCTION]
    for part, title in _TITLES.items():
        entries = [_entry(family) for family in CATALOGUE if family.part is part]
        parts.append(f"## {title}\n\n" + "\n".join(entries))
    return "\n".join(parts)


def _entry(family: MetricFamily) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels) or "none"
    facts = f"{family.kind.capitalize()}, unit: {family.unit}, labels: {labels}."
    if family.empty_when_healthy:
        facts += " Empty when healthy."
    return f"### `{family.name}`\n\n{family.help}\n\n{facts}\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
