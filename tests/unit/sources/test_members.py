"""Protected attributes that are kept apart from the log."""

import zlib
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from msgspec.structs import replace

from monitor.compute.isolated import IsolatedCompute
from monitor.compute.local import LocalCompute
from monitor.domain.errors import BaselineError
from monitor.domain.field import Attribute
from monitor.domain.policy import ProtectedTable
from monitor.profile.codec import (
    grid_from_bytes,
    grid_to_bytes,
    profile_from_bytes,
    profile_to_bytes,
)
from monitor.sources.location import Fault
from monitor.sources.parquet import ParquetSource
from tests.held import Deployment, day

TABLE = {"protected": ProtectedTable("people", "person")}
SEX = Attribute("sex", "gender", {"1": "m", "2": "f"}, unknown=("9",), protected=True)
AGE = Attribute("age", "age", bins=(40.0, 62.0), unknown=("-1",), declined=("-2",), protected=True)


def people(ids, gender, age, **others):
    return {"person": ids, "gender": gender, "age": age, **others}


@pytest.fixture
def run(policy, june, progress):
    """Return the profile of the rows, the scan, and what the counter said."""

    def go(attributes=(SEX, AGE), compute=None, source=TABLE):
        declared = {item.name: item for item in attributes}
        log = ParquetSource(policy(source=source, attributes=declared, label=None))
        scan = log.scan(june)
        grid = log.draft(scan, "1")
        grid = grid_from_bytes(grid_to_bytes(grid))
        count = log.counter(scan, {"1": grid}).complete()
        counted = (compute or LocalCompute()).count(scan.tasks, count, progress)
        return counted.profiles["1"], scan, counted

    return go


def groups(profile, name):
    return profile.outcomes.margin(name).sum(axis=(1, 2)).tolist()


def test_members_are_joined_by_id_and_read_by_the_same_rules(run, rows, write):
    ids = ["a", "b", "c", None, "d", "e", "f"]
    write("log/a.parquet", rows(4, id=ids[:4], sex=None, late=None))
    write("log/b.parquet", rows(3, id=ids[4:], sex=None, late=None), row_group_size=2)
    write(
        "people/x.parquet",
        people(["f", "e", "d", "c", "b", "zz"], [1, 1, 2, 9, 3, 1], [39, 40, 62, -1, -2, 50]),
    )
    profile, scan, counted = run()
    # m, f, unknown, unmapped: nobody is called a or has no id, and 9 means unknown
    assert groups(profile, "sex") == [2, 1, 3, 1]
    assert profile.outcomes.unmapped["sex"].counts == {"3": 1}
    assert groups(profile, "age") == [1, 1, 1, 1, 3, 0]  # <40, 40-61, 62+, declined, unknown
    assert [file.path for file in scan.manifest.protected] == ["x.parquet"]
    joins = counted.accounting().memberships
    assert set(joins) == {"gender", "age"}
    assert (joins["age"].labelled, joins["age"].orphan, joins["age"].without_id) == (5, 1, 1)
    assert counted.accounting().balances


def test_numbers_of_any_type_and_spelled_ones_fall_into_the_same_bins(run, rows, write):
    for ages in (
        pa.array([30, 41, 70]),
        pa.array([30.0, 41.5, 70.0]),
        pa.array(["30", "41", "70"]),
    ):
        write("log/a.parquet", rows(3, id=["a", "b", "c"], sex=None, late=None))
        write("people/x.parquet", people(["a", "b", "c"], [1, 1, 1], ages))
        assert groups(run()[0], "age") == [1, 1, 1, 0, 0, 0]


def test_one_person_may_have_made_several_predictions(run, rows, write):
    table = {"protected": ProtectedTable("people", "person", key="customer")}
    log = rows(5, customer=["p", "q", "p", "p", "r"], sex=None, late=None)
    write("log/a.parquet", log)
    write("people/x.parquet", people(["p", "q"], [1, 2], [30, 70]))
    profile, _, counted = run(source=table)
    assert groups(profile, "sex") == [3, 1, 1, 0]
    assert counted.memberships["gender"].shared_id == 2


def test_of_conflicting_rows_the_latest_counts_and_they_are_counted(run, rows, write):
    write("log/a.parquet", rows(2, id=["a", "b"], sex=None, late=None))
    known = [datetime(2005, 1, number, tzinfo=UTC) for number in (2, 1, 1)]
    table = people(["a", "a", "b"], [1, 2, 2], [30, 30, 30], since=pa.array(known))
    write("people/x.parquet", table)
    source = {"protected": ProtectedTable("people", "person", time="since")}
    profile, _, counted = run(source=source)
    assert groups(profile, "sex") == [1, 1, 0, 0]
    joins = counted.memberships
    assert (joins["gender"].conflicting, joins["gender"].repeated) == (1, 0)
    assert (joins["age"].conflicting, joins["age"].repeated) == (0, 1)


