import dataclasses
import json

import pytest
from msgspec.structs import replace

from monitor.cli.explain import _meant
from monitor.domain.manifest import Accounting, LabelJoin, LateChange, LogFile, Manifest, Rejection
from monitor.domain.schema import ColumnChange, SchemaChange
from monitor.engine.ports import Revision
from monitor.reports.explanation import (
    Explained,
    explanation_document,
    explanation_tables,
    modified_text,
)
from monitor.reports.wording import all_findings
from tests.stored import a_policy, a_run, a_window


def unprofiled():
    """Return a run without the profiles, which in `tests.stored` are no real ones."""
    run = a_run()
    return replace(run, results=tuple(replace(item, profile=b"") for item in run.results))


def revision(number, run, manifest=""):
    digest = manifest or run.manifest.digest
    return Revision(number, run.identity, run.policy, digest, run.outcome, run.finished)


def explained(run=None, revisions=None, number=1):
    run = run or unprofiled()
    return Explained(run, number, revisions or [revision(1, run)], a_policy())


def table(found, title):
    (only,) = (item for item in explanation_tables(found) if item.title == title)
    return only


def test_the_sum_of_the_rows_is_shown():
    rows = table(explained(), "Its rows")
    assert rows.rows == (
        ("profiled, version 2", "600"),
        ("profiled, version 1", "400"),
        (f"rejected, {Rejection.NO_BASELINE}", "10"),
        ("sum", "1,010"),
        ("read", "1,010"),
    )
    assert rows.note == "Every row read is accounted for."


def test_rows_that_are_not_accounted_for_are_said():
    odd = replace(unprofiled(), accounting=Accounting(1_015, {"1": 1_010}))
    assert table(explained(odd), "Its rows").note == "5 rows read are NOT accounted for."


def test_every_file_is_there_with_what_identifies_it():
    files = table(explained(), "The files it was made from").rows
    assert files == (
        ("log", "day=1/a.parquet", "700", "2,048", "2005-06-02T00:00:00Z", "0123456789ab"),
        ("log", "b", "300", "1", "–", "–"),
        ("labels", "labels.parquet", "12", "99", "etag-1", "–"),
        ("protected", "people.parquet", "3", "7", "etag-2", "–"),
    )
    left_out = table(explained(), "The files that were left out").rows
    assert left_out == (("c.parquet", "truncated", "nobody knows", "the footer is cut off"),)


def test_a_file_that_looks_the_same_with_another_footer_was_rewritten():
    then = LogFile("a", 1, "2", 3, "0" * 32)
    window = a_window()
    assert then == dataclasses.replace(then, digest="")  # no identity changes by it
    for digest, rewritten in (("0" * 32, ()), ("", ()), ("1" * 32, ("a",))):
        now = Manifest(files=(dataclasses.replace(then, digest=digest),))
        change = LateChange.between(window, Manifest(files=(then,)), now)
        assert (change.added, change.rewritten, change.removed) == ((), rewritten, ())


def test_a_manifest_that_is_no_longer_the_written_one_is_said():
    run = unprofiled()
    found = explained(run, [revision(1, run, "ab" * 32)])
    (said,) = (what for name, what in table(found, "The run").rows if name == "data")
    assert said == f"{'ab' * 32} was written, and the files below make {run.manifest.digest}"
    assert explanation_document(found)["manifest"]["intact"] is False
    assert "computed again: the same" in dict(table(explained(run), "The run").rows)["data"]


def test_files_that_have_changed_since_are_named():
    since = LateChange(a_window(), ("new.parquet",), (), ("b",))
    found = replace(explained(), since=since)
    assert table(found, "What has become of its files since").rows == (
        ("added", "new.parquet"),
        ("removed", "b"),
    )
    assert dict(table(found, "The run").rows)["files since then"] == "2 changed"
    assert explanation_document(found)["since"]["added"] == ("new.parquet",)
    unchanged = replace(explained(), since=LateChange(a_window(), (), (), ()))
    assert dict(table(unchanged, "The run").rows)["files since then"] == "unchanged"
    unreached = dict(table(explained(), "The run").rows)["files since then"]
    assert unreached == "nobody knows: the log cannot be reached"


def test_the_join_with_a_label_table_is_shown_for_the_run():
    joined = LabelJoin("d", labelled=900, orphan=7)
    accounting = Accounting(1_010, {"1": 1_010}, labels=joined, unmapped_labels={"maybe": 3})
    found = explained(replace(unprofiled(), accounting=accounting))
    (labels,) = (item for item in explanation_tables(found) if item.title.startswith("Labels"))
    ((_, labelled, orphans, *_, unmapped),) = labels.rows
    assert (labelled, orphans, unmapped) == ("900", "7", "'maybe' 3")
    assert explanation_document(found)["accounting"]["labels"]["labelled"] == 900


