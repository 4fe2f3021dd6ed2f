from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from monitor.domain.alarm import Alarm, AlarmState, Detection
from monitor.domain.estimate import Absence, Estimate, Unmeasurable
from monitor.domain.field import Field, FieldKind, Part
from monitor.domain.finding import Evidence, Finding, Reason, Verdict
from monitor.domain.limit import Band, Limit
from monitor.domain.manifest import Accounting, Manifest, UnreadableFile
from monitor.domain.reading import Reading, Subject
from monitor.domain.run import VersionResult
from monitor.domain.window import Window
from monitor.engine.alarms import ModelAlarms
from monitor.reports.summary import summarise, worst
from monitor.reports.wording import limit_text, part_words, window_name
from tests.stored import a_policy, a_run, an_empty_run


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def table(runs, title):
    found = [item for item in summarise(a_policy(), runs) if title in item.title]
    return found[0].rows if found else ()


def unprofiled():
    run = a_run(versions=("1",))
    return replace(run, results=(replace(run.results[0], profile=b""),))


def finding(verdict):
    reading = an_empty_run().readings[0]
    return Finding(reading, Limit(None, None), verdict, Reason.WITHIN, "")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.UNKNOWN),
        ([Verdict.OK], Verdict.OK),
        ([Verdict.OK, Verdict.UNKNOWN], Verdict.UNKNOWN),
        ([Verdict.UNKNOWN, Verdict.WARNING], Verdict.WARNING),
        ([Verdict.CRITICAL, Verdict.WARNING], Verdict.CRITICAL),
    ],
)
def test_unknown_is_graver_than_ok_and_no_findings_are_unknown(verdicts, expected):
    assert worst([finding(verdict) for verdict in verdicts]) is expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(utc(2005, 12, 1), utc(2006, 1, 1)), "2005-12"),
        (Window(utc(2005, 12, 1), utc(2005, 12, 2)), "2005-12-01"),
        (Window(utc(2005, 12, 1, 6), utc(2005, 12, 1, 7)), "2005-12-01 06:00"),
    ],
)
def test_a_window_is_named_as_people_name_it(window, expected):
    assert window_name(window) == expected


def test_of_very_many_windows_the_newest_are_named_and_the_rest_counted():
    empty = an_empty_run()
    days = [
        replace(empty, window=Window(start, start + timedelta(1)))
        for start in (datetime(2005, 7, day, tzinfo=UTC) for day in range(1, 31))
    ]
    (row,) = table(days, "could not be judged")
    newest = ", ".join(f"2005-07-{day}" for day in range(25, 31))
    assert f"{newest} and 24 before" in row
    (row,) = table(days[:2], "could not be judged")
    assert "2005-07-01, 2005-07-02" in row


def test_a_window_without_data_has_its_row_and_its_reason():
    runs = [an_empty_run()]
    (row,) = table(runs, "window by window")
    assert "no_data" in row
    assert any("no_data" in row for row in table(runs, "could not be judged"))
    ((sentence,),) = table(runs, "in short")
    assert sentence.startswith("Nothing could be judged: ")


@pytest.mark.parametrize(
    ("rejected", "told"),
    [
        ({"bad_event_time": 20, "no_event_time": 10, "duplicate_id": 5}, "30 of 1,000 rows read"),
        ({"bad_event_time": 10, "duplicate_id": 500}, ""),
    ],
)
def test_rows_that_belong_to_no_window_are_told_when_they_are_many(rejected, told):
    run = replace(unprofiled(), accounting=Accounting(1000, {"1": 100}, rejected))
    sentences = " ".join(sentence for (sentence,) in table([run], "in short"))
    why = "are in no result because they have no usable event time."
    assert (f"{told} {why}" in sentences) == bool(told)
    assert ("event time" in sentences) == bool(told)
    worse = replace(run, accounting=Accounting(100, {"1": 50}, {"bad_event_time": 50}))
    several = " ".join(sentence for (sentence,) in table([run, worse, worse], "in short"))
    assert "2005-06-01: 50 of 100 rows read" in several
    assert f"and so it is in {'2 more windows' if told else '1 more window'}." in several


