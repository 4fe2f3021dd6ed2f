"""Whether an edited file tightens or loosens: every key has a rule, and what nobody can say loosens."""

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.config.change_classes import RULES, changes_between, pattern_of
from monitor.config.model_file import parse_policy
from monitor.config.schema import model_schema
from monitor.domain.change import ChangeClass, KeyChange, change_of
from monitor.domain.errors import ConfigError
from monitor.measures.names import MEASURE_NAMES

TIGHTEN, NEUTRAL, LOOSEN = ChangeClass.TIGHTEN, ChangeClass.NEUTRAL, ChangeClass.LOOSEN

FULL = """
model: credit
owner: risk
source: {path: log, event_time: at, id: id, labels: {path: labels, id: id, wait: 30d}}
fields:
  income: {kind: numeric, min: 0, max: 100, importance: 1}
  score: {kind: numeric, role: score}
decision: {column: approved, positive: [1], positive_is: favourable}
label: {column: paid, positive: [1], min_coverage: 0.5}
populations: {sex: {legal_basis: art 9}, age: {bins: [25, 55]}}
crossings: [[sex, age]]
strata: {product: {approved_by: lee, reason: price}}
segments: {region: {max_values: 10}}
scan: {max_values: 5}
schedule: {window: day, start: 2024-02-01, end: 2025-02-01, lateness: 1d, patience: 1d, reopen: 7d}
limits:
  drift: {psi: {warning: 0.1, critical: 0.25, fields: {income: {warning: 0.2}}}}
  performance: {auc: {warning: 0.7, critical: 0.6}}
  disparity:
    metrics: [selection_rate]
    band: {low: 0.8, high: 1.25, alpha: 0.05, min_rows: 30}
    bands: {selection_rate: {low: 0.85}}
    populations: {sex: {band: {low: 0.9}}}
    leave_out: {below: 0.02, because: few}
    change: 0.9
    extend: 4w
  false_discovery_rate: 0.05
alarms: {persistence: 2 of 3, disparity: 2 of 2, keep: 2, false_alarms_per_year: 2}
references: {before: {kind: previous, limits: {psi: {warning: 0.2}}}}
delegation:
  statement: Approve
  by: cro
  date: 2026-01-01
  autonomy: act_with_limits
  not_delegated: [hardship]
  reversible: true
  fallback: {target: desk, capacity_per_day: 9}
accountability:
  accountable: head
  deputy: dep
  owners: [olga]
  operators: [kai]
  validators: [vic, val]
  governance: [gail]
  builders: [bo]
  accounts: {bo.admin: bo}
  contacts: {owner: mail}
risk:
  tier: medium
  rationale: credit
  obligations: [house:1]
  limits:
    - {id: moved, measures: [psi], fields: [income], consequence: restrict}
    - {id: any, consequence: watch}
consequences:
  restrict: {conditions: {amount: 5000, human_review_share: 0.2}, deadline: 2d, on_deadline: hold}
  hold: {demote_alias: champion}
approvals:
  waiver: {required: {governance: 1}, exclude: [requester], patience: 9d}
  activate_version: {expires: 90d}
waivers: {longest: 14d, renewals: 1, never_for: [moved]}
review: {cadence: 180d, grace: 14d, on_lapse: restrict}
gate: {ttl: 60s, stale_grace: 300s, on_unreachable: closed}
registry: {name: credit, alias: champion, on_outside_move: revert}
rests_on: {model: a.bin, report: b.html}
"""


def load(text):
    return parse_policy(text, "credit.yaml")


def keys(schema, node=None, path=()):
    """Yield the path of every value of a schema; a name that the file chooses is ``name``."""
    node = node or schema
    for variant in (node, *node.get("anyOf", ())):
        if "$ref" in variant:
            yield from keys(schema, schema["$defs"][variant["$ref"].rpartition("/")[2]], path)
        for key, value in variant.get("properties", {}).items():
            yield from keys(schema, value, (*path, key))
        inner = variant.get("additionalProperties")
        if isinstance(inner, dict):
            yield from keys(schema, inner, (*path, "name"))
        if "$ref" in variant.get("items", {}):
            yield from keys(schema, variant["items"], (*path[:-1], f"{path[-1]}[]", "name"))
        elif variant.get("type") in {"array", "string", "number", "integer", "boolean"}:
            yield path


SECTIONS = {path[:length] for path in keys(model_schema()) for length in range(len(path))}
PATHS = sorted({path for path in keys(model_schema()) if path not in SECTIONS})


def test_every_key_of_the_file_has_a_rule():
    assert len(PATHS) > 150
    assert [path for path in PATHS if pattern_of(path) is None] == []


def test_every_rule_is_that_of_a_key():
    assert set(RULES) == {pattern_of(path) for path in PATHS}


