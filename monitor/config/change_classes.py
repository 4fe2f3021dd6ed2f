"""Whether an edited policy tightens, loosens, or does neither: a rule for every key of the file."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from monitor.config.change_rules import (
    LOOSENS,
    NEUTRAL,
    Path,
    Rule,
    about,
    added,
    besides,
    bound,
    condition,
    duty,
    earlier,
    larger,
    later,
    left_out,
    more,
    named,
    ordered,
    persistence,
    smaller,
    without,
)
from monitor.config.content import policy_content
from monitor.config.document import dotted
from monitor.config.governance_content import governance_in_full
from monitor.config.values import NEVER
from monitor.domain.change import ChangeClass, KeyChange
from monitor.domain.policy import Policy
from monitor.domain.reference import VOLUME

ANY, REST = "*", "**"
"""In a pattern: any one name; and, at its end, any names."""

_RUNGS = ordered("watch", "restrict", "hold", "stop")

RULES: Mapping[str, Rule] = {
    "model": LOOSENS,
    "owner": NEUTRAL,
    # Another log, or the same one read otherwise: nobody can say what it would show.
    "source.labels.wait": larger,
    "source.**": LOOSENS,
    "fields.*.importance": NEUTRAL,
    "fields.*.min": larger,
    "fields.*.max": smaller,
    "fields.*.*": added,
    "decision.positive_is": besides,
    "decision.**": added,
    "label.min_coverage": smaller,
    "label.**": added,
    "classes.probabilities.*": besides,
    "classes.favourable": besides,
    "classes.**": added,
    "populations.*.legal_basis": NEUTRAL,
    "populations.*.retention_days": NEUTRAL,
    "populations.**": added,
    "crossings": more,
    "strata.*.approved_by": NEUTRAL,
    "strata.*.reason": NEUTRAL,
    "strata.**": added,
    "segments.*.max_values": larger,
    "segments.**": added,
    "scan.*": larger,
    "schedule.start": earlier,
    "schedule.end": later,
    "schedule.lateness": smaller,
    "schedule.patience": smaller,
    "schedule.reopen": larger,
    "schedule.*": LOOSENS,
    "limits.disparity.metrics": more,
    "limits.disparity.profile": NEUTRAL,  # what it sets stands under keys of its own
    "limits.disparity.band.low": larger,
    "limits.disparity.band.alpha": larger,
    "limits.disparity.band.*": smaller,
    "limits.disparity.bands.*.low": larger,
    "limits.disparity.bands.*.*": smaller,
    "limits.disparity.populations.*.band.low": larger,
    "limits.disparity.populations.*.band.alpha": larger,
    "limits.disparity.populations.*.band.*": smaller,
    "limits.disparity.change": larger,
    "limits.disparity.representation.*": smaller,
    "limits.disparity.unknown_share.*": smaller,
    "limits.disparity.differences.*": smaller,
    "limits.disparity.extend": larger,
    "limits.disparity.reference": LOOSENS,
    "limits.false_discovery_rate": larger,
    "limits.disparity.leave_out.below": left_out,
    "limits.disparity.leave_out.because": NEUTRAL,
    **{
        f"limits.{family}.{key}": rule
        for family in ("drift", "quality", "performance")
        for key, rule in (
            ("*.min_rows", smaller),
            ("*.fields.*.min_rows", smaller),
            ("*.*", bound),
            ("*.fields.*.*", bound),
        )
    },
    "alarms.persistence": persistence,
    "alarms.disparity": persistence,
    "alarms.keep": larger,
    "alarms.false_alarms_per_year": larger,
    # One way it shows more of people, and the other way it hides evidence.
    "reports.*": LOOSENS,
    "references.*.limits.*.min_rows": smaller,
    "references.*.limits.*.fields.*.min_rows": smaller,
    "references.*.limits.*.*": bound,
    "references.*.limits.*.fields.*.*": bound,
    "references.*.*": added,
    "delegation.date": NEUTRAL,
    "delegation.reference": NEUTRAL,
    "delegation.autonomy": ordered("act", "act_with_limits", "act_with_review", "advise"),
    "delegation.not_delegated": more,
    "delegation.fallback.capacity_per_day": NEUTRAL,
    "delegation.**": named,
    "accountability.accountable": named,
    "accountability.deputy": LOOSENS,
    "accountability.owners": duty,
    "accountability.operators": duty,  # who may stop may mute as well
    "accountability.validators": duty,
    "accountability.governance": duty,
    "accountability.builders": more,
    "accountability.accounts.*": LOOSENS,  # an account has the duties of its person
    "accountability.contacts.*": NEUTRAL,
    "risk.tier": ordered("low", "medium", "high", "prohibited"),
    "risk.rationale": NEUTRAL,
    "risk.obligations": more,
    "risk.limits[].*.id": added,
    "risk.limits[].*.consequence": _RUNGS,
    "risk.limits[].*.at": ordered("critical", "warning"),
    "risk.limits[].*.*": about,
    "consequences.*.gate": ordered("allow", "allow_with_conditions", "route_to_human", "deny"),
    "consequences.*.conditions.*": condition,
    "consequences.*.notify": more,
    "consequences.*.deadline": smaller,
    "consequences.*.on_deadline": ordered("escalate", "restrict", "hold", "stop"),
    "consequences.*.demote_alias": added,
    "approvals.*.required.*": larger,
    "approvals.*.exclude": more,
    "approvals.*.expires": smaller,
    "approvals.*.patience": smaller,
    "waivers.longest": smaller,
    "waivers.renewals": smaller,
    "waivers.never_for": more,
    "review.cadence": smaller,
    "review.grace": smaller,
    "review.on_lapse": _RUNGS,
    "gate.ttl": smaller,
    "gate.stale_grace": smaller,
    "gate.on_unreachable": ordered("open", "closed"),
    "gate.on_exceeded": without("hold", ordered("alert", "watch", "restrict", "hold", "stop")),
    "gate.reviewed.*": LOOSENS,
    "registry.on_outside_move": ordered("alert", "revert", "hold"),
    "registry.*": named,
    "rests_on.*": added,
}
"""Pattern of a key to what a change of it does; of several that fit, the first that is written."""

ENTRIES = (
    "fields.*",
    "decision",
    "label",
    "classes",
    "populations.*",
    "strata.*",
    "segments.*",
    "references.*",
)
"""What a new one of is watched besides. A key more of one that is there has it counted otherwise."""


def changes_between(before: Policy, after: Policy) -> tuple[KeyChange, ...]:
    """Return every key by which two policies of a model differ, those that loosen first.

    Total and pure. What is compared is what is in force: every default is filled in, and a limit
    that a field does not have is that of its measure. A key without a rule loosens.
    """
    was, now = (_content(policy) for policy in (before, after))
    old, new = (dict(_leaves((), _resolved(*pair))) for pair in ((was, now), (now, was)))
    changes = [
        KeyChange(dotted(path), old.get(path), new.get(path), _class(path, old, new))
        for path in dict.fromkeys((*old, *new))
        if old.get(path) != new.get(path)
    ]
    order = tuple(reversed(ChangeClass))
    return tuple(sorted(changes, key=lambda item: order.index(item.change)))


def pattern_of(path: Path) -> str | None:
    """Return the pattern whose rule a key is under; None where there is none."""
    return next((pattern for pattern in RULES if _fits(pattern, path)), None)


def _fits(pattern: str, path: Path) -> bool:
    parts = tuple(pattern.split("."))
    if parts[-1] == REST:
        parts, path = parts[:-1], path[: len(parts) - 1]
    return len(parts) == len(path) and all(
        part in {ANY, name} for part, name in zip(parts, path, strict=True)
    )


def _class(path: Path, old: Mapping[Path, Any], new: Mapping[Path, Any]) -> ChangeClass:
    if path[:1] == ("consequences",) and path[2:3] == ("conditions",):
        gate = (path[0], path[1], "gate")
        if old.get(gate) != new.get(gate):  # said by the gate: conditions stand where it asks
            return ChangeClass.NEUTRAL
    pattern = pattern_of(path)
    if pattern is None:
        return ChangeClass.LOOSEN
    if RULES[pattern] is added and old.get(path) is None and _is_of_known(path, old):
        return ChangeClass.LOOSEN
    return RULES[pattern](path, old.get(path), new.get(path))


def _is_of_known(path: Path, old: Mapping[Path, Any]) -> bool:
    """Return whether a key is one more of an entry that was there without it."""
    entry = next((item for item in ENTRIES if _fits(f"{item}.{REST}", path)), None)
    depth = 0 if entry is None else len(entry.split("."))
    return depth > 0 and any(known[:depth] == path[:depth] for known in old)


def _content(policy: Policy) -> dict[str, Any]:
    content = deepcopy({**policy_content(policy), **governance_in_full(policy.governance)})
    risk = content["risk"]
    limits = risk.pop("limits", [])
    risk["limits[]"] = {
        limit["id"]: {"measures": [], "fields": [], "populations": [], **limit} for limit in limits
    }
    return content


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves((*path, name), inner)
    else:
        yield path, value


def _resolved(content: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return a content with what it inherits written out, wherever the other one says it itself."""
    limits, others = content["limits"], other["limits"]
    found = {**content, "limits": dict(limits)}
    model: dict[str, Any] = {}
    for family in ("drift", "quality", "performance"):
        own = _limits(limits.get(family, {}), others.get(family, {}), {})
        found["limits"][family] = own
        model |= own
    inherited = {name: limit for name, limit in model.items() if name != VOLUME}
    references, theirs = content.get("references", {}), other.get("references", {})
    found["references"] = {
        name: {
            **item,
            "limits": _limits(
                item.get("limits", {}), theirs.get(name, {}).get("limits", {}), inherited
            ),
        }
        for name, item in references.items()
    }
    found["limits"]["disparity"] = _disparity(limits["disparity"], others["disparity"])
    return found