def judged_as(*verdicts, measure="psi"):
    run = unprofiled()
    findings = tuple(
        replace(
            finding(verdict),
            reading=Reading(
                measure, Subject("credit", "1", field=f"x{place}"), Estimate(0.01, 9, 9)
            ),
        )
        for place, verdict in enumerate(verdicts)
    )
    whole = replace(run.manifest, unreadable=())
    results = (replace(run.results[0], findings=findings),)
    return replace(run, manifest=whole, findings=(), results=results)


@pytest.mark.parametrize(
    ("verdicts", "fields", "sentences"),
    [
        (["ok", "ok"], "none", ["No critical change and no breach between groups was found."]),
        (
            ["ok", "unknown", "unknown"],
            "none (2 unknown)",
            [
                "2 of 3 findings could not be judged; the reasons are below.",
                "No critical change and no breach between groups was found among the 1 that could.",
            ],
        ),
        (
            ["unknown", "unknown"],
            "unknown",
            ["Nothing could be judged: all 2 findings are unknown; the reasons are below."],
        ),
        (["warning", "unknown"], "x0 (1 unknown)", None),
        ([], "–", []),
    ],
)
def test_what_is_unknown_is_told_before_what_was_not_found(verdicts, fields, sentences):
    run = judged_as(*map(Verdict, verdicts))
    (row,) = table([run], "window by window")
    assert fields in row
    if sentences is not None:
        assert [text for (text,) in table([run], "in short")] == sentences


def test_files_left_out_and_rows_rejected_are_told():
    run = replace(
        an_empty_run(),
        manifest=Manifest(unreadable=(UnreadableFile("torn.parquet", "not_parquet", "no footer"),)),
        accounting=Accounting(read=7, rejected={"no_event_time": 7}),
    )
    rows = table([run], "could not be judged")
    assert any(row[0] == "torn.parquet" and row[-1] == "no footer" for row in rows)
    assert any("7 rows read and not profiled" in row[-1] for row in rows)
    sentences = [sentence for (sentence,) in table([run], "in short")]
    assert sentences[-2:] == [
        "1 file is in no result: `modelmon quarantine list` says why.",
        "2005-06-01: 7 of 7 rows read are in no result because they have no usable event time.",
    ]


def test_of_very_many_files_left_out_the_first_are_named_and_the_rest_counted():
    torn = [UnreadableFile(f"{n:05}.parquet", "not_parquet", "no footer") for n in range(10_000)]
    shut = UnreadableFile("shut.parquet", "permission_denied", "[Errno 13]")
    run = replace(an_empty_run(), manifest=Manifest(unreadable=(*torn, shut)))
    rows = table([run], "could not be judged")
    assert len(rows) < 30
    (rest,) = [row for row in rows if "more files" in row[0]]
    assert rest[0] == "9,980 more files"
    assert "modelmon quarantine list" in rest[-1]
    assert any(row[0] == "shut.parquet" for row in rows)


@pytest.mark.parametrize(
    ("alarm", "told"),
    [
        (Alarm(AlarmState.PENDING, 1, 3), "1 of 2 windows so far"),
        (Alarm(AlarmState.WARNING, 2, 3), "warning, 2 of 3"),
        (Alarm(AlarmState.CRITICAL, 1, 1), "critical"),
    ],
)
def test_a_finding_says_what_it_amounts_to(alarm, told):
    run = unprofiled()
    found = run.results[0].findings[1]
    alarms = ModelAlarms(found={run.window: {found.fingerprint: alarm}})
    tables = summarise(a_policy(), [run], alarms)
    (changes,) = [item for item in tables if "What changed" in item.title]
    assert changes.columns[-2:] == ("alarm", "finding")
    assert changes.rows[0][-2:] == (told, found.fingerprint[:8])


