from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from monitor.profile.instants import EARLIEST, LATEST, from_micros, instants, to_micros

NOON = datetime(2005, 7, 1, 12, tzinfo=UTC)


def read(values, kind, zone="UTC"):
    times = instants(pa.array(values, kind), zone)
    return [
        from_micros(int(micros)) if usable else None
        for micros, usable in zip(times.micros, times.usable, strict=True)
    ]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "+02:00", "America/New_York"])
def test_an_instant_is_the_same_in_every_unit_and_zone(unit, zone):
    assert read([NOON, None], pa.timestamp(unit, zone), "Asia/Tokyo") == [NOON, None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_naive_timestamps_are_local_to_the_configured_zone(unit):
    local = [datetime(2005, 7, 1, 14)]  # noqa: DTZ001  # naive is what is tested
    assert read(local, pa.timestamp(unit), "Europe/Berlin") == [NOON]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64()])
def test_dates_are_midnight_in_the_configured_zone(kind):
    found = read([date(2005, 7, 1), date(1952, 2, 29)], kind, "Europe/Berlin")
    assert found == [
        datetime(2005, 6, 30, 22, tzinfo=UTC),
        datetime(1952, 2, 28, 23, tzinfo=UTC),
    ]


def test_of_two_local_times_the_first_is_meant():
    local = [datetime(2005, 10, 30, 1, 30)]  # noqa: DTZ001  # naive is what is tested
    assert read(local, pa.timestamp("us"), "Europe/London") == [
        datetime(2005, 10, 30, 0, 30, tzinfo=UTC)
    ]


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.string()])
def test_a_local_time_that_the_clocks_skipped_is_the_end_of_the_gap(kind):
    local = datetime(2005, 3, 27, 1, 30)  # noqa: DTZ001  # naive is what is tested
    values = [local.isoformat(), "no"] if kind == pa.string() else [local, None]
    assert read(values, kind, "Europe/London") == [datetime(2005, 3, 27, 1, tzinfo=UTC), None]


def test_nanoseconds_are_rounded_down_before_and_after_1970():
    times = instants(pa.array([1_999, -1, -1_001], pa.int64()).view(pa.timestamp("ns")), "UTC")
    assert times.micros.tolist() == [1, -1, -2]


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_times_outside_the_calendar_are_moved_to_its_ends(unit):
    far = pa.array([2**62, -(2**62)], pa.int64()).view(pa.timestamp(unit))
    for zone in ("UTC", "America/New_York"):
        times = instants(far, zone).micros
        assert np.abs(times - [LATEST, EARLIEST]).max() <= to_micros(
            datetime(1970, 1, 2, tzinfo=UTC)
        )
        assert from_micros(int(times[0])).year == 9999
        assert from_micros(int(times[1])).year == 1


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2005-07-01T12:00:00Z", NOON),
        ("2005-07-01T14:00:00+02:00", NOON),
        ("2005-07-01 14:00:00+0200", NOON),
        ("2005-07-01T14:00:00", NOON),
        ("2005-07-01T14", NOON),
        ("2005-07-01", datetime(2005, 6, 30, 22, tzinfo=UTC)),
        ("2005-07-01T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        ("1066-10-14T09:00:00Z", datetime(1066, 10, 14, 9, tzinfo=UTC)),
        ("2005-07-01 12:00:00 UTC", NOON),
        ("2005-07-01 12:00:00.25 UTC", NOON.replace(microsecond=250_000)),
        ("2005-07-01T14:00+02:00[Europe/Paris]", NOON),
        ("2005-07-01T12:00Z[UTC]", NOON),
        ("2005-07-01T14:00:00+02:00[GMT+02:00]", NOON),
        ("2005-07-01T21:00:00+09:00[America/New_York]", NOON),  # the offset is what was meant
        ("2005-07-01T14:00:00[Europe/Paris]", None),
        ("2005-07-01T14:00:00+02:00[!Europe/Paris]", None),
        ("2005-07-01T14:00:00+02:00[u-ca=hebrew]", None),
        ("2005-07-01T14:00:00+02:00 UTC", None),
        ("2005-07-01 UTC", None),
        ("2005-07-01 12:00:00 GMT", None),
        ("2005-W26-5T14:00", NOON),
        ("2005-W26", None),  # a week, and no day of it
        ("2005-07", None),
        ("2005-182", None),
        ("2005-07-01-05:00", None),  # a day of another zone, and not its fifth hour
        ("2005-07-01-05:00[America/Lima]", None),
        ("2005-07-01x14:00", None),
        ("2005-06-30T23:59:60Z", None),
        ("0000-07-01T12:00:00Z", None),
        ("2005-07-01T12:00:00Z ", None),
        ("Fri, 01 Jul 2005 12:00:00 GMT", None),
        ("07/08/2005", None),
        ("20050701", None),
        ("1120219200", None),
        ("2005-02-30", None),
        ("", None),
    ],
)
def test_text_is_iso_8601_or_bad(text, instant):
    for values in ([text], [text, "2005-07-01T00:00:00Z", "2005-07-01"]):
        assert read(values, pa.string(), "Europe/Berlin")[0] == instant


def test_endings_of_other_programs_are_read_beside_others_and_with_nulls():
    texts = [None, "2005-07-01T12:00Z[UTC]", "2005-07-01 12:00:00 UTC", "2005-07-01T14:00"]
    for kind in (pa.string(), pa.large_string()):
        assert read(texts, kind, "Europe/Berlin") == [None, NOON, NOON, NOON]
        assert read(texts[:2], kind, "Europe/Berlin") == [None, NOON]


def test_dictionary_encoded_text_is_read_as_text():
    column = pa.array(["2005-07-01T12:00:00Z", None]).dictionary_encode()
    assert instants(pa.chunked_array([column]), "UTC").usable.tolist() == [True, False]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1_120_219_200, None]),
        pa.array([1.5, None]),
        pa.array([True, None]),
        pa.array([{"a": 1}, None]),
        pa.array(["yesterday", None]),
    ],
)
def test_what_says_no_time_is_bad_and_null_is_missing(column):
    times = instants(column, "UTC")
    assert (times.bad, times.missing, times.usable.any()) == (1, 1, False)


def test_a_column_of_nulls_is_missing():
    times = instants(pa.nulls(3), "UTC")
    assert (times.bad, times.missing) == (0, 3)
