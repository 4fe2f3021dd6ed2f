"""What a Prometheus rule is, and its form in a rule file."""

from collections.abc import Sequence

from msgspec import Struct

JOB = "modelmon"
"""The ``job_name`` under which Prometheus scrapes the daemon."""

RUNBOOKS = "docs/runbooks"
"""Where the pages are from the root of the repository: a mirror of it has its own address."""

PAGES = "http://localhost:9108"
"""Where people reach the daemon's pages, unless told: on the machine that it runs on."""

KEPT = "3d"
"""How long what was last known of a model is kept while no daemon exports results: a weekend."""

_OWNER = "modelmon:model_owner:last"
_MUTED_UNTIL = "modelmon_alert_muted_until_timestamp_seconds"
_PAGE = (
    '/models/{{ reReplaceAll "[+]" "%20" (urlquery $labels.model) }}'
    "{{ with $labels.finding }}/findings/{{ . }}{{ end }}"
)
"""Of the finding where an alert is about one, else of its model. A query's plus is a path's %20."""

_RESULTS = "modelmon_results_exported_timestamp_seconds"


class Record(Struct, frozen=True):
    """A recording rule.

    Attributes:
        name: The series that it makes.
        expression: What is recorded.
    """

    name: str
    expression: str


class Alert(Struct, frozen=True):
    """Something that somebody is told, and the page that says what to do then.

    Attributes:
        name: In Prometheus, and of its page in ``docs/runbooks``.
        expression: When it is so, in PromQL of Prometheus 2.42.
        severity: ``critical`` (wakes somebody), ``warning`` (the next working day), ``info``,
            ``none``, or a template.
        summary: One line.
        description: What, of what, and what to ask next.
        wait: How long it has to be so.
        held: Whether it goes on while no daemon exports results. An expression that is held has
            the label ``job``.
        owned: Whether it is about a model, and so has an owner; such an expression has the labels
            ``job`` and ``model``.
        muted: Whether nobody is told while its finding is muted; such an expression has the label
            ``finding`` as well.
    """

    name: str
    expression: str
    severity: str
    summary: str
    description: str
    wait: str = ""
    held: bool = True
    owned: bool = True
    muted: bool = False


class Group(Struct, frozen=True):
    """Rules that are evaluated one after the other.

    Attributes:
        name: Of the group.
        records: Evaluated first.
        alerts: Evaluated then, each after the record of its condition if it is held.
    """

    name: str
    records: tuple[Record, ...] = ()
    alerts: tuple[Alert, ...] = ()


def last_known(series: str) -> str:
    """Return PromQL for series of now or, while no daemon exports results, for the last ones.

    A scrape that fails ends every series, and an alert on them would be *resolved*. While results
    are exported, a series that is not there is gone indeed: nothing is kept of it.
    """
    return f"({series} or (last_over_time({series}[{KEPT}]) unless on (job) {_RESULTS}))"


OWNERS = (
    Record(
        "modelmon:model_owner:live",
        "max by (job, model, owner) (label_replace(timestamp(modelmon_model_info),"
        ' "owner", "$1", "model_owner", "(.*)"))',
    ),
    Record(
        _OWNER,
        "group by (job, model, owner) (topk by (job, model) (1, "
        + last_known("modelmon:model_owner:live")
        + "))",
    ),
)
"""The owner of each model: one, also while a change of owner reaches one replica after the other."""


def rule_file(groups: Sequence[Group], runbooks: str, pages: str) -> str:
    """Return a rule file.

    Args:
        groups: What is in it.
        runbooks: Folder or address of the pages that say what to do.
        pages: Address of the daemon's pages, as people reach it. It stands in the rules and not in a
            series, so that a link is there while the daemon is not.
    """
    lines = ["groups:"]
    for group in groups:
        lines += [f"  - name: {group.name}", "    rules:"]
        for record in group.records:
            lines += _recording(record)
        for alert in group.alerts:
            if alert.held:
                lines += _recording(Record(_condition(alert), alert.expression))
            lines += _alerting(alert, runbooks, pages)
    return "\n".join(lines) + "\n"


def _recording(record: Record) -> list[str]:
    return [f"      - record: {record.name}", *_expression(record.expression)]


def _alerting(alert: Alert, runbooks: str, pages: str) -> list[str]:
    annotations = {
        "summary": alert.summary,
        "description": alert.description,
        "runbook_url": f"{runbooks.rstrip('/')}/{alert.name}.md",
    }
    if alert.owned:
        annotations["evidence_url"] = f"{pages.rstrip('/')}{_PAGE}"
    return [
        f"      - alert: {alert.name}",
        *_expression(_when(alert)),
        *([f"        for: {alert.wait}"] if alert.wait else []),
        "        labels:",
        f"          severity: {_quoted(alert.severity)}",
        "        annotations:",
        *(f"          {name}: {_quoted(text)}" for name, text in annotations.items()),
    ]


def _condition(alert: Alert) -> str:
    return f"modelmon:{alert.name}:live"


def _when(alert: Alert) -> str:
    when = last_known(_condition(alert)) if alert.held else alert.expression
    if alert.muted:  # at the alert: a condition that is kept must not outlive the mute on it
        until = f"max by (job, model, finding) {last_known(_MUTED_UNTIL)}"
        when = f"({when}\nunless on (job, model, finding) {until} > time())"
    return f"{when}\n* on (job, model) group_left (owner) {_OWNER}" if alert.owned else when


def _expression(text: str) -> list[str]:
    return ["        expr: |-", *(f"          {line}" for line in text.splitlines())]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
