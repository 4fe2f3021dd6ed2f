"""Records of loggers that have no format of their own here."""

import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from monitor.domain.errors import SourceError
from monitor.sources.json_logs.convert import convert_logs
from monitor.sources.json_logs.record import Mapped

MILLIS = 1_704_103_200_250
AT = datetime(2024, 1, 1, 10, 0, 0, 250_000, UTC)


@pytest.fixture
def run(tmp_path):
    def converted(*records, form="records", event_time="at", **paths):
        log, target = tmp_path / "log.jsonl", tmp_path / "out.parquet"
        target.unlink(missing_ok=True)
        log.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
        mapped = Mapped(form, event_time=event_time, **paths)
        done = convert_logs(str(log), target, tmp_path / "rejects.jsonl", mapped)
        assert done.read == done.converted + done.rejected.total()
        rows = pq.read_table(target).to_pylist()
        shown = [{key: value for key, value in row.items() if value is not None} for row in rows]
        return done, shown

    return converted


def databricks(request, response, found="r1"):
    return {
        "databricks_request_id": found,
        "timestamp_ms": MILLIS,
        "status_code": 200,
        "request": json.dumps(request),
        "response": json.dumps(response),
    }


DATABRICKS = {
    "id": "databricks_request_id",
    "event_time": "timestamp_ms",
    "unit": "ms",
    "request": "request",
    "response": "response",
}


@pytest.mark.parametrize(
    "request_",
    [
        {"dataframe_split": {"columns": ["income", "region"], "data": [[10, "n"], [20, "s"]]}},
        {
            "dataframe_records": [{"income": 10, "region": "n"}, {"income": 20, "region": "s"}],
        },
        {"inputs": {"income": [10, 20], "region": ["n", "s"]}},
        {"instances": [{"income": 10, "region": "n"}, {"income": 20, "region": "s"}]},
        {"data": {"names": ["income", "region"], "ndarray": [[10, "n"], [20, "s"]]}},
    ],
)
def test_an_inference_table_of_databricks_is_read_in_every_form_of_its_requests(run, request_):
    done, rows = run(databricks(request_, {"predictions": [0.25, 0.5]}), **DATABRICKS)
    assert done.converted == 1
    assert rows == [
        {"id": "r1-0", "event_time": AT, "income": 10, "region": "n", "prediction": 0.25},
        {"id": "r1-1", "event_time": AT, "income": 20, "region": "s", "prediction": 0.5},
    ]