def test_limits_that_the_baseline_itself_reaches_are_told_with_what_is_tolerated():
    run = unprofiled()
    found = run.results[0].findings[1]
    raised = {Verdict.WARNING: Evidence(0.183, 0.183, 60, 0.0, 0.0, 9)}
    assert limit_text(replace(found, evidence=raised)) == "0.1 (here 0.18) / 0.25"


def test_the_detector_is_told_where_it_calls():
    run = unprofiled()
    alarms = ModelAlarms(detections={run.window: Detection(400.0, 365.2)})
    sentences = [row[0] for row in summarise(a_policy(), [run], alarms)[0].rows]
    assert any("the detector calls" in item and "400" in item for item in sentences)


def judged(readings, *findings, min_coverage=0.9):
    result = VersionResult("1", "b", 4000, b"", tuple(readings), tuple(findings))
    run = replace(an_empty_run(), results=(result,), findings=())
    policy = replace(a_policy(), min_label_coverage=min_coverage)
    return {item.title: item for item in summarise(policy, [run])}


def of_model(measure, value, **more):
    return Reading(measure, Subject("credit", "1"), Estimate(value, n=4000, **more))


def test_realised_and_estimated_performance_stand_side_by_side():
    readings = [
        of_model("label_coverage", 0.95),
        of_model("auc", 0.742, low=0.72, high=0.76),
        of_model("estimated_auc", 0.8987),
        of_model("estimated_recall", 0.5),
        Reading("recall", Subject("credit", "1"), Unmeasurable(Absence.UNDEFINED, "no positive")),
        of_model("mae", 12.3456),
    ]
    (told,) = (item for title, item in judged(readings).items() if "how well it does" in title)
    assert told.columns == ("window", "version", "labels", "AUC", "recall", "mean absolute error")
    assert told.rows[0][2:] == ("95%", "0.742 (est. 0.899)", "– (est. 0.500)", "12.35")
    assert "assuming no concept drift" in told.note


def of_slice(value, measure, number, **more):
    subject = Subject("credit", "1", segment="region", segment_value=value)
    return Reading(measure, subject, Estimate(number, n=400, **more))


def test_how_well_a_slice_does_is_told_apart_and_never_as_that_of_all_rows():
    readings = [
        of_model("label_coverage", 0.95),
        of_model("auc", 0.742),
        of_slice("north", "label_coverage", 1.0),
        of_slice("north", "auc_drop", 0.2, then=0.8, now=0.6),
        of_slice("north", "estimated_auc", 0.81),
        of_slice("south", "label_coverage", 0.2),
        of_slice("south", "auc_drop", 0.0, then=0.8, now=0.8),
        of_slice("south", "estimated_auc", 0.79),
        of_slice("east", "psi", 0.1),
    ]
    tables = judged(readings)
    (whole,) = (item for title, item in tables.items() if "credit, how well it does" in title)
    assert whole.rows[0][2:] == ("95%", "0.742")
    (slices,) = (item for title, item in tables.items() if "by slice" in title)
    assert slices.columns == ("slice", "version", "rows", "labels", "AUC")
    assert [(row[0], *row[3:]) for row in slices.rows] == [
        ("region: north", "100%", "0.600 (est. 0.810)"),
        ("region: south", "20%", "– (est. 0.790)"),
    ]
    assert "assuming no concept drift" in slices.note


def test_slices_of_which_nothing_is_known_are_not_told_as_within_their_limits():
    run = replace(unprofiled(), findings=())
    unknown = [
        Finding(of_slice(value, "psi", 0.1), Limit(0.1, None), Verdict(said), Reason.WITHIN, "")
        for value, said in (("north", "ok"), ("south", "unknown"), ("south", "unknown"))
    ]
    runs = [replace(run, results=(replace(run.results[0], findings=tuple(unknown)),))]
    (told,) = table(runs, "in short")[-1]
    assert told.endswith("0 of 2 slices are beyond a limit, of 1 nothing could be judged.")


