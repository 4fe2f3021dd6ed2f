"""A policy as the keys of its file, with every default filled in."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import inf
from typing import Any

import yaml

from monitor.config.defaults import (
    DEFAULT_LIMITS,
    EITHER,
    NOT_IN_DIGEST,
    ONLY_WITH_PROBABILITIES,
)
from monitor.config.disparity import disparity_content
from monitor.config.document import plain_value
from monitor.config.governance_content import governance_content
from monitor.config.values import NEVER, duration_text, persistence_text
from monitor.domain.alarm import AlarmRule
from monitor.domain.field import Attribute, Classes, Decision, Effect, Field, Label, Stratum
from monitor.domain.limit import Limit
from monitor.domain.peer import Peer
from monitor.domain.policy import FieldLimit, Policy, ProtectedTable, SourceSpec
from monitor.domain.reference import VOLUME, Reference, ReferenceKind
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.segment import Segment
from monitor.measures.names import MEASURE_NAMES, MeasureName

Content = dict[str, Any]


def policy_content(policy: Policy, measures: Mapping[str, MeasureName] = MEASURE_NAMES) -> Content:
    """Return the keys and values that a file in full would have, in plain JSON types."""
    content: Content = {
        "model": policy.model,
        "owner": policy.owner,
        "source": _source(policy.source),
        "fields": {item.declared: _field(item) for item in policy.fields},
        "decision": policy.decision and _decision(policy.decision),
        "label": policy.label and _label(policy.label, policy.classes, policy.min_label_coverage),
        "classes": policy.classes and _classes(policy.classes, policy.one_against_rest),
        "populations": {name: _attribute(item) for name, item in policy.attributes.items()},
        "crossings": [
            list(population.attributes)
            for population in policy.populations
            if len(population.attributes) > 1
        ],
        "strata": {name: _stratum(item) for name, item in policy.strata.items()},
        "segments": {item.name: _segment(item) for item in policy.segments if not item.pair},
        "scan": _scan(policy.segments),
        "schedule": _schedule(policy.schedule),
        "limits": _limits(policy, measures),
        "alarms": _alarms(policy.alarms, policy.disparity.persistence),
        "reports": _given(
            {
                "suppress_below": policy.suppress_below,
                "suppress_in_metrics": policy.suppress_in_metrics,
                "group_labels": "alias" if policy.alias_groups else None,
            }
        ),
        "references": {
            **{item.name: _reference(item, policy, measures) for item in policy.references},
            **{item.name: _peer(item, policy, measures) for item in policy.peers},
        },
        **governance_content(policy.governance),
    }
    return _given(content)


def policy_digest(policy: Policy, measures: Mapping[str, MeasureName] = MEASURE_NAMES) -> str:
    """Return sha256 of the content as canonical JSON: sorted keys, no blanks, UTF-8.

    Without the limits that are a default younger than digests are.
    """
    content = policy_content(policy, measures)
    for name in NOT_IN_DIGEST & measures.keys():
        limits = content["limits"][measures[name].family]
        if limits[name] == _field_limit(FieldLimit(DEFAULT_LIMITS[name])):
            del limits[name]
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return sha256(text.encode()).hexdigest()


def policy_as_yaml(policy: Policy, measures: Mapping[str, MeasureName] = MEASURE_NAMES) -> str:
    """Return the file in full; read again, it has the same digest."""
    return as_yaml(policy_content(policy, measures))


def as_yaml(content: Content) -> str:
    """Return plain values as YAML that `monitor.config.document` reads back unchanged."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def inline(value: Any) -> str:
    """Return a text or a list on one line, quoted where it must be."""
    text = yaml.dump(
        [value], Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=inf
    )
    return text.strip()[1:-1]


