"""Runs and baselines with something in every attribute, for tests of stores."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from monitor.domain.baseline import Baseline, BaselinePart
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.finding import Evidence, Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.manifest import (
    Accounting,
    FileAccount,
    LabelJoin,
    LogFile,
    Manifest,
    Rejection,
    TableSnapshot,
    UnreadableFile,
)
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.quarantine import advance
from monitor.domain.reading import Reading, Subject
from monitor.domain.reference import Composition, held_identity
from monitor.domain.run import Failure, Outcome, Run, VersionResult, run_identity
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.domain.schema import ColumnChange, SchemaChange
from monitor.domain.window import Window

DAY = timedelta(days=1)
FIRST = datetime(2005, 6, 1, tzinfo=UTC)
MANIFEST = Manifest(
    files=(
        LogFile("day=1/a.parquet", 2048, "2005-06-02T00:00:00Z", 700, "0123456789abcdef" * 2),
        LogFile("b", 1, "", 300),
    ),
    labels=(LogFile("labels.parquet", 99, "etag-1", 12),),
    unreadable=(UnreadableFile("c.parquet", "truncated", "the footer is cut off"),),
    snapshots=(TableSnapshot("delta", "7", "2005-06-02T00:00:00.000+00:00"),),
    protected=(LogFile("people.parquet", 7, "etag-2", 3),),
)
ACCOUNTING = Accounting(
    read=1010,
    profiled={"2": 600, "1": 400},
    rejected={Rejection.NO_BASELINE: 10},
    unregistered={"3": 10},
    invalid={"age": 7},
    without_id=2,
    memberships={"gender": LabelJoin("d", labelled=5, orphan=1)},
    files=(FileAccount("day=1/a.parquet", 700, 690, {Rejection.NO_BASELINE: 10}, {"age": 7}, 2),),
)
SCHEMA_CHANGES = (
    SchemaChange(
        "1",
        ColumnChange.RETYPED,
        "age",
        "int64",
        "string",
        watched=True,
        files=2,
        path="day=1/a.parquet",
    ),
    SchemaChange(
        "2", ColumnChange.EXTRA, "a\x00b\ud800", "", "double", watched=False, files=1, path="b"
    ),
)


def a_window(day=0, days=1):
    return Window(FIRST + day * DAY, FIRST + (day + days) * DAY)


def a_policy(digest="policy-1", model="credit"):
    return Policy(
        model=model,
        source=SourceSpec("logs", "at"),
        fields=(),
        decision=None,
        label=None,
        attributes={},
        populations=(),
        schedule=Schedule(CalendarUnit.DAY),
        limits={},
        band=Band(),
        text=f"model: {model}  # {digest}\n",
        digest=digest,
    )


def a_baseline(version="1", digest=None, model="credit", why="first training data"):
    window = Window(FIRST - 60 * DAY, FIRST)
    parts = tuple(
        BaselinePart(
            Window(window.start + n * 30 * DAY, window.start + (n + 1) * 30 * DAY), n, b"p"
        )
        for n in range(2)
    )
    return Baseline(
        digest=digest or f"b{version}" * 16,
        model=model,
        version=version,
        window=window,
        rows=5000,
        grid=b"MMG1\x00\xff",
        profile=b"MMP1\x00\xfe",
        parts=parts,
        manifest=MANIFEST,
        registered_at=FIRST + timedelta(microseconds=1),
        registered_by="ada",
        why=why,
        code="0.1.0",
    )


def readings_of(model, version, psi=0.31):
    """Return a full estimate, a bare one, one with awkward names, and an absence."""
    full = Estimate(
        value=psi,
        n=600,
        n_reference=5000,
        low=0.1 + 0.2,
        high=1e300,
        level=0.9,
        method="koopman score",
        then=-0.0,
        now=5e-324,
        p_value=0.0,
        p_adjusted=1.0,
        family_low=-1.5,
        family_high=2.5,
        detail={"effective_n": 599.5, "df": 9.0},
        note="a\x00b × 😀",
    )
    hostile = "a\x00b\\u0041\ud800\n\"';--é×"
    return (
        Reading("psi", Subject(model, version, "limit_bal"), full),
        Reading("psi", Subject(model, version, hostile), Estimate(0.01, 600)),
        Reading(
            "selection_ratio",
            Subject(model, version, "", "sex × race", "F × x", "M × x"),
            Estimate(0.7, 100, 200),
        ),
        Reading(
            "psi",
            Subject(model, version, "age"),
            Unmeasurable(Absence.MISSING_COLUMN, "no file has the column age", 600, 5000),
        ),
        Reading("psi", Subject(model, version, "limit_bal", reference="week"), Estimate(0.3, 600)),
        Reading(
            "psi",
            Subject(model, version, "limit_bal", segment="region", segment_value=hostile),
            Estimate(0.4, 100, detail={"carried": 0.8}),
        ),
        Reading(
            "selection_ratio",
            Subject(model, version, "", "sex", "F", "M", stratum=hostile, class_name=hostile),
            Estimate(0.9, 100, 200, note="1 of 6 strata cannot be compared"),
        ),
    )


def findings_of(readings):
    """Return findings in another order than the readings, and not on all of them."""
    psi, _, ratio, absent, against, slice_, within = readings
    limit = Limit(0.1, 0.25)
    return (
        Finding(absent, Limit(None, 0.5, 7), Verdict.UNKNOWN, Reason.MISSING_COLUMN, "no column"),
        Finding(
            psi,
            limit,
            Verdict.CRITICAL,
            Reason.BEYOND_CRITICAL,
            "0.31 is above 0.25 – drift",
            {
                Verdict.WARNING: Evidence(0.1, 0.02, 60, 5e-324, 1e-300, 40),
                Verdict.CRITICAL: Evidence(0.25, 0.07, 60, 0.001, 0.04, 40),
            },
        ),
        Finding(ratio, Band(0.85, 1.2), Verdict.WARNING, Reason.SUSPECTED, "0.70 is below 0.85"),
        Finding(against, limit, Verdict.CRITICAL, Reason.BEYOND_CRITICAL, "0.3 is above 0.25"),
        Finding(slice_, limit, Verdict.CRITICAL, Reason.BEYOND_CRITICAL, "0.4 is above 0.25"),
        Finding(within, Band(0.85, 1.2), Verdict.OK, Reason.WITHIN, "0.90 is above 0.85"),
    )


def a_run(day=0, days=1, *, policy="policy-1", model="credit", versions=("2", "1"), psi=0.31):
    window = a_window(day, days)
    results = []
    for version in versions:
        readings = readings_of(model, version, psi)
        results.append(
            VersionResult(
                version,
                f"b{version}" * 16,
                600,
                b"MMP1" + version.encode(),
                readings,
                findings_of(readings),
            )
        )
    rows = Reading("rows", Subject(model), Estimate(1010.0, 1010))
    baselines = {result.version: result.baseline for result in results}
    inputs = run_identity(model, window, policy, baselines, MANIFEST.digest)
    made = (
        Composition("1", "week", 7, ((a_window(day - 1), "i1"), (a_window(day - 2), "b1" * 16))),
        Composition("2", "week\x00", 7),
    )
    return Run(
        model=model,
        window=window,
        identity=held_identity(inputs, made),
        policy=policy,
        manifest=MANIFEST,
        accounting=ACCOUNTING,
        outcome=Outcome.COMPLETED,
        started=window.end + timedelta(hours=1, microseconds=7),
        finished=window.end + timedelta(hours=1, seconds=3, microseconds=8),
        code="0.1.0",
        last_event=window.end - timedelta(microseconds=1),
        results=tuple(results),
        readings=(rows,),
        findings=(Finding(rows, Limit(None, None), Verdict.OK, Reason.WITHIN, "1010 rows"),),
        schema_changes=SCHEMA_CHANGES,
        e_value=0.75 + day,
        inputs=inputs,
        compositions=made,
    )


def an_empty_run(day=0, model="credit"):
    run = a_run(day, model=model, versions=())
    rows = Reading("rows", Subject(model), Unmeasurable(Absence.NO_DATA, "the window has no rows"))
    return replace(
        run,
        manifest=Manifest(),
        accounting=Accounting(),
        schema_changes=(),
        outcome=Outcome.NO_DATA,
        e_value=None,
        last_event=None,
        readings=(rows,),
        findings=(Finding(rows, Limit(None, 1.0), Verdict.UNKNOWN, Reason.NO_DATA, "no rows"),),
    )


def a_failure(day=0, error="SourceError", model="credit"):
    window = None if day is None else a_window(day)
    return Failure(model, window, FIRST, FIRST + DAY, error, "the bucket\x00is gone", "0.1.0")


def a_quarantined(path="torn.parquet", model="credit", at=FIRST, *, placed=False):
    torn = UnreadableFile(path, "not_parquet", "it ends \x00 early", 2048, "17", placed=placed)
    return advance(model, None, torn, at)


def a_filled(store, model="credit", days=3):
    """Register baselines and commit some days of runs; return the store."""
    for version in ("1", "2"):
        digest = None if model == "credit" else f"{model}{version}"
        store.register(a_baseline(version, digest, model))
    for day in range(days):
        store.commit(a_run(day, model=model, psi=0.31 + day), a_policy(model=model))
    return store