def of_a_field(field, number, verdict, p_value=0.5, value="", carried=None):
    """Return a finding of PSI of a field, of a slice or of all rows."""
    segment = {"segment": "region", "segment_value": value} if value else {}
    detail = {} if carried is None else {"carried": carried}
    return Finding(
        Reading(
            "psi", Subject("credit", "1", field, **segment), Estimate(number, 400, detail=detail)
        ),
        Limit(0.1, 0.25),
        verdict,
        Reason.WITHIN,
        "",
        {verdict: Evidence(0.1, 0.0, None, p_value, p_value, 9)},
    )


def test_a_critical_slice_is_told_though_all_rows_are_within_their_limits():
    run = unprofiled()
    run = replace(run, findings=(), manifest=replace(run.manifest, unreadable=()))

    def window(verdict):
        found = (of_a_field("amount", 0.05, Verdict.OK), of_a_field("amount", 0.9, verdict, 0, "s"))
        return replace(run, results=(replace(run.results[0], findings=found),))

    def told(*runs):
        return [sentence for (sentence,) in table(runs, "in short")]

    critical, fine = window(Verdict.CRITICAL), window(Verdict.OK)
    nothing = "No critical change and no breach between groups was found."
    assert told(fine) == [nothing, "2005-06-01: 0 of 1 slices are beyond a limit."]
    of_rows, last = told(critical)
    assert of_rows == "Of all rows no critical change and no breach between groups was found."
    assert last.startswith(
        "2005-06-01: 1 of 1 slices are beyond a limit, 1 of them beyond a critical"
    )
    assert told(critical, fine) == [
        of_rows,
        "2005-06-01: slices are beyond a critical limit: `modelmon explain credit WINDOW` lists them.",
        "2005-06-01: 0 of 1 slices are beyond a limit.",
    ]


def test_what_one_slice_alone_shows_is_told_before_the_many_that_share_a_drift_of_all_rows():
    critical, warning = Verdict.CRITICAL, Verdict.WARNING
    everywhere = [of_a_field("amount", 0.4, critical, 0.0, f"r{i}", 0.9) for i in range(40)]
    findings = [
        of_a_field("amount", 0.4, critical, 0.0),
        *everywhere,
        of_a_field("income", 0.05, Verdict.OK),
        of_a_field("income", 0.2, warning, 1e-9, "r1"),
        of_a_field("income", 1.6, critical, 1e-6, "r3"),
        of_a_field("income", 0.9, critical, 1e-3, "r2"),
    ]
    tables = judged((), *findings)
    (short,) = (item for title, item in tables.items() if "in short" in title)
    assert short.rows[-1][0].endswith(
        "region: r0 carries 90% of the drift of amount; income is beyond a limit in 3 of them and "
        "not in all rows, most surely in region: r3."
    )
    slices = tables["Which slices are beyond a limit"]
    assert len(slices.rows) == 30
    assert [row[1] for row in slices.rows] == ["amount"] * 27 + ["income"] * 3
    assert [row[2][-2:] for row in slices.rows[-3:]] == ["r3", "r2", "r1"]
    assert "13 further findings of slices" in slices.note


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("posted.age", "seconds from the value to the event"),
        ("posted.hour_of_week", "on the clock of Europe/Oslo."),
        ("amount", ""),
    ],
)
def test_what_is_counted_of_a_time_is_told_with_its_unit(name, told):
    fields = (
        Field("posted.age", "posted", FieldKind.NUMERIC, part=Part.AGE, zone="Europe/Oslo"),
        Field(
            "posted.hour_of_week",
            "posted",
            FieldKind.CATEGORICAL,
            part=Part.HOUR_OF_WEEK,
            zone="Europe/Oslo",
        ),
        Field("amount", "amount", FieldKind.NUMERIC),
    )
    words = part_words(replace(a_policy(), fields=fields), name)
    assert told in words
    assert bool(words) == bool(told)


def test_performance_by_the_first_few_labels_is_not_shown():
    readings = [
        of_model("label_coverage", 0.4),
        of_model("auc", 0.742),
        of_model("estimated_auc", 0.8987),
    ]
    (told,) = (item for title, item in judged(readings).items() if "how well it does" in title)
    assert told.rows[0][2:] == ("40%", "– (est. 0.899)")
    assert "once 90%" in told.note