def test_a_key_without_a_rule_loosens(monkeypatch):
    monkeypatch.delitem(RULES, "owner")
    (change,) = changes_between(load(FULL), load(FULL.replace("owner: risk", "owner: other")))
    assert change.change is LOOSEN


def test_the_same_policy_in_other_words_is_no_change():
    shipped = FULL.replace("gate: {ttl: 60s, stale_grace: 300s, on_unreachable: closed}\n", "")
    assert changes_between(load(FULL), load(shipped + "# a comment\n")) == ()


EDITS = [
    ("owner: risk", "owner: other", "owner", NEUTRAL),
    ("path: log,", "path: log2,", "source.path", LOOSEN),
    ("wait: 30d", "wait: 60d", "source.labels.wait", TIGHTEN),
    ("min: 0", "min: 5", "fields.income.min", TIGHTEN),
    ("max: 100", "max: 200", "fields.income.max", LOOSEN),
    ("importance: 1", "importance: 2", "fields.income.importance", NEUTRAL),
    ("positive_is: favourable", "positive_is: harmful", "decision.positive_is", LOOSEN),
    ("min_coverage: 0.5", "min_coverage: 0.9", "label.min_coverage", LOOSEN),
    ("[25, 55]", "[25, 60]", "populations.age.bins", LOOSEN),
    ("art 9", "art 6", "populations.sex.legal_basis", NEUTRAL),
    ("crossings: [[sex, age]]", "crossings: []", "crossings", LOOSEN),
    ("approved_by: lee", "approved_by: li", "strata.product.approved_by", NEUTRAL),
    ("max_values: 10", "max_values: 9", "segments.region.max_values", LOOSEN),
    ("start: 2024-02-01", "start: 2024-03-01", "schedule.start", LOOSEN),
    (", end: 2025-02-01", "", "schedule.end", TIGHTEN),
    ("lateness: 1d", "lateness: 2d", "schedule.lateness", LOOSEN),
    ("window: day", "window: week", "schedule.window", LOOSEN),
    ("critical: 0.25", "critical: 0.2", "limits.drift.psi.critical", TIGHTEN),
    ("critical: 0.25", "critical: never", "limits.drift.psi.critical", LOOSEN),
    ("income: {warning: 0.2}", "income: {warning: 0.1}", "limits.drift.psi.fields.income.warning", TIGHTEN),
    ("{warning: 0.7,", "{warning: 0.8,", "limits.performance.auc.warning", TIGHTEN),
    ("critical: 0.6}", "critical: 0.5}", "limits.performance.auc.critical", LOOSEN),
    ("[selection_rate]", "[selection_rate, true_positive_rate]", "limits.disparity.metrics", TIGHTEN),
    ("band: {low: 0.8,", "band: {low: 0.7,", "limits.disparity.band.low", LOOSEN),
    ("high: 1.25", "high: 1.2", "limits.disparity.band.high", TIGHTEN),
    ("{low: 0.85}", "{low: 0.9}", "limits.disparity.bands.selection_rate.low", TIGHTEN),
    ("{low: 0.9}", "{low: 0.8}", "limits.disparity.populations.sex.band.low", LOOSEN),
    ("leave_out: {below: 0.02", "leave_out: {below: 0.05", "limits.disparity.leave_out.below", LOOSEN),
    ("because: few", "because: small", "limits.disparity.leave_out.because", NEUTRAL),
    ("change: 0.9", "change: never", "limits.disparity.change", LOOSEN),
    ("extend: 4w", "extend: 0s", "limits.disparity.extend", LOOSEN),
    ("rate: 0.05", "rate: 0.1", "limits.false_discovery_rate", TIGHTEN),
    ("persistence: 2 of 3", "persistence: 1 of 3", "alarms.persistence", TIGHTEN),
    ("persistence: 2 of 3", "persistence: 3 of 5", "alarms.persistence", LOOSEN),
    (", false_alarms_per_year: 2", "", "alarms.false_alarms_per_year", LOOSEN),
    ("{psi: {warning: 0.2}}", "{psi: {warning: 0.1}}", "references.before.limits.psi.warning", TIGHTEN),
    ("statement: Approve", "statement: Refer", "delegation.statement", LOOSEN),
    ("  by: cro", "  by: ceo", "delegation.by", LOOSEN),
    ("2026-01-01", "2026-02-01", "delegation.date", NEUTRAL),
    ("act_with_limits", "act", "delegation.autonomy", LOOSEN),
    ("[hardship]", "[hardship, refunds]", "delegation.not_delegated", TIGHTEN),
    ("accountable: head", "accountable: other", "accountability.accountable", LOOSEN),
    ("[vic, val]", "[vic]", "accountability.validators", TIGHTEN),
    ("[vic, val]", "[vic, other]", "accountability.validators", LOOSEN),
    ("  operators: [kai]\n", "", "accountability.operators", LOOSEN),
    ("  governance: [gail]\n", "", "accountability.governance", LOOSEN),
    ("builders: [bo]", "builders: []", "accountability.builders", LOOSEN),
    ("{bo.admin: bo}", "{}", "accountability.accounts.bo.admin", LOOSEN),
    ("{bo.admin: bo}", "{bo.admin: bo, eve: head}", "accountability.accounts.eve", LOOSEN),
    ("owner: mail", "owner: phone", "accountability.contacts.owner", NEUTRAL),
    ("tier: medium", "tier: low", "risk.tier", LOOSEN),
    ("tier: medium", "tier: high", "risk.tier", TIGHTEN),
    ("[psi], fields: [income]", "[psi]", "risk.limits[].moved.fields", TIGHTEN),
    ("measures: [psi], ", "", "risk.limits[].moved.measures", TIGHTEN),
    ("{id: any,", "{id: any, measures: [psi],", "risk.limits[].any.measures", LOOSEN),
    ("consequence: restrict", "consequence: hold", "risk.limits[].moved.consequence", TIGHTEN),
    ("{id: any,", "{id: any, at: warning,", "risk.limits[].any.at", TIGHTEN),
    ("amount: 5000", "amount: 6000", "consequences.restrict.conditions.amount", LOOSEN),
    ("share: 0.2", "share: 0.3", "consequences.restrict.conditions.human_review_share", TIGHTEN),
    ("deadline: 2d,", "deadline: 1d,", "consequences.restrict.deadline", TIGHTEN),
    ("on_deadline: hold", "on_deadline: escalate", "consequences.restrict.on_deadline", LOOSEN),
    ("{demote_alias: champion}", "{}", "consequences.hold.demote_alias", LOOSEN),
    ("{governance: 1}", "{governance: 1, accountable: 1}", "approvals.waiver.required.accountable", TIGHTEN),
    ("exclude: [requester]", "exclude: [author]", "approvals.waiver.exclude", LOOSEN),
    ("exclude: [requester]", "exclude: [requester, owner]", "approvals.waiver.exclude", TIGHTEN),
    ("expires: 90d", "expires: never", "approvals.activate_version.expires", LOOSEN),
    ("patience: 9d", "patience: 8d", "approvals.waiver.patience", TIGHTEN),
    ("longest: 14d", "longest: 7d", "waivers.longest", TIGHTEN),
    ("never_for: [moved]", "never_for: []", "waivers.never_for", LOOSEN),
    ("cadence: 180d", "cadence: 90d", "review.cadence", TIGHTEN),
    ("on_lapse: restrict", "on_lapse: watch", "review.on_lapse", LOOSEN),
    ("ttl: 60s", "ttl: 30s", "gate.ttl", TIGHTEN),
    ("on_unreachable: closed", "on_unreachable: open", "gate.on_unreachable", LOOSEN),
    ("on_unreachable: closed", "on_exceeded: stop", "gate.on_exceeded", TIGHTEN),
    ("on_unreachable: closed", "on_exceeded: restrict", "gate.on_exceeded", LOOSEN),
    ("on_unreachable: closed", "reviewed: {column: by}", "gate.reviewed.column", LOOSEN),
    ("move: revert", "move: alert", "registry.on_outside_move", LOOSEN),
    ("model: a.bin, ", "", "rests_on.model", LOOSEN),
    ("a.bin", "c.bin", "rests_on.model", LOOSEN),
]  # fmt: skip
OTHER_WAY = {TIGHTEN: LOOSEN, LOOSEN: TIGHTEN, NEUTRAL: NEUTRAL}