def test_a_table_that_is_not_there_yet_leaves_everybody_unknown_and_is_named(run, rows, write):
    write("log/a.parquet", rows(3, sex=None, late=None))
    profile, scan, _ = run()
    assert groups(profile, "sex") == [0, 0, 3, 0]
    assert [(file.path, file.reason) for file in scan.manifest.unreadable] == [
        ("people", Fault.NOT_FOUND)
    ]


def test_files_that_cannot_be_used_are_named_and_the_others_join(run, rows, write, tmp_path):
    write("log/a.parquet", rows(2, id=["a", "b"], sex=None, late=None))
    write("people/good.parquet", people(["a"], [1], [30]))
    write("people/less.parquet", {"person": ["b"], "gender": [1]})
    write("people/none.parquet", {"gender": ["b"], "age": [1]})
    (tmp_path / "people" / "bad.parquet").write_bytes(b"PAR1" * 100)
    profile, scan, _ = run()
    assert groups(profile, "sex") == [1, 0, 1, 0]
    assert {file.path: file.reason for file in scan.manifest.unreadable} == {
        "people/bad.parquet": Fault.NOT_PARQUET,
        "people/less.parquet": Fault.NO_PROTECTED_COLUMN,
        "people/none.parquet": Fault.NO_ID_COLUMN,
    }


def test_a_column_of_the_log_with_the_same_name_is_not_read(run, rows, write):
    gender = ["2", "2", "2"]
    write("log/a.parquet", rows(3, id=["a", "b", "c"], gender=gender, sex=None, late=None))
    write("people/x.parquet", people(["a"], [1], [30]))
    assert groups(run()[0], "sex") == [1, 0, 2, 0]


def test_groups_are_registered_from_the_table_and_amounts_refused(run, rows, write):
    write("log/a.parquet", rows(30, id=[str(row) for row in range(30)], sex=None, late=None))
    table = people([str(row) for row in range(30)], [1, 2] * 15, list(range(20, 50)))
    write("people/x.parquet", table)
    free = Attribute("sex", "gender", protected=True)
    assert groups(run((free,))[0], "sex") == [15, 15, 0, 0]
    with pytest.raises(BaselineError, match="age has more than 20 different numbers in 'age'"):
        run((Attribute("age", "age", protected=True),))


@pytest.mark.slow
def test_a_process_counts_what_threads_count(run, rows, write):
    ids = [str(row) for row in range(20)]
    write("log/a.parquet", rows(20, id=ids, sex=None, late=None))
    write("people/x.parquet", people(ids, [1, 2] * 10, [30, 50] * 10))
    here, there = run()[0], run(compute=IsolatedCompute(2))[0]
    assert profile_to_bytes(here) == profile_to_bytes(there)
    assert profile_from_bytes(profile_to_bytes(there)).outcomes.margin("sex")[0].sum() == 10


@pytest.fixture
def held(tmp_path, rows, write):
    """A deployment whose groups are in a table of their own, registered on its first day."""
    sex = Attribute("sex", "gender", protected=True)
    held = Deployment(tmp_path, attributes={"sex": sex})
    source = replace(held.policy.source, path="log", id="id", **TABLE)
    held.restart(source=source)
    for place in (0, 1):
        ids = [f"secret-{place}-{row}" for row in range(50)]
        at = pa.array([day(place).start] * 50, pa.timestamp("us", "UTC"))
        write(f"log/{place}.parquet", rows(50, id=ids, at=at, sex=None, late=None))
        write(f"people/{place}.parquet", people(ids, ["f", "m"] * 25, [1] * 50))
    held.register(days=1)
    return held


def test_a_window_rests_on_the_files_of_the_table(held, write):
    assert [item.new for item in held.back_fill(1)] == [True]
    assert [item.new for item in held.back_fill(1)] == [False]
    run = held.run(1)
    assert [file.path for file in run.manifest.protected] == ["0.parquet", "1.parquet"]
    assert run.accounting.memberships["gender"].labelled == 50
    assert run.manifest.digest != replace(run.manifest, protected=()).digest
    write("people/2.parquet", people(["secret-1-0"], ["m"], [1]))
    assert [(item.revision, item.new) for item in held.back_fill(1)] == [(2, True)]
    assert held.run(1).accounting.memberships["gender"].conflicting == 1


def test_nothing_of_the_table_but_counts_is_stored(held):
    held.back_fill(1)
    run = held.run(1)
    (result,) = run.results
    assert b"secret" not in zlib.decompress(result.profile[4:])
    assert "secret" not in repr(run)
    assert held.profile(1).outcomes.margin("sex").sum(axis=(1, 2)).tolist() == [25, 25, 0, 0]


def test_a_baseline_is_not_registered_while_the_table_is_missing(held, tmp_path):
    for file in (tmp_path / "people").iterdir():
        file.unlink()
    (tmp_path / "people").rmdir()
    with pytest.raises(BaselineError, match="a baseline needs every file of its period: people"):
        held.register(days=1)
    held.back_fill(1)
    assert [file.path for file in held.run(1).manifest.unreadable] == ["people"]
    assert held.profile(1).outcomes.margin("sex")[2].sum() == 50