def _limits(
    own: Mapping[str, Any], others: Mapping[str, Any], model: Mapping[str, Any]
) -> dict[str, Any]:
    """Return limits by measure, with those that only the other policy has, as they are here."""
    found: dict[str, Any] = {}
    for measure in dict.fromkeys((*own, *others)):
        there = others.get(measure, {})
        silent = {"warning": NEVER, "critical": NEVER}
        limit = own.get(measure, model.get(measure, silent))
        rows = {"min_rows": there.get("min_rows")}  # as there, where nothing is judged
        whole = rows | {key: value for key, value in limit.items() if key != "fields"}
        fields = dict.fromkeys((*limit.get("fields", {}), *there.get("fields", {})))
        given = limit.get("fields", {})
        found[measure] = {**whole, "fields": {name: given.get(name, whole) for name in fields}}
    return found


def _disparity(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    band, found = own["band"], dict(own)
    metrics = dict.fromkeys((*own.get("bands", {}), *other.get("bands", {})))
    shared = {key: band[key] for key in ("low", "high", "min_difference")}
    found["bands"] = {name: own.get("bands", {}).get(name, shared) for name in metrics}
    populations = dict.fromkeys((*own.get("populations", {}), *other.get("populations", {})))
    found["populations"] = {
        name: own.get("populations", {}).get(name, {"band": band}) for name in populations
    }
    return found