def test_what_its_files_had_other_than_expected_is_shown():
    change = SchemaChange(
        "1", ColumnChange.MISSING, "income", "double", "", watched=True, files=1, path="b"
    )
    found = explained(replace(unprofiled(), schema_changes=(change,)))
    rows = table(found, "What its rows and columns had other than expected").rows
    assert ("rows", Rejection.NO_BASELINE) in {(row[1], row[2]) for row in rows}
    assert ("income", "column", ColumnChange.MISSING) in {row[:3] for row in rows}
    assert [item["column"] for item in explanation_document(found)["schema_changes"]] == ["income"]


def test_inputs_are_named_by_their_digests():
    facts = dict(table(explained(), "The run").rows)
    assert facts["policy"] == "policy-1 (in force)"
    assert facts["baseline of version 1"] == "b1" * 16
    other = replace(explained(), policy=a_policy("policy-2"))
    assert dict(table(other, "The run").rows)["policy"] == "policy-1 (no longer in force)"


def test_all_findings_are_listed_with_their_verdicts():
    rows = table(explained(), "What was judged").rows
    judged = all_findings(explained().run)
    assert [row[0] for row in rows] == [item.fingerprint[:8] for item in judged]
    assert [(row[1], row[2], row[-1]) for row in rows] == [
        ("–", "rows", "ok"),
        *(
            (version, measure, verdict)
            for version in ("2", "1")
            for measure, verdict in (
                ("psi", "unknown"),
                ("psi", "critical"),
                ("selection_ratio", "warning"),
                ("psi", "critical"),
                ("psi", "critical"),
                ("selection_ratio", "ok"),
            )
        ),
    ]
    assert any(cell.startswith("limit_bal of region: a\x00b") for cell in rows[5])
    assert "limit_bal (against week)" in rows[4]


def test_what_it_was_held_against_is_listed_window_by_window():
    rows = table(explained(), "What it was held against besides the baseline").rows
    assert [row[1:] for row in rows] == [
        ("week", "2 of 7", "2005-05-31, 2005-05-30"),
        ("week\x00", "0 of 7", "none"),
    ]
    (first, _) = explanation_document(explained())["references"]
    assert first["windows"][0] == {
        "start": "2005-05-31T00:00:00+00:00",
        "end": "2005-06-01T00:00:00+00:00",
        "inputs": "i1",
    }


def test_revisions_are_listed_where_there_are_several():
    run = unprofiled()
    found = explained(run, [revision(1, run, "old"), revision(2, run)], 2)
    assert [row[0] for row in table(found, "All revisions of the window").rows] == ["1", "2"]
    assert dict(table(found, "The run").rows)["revision"] == "2 of 2"
    assert not any("revisions" in item.title for item in explanation_tables(explained()))


def test_the_document_has_numbers_as_numbers():
    document = json.loads(json.dumps(explanation_document(explained())))
    assert document["accounting"]["read"] == 1_010
    assert document["accounting"]["balances"] is True
    assert document["manifest"]["files"][0] == {
        "path": "day=1/a.parquet",
        "size": 2048,
        "modified": "2005-06-02T00:00:00Z",
        "rows": 700,
        "digest": "0123456789abcdef" * 2,
    }
    assert document["findings"][2]["verdict"] == "critical"
    assert document["findings"][2]["result"]["value"] == 0.31


@pytest.mark.parametrize(
    ("modified", "shown"),
    [
        ("1117584000000000000", "2005-06-01 00:00:00Z"),
        ("9" * 40, "9" * 40),
        ('"etag"', '"etag"'),
        ("", "–"),
    ],
)
def test_a_modification_time_is_shown_as_one_where_it_is_one(modified, shown):
    assert modified_text(LogFile("a", 1, modified, 1)) == shown


def test_a_window_is_meant_by_its_start_or_as_the_latest():
    days = [a_window(0), a_window(1), a_window(0, days=30)]
    assert _meant(a_policy(), "2005-06-02", days) == a_window(1)
    assert _meant(a_policy(), "2005-06-01", days) == a_window(0)  # the schedule's own length
    assert _meant(a_policy(), "latest", days) == a_window(0, days=30)
    assert _meant(a_policy(), "2005-06-01", days[2:]) == a_window(0, days=30)


@pytest.mark.parametrize(
    ("text", "windows", "said"),
    [
        ("2005-06-01", [], "no results yet"),
        ("2005-06-01T12:00", [a_window()], r"it lies in \[2005-06-01T"),
        ("2005-07-01", [a_window()], r"the latest is \[2005-06-01T"),
        ("2005-06-01", [a_window(0, 7), a_window(0, 30)], "several windows start at"),
        ("soon", [a_window()], "is no date"),
    ],
)
def test_a_window_that_is_not_meant_clearly_is_an_error(text, windows, said):
    with pytest.raises(Exception, match=said):
        _meant(a_policy(), text, windows)