def test_calls_that_failed_are_rejected_and_the_others_converted(run):
    good = databricks({"inputs": [[1, 2]]}, {"predictions": [1]})
    failed = databricks({"inputs": [[1, 2]]}, {"error_code": "BAD_REQUEST"}, "r2")
    silent = databricks({"inputs": [[1, 2]]}, None, "r3") | {"response": None}
    torn = databricks({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, {}, "r4")
    done, rows = run(good, failed, silent, torn, **DATABRICKS)
    assert done.rejected == {"error_response": 1, "no_response": 1, "bad_payload": 1}
    assert [(row["feature_0"], row["feature_1"], row["prediction"]) for row in rows] == [(1, 2, 1)]


def test_payloads_of_vertex_are_a_text_for_each_instance(run):
    record = {
        "deployed_model_id": "77",
        "logging_time": "2024-01-01 10:00:00.25 UTC",
        "request_id": "12",
        "request_payload": ['{"income": 10}', '{"income": 20}'],
        "response_payload": ["[0.25]", "[0.5]"],
    }
    _, rows = run(
        record,
        id="request_id",
        event_time="logging_time",
        request="request_payload",
        response="response_payload",
        version="deployed_model_id",
    )
    about = {"event_time": AT, "model_version": "77"}
    assert rows == [
        {"id": "12-0", **about, "income": 10, "prediction": 0.25},
        {"id": "12-1", **about, "income": 20, "prediction": 0.5},
    ]


BENTO = {"timestamp": "2024-01-01T11:00:00.250000", "request_id": "5", "width": 3.5, "pred": "a"}


def test_a_flat_record_is_a_row_and_names_nothing_twice(run):
    _, rows = run(BENTO, event_time="timestamp", id="request_id", zone="Europe/Zurich")
    assert rows == [{"id": "5", "event_time": AT, "width": 3.5, "pred": "a"}]
    _, rows = run(
        BENTO, event_time="timestamp", id="request_id", zone="Europe/Zurich", response="pred"
    )
    assert rows == [{"id": "5", "event_time": AT, "width": 3.5, "prediction": "a"}]


def test_rows_without_an_id_have_none_and_none_is_a_double_of_another(run):
    done, rows = run(BENTO, BENTO, event_time="timestamp", zone="Europe/Zurich")
    row = {"event_time": AT, "request_id": "5", "width": 3.5, "pred": "a"}
    assert (done.rows, rows) == (2, [row, row])
    done, _ = run(BENTO, BENTO, event_time="timestamp", id="request_id", zone="UTC")
    assert done.rejected == {"duplicate_id": 1}


@pytest.mark.parametrize(
    ("written", "unit", "zone", "read"),
    [
        (MILLIS, "ms", "", AT),
        (str(MILLIS), "ms", "", AT),
        (1_704_103_200.25, "s", "", AT),
        (-1, "s", "", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (MILLIS * 10**6 + 999, "ns", "", AT),
        ("2024-01-01T12:00:00.25+02:00", "ms", "Asia/Kathmandu", AT),
        ("2024-01-01 10:00:00.25 UTC", "", "", AT),
        ("2024-01-01T15:45:00.25+05:45[Asia/Kathmandu]", "", "", AT),
        ("20240101T100000.25Z", "", "", AT),
        ("2026-10-25T02:30:00", "", "Europe/Zurich", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-03-29T02:30:00", "", "Europe/Zurich", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("2026-09-06T00:30:00", "", "America/Santiago", datetime(2026, 9, 6, 4, 0, tzinfo=UTC)),
    ],
)
def test_an_event_time_is_read_by_what_is_declared(run, written, unit, zone, read):
    _, rows = run({"at": written, "x": 1}, unit=unit, zone=zone)
    assert rows == [{"event_time": read, "x": 1}]


@pytest.mark.parametrize(
    ("written", "unit", "said"),
    [
        (MILLIS, "", "say --time-unit"),
        ("2024-01-01-05:00", "", "not an ISO 8601 time"),
        ("2024-01-01T10:00:00[Asia/Kathmandu]", "", "not an ISO 8601 time"),
        ("2024-W01", "", "not an ISO 8601 time"),
        ({"at": "2024-01-01T10:00:00Z"}, "", "not an ISO 8601 time"),
        ("2024-01-01T10:00:00", "ms", "say --timezone"),
        (MILLIS, "s", "outside the calendar"),
        (True, "s", "not an ISO 8601 time"),
        (float("nan"), "s", "not an ISO 8601 time"),
        (float("inf"), "s", "outside the calendar"),
        ("yesterday", "s", "not an ISO 8601 time"),
    ],
)
def test_a_time_that_does_not_say_enough_is_rejected_with_what_would(run, written, unit, said):
    with pytest.raises(SourceError, match=said):
        run({"at": written, "x": 1}, unit=unit)


def test_the_logger_of_seldon_pairs_by_the_id_of_the_request(run):
    def event(half, found, data):
        return {
            "headers": {
                "ce-type": f"io.seldon.serving.inference.{half}",
                "ce-id": found,
                "ce-requestid": "q",
                "ce-time": "2024-01-01T10:00:00.25Z",
                "ce-inferenceservicename": "credit",
            },
            "data": data,
        }

    names = ["income", "age"]
    asked = {"data": {"names": names, "tensor": {"shape": [2, 2], "values": [1, 2, 3, 4]}}}
    said = {"data": {"names": ["p"], "ndarray": [[0.25], [0.5]]}}
    done, rows = run(
        event("request", "e1", asked), event("response", "e2", said), form="kserve", event_time=""
    )
    assert done.converted == 2
    about = {"event_time": AT, "model": "credit"}
    assert rows == [
        {"id": "q-0", **about, "income": 1, "age": 2, "prediction_p": 0.25},
        {"id": "q-1", **about, "income": 3, "age": 4, "prediction_p": 0.5},
    ]


@pytest.mark.parametrize(
    "payload",
    [
        {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["a"]}},
        {"inputs": {"a": [1, 2], "b": [3]}},
        {"inputs": {"a": [1, 2], "b": 3}},
        {"data": {"tensor": {"shape": [2, 2], "values": [1, 2, 3]}}},
        {"data": {"tensor": {"values": [1]}}},
        {"data": {"tensor": {"shape": [4], "values": [1, 2, 3, 4]}}},
        {"data": {"names": ["a"], "ndarray": [1]}},
    ],
)
def test_a_table_that_does_not_fit_its_names_is_a_bad_payload(run, payload):
    with pytest.raises(SourceError, match="bad_payload"):
        run(databricks(payload, {"predictions": [1]}), **DATABRICKS)


def test_a_record_without_its_parts_says_where_they_were_looked_for(run):
    with pytest.raises(SourceError, match=r"no request at call\.in"):
        run({"at": "2024-01-01T10:00:00Z"}, request="call.in", response="call.out")
    with pytest.raises(SourceError, match="no event time at when"):
        run({"x": 1}, event_time="when")
    with pytest.raises(SourceError, match="no id at key"):
        run({"at": "2024-01-01T10:00:00Z"}, id="key")
    with pytest.raises(SourceError, match="unknown_record"):
        run([1])
