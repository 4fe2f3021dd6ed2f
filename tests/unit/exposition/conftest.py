"""Snapshots to render: a fleet as it may look on some day, and parts to make others from."""

from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from monitor.domain.alarm import Alarm, AlarmState, Detection
from monitor.domain.alert import Alert, AlertState, Condition, Mute
from monitor.domain.approval import ApprovalKind
from monitor.domain.baseline import Baseline
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Field, FieldKind
from monitor.domain.finding import Evidence, Finding, Reason, Verdict
from monitor.domain.governance import Governance, RiskLimit, Rung
from monitor.domain.limit import Band, Limit
from monitor.domain.manifest import Accounting, LabelJoin, LogFile, Manifest, UnreadableFile
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.quarantine import Sight, advance, drop
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import Outcome, Run, VersionResult
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.window import Window
from monitor.engine.alarms import ModelAlarms
from monitor.engine.evidence import Found
from monitor.engine.ports import RunCounts
from monitor.engine.snapshot import ModelSnapshot
from monitor.exposition.render import Build
from monitor.governance.approvals import Request, RequestState
from monitor.governance.cases import Case
from monitor.governance.ledger import Ledger
from monitor.governance.standing import Event, Standing, State
from monitor.governance.waivers import Waiver
from monitor.measures.measure import Family

SEPTEMBER = datetime(2005, 9, 2, tzinfo=UTC)
AUGUST = Window(datetime(2005, 8, 1, tzinfo=UTC), datetime(2005, 9, 1, tzinfo=UTC))
LIMIT = Limit(0.1, 0.25)
MUTED_UNTIL = datetime(2005, 9, 20, tzinfo=UTC)
JOIN = LabelJoin("ab" * 32, 4_000, orphan=30, conflicting=2)
FAMILIES = {
    **dict.fromkeys(("psi", "ks", "score_mean", "decision_rate", "label_rate"), Family.DRIFT),
    **dict.fromkeys(
        ("missing_rate", "unseen_rate", "rows", "freshness", "label_coverage"), Family.QUALITY
    ),
    "auc_drop": Family.PERFORMANCE,
    **dict.fromkeys(
        (
            "selection_rate",
            "selection_rate_ratio",
            "selection_rate_difference",
            "true_positive_rate",
            "selection_rate_ratio_change",
            "group_label_coverage",
        ),
        Family.DISPARITY,
    ),
}


def policy(model="credit", fields=("limit", "age", "pay"), **changes):
    return Policy(
        model=model,
        source=SourceSpec("log", "time"),
        fields=tuple(Field(name, name, FieldKind.NUMERIC) for name in fields),
        decision=None,
        label=None,
        attributes={},
        populations=(),
        schedule=Schedule(CalendarUnit.MONTH),
        limits={},
        band=Band(),
        owner="risk",
        digest="ab" * 32,
        **changes,
    )


def baseline(model="credit", version="1"):
    return Baseline(
        digest="cd" * 32,
        model=model,
        version=version,
        window=Window(datetime(2005, 4, 1, tzinfo=UTC), datetime(2005, 6, 1, tzinfo=UTC)),
        rows=10_000,
        grid=b"",
        profile=b"",
        parts=(),
        manifest=Manifest(),
        registered_at=datetime(2005, 6, 2, 8, tzinfo=UTC),
        registered_by="someone",
        why="first",
        code="0.1.0",
    )


def run(measured=(), judged=(), model="credit", **changes):
    made = Run(
        model=model,
        window=AUGUST,
        identity="ef" * 32,
        policy="ab" * 32,
        manifest=Manifest(files=(LogFile("part-0.parquet", 10, "", 5_000),)),
        accounting=Accounting(
            5_000,
            {"1": 4_990},
            {"bad_event_time": 10},
            labels=JOIN,
            invalid={"limit": 3},
            memberships={"gender": LabelJoin("a", 4_900, orphan=7)},
        ),
        outcome=Outcome.COMPLETED,
        started=datetime(2005, 9, 1, 1, tzinfo=UTC),
        finished=datetime(2005, 9, 1, 1, 0, 4, tzinfo=UTC),
        code="0.1.0",
        last_event=datetime(2005, 8, 31, 23, 30, tzinfo=UTC),
        results=(VersionResult("1", "cd" * 32, 4_990, b"", tuple(measured), tuple(judged)),),
    )
    return replace(made, **changes)


