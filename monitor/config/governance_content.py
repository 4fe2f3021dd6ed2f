"""What a policy answers about its governance, as the keys of its file."""

from datetime import timedelta
from typing import Any

from monitor.config.governance_sections import ALERT
from monitor.config.values import NEVER, duration_text
from monitor.domain.approval import ApprovalRule
from monitor.domain.governance import (
    Accountability,
    Consequence,
    Delegation,
    GateRule,
    Governance,
    Risk,
    RiskLimit,
)

Content = dict[str, Any]


def governance_content(governance: Governance) -> Content:
    """Return the keys that say the same in a file; none where nothing differs from silence.

    A policy without any of them keeps the digest that it had before there were such keys.
    """
    return {} if governance == Governance() else governance_in_full(governance)


def governance_in_full(governance: Governance) -> Content:
    """Return the keys of a file in full, whether or not it answers anything."""
    return {
        "delegation": _delegation_content(governance.delegation),
        "accountability": _accountability_content(governance.accountability),
        "risk": _risk_content(governance.risk, governance.limits),
        "consequences": {
            str(rung): _consequence_content(item) for rung, item in governance.consequences.items()
        },
        "approvals": {
            str(kind): _rule_content(rule) for kind, rule in governance.approvals.items()
        },
        "waivers": _given(
            {
                "longest": duration_text(governance.waivers.longest),
                "renewals": governance.waivers.renewals,
                "never_for": sorted(governance.waivers.never_for),
            }
        ),
        "review": governance.review
        and {
            "cadence": duration_text(governance.review.cadence),
            "grace": duration_text(governance.review.grace),
            "on_lapse": str(governance.review.on_lapse),
        },
        "gate": _gate_content(governance.gate),
        "registry": governance.registry
        and _given(
            {
                "name": governance.registry.name,
                "alias": governance.registry.alias,
                "on_outside_move": str(governance.registry.on_outside_move),
            }
        ),
        # Policies that were approved before there was this key keep their digest.
        **_given({"rests_on": dict(governance.rests_on)}),
    }


def _given(content: Content) -> Content:
    return {key: value for key, value in content.items() if value not in ("", None, [], {})}


def _delegation_content(delegation: Delegation) -> Content:
    fallback = delegation.fallback
    return _given(
        {
            "statement": delegation.statement,
            "by": delegation.delegated_by,
            "date": delegation.delegated_on and delegation.delegated_on.isoformat(),
            "reference": delegation.reference,
            "autonomy": delegation.autonomy and str(delegation.autonomy),
            "not_delegated": list(delegation.not_delegated),
            "reversible": delegation.reversible,
            "fallback": fallback
            and _given({"target": fallback.target, "capacity_per_day": fallback.capacity_per_day}),
        }
    )


def _accountability_content(accountability: Accountability) -> Content:
    return _given(
        {
            "accountable": accountability.accountable,
            "deputy": accountability.deputy,
            "owners": list(accountability.owners),
            "operators": list(accountability.operators),
            "validators": list(accountability.validators),
            "governance": list(accountability.governance),
            "builders": list(accountability.builders),
            "accounts": dict(accountability.accounts),
            "contacts": dict(accountability.contacts),
        }
    )


def _risk_content(risk: Risk, limits: tuple[RiskLimit, ...]) -> Content:
    return _given(
        {
            "tier": risk.tier and str(risk.tier),
            "rationale": risk.rationale,
            "obligations": list(risk.obligations),
            "limits": [
                _given(
                    {
                        "id": limit.id,
                        "consequence": str(limit.consequence),
                        "measures": sorted(limit.measures),
                        "fields": sorted(limit.fields),
                        "populations": sorted(limit.populations),
                        "at": str(limit.at),
                    }
                )
                for limit in limits
            ],
        }
    )


def _consequence_content(item: Consequence) -> Content:
    return {
        "gate": str(item.gate),
        **_given({"conditions": dict(item.conditions), "demote_alias": item.demote_alias}),
        "notify": list(item.notify),
        "deadline": _span(item.deadline),
        **_given({"on_deadline": item.on_deadline and str(item.on_deadline)}),
    }


def _gate_content(gate: GateRule) -> Content:
    """Return the section; keys that came later are there where they differ from silence."""
    mark, exceeded = gate.reviewed, gate.on_exceeded
    return {
        "ttl": duration_text(gate.ttl),
        "stale_grace": duration_text(gate.stale_grace),
        "on_unreachable": str(gate.on_unreachable),
        **({} if exceeded is GateRule().on_exceeded else {"on_exceeded": str(exceeded or ALERT)}),
        **_given(
            {"reviewed": mark and _given({"column": mark.column, "values": sorted(mark.values)})}
        ),
    }


def _rule_content(rule: ApprovalRule) -> Content:
    return {
        "required": {str(seat.role): seat.count for seat in rule.seats},
        "exclude": sorted(map(str, rule.exclude)),
        "expires": _span(rule.expires),
        "patience": duration_text(rule.patience),
    }


def _span(span: timedelta | None) -> str:
    return NEVER if span is None else duration_text(span)