@pytest.mark.parametrize(("was", "instead", "key", "change"), EDITS)
def test_an_edit_is_told_by_its_key_and_what_it_does(was, instead, key, change):
    assert FULL.count(was) == 1
    before, after = load(FULL), load(FULL.replace(was, instead))
    found = changes_between(before, after)
    assert key in {item.key for item in found}
    assert {item.change for item in found} == {change}  # what inherits from it changes with it
    back = {item.change for item in changes_between(after, before)}
    assert back in ({OTHER_WAY[change]}, {LOOSEN}), "what tightens one way loosens the other"


def test_what_is_watched_besides_tightens_and_what_is_not_any_more_loosens():
    more = FULL.replace("  score:", "  debt: {kind: numeric, importance: 2}\n  score:")
    assert change_of(changes_between(load(FULL), load(more))) is TIGHTEN
    assert change_of(changes_between(load(more), load(FULL))) is LOOSEN


@pytest.mark.parametrize(
    ("was", "instead"),
    [
        ("sex: {legal", "sex: {values: {f: all, m: all}, legal"),  # two groups become one
        ("sex: {legal", "sex: {unknown: [f], legal"),
        ("sex: {legal", "sex: {declined: [f], legal"),
        ("sex: {legal", "sex: {reference: f, legal"),
        ("[25, 55]}", "[25, 55], labels: [a, b, c]}"),
        ("positive: [1], positive_is", "positive: [1], negative: [0], positive_is"),
        ("positive: [1], min_cov", "positive: [1], negative: [0], min_cov"),
        ("positive: [1], min_cov", "positive: [1], observed_when: positive, min_cov"),
        ("product: {app", "product: {values: {a: x, b: x}, app"),
    ],
)
def test_a_key_more_that_has_something_counted_otherwise_loosens(was, instead):
    assert FULL.count(was) == 1
    assert change_of(changes_between(load(FULL), load(FULL.replace(was, instead)))) is LOOSEN


