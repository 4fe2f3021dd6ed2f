"""Bodies of records: one form, and nothing else is read."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.governance.events import EventType
from monitor.governance.record import (
    FIRST,
    Actor,
    AuditEvent,
    RecordError,
    canonical,
    record_at,
    record_of,
)

AT = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)
EVENT = AuditEvent(
    EventType.RUN_COMPLETED,
    "model/credit",
    Actor("daemon", "system"),
    "sha256:1",
    {"rows": 4000, "revision": 1, "late": False, "files": [{"path": "a.parquet"}], "note": None},
)


def test_the_body_is_canonical_json():
    record = record_at("example.org/log", 0, FIRST, AT, EVENT)
    assert record.body == (
        b'{"actor":{"id":"daemon","method":"system"},"data":{"files":[{"path":"a.parquet"}],'
        b'"late":false,"note":null,"revision":1,"rows":4000},"log":"example.org/log","policy":'
        b'"sha256:1","prev":"' + b"00" * 32 + b'","seq":0,"subject":"model/credit",'
        b'"ts":"2026-09-01T12:30:00.000000Z","type":"run.completed","v":1}'
    )


def test_instants_of_other_zones_are_written_in_utc():
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert (
        record_at("log", 0, FIRST, there, EVENT).body == record_at("log", 0, FIRST, AT, EVENT).body
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.slow
@given(
    st.sampled_from(EventType),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), json_values, max_size=4),
    st.integers(0, 10**9),
    st.datetimes(timezones=st.just(UTC)),
)
def test_a_record_is_read_as_it_was_written(kind, data, sequence, at):
    event = AuditEvent(kind, "model/x", data=data)
    record = record_at("log", sequence, FIRST, at, event)
    assert record_of(record.body) == record


BODY = record_at("log", 3, FIRST, AT, EVENT).body


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not a JSON document"),
        (b"\xff", "not a JSON document"),
        (b"[" * 100_000, "not a JSON document"),
        (BODY[:-1], "not a JSON document"),
        (b"[]", "exactly the keys"),
        (BODY.replace(b'"v":1', b'"w":1'), "exactly the keys"),
        (BODY.replace(b'"v":1', b'"v":2'), "a record of form 2"),
        (BODY.replace(b'"seq":3', b'"seq":3,"seq":3'), "stands in it twice"),
        (BODY.replace(b'"rows":4000', b'"rows":NaN'), "NaN is no JSON"),
        (BODY.replace(b'"rows":4000', b'"rows":0.5'), "data.rows: a fraction"),
        (BODY.replace(b'"rows":4000', b'"rows":1e999'), "data.rows: a fraction"),
        (BODY.replace(b'"seq":3', b'"seq": 3'), "not in canonical form"),
        (BODY.replace(b"credit", b"\\u0063redit"), "not in canonical form"),
        (BODY.replace(b"credit", b"\\ud800"), "not canonical JSON"),
        (BODY.replace(b"run.completed", b"run.finished"), "not a record"),
        (BODY.replace(b'"id"', b'"ie"'), "not a record"),
        (BODY.replace(b'"ts":"2026', b'"ts":"x026'), "not a record"),
        (BODY.replace(b'"prev":"00', b'"prev":"0g'), "not a record"),
    ],
)
def test_what_is_no_record(body, message):
    with pytest.raises(RecordError, match=message):
        record_of(body)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"psi": 0.1}, "data.psi: a fraction; write measured numbers as text"),
        ({"shares": [1, 0.5]}, r"data.shares\[1\]: a fraction"),
        ({"at": AT}, "not canonical JSON"),
        ({"name": "\ud800"}, "not canonical JSON"),
    ],
)
def test_an_event_that_has_no_one_form_is_not_recorded(data, message):
    with pytest.raises(RecordError, match=message):
        record_at("log", 0, FIRST, AT, AuditEvent(EventType.RUN_FAILED, "model/x", data=data))


def test_an_instant_without_zone_is_none():
    with pytest.raises(RecordError, match="carries a time zone"):
        record_at("log", 0, FIRST, AT.replace(tzinfo=None), EVENT)


def test_canonical_sorts_keys_at_every_depth():
    assert canonical({"b": {"d": 1, "c": 2}, "a": "é"}) == '{"a":"é","b":{"c":2,"d":1}}'.encode()
