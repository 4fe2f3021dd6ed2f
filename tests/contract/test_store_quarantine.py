"""What every store keeps of files that could not be used, on each kind of database."""

from datetime import timedelta

from msgspec.structs import replace

from monitor.domain.manifest import Manifest, UnreadableFile
from monitor.domain.quarantine import Sight, advance, drop, retry
from monitor.domain.run import Outcome
from monitor.engine.ports import Committed, Revision
from tests.stored import (
    FIRST,
    MANIFEST,
    a_filled,
    a_policy,
    a_quarantined,
    a_run,
    a_window,
    an_empty_run,
)


def files_of(store, model="credit"):
    return list(store.quarantine(model).values())


def test_a_new_store_has_nothing_in_quarantine_and_no_gaps(stores):
    assert stores.reader.quarantine("credit") == {}
    assert stores.reader.gaps("credit") == {}
    assert stores.reader.revisions("credit", a_window()) == []


def test_a_file_comes_back_as_it_was_written(stores):
    hostile = "new\nline \x00 \ud800 \\u0041 '; DROP \".parquet"
    plain, odd = a_quarantined(), a_quarantined(hostile, placed=True)
    dropped = drop(a_quarantined("c.parquet"), "ada\x00", "sent again")
    assert stores.writer.note([plain, odd]) == 2
    assert stores.writer.note([a_quarantined("c.parquet")]) == 1
    assert stores.writer.note([dropped]) == 1
    assert stores.reader.quarantine("credit") == {file.path: file for file in (plain, odd, dropped)}


def test_a_path_may_be_longer_than_an_index_holds(stores):
    # Without a pattern, so that no database compresses it below its limit.
    digits = "".join(str(number * 7919 % 10_007) for number in range(1_000))
    long = [a_quarantined(f"{digits}{number}.parquet") for number in range(2)]
    assert stores.writer.note(long) == 2
    assert files_of(stores.reader) == long


def test_files_are_in_the_order_in_which_they_were_first_seen(stores):
    late = a_quarantined("a.parquet", at=FIRST + timedelta(days=1))
    early = a_quarantined("z.parquet")
    stores.writer.note([late, early])
    assert [file.path for file in files_of(stores.reader)] == ["z.parquet", "a.parquet"]


def test_models_have_quarantines_of_their_own(stores):
    ours, theirs = a_quarantined(), replace(a_quarantined(), model="churn", reason="corrupt")
    assert stores.writer.note([ours, theirs]) == 2
    assert files_of(stores.reader) == [ours]
    assert files_of(stores.reader, "churn") == [theirs]


def test_of_two_writers_that_began_with_the_same_state_the_second_is_left_out(stores):
    file, other = a_quarantined(), a_quarantined("b.parquet")
    stores.writer.note([file, other])
    dropped = drop(file, "ada", "sent again")
    assert stores.reader.note([dropped]) == 1
    released = [
        advance("credit", item, Sight.WHOLE, FIRST + timedelta(hours=1)) for item in (file, other)
    ]
    assert stores.writer.note(released) == 1
    assert files_of(stores.reader) == [released[1], dropped]


def test_of_two_that_quarantine_the_same_file_the_second_is_left_out(stores):
    file = a_quarantined()
    assert stores.writer.note([file]) == 1
    assert stores.reader.note([replace(file, reason="corrupt")]) == 0
    assert files_of(stores.reader) == [file]


def test_a_state_that_follows_from_none_that_is_stored_is_left_out(stores):
    assert stores.writer.note([drop(a_quarantined(), "ada", "why")]) == 0
    assert files_of(stores.reader) == []


def test_a_run_writes_what_it_found_in_the_same_transaction(stores):
    a_filled(stores.writer, days=0)
    file = a_quarantined()
    assert stores.writer.commit(a_run(), a_policy(), [file]) == Committed(1, new=True)
    assert files_of(stores.reader) == [file]


def test_a_run_that_is_known_still_writes_what_it_found(stores):
    a_filled(stores.writer, days=1)
    file = a_quarantined()
    assert stores.writer.commit(a_run(), a_policy(), [file]) == Committed(1, new=False)
    tried = retry(file, "ada", "", FIRST)
    assert stores.writer.commit(a_run(), a_policy(), [tried]) == Committed(1, new=False)
    assert files_of(stores.reader) == [tried]


def test_gaps_are_told_of_the_newest_revisions_only(stores):
    a_filled(stores.writer, days=2)
    whole = replace(MANIFEST, unreadable=())
    mended = replace(a_run(1), manifest=whole, identity="mended")
    stores.writer.commit(mended, a_policy())
    named = UnreadableFile('say "unreadable":[] please.parquet', "corrupt", "", placed=True)
    stores.writer.commit(
        replace(an_empty_run(5), manifest=Manifest(unreadable=(named,))), a_policy()
    )
    stores.writer.commit(an_empty_run(6), a_policy())
    assert stores.reader.gaps("credit") == {
        a_window(0): {"c.parquet"},
        a_window(5): {named.path},
    }
    assert stores.reader.gaps("churn") == {}


def test_the_revisions_of_a_window_are_told_oldest_first(stores):
    a_filled(stores.writer, days=2)
    revised = replace(an_empty_run(), identity="second")
    stores.writer.commit(revised, a_policy())
    first = a_run()
    assert stores.reader.revisions("credit", a_window()) == [
        Revision(
            1,
            first.identity,
            first.policy,
            first.manifest.digest,
            Outcome.COMPLETED,
            first.finished,
        ),
        Revision(2, "second", first.policy, Manifest().digest, Outcome.NO_DATA, revised.finished),
    ]