def test_a_model_without_scores_and_labels_has_no_table_of_performance():
    assert not any("how well it does" in title for title in judged([of_model("rows", 0.0)]))


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("concept_drift", "AUC 0.742, and 0.897 was estimated, assuming no concept drift"),
        ("label_rate_gap", "positive labels 0.742, and 0.897 was estimated, assuming no concept"),
        ("accuracy_drop", "accuracy drop: 0.742, 0.897 in the baseline"),
    ],
)
def test_a_critical_finding_of_performance_is_told_in_short(measure, words):
    reading = of_model(measure, 0.155, then=0.897, now=0.742)
    found = Finding(reading, Limit(0.05, 0.1), Verdict.CRITICAL, Reason.BEYOND_CRITICAL, "")
    (told,) = (item for title, item in judged([reading], found).items() if "in short" in title)
    assert words in told.rows[0][0]


def test_a_critical_level_is_told_in_short():
    reading = of_model("accuracy", 0.7)
    found = Finding(reading, Limit(0.9, 0.8), Verdict.CRITICAL, Reason.BEYOND_CRITICAL, "")
    (told,) = (item for title, item in judged([reading], found).items() if "in short" in title)
    assert "accuracy of model is 0.7" in told.rows[0][0]


def test_what_is_held_against_a_reference_says_so():
    made = a_run()
    (second, first) = made.results
    absent = Unmeasurable(Absence.REFERENCE_UNAVAILABLE, "needs 4 of 7 windows")
    rows = []
    for result in (second, first):
        readings = tuple(
            Reading("psi", replace(item.subject, reference="month", field=name), absent)
            for item in result.readings[:1]
            for name in ("limit_bal", "age")
        )
        unknown = tuple(
            Finding(
                item,
                Limit(0.1, None),
                Verdict.UNKNOWN,
                Reason.REFERENCE_UNAVAILABLE,
                absent.explanation,
            )
            for item in readings
        )
        rows.append(
            replace(
                result,
                profile=b"",
                readings=(*result.readings, *readings),
                findings=(*result.findings, *unknown),
            )
        )
    runs = [replace(made, results=tuple(rows))]
    what = [row[1] for row in table(runs, "What changed")]
    assert what == ["limit_bal", "limit_bal (against week)"] * 2
    assert [row[-3] for row in table(runs, "window by window") if row[1] != "–"] == [
        "limit_bal (1 unknown)"
    ] * 2
    unjudged = [row for row in table(runs, "could not be judged") if "month" in row[0]]
    assert [(row[0], row[1]) for row in unjudged] == [("everything against month", "psi")]
    sentences = [row[0] for row in table(runs, "in short")]
    assert any("limit_bal (against week) drifted" in sentence for sentence in sentences)


def test_rows_that_did_not_come_are_told_in_rows():
    made = a_run(versions=("1",))
    (result,) = made.results
    subject = Subject(made.model, "1", reference="week")
    few = Estimate(-0.98, n=20, n_reference=3000, low=-0.99, high=-0.97, then=1000.0, now=20.0)
    limit = Limit(0.3, 0.6)
    lost = Finding(
        Reading("rows", subject, few), limit, Verdict.CRITICAL, Reason.BEYOND_CRITICAL, "few"
    )
    findings = (*result.findings, lost)
    run = replace(made, results=(replace(result, profile=b"", findings=findings),))
    sentences = [row[0] for row in table([run], "in short")]
    told = "20 rows came; an average window in the reference week has 1,000"
    assert any(told in sentence for sentence in sentences)