def counts(**changes):
    found = RunCounts(3, 1, {"SourceError": 2}, datetime(2005, 9, 1, 1, 0, 4, tzinfo=UTC), 4.0)
    found = replace(found, first_seen={"1": datetime(2005, 6, 1, tzinfo=UTC)})
    return replace(found, **changes)


def snapshot(latest, **changes):
    model = "credit" if latest is None else latest.model
    whole = ModelSnapshot(policy(model), {"1": baseline(model)}, latest, counts(), 2)
    if latest is not None:
        whole = replace(whole, oldest=latest.window.start, windows=1)
    return replace(whole, **changes)


def reading(measure, result, model="credit", version="1", **subject):
    return Reading(measure, Subject(model, version, **subject), result)


def finding(of, verdict=Verdict.OK, reason=Reason.WITHIN, limit=LIMIT):
    return Finding(of, limit, verdict, reason, "told elsewhere")


def tested(found):
    bounds = ((Verdict.WARNING, found.limit.warning), (Verdict.CRITICAL, found.limit.critical))
    tests = {
        verdict: Evidence(max(bound, 0.15), 0.15, 60, 0.01, 0.03, 3)
        for verdict, bound in bounds
        if bound is not None
    }
    return replace(found, evidence=tests)


def alert(of, severity=Verdict.WARNING, **changes):
    """Return a firing alert on a finding."""
    whole = Alert(
        of.fingerprint,
        of.reading.measure,
        of.reading.subject,
        AlertState.FIRING,
        severity,
        Condition.JUDGED,
        since=AUGUST,
        began=None,
        judged=AUGUST,
        beyond=1,
        within=0,
    )
    return replace(whole, **changes)


def _disparity(measure, result, group):
    return reading(measure, result, population="sex", group=group, reference_group="male")


def _credit():
    few = Unmeasurable(Absence.INSUFFICIENT_DATA, "12 rows", 12)
    drifted = reading("psi", Estimate(0.31, 4_990, 10_000, low=0.26, high=0.37), field="pay")
    calm = reading("psi", Estimate(0.02, 4_990, 10_000, low=0.0, high=0.04), field="limit")
    short = reading("psi", few, field="age")
    missing = reading(
        "missing_rate", Estimate(0.004, 4_990, 10_000, then=0.0, now=0.004), field="age"
    )
    rate = reading("decision_rate", Estimate(0.05, 4_990, 10_000, 0.03, 0.07, then=0.4, now=0.45))
    auc = reading("auc_drop", Estimate(0.01, 4_990, 10_000, then=0.76, now=0.75))
    female = _disparity("selection_rate", Estimate(0.3, 2_000, low=0.28, high=0.32), "female")
    male = _disparity("selection_rate", Estimate(0.5, 2_978, low=0.48, high=0.52), "male")
    other = _disparity("selection_rate", few, "other")
    ratio = _disparity(
        "selection_rate_ratio", Estimate(0.6, 2_000, 2_978, low=0.56, high=0.65), "female"
    )
    ratio_other = _disparity("selection_rate_ratio", few, "other")
    freshness = reading("freshness", Unmeasurable(Absence.NO_DATA, "no rows"), version="")
    pay = tested(finding(drifted, Verdict.CRITICAL, Reason.BEYOND_CRITICAL))
    output = tested(finding(rate, Verdict.WARNING, Reason.BEYOND_WARNING))
    alarms = ModelAlarms(
        found={
            AUGUST: {
                pay.fingerprint: Alarm(AlarmState.CRITICAL, 1, 3),
                output.fingerprint: Alarm(AlarmState.PENDING, 1, 3),
            }
        },
        detections={AUGUST: Detection(3.5, 12.0)},
    )
    return snapshot(
        run(
            (drifted, calm, short, missing, rate, auc, female, male, other, ratio, ratio_other),
            (
                pay,
                finding(calm),
                finding(short, Verdict.UNKNOWN, Reason.INSUFFICIENT_DATA),
                tested(finding(missing, limit=Limit(0.01, None))),
                output,
                finding(ratio, Verdict.CRITICAL, Reason.BREACH, Band()),
                finding(ratio_other, Verdict.UNKNOWN, Reason.INSUFFICIENT_DATA, Band()),
            ),
            readings=(freshness,),
            findings=(finding(freshness, Verdict.UNKNOWN, Reason.NO_DATA, Limit(1.0, None)),),
        ),
        alarms=alarms,
        alerts=(
            alert(pay, Verdict.CRITICAL, began=AUGUST, started_at=AUGUST.end),
            alert(output, state=AlertState.PENDING),
        ),
        mutes={
            output.fingerprint: Mute(
                "credit", output.fingerprint, AUGUST.end, MUTED_UNTIL, "ada", "a campaign"
            )
        },
    )


