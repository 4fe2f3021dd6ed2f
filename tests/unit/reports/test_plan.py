import json
from datetime import UTC, datetime

from monitor.domain.change import ChangeClass, KeyChange
from monitor.domain.estimate import Estimate
from monitor.domain.finding import Verdict
from monitor.domain.governance import Rung
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.reading import Reading, Subject
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.engine.plan import Called, Followed, Otherwise, Replay, Unsaid
from monitor.reports.plan import LISTED, plan_document, plan_tables
from tests.stored import a_window

POLICY = Policy(
    "credit",
    SourceSpec("log", "at"),
    (),
    None,
    None,
    {},
    (),
    Schedule(CalendarUnit.DAY),
    {},
    Band(),
    digest="d",
)
PSI = Reading("psi", Subject("credit", "1", "income"), Estimate(0.2, n=100))
CHANGES = (
    KeyChange("limits.drift.psi.warning", 0.1, "never", ChangeClass.LOOSEN),
    KeyChange("crossings", None, [["sex", "age"]], ChangeClass.TIGHTEN),
)


def otherwise(day=0, name="ab" * 8, before=Verdict.WARNING, after=Verdict.OK):
    return Otherwise(a_window(day), name, PSI, before, after)


def test_keys_are_told_with_what_they_do_and_both_values():
    (keys,) = plan_tables(POLICY, POLICY, CHANGES, Replay())
    assert keys.title == "credit, what would change: loosen"
    assert keys.rows == (
        ("loosen", "limits.drift.psi.warning", "0.1", "never"),
        ("tighten", "crossings", "none", '[["sex", "age"]]'),
    )


def test_windows_of_one_finding_are_a_row_and_what_would_be_missed_is_first():
    found = Replay(
        (a_window(0), a_window(1)),
        3,
        (
            otherwise(0, "cd" * 8, Verdict.OK, Verdict.CRITICAL),
            otherwise(0),
            otherwise(1),
            otherwise(1, "ef" * 8, Verdict.CRITICAL, None),
        ),
    )
    (table,) = plan_tables(POLICY, POLICY, (), found)
    assert [row[3] for row in table.rows] == [
        "critical → not judged",
        "warning → ok",
        "ok → critical",
    ]
    assert table.rows[1][4] == "2005-06-01, 2005-06-02"
    assert table.note == "2 stored windows were judged by both policies; 3 older ones were not."


def test_a_long_list_is_cut_and_says_so_and_the_document_has_all():
    many = tuple(otherwise(0, f"{place:016x}") for place in range(LISTED + 2))
    called = (Called("ab" * 8, PSI, (a_window(0),), ()),)
    hold = (Followed(a_window(0), "1", None, Rung.HOLD, ("any",)),)
    found = Replay((a_window(0),), 0, many, called, hold, (Unsaid("source.path", "not stored"),))
    table, calls, followed, unsaid = plan_tables(POLICY, POLICY, (), found)
    assert followed.rows == (("2005-06-01", "1", "nothing", "hold", "any"),)
    assert len(table.rows) == LISTED
    assert "2 more rows follow" in table.note
    assert calls.rows == (("abababab", calls.rows[0][1], calls.rows[0][2], "2005-06-01", "none"),)
    assert unsaid.rows == (("source.path", "not stored"),)
    document = json.loads(json.dumps(plan_document(POLICY, POLICY, CHANGES, found)))
    assert document["change"] == "loosen"
    assert len(document["otherwise"]) == LISTED + 2
    assert document["otherwise"][0]["after"] == "ok"
    assert (
        document["called"][0]["before"][0]["start"] == datetime(2005, 6, 1, tzinfo=UTC).isoformat()
    )
    assert document["followed"][0]["after"] == "hold"
    assert document["keys"][0]["before"] == 0.1