def test_a_reference_that_one_column_is_gone_from_is_not_absent():
    made = a_run(versions=("1",))
    (result,) = made.results
    (reading,) = [item for item in result.readings if item.subject.reference == "week"][:1]
    absent = Unmeasurable(Absence.REFERENCE_UNAVAILABLE, "the files do not have the column age")
    gone = Reading("psi", replace(reading.subject, field="age"), absent)
    reason = Reason.REFERENCE_UNAVAILABLE
    unknown = Finding(gone, Limit(0.1, None), Verdict.UNKNOWN, reason, absent.explanation)
    findings = (*result.findings, unknown)
    run = replace(made, results=(replace(result, profile=b"", findings=findings),))
    unjudged = [row[0] for row in table([run], "could not be judged") if "week" in row[0]]
    assert unjudged == ["age (against week)"]


def test_slices_have_a_table_of_their_own_and_the_worst_verdict_if_it_is_bad():
    made = a_run(versions=("1",))
    (result,) = made.results
    (of_slice,) = [item for item in result.findings if item.reading.subject.segment]
    made = replace(made, results=(replace(result, profile=b""),))
    (row,) = table([made], "Which slices")
    assert row[1:] == (
        "limit_bal",
        f"region: {of_slice.reading.subject.segment_value}",
        "100",
        "psi",
        "0.40",
        "80%",
        "critical",
    )
    assert "1 of 1 slices" in table([made], "in short")[-1][0]
    assert worst([finding(Verdict.OK), of_slice]) is Verdict.CRITICAL
    unknown = replace(of_slice, verdict=Verdict.UNKNOWN)
    assert worst([finding(Verdict.OK), unknown]) is Verdict.OK
    assert worst([unknown]) is Verdict.UNKNOWN


def test_a_group_that_differs_by_a_difference_has_its_row_and_its_sentence():
    subject = Subject("credit", "1", population="sex", group="f", reference_group="m")
    apart = Estimate(3.0, 400, 600, low=2.6, high=3.4, then=20.0, now=23.0)
    band = Band(low=-2.0, high=2.0, min_difference=0.0)
    reading = Reading("group_mae_difference", subject, apart)
    breach = Finding(reading, band, Verdict.CRITICAL, Reason.BREACH, "")
    run = unprofiled()
    run = replace(run, results=(replace(run.results[0], findings=(breach,)),))
    ((_, *row),) = table([run], "by a difference")
    assert row[:5] == ["sex", "f", "group_mae", "23 (400 rows)", "m 20 (600 rows)"]
    sentences = " ".join(sentence for (sentence,) in table([run], "in short"))
    assert "sex f: group mae 23 over 400 rows, +3 from that of m, 20 over 600" in sentences
    assert "no breach" not in sentences


def test_cells_that_are_one_group_together_are_told_once_for_a_crossing():
    subject = Subject("credit", "1", population="sex × race", group="(other small)")
    level = Reading("selection_rate", subject, Estimate(0.2, 40, note="2 cells together: a, b"))
    run = unprofiled()
    run = replace(run, results=(replace(run.results[0], readings=(level,)),))
    assert table([run, run], "(other small)") == (("sex × race", "2 cells together: a, b"),)


def test_the_join_with_protected_attributes_is_told_by_column():
    (row,) = table([unprofiled()], "Protected attributes")
    assert row[1:5] == ("gender", "–", "5", "1")


def test_a_ratio_that_changed_is_told_with_both_ratios():
    result = unprofiled().results[0]
    women = Subject("credit", "1", population="sex", group="f", reference_group="m")
    changed = Estimate(0.405, 500, 5000, low=0.2, high=0.6, then=1.2, now=1.8)
    reading = Reading("selection_rate_ratio_change", women, changed)
    band = Band(low=-0.105, high=0.105, min_difference=0.0)
    breach = Finding(reading, band, Verdict.CRITICAL, Reason.BREACH, "")
    run = replace(a_run(versions=("1",)), results=(replace(result, findings=(breach,)),))
    sentence = table([run], "in short")[0][0]
    assert sentence == (
        "2005-06-01: sex f: the ratio of its selection rate to that of m is 1.50 times what it was "
        "in the baseline, 1.80 instead of 1.20 (tolerated: 1.11 times)."
    )
    (row,) = table([run], "What changed")
    assert "selection_rate_ratio_change" in row
    assert "-0.105 to 0.105" in row