def governed(shot):
    """Return a snapshot with a version that is held, a case, a waiver and a request."""
    limits = (RiskLimit("inputs", Rung.WATCH, frozenset({"psi"}), at=Verdict.WARNING),)
    at, model = shot.latest.finished, shot.policy.model
    request = Request(ApprovalKind.RELEASE_HOLD, "1", "ada", at, {}, "mended", model=model)
    granted = replace(
        request,
        kind=ApprovalKind.ACTIVATE_VERSION,
        version="1",
        number=1,
        recorded=RequestState.GRANTED,
    )
    ledger = Ledger(
        model,
        {"1": Standing(model, "1", State.HELD, 5, at, "daemon", Event.HOLD_BREACHED)},
        {1: granted, 2: request},
        {1: Case(model, 1, "1", "parity", Rung.HOLD, "eve", at, "broken", deadline=SEPTEMBER)},
        {2: Waiver(model, 2, "inputs", "", "known", "seen", "ada", ("bob",), at, SEPTEMBER)},
    )
    rests_on = {"model": "model.onnx"}
    policy_ = replace(shot.policy, governance=Governance(limits=limits, rests_on=rests_on))
    found = (Found("1", "model", "sha256:aa", at, "it cannot be read"),)
    return replace(shot, policy=policy_, ledger=ledger, found=found)


def _silent():
    empty = run(
        model="silent",
        outcome=Outcome.NO_DATA,
        manifest=Manifest(unreadable=(UnreadableFile("a.parquet", "not_parquet", "cut short"),)),
        accounting=Accounting(),
        last_event=None,
        results=(),
    )
    known = {file.path: file for file in (quarantined("a.parquet"), dropped(), released())}
    return snapshot(empty, counts=RunCounts(0, 1, {}, None, None), quarantine=known)


def quarantined(path, reason="not_parquet", model="silent"):
    return advance(model, None, UnreadableFile(path, reason, "cut short"), AUGUST.end)


def dropped():
    return drop(quarantined("b.parquet"), "ada", "sent again")


def released():
    return advance("silent", quarantined("c.parquet", "corrupt"), Sight.WHOLE, AUGUST.end)


@pytest.fixture
def make():
    """Return the functions that make snapshots and their parts."""
    return SimpleNamespace(
        policy=policy,
        baseline=baseline,
        run=run,
        counts=counts,
        snapshot=snapshot,
        reading=reading,
        finding=finding,
        alert=alert,
        families=FAMILIES,
        build=Build("0.1.0", "9c0ca0b"),
    )


@pytest.fixture
def fleet():
    """Return a model with findings of every kind, one whose log is silent, and a new one."""
    new = ModelSnapshot(policy("new"), {}, None, RunCounts(0, 0, Counter(), None, None))
    return [new, _silent(), governed(_credit())]


@pytest.fixture
def hostile():
    """Return a snapshot in which everything that can be named has a name that is out to harm."""
    names = [
        '"',
        "\\",
        "\n",
        "\0",
        "x" * 10_000,
        "🙂",
        "\ud800",
        '"} 1\nup{x="',
        "a\\n",
        " ",
        "{}",
        "# HELP",
    ]
    model = 'mo"del\\\n\0'
    readings = [reading("psi", Estimate(0.2, 99), model, "\ud800", field=name) for name in names]
    readings += [
        reading(
            "selection_rate_ratio", Estimate(0.9, 99), model, "\ud800", population=name, group=name
        )
        for name in names
    ]
    findings = [finding(each, limit=Band() if each.subject.group else LIMIT) for each in readings]
    result = VersionResult("\ud800", "", 99, b"", tuple(readings), tuple(findings))
    latest = run(model=model, results=(result,), accounting=Accounting(9, {"\0": 9}, {"\n": 0}))
    return snapshot(
        latest,
        policy=policy(model, names),
        counts=counts(failed={'Error"\\\n': 1}),
    )
