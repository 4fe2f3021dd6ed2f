"""What every store does, on each kind of database."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from monitor.domain.errors import BaselineError, StoreError
from monitor.domain.finding import Verdict
from monitor.domain.manifest import Manifest
from monitor.domain.run import Outcome
from monitor.domain.window import Window
from monitor.engine.ports import Committed, Profiled, RunCounts, RunHead
from monitor.reports.wording import all_findings
from tests.stored import (
    DAY,
    FIRST,
    a_baseline,
    a_failure,
    a_filled,
    a_policy,
    a_run,
    a_window,
    an_empty_run,
)


def test_a_new_store_is_empty(stores):
    assert stores.reader.latest("credit") is None
    assert stores.reader.run("credit", a_window()) is None
    assert stores.reader.heads("credit") == {}
    assert stores.reader.baselines("credit") == []
    assert stores.reader.current_baselines("credit") == {}
    assert stores.reader.counts("credit") == RunCounts(0, 0, {}, None, None)


def test_a_run_comes_back_as_it_was_committed(stores):
    a_filled(stores.writer, days=0)
    run = a_run()
    assert stores.writer.commit(run, a_policy()) == Committed(1, new=True)
    stored = stores.reader.run("credit", a_window())
    assert stored == run
    assert [finding.fingerprint for finding in stored.results[0].findings] == [
        finding.fingerprint for finding in run.results[0].findings
    ]
    assert stored.started.utcoffset() == timedelta(0)
    assert stores.reader.latest("credit") == run


def test_a_run_without_data_comes_back_as_it_was_committed(stores):
    run = an_empty_run()
    stores.writer.commit(run, a_policy())
    assert stores.reader.latest("credit") == run


def test_the_newest_verdicts_are_listed_in_the_order_of_windows_whenever_they_were_run(stores):
    a_filled(stores.writer, days=0)
    calm = a_run(1, policy="policy-2")
    ok = [replace(item, verdict=Verdict.OK) for item in calm.results[0].findings]
    calm = replace(calm, results=(replace(calm.results[0], findings=tuple(ok)),))
    for run, policy in (
        (a_run(3), "policy-1"),
        (a_run(1), "policy-1"),
        (an_empty_run(2), "policy-1"),
        (calm, "policy-2"),
        (a_run(0), "policy-1"),
    ):
        stores.writer.commit(run, a_policy(policy))
    stores.writer.commit(an_empty_run(9, "other"), a_policy(model="other"))
    found = stores.reader.verdicts("credit", FIRST + DAY)
    assert [item.window for item in found] == [a_window(day) for day in (1, 2, 3)]
    assert set(found[0].verdicts.values()) == {Verdict.OK}
    assert found[1].verdicts == {
        item.fingerprint: Verdict.UNKNOWN for item in an_empty_run(2).findings
    }
    assert found[2].verdicts == {
        item.fingerprint: item.verdict
        for part in (a_run(3), *a_run(3).results)
        for item in part.findings
    }


def test_the_evidence_of_every_window_is_that_of_its_newest_revision(stores):
    a_filled(stores.writer, days=0)
    newer = replace(a_run(1, policy="policy-2"), e_value=9.5)
    for run, policy in (
        (a_run(2), "policy-1"),
        (a_run(1), "policy-1"),
        (an_empty_run(0), "policy-1"),
        (newer, "policy-2"),
    ):
        stores.writer.commit(run, a_policy(policy))
    found = stores.reader.e_values("credit")
    assert list(found.items()) == [(a_window(0), None), (a_window(1), 9.5), (a_window(2), 2.75)]


def test_a_version_without_a_baseline_has_none_when_it_comes_back(stores):
    run = a_run(versions=("1",))
    result = replace(run.results[0], baseline="", profile=b"", readings=(), findings=())
    run = replace(run, results=(result,))
    stores.writer.commit(run, a_policy())
    assert stores.reader.latest("credit") == run


def test_a_version_whose_name_is_empty_is_not_the_log_as_a_whole(stores):
    nameless = a_baseline("")
    run = a_run(versions=("",))
    run = replace(run, results=(replace(run.results[0], baseline=nameless.digest),))
    stores.writer.register(replace(nameless, digest=run.results[0].baseline))
    stores.writer.commit(run, a_policy())
    assert stores.reader.latest("credit") == run


def test_the_same_identity_again_writes_nothing(stores):
    a_filled(stores.writer, days=1)
    again = replace(a_run(), finished=a_run().finished + DAY, code="9.9")
    assert stores.writer.commit(again, a_policy()) == Committed(1, new=False)
    assert stores.reader.commit(again, a_policy()) == Committed(1, new=False)
    assert stores.reader.run("credit", a_window()) == a_run()
    assert stores.reader.counts("credit").completed == 1


def test_another_identity_of_a_window_is_a_new_revision_and_the_old_one_stays(stores):
    a_filled(stores.writer, days=1)
    revised = a_run(policy="policy-2", psi=0.05)
    assert stores.writer.commit(revised, a_policy("policy-2")) == Committed(2, new=True)
    assert stores.reader.run("credit", a_window(), 1) == a_run()
    assert stores.reader.run("credit", a_window(), 2) == revised
    assert stores.reader.run("credit", a_window()) == revised
    assert stores.reader.run("credit", a_window(), 3) is None


def test_going_back_to_an_earlier_policy_is_a_revision_of_its_own(stores):
    a_filled(stores.writer, days=1)
    stores.writer.commit(a_run(policy="policy-2", psi=0.05), a_policy("policy-2"))
    assert stores.writer.commit(a_run(), a_policy()) == Committed(3, new=True)
    assert stores.reader.run("credit", a_window()) == a_run()
    assert stores.writer.commit(a_run(), a_policy()) == Committed(3, new=False)


def test_run_lines_are_the_newest_revisions_the_latest_window_first(stores):
    a_filled(stores.writer, days=3)
    again = replace(a_run(1, policy="policy-2", versions=("1",)))
    stores.writer.commit(again, a_policy("policy-2"))
    stores.writer.commit(an_empty_run(3), a_policy())
    stores.writer.commit(an_empty_run(9, "other"), a_policy(model="other"))
    empty, last, middle, first = stores.reader.run_lines("credit", None, 10)
    assert [item.window for item in (empty, last, middle, first)] == [
        a_window(place) for place in (3, 2, 1, 0)
    ]
    assert (empty.outcome, empty.rows, empty.revision) == (Outcome.NO_DATA, 0, 1)
    assert empty.verdicts == {Verdict.UNKNOWN: 1}
    assert (middle.revision, middle.finished) == (2, again.finished)
    assert middle.rows == again.accounting.read
    counted = [item.verdict for item in all_findings(again)]
    assert middle.verdicts == {verdict: counted.count(verdict) for verdict in set(counted)}
    assert stores.reader.run_lines("credit", None, 2) == [empty, last]
    assert stores.reader.run_lines("credit", last.window.end, 10) == [middle, first]
    assert stores.reader.run_lines("credit", first.window.end, 10) == []
    assert stores.reader.run_lines("nobody", None, 10) == []


def test_heads_are_the_newest_revisions_in_the_order_of_time(stores):
    a_filled(stores.writer, days=0)
    for day in (2, 0, 1):
        stores.writer.commit(a_run(day), a_policy())
    stores.writer.commit(an_empty_run(1), a_policy())
    heads = stores.reader.heads("credit")
    assert list(heads) == [a_window(0), a_window(1), a_window(2)]
    assert heads[a_window(1)] == RunHead(
        a_window(1), an_empty_run(1).identity, 2, Outcome.NO_DATA, policy="policy-1"
    )
    assert heads[a_window(2)] == RunHead(
        a_window(2), a_run(2).identity, 1, Outcome.COMPLETED, policy="policy-1"
    )


def test_profiles_are_those_of_the_newest_revisions(stores):
    a_filled(stores.writer, days=3)
    revised = a_run(1, policy="policy-2", versions=("1",))
    stores.writer.commit(revised, a_policy("policy-2"))
    stores.writer.commit(an_empty_run(2), a_policy())
    both = {"1": "b1" * 16, "2": "b2" * 16}
    of_both = {"1": b"MMP11", "2": b"MMP12"}
    wanted = {
        a_window(0): Profiled(a_run(0).inputs, both, of_both),
        a_window(1): Profiled(revised.inputs, {"1": both["1"]}, {"1": of_both["1"]}),
        a_window(2): Profiled(an_empty_run(2).inputs),
    }
    known = stores.reader.profiled("credit")
    assert known == {window: replace(item, profiles={}) for window, item in wanted.items()}
    asked = [a_window(day) for day in (2, 0, 1, 7)] + [a_window(0, 3)]
    assert stores.reader.profiles("credit", asked) == wanted
    assert stores.reader.profiles("credit", asked[1:2]) == {a_window(0): wanted[a_window(0)]}
    assert stores.reader.profiles("churn", asked) == stores.reader.profiled("churn") == {}


def test_a_run_of_before_references_counts_by_its_identity(store):
    a_filled(store, days=0)
    store.commit(replace(a_run(), inputs="", compositions=()), a_policy())
    assert store.profiled("credit")[a_window()].inputs == a_run().identity


def test_any_number_of_windows_can_be_asked_for(store):
    a_filled(store, days=2)
    many = [a_window(day) for day in range(-2000, 2000)]
    assert list(store.profiles("credit", many)) == [a_window(0), a_window(1)]


def test_the_latest_run_is_of_the_window_that_ends_last_not_of_the_last_commit(stores):
    a_filled(stores.writer, days=3)
    late = a_run(1, policy="policy-2")
    stores.writer.commit(late, a_policy("policy-2"))
    assert stores.reader.latest("credit") == a_run(2, psi=2.31)
    stores.writer.commit(a_run(0, days=30), a_policy())
    assert stores.reader.latest("credit") == a_run(0, days=30)


def test_models_do_not_see_each_other(stores):
    a_filled(stores.writer, "credit", days=1)
    a_filled(stores.writer, "churn", days=0)
    assert stores.reader.latest("churn") is None
    assert stores.reader.heads("churn") == {}
    assert {found.model for found in stores.reader.baselines("churn")} == {"churn"}
    assert stores.reader.counts("churn").completed == 0


def test_windows_before_1970_and_in_other_zones_are_the_same_instants(stores):
    early = Window(
        datetime(1899, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-9))),
        datetime(1900, 1, 1, 12, tzinfo=UTC),
    )
    run = replace(an_empty_run(), window=early, last_event=datetime(1901, 1, 1, tzinfo=UTC))
    stores.writer.commit(run, a_policy())
    assert stores.reader.latest("credit") == run
    assert list(stores.reader.heads("credit")) == [early]


def test_a_run_on_an_unregistered_baseline_is_refused(stores):
    stores.writer.register(a_baseline("1"))
    with pytest.raises(StoreError, match=r"not registered here: b2b2"):
        stores.writer.commit(a_run(), a_policy())
    assert stores.reader.latest("credit") is None


def test_a_failed_run_is_not_a_result(stores):
    with pytest.raises(ValueError, match="store its Failure"):
        stores.writer.commit(replace(an_empty_run(), outcome=Outcome.FAILED), a_policy())


def test_a_run_is_committed_with_its_own_policy_only(stores):
    with pytest.raises(ValueError, match="under policy policy-1, not policy-2"):
        stores.writer.commit(an_empty_run(), a_policy("policy-2"))


def test_counts_tell_how_runs_ended(stores):
    a_filled(stores.writer, days=2)
    stores.writer.commit(an_empty_run(2), a_policy())
    for failure in (a_failure(0), a_failure(None), a_failure(1, error="ArrowInvalid")):
        stores.writer.fail(failure)
    stores.writer.fail(a_failure(model="churn"))
    assert stores.reader.counts("credit") == RunCounts(
        completed=2,
        no_data=1,
        failed={"ArrowInvalid": 1, "SourceError": 2},
        last_success=an_empty_run(2).finished,
        last_duration=3.000001,
        first_seen={"1": a_window(0).start, "2": a_window(0).start},
    )


def test_a_version_is_first_seen_in_its_earliest_window_whenever_that_is_stored(stores):
    a_filled(stores.writer, days=0)
    for day, versions in ((3, ("2", "1")), (1, ("1",)), (2, ("2",))):
        stores.writer.commit(a_run(day, versions=versions), a_policy())
    stores.writer.commit(an_empty_run(0), a_policy())
    expected = {"1": a_window(1).start, "2": a_window(2).start}
    assert stores.reader.counts("credit").first_seen == expected
    assert stores.reader.counts("churn").first_seen == {}


def test_a_baseline_comes_back_as_it_was_registered(stores):
    assert stores.writer.register(a_baseline()) is True
    assert stores.reader.baselines("credit") == [a_baseline()]
    assert stores.reader.current_baselines("credit") == {"1": a_baseline()}
    assert stores.reader.baseline(a_baseline().digest) == a_baseline()


def test_registering_the_current_baseline_again_changes_nothing(stores):
    stores.writer.register(a_baseline())
    again = replace(a_baseline(why="once more"), registered_at=FIRST + DAY)
    assert stores.writer.register(again) is False
    assert stores.reader.baselines("credit") == [a_baseline()]


def test_the_newest_registration_is_the_current_one_of_its_version(stores):
    stores.writer.register(a_baseline("1"))
    stores.writer.register(a_baseline("2"))
    better = a_baseline("1", "c" * 32, why="a year of data")
    assert stores.writer.register(better) is True
    assert stores.reader.current_baselines("credit") == {"1": better, "2": a_baseline("2")}
    assert stores.reader.baselines("credit") == [better, a_baseline("2"), a_baseline("1")]


def test_registering_an_older_baseline_makes_it_current_again(stores):
    first, second = a_baseline(), a_baseline(digest="c" * 32)
    stores.writer.register(first)
    stores.writer.register(second)
    back = replace(
        first,
        why="the second was wrong",
        registered_at=FIRST + DAY,
        manifest=Manifest(),
        code="0.2.0",
    )
    assert stores.writer.register(back) is True
    assert stores.reader.current_baselines("credit") == {"1": back}
    assert stores.reader.baseline(first.digest) == back
    assert stores.reader.baselines("credit") == [back, second]


def test_a_baseline_is_found_by_the_first_characters_of_its_digest(stores):
    for digest in ("abc1", "abc2", "ade1"):
        stores.writer.register(a_baseline(digest=digest))
    assert stores.reader.baseline("ade").digest == "ade1"
    assert stores.reader.baseline("abc2").digest == "abc2"
    with pytest.raises(BaselineError, match="several baselines' digests begin with 'abc'"):
        stores.reader.baseline("abc")


@pytest.mark.parametrize("digest", ["x", "%", "_bc1", "ABC1", "abc11"])
def test_a_digest_that_no_baseline_has_is_an_error(stores, digest):
    stores.writer.register(a_baseline(digest="abc1"))
    with pytest.raises(BaselineError, match="no baseline's digest begins with"):
        stores.reader.baseline(digest)


def test_an_empty_digest_names_no_baseline(stores):
    stores.writer.register(a_baseline())
    with pytest.raises(BaselineError, match="no baseline's digest"):
        stores.reader.baseline("")


def test_the_file_of_a_policy_is_kept(stores):
    a_filled(stores.writer, days=1)
    assert stores.reader.policy_text("policy-1") == a_policy().text
    with pytest.raises(StoreError, match="no run was made under the policy policy-9"):
        stores.reader.policy_text("policy-9")


def test_fingerprints_are_found_by_their_first_digits(stores):
    a_filled(stores.writer, days=2)
    known = sorted({item.fingerprint for item in all_findings(a_run())})
    assert stores.reader.fingerprints("", 100) == known
    assert stores.reader.fingerprints("", 2) == known[:2]
    for fingerprint in known:
        assert stores.reader.fingerprints(fingerprint, 3) == [fingerprint]
        same = [other for other in known if other.startswith(fingerprint[:1])]
        assert stores.reader.fingerprints(fingerprint[:1], 100) == same
    assert stores.reader.fingerprints("g", 3) == []


def test_a_finding_is_followed_through_windows_and_revisions(stores):
    a_filled(stores.writer, days=3)
    revised = replace(a_run(1, policy="policy-2", psi=9.0), code="0.2.0")
    assert stores.writer.commit(revised, a_policy("policy-2")) == Committed(2, new=True)
    psi = [item for item in revised.results[0].findings if item.reading.measure == "psi"][1]
    story = stores.reader.past_findings(psi.fingerprint, None, 10)
    assert [(item.window, item.revision, item.finding.reading.result.value) for item in story] == [
        (a_window(0), 1, 0.31),
        (a_window(1), 1, 1.31),
        (a_window(1), 2, 9.0),
        (a_window(2), 1, 2.31),
    ]
    assert story[2].finding == psi
    assert stores.reader.past_findings(psi.fingerprint, None, 2) == story[2:]
    assert stores.reader.past_findings(psi.fingerprint, a_window(1).end, 10) == story[:3]
    assert stores.reader.past_findings(psi.fingerprint, FIRST, 10) == []
    assert stores.reader.past_findings("0" * 16, None, 10) == []


def test_a_run_is_read_in_a_fixed_number_of_statements(store):
    from sqlalchemy import event

    a_filled(store, days=3)
    statements = []

    def note(_connection, _cursor, statement, *_):
        statements.append(statement)

    event.listen(store._engine, "before_cursor_execute", note)
    assert store.latest("credit") is not None
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 5
    statements.clear()
    assert len(store.heads("credit")) == 3
    assert len([statement for statement in statements if statement.startswith("SELECT")]) == 1