@pytest.mark.parametrize(
    "more",
    [
        ("age: {", "race: {values: {a: g, b: h}, unknown: [u], reference: g}, age: {"),
        ("strata: {", "strata: {term: {values: {a: x}, approved_by: lee, reason: price}, "),
        ("- {id: any,", "- {id: narrow, measures: [psi], fields: [income], consequence: stop}\n    - {id: any,"),
    ],
)  # fmt: skip
def test_what_is_there_for_the_first_time_tightens_however_it_is_counted(more):
    fuller = FULL.replace(*more)
    assert change_of(changes_between(load(FULL), load(fuller))) is TIGHTEN
    assert change_of(changes_between(load(fuller), load(FULL))) is LOOSEN


def test_a_limit_of_a_field_is_held_against_what_the_field_had():
    own = "fields: {income: {warning: 0.2}}"
    found = changes_between(load(FULL), load(FULL.replace(f", {own}", "")))
    assert [(item.key, item.before, item.after, item.change) for item in found] == [
        ("limits.drift.psi.fields.income.warning", 0.2, 0.1, TIGHTEN)
    ]


def test_whoever_withdraws_an_answer_does_not_tighten():
    for answer in ("  statement: Approve\n", "  by: cro\n", "  accountable: head\n"):
        (change,) = changes_between(load(FULL), load(FULL.replace(answer, "")))
        assert change.change is LOOSEN


def test_groups_that_are_left_out_besides_loosen():
    whole = load(FULL.replace("    leave_out: {below: 0.02, because: few}\n", ""))
    assert change_of(changes_between(whole, load(FULL))) is LOOSEN
    assert change_of(changes_between(load(FULL), whole)) is TIGHTEN


def test_a_gate_that_is_shut_needs_no_conditions():
    shut = FULL.replace(
        "restrict: {conditions: {amount: 5000, human_review_share: 0.2}, ",
        "restrict: {gate: deny, ",
    ).replace("hold: {", "hold: {gate: deny, ")
    assert change_of(changes_between(load(FULL), load(shut))) is TIGHTEN
    assert change_of(changes_between(load(shut), load(FULL))) is LOOSEN


def test_what_loosens_is_first_and_not_outweighed():
    both = FULL.replace("ttl: 60s", "ttl: 30s").replace("tier: medium", "tier: low")
    found = changes_between(load(FULL), load(both))
    assert [item.change for item in found] == [LOOSEN, TIGHTEN]
    assert change_of(found) is LOOSEN
    assert change_of(()) is NEUTRAL


@pytest.mark.slow
@given(st.lists(st.sampled_from(EDITS), max_size=5, unique_by=lambda edit: edit[0][:4]))
def test_no_way_back_from_a_change_tightens_twice(edits):
    text = FULL
    for was, instead, _, _ in edits:
        text = text.replace(was, instead)
    before = load(FULL)
    try:
        after = load(text)
    except ConfigError:
        reject()  # a high tier and an open gate are right each alone
    there, back = changes_between(before, after), changes_between(after, before)
    assert {item.key for item in there} == {item.key for item in back}
    if change_of(there) is TIGHTEN:
        assert change_of(back) is LOOSEN
    assert (change_of(there) is NEUTRAL) == (change_of(back) is NEUTRAL)


@given(
    st.sampled_from(sorted(name for name, item in MEASURE_NAMES.items() if item.family == "drift"))
)
def test_a_measure_that_is_judged_no_more_loosens(name):
    before, after = load(FULL), load(FULL)
    limits = {key: item for key, item in after.limits.items() if key != name}
    found = changes_between(before, _with(after, limits))
    assert all(item.change is LOOSEN for item in found)
    assert not any(item.key.endswith("min_rows") for item in found)
    assert bool(found) == (name in before.limits)


def _with(policy, limits):
    return replace(policy, limits=limits)


def test_a_change_says_what_was_and_what_is():
    (change,) = changes_between(load(FULL), load(FULL.replace("owner: risk", "owner: other")))
    assert change == KeyChange("owner", "risk", "other", NEUTRAL)