class _Dumper(yaml.SafeDumper):
    """Quotes whatever would be read as something else, and writes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the signature is PyYAML's
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    try:
        plain = text.isprintable() and plain_value(text) == text and text != "<<"
    except ValueError:
        plain = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _represent_text)


def _given(content: Content) -> Content:
    """Leave out what is not there: optional keys have no value that means "none"."""
    return {key: value for key, value in content.items() if value not in ("", None, [], {})}


def _source(source: SourceSpec) -> Content:
    labels = source.labels
    return _given(
        {
            "path": source.path,
            "format": str(source.format),
            "event_time": source.event_time,
            "timezone": source.zone,
            "id": source.id,
            "version": source.version,
            "default_version": source.default_version,
            "labels": labels
            and _given(
                {
                    "path": labels.path,
                    "format": str(labels.format),
                    "id": labels.id,
                    "time": labels.time,
                    "event_time": labels.event_time,
                    "wait": duration_text(labels.wait),
                }
            ),
            "protected": source.protected and _protected(source.protected),
            "max_clock_skew": duration_text(source.max_clock_skew),
            "catalogs": {name: dict(item) for name, item in source.catalogs.items()},
        }
    )


def _protected(table: ProtectedTable) -> Content:
    return _given(
        {
            "path": table.path,
            "format": str(table.format),
            "id": table.id,
            "key": table.key,
            "time": table.time,
        }
    )


def _field(field: Field) -> Content:
    return _given(
        {
            "kind": str(field.declared_kind),
            "role": str(field.role),
            "column": field.column,
            "importance": field.importance,
            "min": field.minimum,
            "max": field.maximum,
            "timezone": field.zone,
        }
    )


def _decision(decision: Decision) -> Content:
    return _given(
        {
            "column": decision.column,
            "positive": list(decision.positive),
            "negative": list(decision.negative),
            "at_least": decision.at_least,
            "positive_is": decision.effect and str(decision.effect),
        }
    )


def _label(label: Label, classes: Classes | None, coverage: float) -> Content:
    return _given(
        {
            "column": label.column,
            "positive": list(label.positive),
            "negative": list(label.negative),
            "values": dict(classes.labels) if classes else {},
            "min_coverage": coverage,
            "observed_when": label.observed_when and str(label.observed_when),
        }
    )


def _classes(classes: Classes, effects: Mapping[str, Effect | None]) -> Content:
    return _given(
        {
            "column": classes.column,
            "values": list(classes.values),
            "probabilities": dict(zip(classes.values, classes.probabilities, strict=False)),
            "one_against_rest": {
                name: EITHER if effect is None else str(effect) for name, effect in effects.items()
            },
        }
    )


def _attribute(attribute: Attribute) -> Content:
    return _given(
        {
            "column": attribute.column,
            "values": dict(attribute.values),
            "bins": list(attribute.bins),
            "labels": list(attribute.labels),
            "unknown": list(attribute.unknown),
            "declined": list(attribute.declined),
            "reference": attribute.reference,
            "source": "protected" if attribute.protected else "",
            "legal_basis": attribute.legal_basis,
            "retention_days": attribute.retention_days,
        }
    )


def _stratum(stratum: Stratum) -> Content:
    approval = {"approved_by": stratum.approved_by, "reason": stratum.reason}
    return {**_attribute(stratum.factor), **approval}


def _schedule(schedule: Schedule) -> Content:
    fixed = isinstance(schedule.length, timedelta)
    return _given(
        {
            "window": _length(schedule.length),
            "timezone": schedule.zone,
            "start": schedule.start and _instant(schedule.start),
            "end": schedule.end and _instant(schedule.end),
            "lateness": duration_text(schedule.lateness),
            "patience": duration_text(schedule.patience),
            "reopen": duration_text(schedule.reopen),
            "anchor": _instant(schedule.anchor) if fixed else None,
        }
    )


def _length(length: CalendarUnit | timedelta) -> str:
    return duration_text(length) if isinstance(length, timedelta) else str(length)


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _limits(policy: Policy, measures: Mapping[str, MeasureName]) -> Content:
    families: Content = {"drift": {}, "quality": {}, "performance": {}}
    likely = policy.classes is not None and bool(policy.classes.probabilities)
    usual = DEFAULT_LIMITS.keys() - (frozenset() if likely else ONLY_WITH_PROBABILITIES)
    for name, measure in measures.items():
        if name in policy.limits:
            families[measure.family][name] = _field_limit(policy.limits[name])
        elif name in usual:  # switched off: left out, its default would come back
            families[measure.family][name] = {"warning": NEVER, "critical": NEVER}
    families["disparity"] = {
        "metrics": list(policy.disparity_metrics),
        "reference": str(policy.held_against),
        **disparity_content(policy.band, policy.disparity, policy.disparity_metrics),
    }
    families["false_discovery_rate"] = policy.false_discovery_rate
    return _given(families)


def _alarms(rule: AlarmRule, of_disparities: AlarmRule) -> Content:
    return _given(
        {
            "persistence": persistence_text(rule.needed, rule.of),
            "disparity": persistence_text(of_disparities.needed, of_disparities.of),
            "keep": rule.keep,
            "false_alarms_per_year": rule.false_alarms_per_year,
        }
    )


def _scan(segments: Iterable[Segment]) -> Content:
    """Return the scan that made the pairs; nothing where there are none."""
    pairs = [item for item in segments if item.pair]
    return {"pairs": True, "max_values": pairs[0].most} if pairs else {}


def _segment(segment: Segment) -> Content:
    crossed = len(segment.columns) > 1
    columns = {"columns": list(segment.columns)} if crossed else {"column": segment.columns[0]}
    return {**columns, "max_values": segment.most}


def _reference(
    reference: Reference, policy: Policy, measures: Mapping[str, MeasureName]
) -> Content:
    several = reference.kind is not ReferenceKind.PREVIOUS
    return _given(
        {
            "kind": str(reference.kind),
            "season": reference.season and str(reference.season),
            "windows": reference.windows if several else None,
            "gap": reference.gap if several else None,
            "at_least": reference.at_least if several else None,
            "limits": _own_limits(policy, reference.name, measures),
        }
    )


def _peer(peer: Peer, policy: Policy, measures: Mapping[str, MeasureName]) -> Content:
    return _given(
        {
            "kind": "segment",
            "segment": peer.segment,
            "slice": peer.slice,
            "against": peer.against,
            "limits": _own_limits(policy, peer.name, measures),
        }
    )


def _own_limits(policy: Policy, reference: str, measures: Mapping[str, MeasureName]) -> Content:
    """Return the limits of a reference that are not the model's; switched off is never twice."""
    own = policy.limits_against(reference)
    limits = {name: limit for name, limit in policy.limits.items() if name != VOLUME}
    never: Content = {"warning": NEVER, "critical": NEVER}
    return {
        name: _field_limit(own[name]) if name in own else never
        for name in measures
        if own.get(name) != limits.get(name)
    }


def _field_limit(limit: FieldLimit) -> Content:
    fields = {name: _limit(own) for name, own in limit.fields.items()}
    return _given({**_limit(limit.default), "fields": fields})


def _limit(limit: Limit) -> Content:
    return {
        "warning": NEVER if limit.warning is None else limit.warning,
        "critical": NEVER if limit.critical is None else limit.critical,
        "min_rows": limit.min_rows,
    }
