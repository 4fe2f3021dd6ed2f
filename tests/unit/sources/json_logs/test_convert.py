import base64
import gzip
import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from monitor.domain.errors import SourceError
from monitor.sources.json_logs import convert, pairing, writing
from monitor.sources.json_logs.convert import convert_logs
from monitor.sources.json_logs.record import Mapped

TIME = "2005-06-01T10:00:00.123456789Z"
EVENT = "org.kubeflow.serving.inference."


def event(found, half, data, **others):
    return {
        "specversion": "1.0",
        "id": found,
        "type": EVENT + half,
        "time": TIME,
        "inferenceservicename": "credit",
        "data": data,
        **others,
    }


def pair(found, instances, predictions):
    return [
        event(found, "request", {"instances": instances}),
        event(found, "response", {"predictions": predictions}),
    ]


def tensor(data):
    return {"name": "x", "shape": [len(data)], "data": data}


def capture(found, data, output, kind="text/csv", encoding="CSV", **metadata):
    def side(mode, payload):
        return {"observedContentType": kind, "mode": mode, "data": payload, "encoding": encoding}

    return {
        "captureData": {
            "endpointInput": side("INPUT", data),
            "endpointOutput": side("OUTPUT", output),
        },
        "eventMetadata": {"eventId": found, "inferenceTime": "2005-06-01T10:00:00Z", **metadata},
        "eventVersion": "0",
    }


class Run:
    def __init__(self, folder):
        self.folder = folder
        self.target = folder / "out.parquet"
        self.rejects = folder / "rejects.jsonl"
        self.log = folder / "log.jsonl"

    def __call__(self, *lines, form="kserve", **mapped):
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.log.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return self.convert(str(self.log), form, **mapped)

    def convert(self, source, form="kserve", **mapped):
        self.target.unlink(missing_ok=True)
        done = convert_logs(source, self.target, self.rejects, Mapped(form, **mapped))
        assert done.read == done.converted + done.rejected.total()
        assert pq.read_metadata(self.target).num_rows == done.rows
        listed = self.rejected() if done.rejected else []
        assert len(listed) == done.rejected.total()
        return done

    def rows(self):
        return pq.read_table(self.target).to_pylist()

    def rejected(self):
        lines = self.rejects.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_a_request_and_its_response_are_a_row(run):
    done = run(*pair("a", [{"income": 10, "region": "n"}], [0.25]))
    assert (done.read, done.converted, done.rows) == (2, 2, 1)
    (row,) = run.rows()
    assert row == {
        "id": "a",
        "event_time": datetime(2005, 6, 1, 10, 0, 0, 123456, UTC),
        "model": "credit",
        "model_version": None,
        "endpoint": None,
        "income": 10,
        "region": "n",
        "prediction": 0.25,
    }


def test_a_batch_is_a_row_for_each_instance(run):
    run(*pair("a", [[1, "x"], [2, "y"]], [[0.1, 0.9], [0.2, 0.8]]), features=("n", "t"))
    found = [(row["id"], row["n"], row["t"], row["prediction_1"]) for row in run.rows()]
    assert found == [("a-0", 1, "x", 0.9), ("a-1", 2, "y", 0.8)]


def test_the_order_of_lines_is_no_matter(run):
    request, response = pair("a", [[1]], [0.5])
    others = [half for number in range(5) for half in pair(f"b{number}", [[number]], [1])]
    done = run(response, *others, request)
    assert done.rows == 6 and not done.rejected
    assert min(row["id"] for row in run.rows()) == "a"


def test_halves_far_apart_are_joined_on_disk(run, monkeypatch):
    monkeypatch.setattr(pairing, "HELD", 3)
    pairs = [pair(f"p{number}", [[number]], [number * 2]) for number in range(50)]
    requests, responses = zip(*pairs, strict=True)
    done = run(*requests, *reversed(responses))
    assert done.rows == 50 and not done.rejected
    assert {row["feature_0"]: row["prediction"] for row in run.rows()} == {
        number: number * 2 for number in range(50)
    }


def test_a_duplicate_is_rejected_wherever_it_comes(run, monkeypatch):
    monkeypatch.setattr(pairing, "HELD", 1)
    request, response = pair("a", [[1]], [0.5])
    other = pair("b", [[1]], [0.5])
    done = run(request, *other, request, response, request, response)
    assert done.rows == 2
    assert done.rejected == {"duplicate_id": 3}


def test_tensors_of_the_open_inference_protocol(run):
    request = {
        "inputs": [
            {"name": "age", "shape": [2], "datatype": "INT64", "data": [30, 40]},
            {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [[1.5, 2.5], [3.5, 4.5]]},
            {"name": "region", "shape": [2, 1], "datatype": "BYTES", "data": ["n", "s"]},
        ]
    }
    response = {
        "model_name": "credit-v2",
        "model_version": "7",
        "outputs": [{"name": "predict", "shape": [2], "datatype": "FP32", "data": [0.1, 0.2]}],
    }
    run(event("a", "request", request), event("a", "response", response))
    first, second = run.rows()
    assert (first["age"], first["x_0"], first["x_1"], first["region"]) == (30, 1.5, 2.5, "n")
    assert (second["age"], second["x_1"], second["prediction"]) == (40, 4.5, 0.2)
    assert (second["model"], second["model_version"]) == ("credit", "7")


def test_one_tensor_takes_the_names_that_are_given(run):
    tensor = {"name": "input-0", "shape": [2, 2], "datatype": "FP32", "data": [1.5, 2.5, 3.5, 4.5]}
    outputs = [
        {"name": "label", "shape": [2], "data": [0, 1]},
        {"name": "scores", "shape": [2, 2], "data": [0.9, 0.1, 0.2, 0.8]},
    ]
    run(
        event("a", "request", {"inputs": [tensor]}),
        event("a", "response", {"outputs": outputs}),
        features=("b", "c"),
    )
    assert [(row["b"], row["c"]) for row in run.rows()] == [(1.5, 2.5), (3.5, 4.5)]
    assert run.rows()[1]["prediction_scores_1"] == 0.8


def test_a_record_as_the_logger_stores_it_in_a_bucket(run):
    def stored(half, payload):
        text = base64.b64encode(json.dumps(payload).encode()).decode()
        return {
            "Id": "a",
            "ReqType": EVENT + half,
            "Bytes": text,
            "ContentType": "application/json",
            "InferenceService": "credit",
            "Metadata": {"x-request-time": ["2005-06-01T12:00:00+02:00"]},
        }

    records = [stored("request", {"instances": [[1]]}), stored("response", {"predictions": [1]})]
    done = run(json.dumps(records), event_time="Metadata.x-request-time.0")
    assert (done.read, done.rows) == (2, 1)
    assert run.rows()[0]["event_time"] == datetime(2005, 6, 1, 10, tzinfo=UTC)


def test_a_stored_record_without_a_time_is_not_given_one(run):
    half = {"Id": "a", "Bytes": base64.b64encode(b'{"instances": [[1]]}').decode()}
    answer = {"Id": "a", "Bytes": base64.b64encode(b'{"predictions": [1]}').decode()}
    with pytest.raises(SourceError, match="no_event_time"):
        run({**half, "ReqType": EVENT + "request"}, {**answer, "ReqType": EVENT + "response"})
    assert {entry["reason"] for entry in run.rejected()} == {"no_event_time"}


def test_an_event_in_binary_form(run):
    def headed(half, body):
        headers = {"Ce-Id": "a", "Ce-Type": EVENT + half, "Ce-Time": TIME, "Ce-Endpoint": "canary"}
        return {"headers": headers, "body": json.dumps(body)}

    run(headed("request", {"instances": [[1]]}), headed("response", {"predictions": [[0.5]]}))
    assert (run.rows()[0]["endpoint"], run.rows()[0]["prediction"]) == ("canary", 0.5)


def test_captured_csv(run):
    done = run(
        capture("a", "132,25,,007,yes,nan\n1,2.5,3,x,no,0", "0.5\n1", inferenceId="mine"),
        form="sagemaker",
    )
    assert (done.read, done.rows) == (1, 2)
    first, second = run.rows()
    assert (first["id"], second["id"]) == ("mine-0", "mine-1")
    assert [first[f"feature_{place}"] for place in range(5)] == [132, 25.0, None, "007", "yes"]
    assert first["feature_5"] != first["feature_5"]
    assert second["prediction"] == 1.0


@pytest.mark.parametrize(
    ("kind", "data", "output"),
    [
        ("application/json", '{"instances": [{"x": 5}]}', '{"predictions": [0.5]}'),
        ("application/json", '{"x": 5}', "0.5"),
        ("application/json", '[{"x": 5}]', '{"predictions": [{"prediction": 0.5}]}'),
        ("application/jsonlines", '{"x": 5}\n', "0.5\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["JSON", "BASE64"])
def test_captured_json(run, kind, data, output, encoding):
    if encoding == "BASE64":
        data, output = (base64.b64encode(text.encode()).decode() for text in (data, output))
    run(capture("a", data, output, kind, encoding), form="sagemaker")
    assert (run.rows()[0]["x"], run.rows()[0]["prediction"]) == (5, 0.5)


GOOD = pair("good", [[1]], [0.5])


@pytest.mark.parametrize(
    "text",
    [
        "".join(map(json.dumps, GOOD)),
        json.dumps(GOOD[0], indent=1),
        "\x1e" + json.dumps(GOOD[0]),
        "\u2028".join(map(json.dumps, GOOD)),
    ],
)
def test_json_that_is_not_one_value_a_line_is_told_how_to_be(run, text):
    with pytest.raises(SourceError, match="one JSON value a line is read") as told:
        run(text)
    assert "jq -c ." in str(told.value)
    with pytest.raises(SourceError) as other:
        run({"a": 1})  # which is JSON, and no record
    assert "jq" not in str(other.value)


@pytest.mark.parametrize(
    ("lines", "reason", "said"),
    [
        (["{not json"], "not_json", "Expecting"),
        (['{"id": 1, "id": 2}'], "not_json", "comes twice"),
        (['{"id": 1}{"id": 2}'], "not_json", "more than one JSON value in a line"),
        (['{"id": "\\ud800"}'], "not_json", "surrogate"),
        (["[" * 5_000 + "]" * 5_000], "not_json", "deep"),
        (["[" * 300 + "]" * 300], "not_json", "deep"),
        (["7"], "unknown_record", "not an object"),
        ([event("a", "explain", {})], "unknown_record", "explain"),
        ([event("", "request", {})], "no_id", "no id"),
        ([event(None, "request", {})], "no_id", "no id"),
        ([event("a", "request", {}, time="yesterday")], "bad_event_time", "yesterday"),
        ([event("a", "request", {}, time="2005-06-01T10:00:00")], "bad_event_time", "offset"),
        ([event("a", "request", {}, time=1117620000)], "bad_event_time", "1117620000"),
        ([event("a", "request", {}, time="0001-01-01T00:00:00+14:00")], "bad_event_time", "calen"),
        ([event("a", "request", None)], "bad_payload", "no payload"),
        ([event("a", "request", None, data_base64="%%%")], "bad_payload", "base64"),
        ([event("a", "request", {"instances": [[1]]})], "no_response", "no response came"),
        ([event("a", "response", {"predictions": [1]})], "no_request", "no request came"),
        (pair("a", [[1], [2]], [1]), "rows_differ", "2 instances, 1 predictions"),
        (
            [event("a", "request", {"instances": [[1]]}), event("a", "response", {"error": "no"})],
            "error_response",
            "no",
        ),
        (
            [
                event("a", "request", {"inputs": [{"name": "x", "shape": [2], "data": [1]}]}),
                event("a", "response", {"predictions": [1]}),
            ],
            "bad_payload",
            "shape",
        ),
        (pair("a", [{"id": 1, "feature_id": 2}], [1]), "bad_payload", "one name"),
        (pair("a", [{"x": {"y": 1}, "x.y": 2}], [1]), "bad_payload", "the name 'x.y'"),
        (pair("a", [{"x": [1, 2], "x_1": 3}], [1]), "bad_payload", "the name 'x_1'"),
        (pair("a", [[1]], [{"p": 1, "prediction_p": 2}]), "bad_payload", "'prediction_p'"),
        (
            [
                event("a", "request", {"inputs": [tensor([1]), tensor([2])]}),
                event("a", "response", {"predictions": [1]}),
            ],
            "bad_payload",
            "the name 'x'",
        ),
    ],
)
def test_what_cannot_be_converted_is_named_and_stops_nothing(run, lines, reason, said):
    done = run(*lines, "", *GOOD)
    assert set(done.rejected) == {reason}
    assert done.rows == 1
    for number, entry in enumerate(run.rejected(), start=1):
        assert (entry["file"], entry["line"]) == (str(run.log), number)
        assert (entry["reason"], said in entry["detail"]) == (reason, True)
        assert entry["record"] is not None
    assert done.first_rejects[0].startswith(f"{run.log}:1: {reason}: ")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"other": 1}, "unknown_record"),
        (capture("", "1", "1"), "no_id"),
        (capture("a", "1", None), "no_response"),
        (capture("a", None, "1"), "no_request"),
        (capture("a", "1\n2", "1"), "rows_differ"),
        (capture("a", '"1', "1"), "bad_payload"),
        (capture("a", "x", "y", "image/png", "BASE64"), "bad_payload"),
        (capture("a", base64.b64encode(b"\xff").decode(), "eA==", "text/csv", "BASE64"),
         "bad_payload"),
        (capture("good", "1", "1"), "duplicate_id"),
        (capture("a", "1", "1", inferenceTime=None), "no_event_time"),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_of_a_capture_is_named(run, record, reason):
    done = run(capture("good", "1", "1"), record, form="sagemaker")
    assert (done.rejected, done.rows) == ({reason: 1}, 1)
    assert run.rejected()[0]["line"] == 2


def test_a_line_that_is_too_long_is_passed_over_without_being_held(run, monkeypatch):
    monkeypatch.setattr(convert, "LONGEST_LINE", 2_000_000)
    done = run('{"x": "' + "x" * 5_000_000 + '"}', *GOOD)
    assert (done.rejected, done.rows) == ({"line_too_long": 1}, 1)
    assert [entry["line"] for entry in run.rejected()] == [1]


def test_bytes_that_are_no_text_are_named(run):
    good = "\n".join(json.dumps(line) for line in GOOD).encode()
    run.log.write_bytes(b"\xff\xfe{}\n" + good)
    done = run.convert(str(run.log))
    assert (done.rejected, done.rows) == ({"not_json": 1}, 1)


def test_a_folder_is_read_in_the_order_of_its_files_and_one_broken_stops_nothing(run):
    folder = run.folder / "logs"
    (folder / "2005").mkdir(parents=True)
    request, response = (json.dumps(line).encode() for line in GOOD)
    (folder / "2005" / "b.jsonl").write_bytes(response + b"\n")
    with gzip.open(folder / "a.json.gz", "wb") as file:
        file.write(request)
    (folder / "c.jsonl.gz").write_bytes(b"no gzip at all")
    (folder / "notes.txt").write_text("not a log")
    done = run.convert(str(folder))
    assert (done.files, done.rows, done.rejected) == (3, 1, {"unreadable_file": 1})
    assert run.rejected()[0]["file"] == str(folder / "c.jsonl.gz")


def test_columns_have_the_types_of_all_their_values(run, monkeypatch):
    monkeypatch.setattr(writing, "PART_ROWS", 2)
    values = [
        {"a": 1, "b": True, "c": 1, "d": None, "e": "x"},
        {"a": 2.5, "b": None, "c": "x", "d": None, "f": 2**70},
        {"a": 3, "b": False, "c": 2.0, "late": [1, {"x": 2}]},
    ]
    done = run(*[half for n, value in enumerate(values) for half in pair(f"{n}", [value], [n])])
    types = pq.read_schema(run.target)
    assert {name: str(types.field(name).type) for name in "abcdef"} == {
        "a": "double", "b": "bool", "c": "string", "d": "string", "e": "string", "f": "string",
    }  # fmt: skip
    assert [row["c"] for row in run.rows()] == ["1", "x", "2"]
    assert [row["late_1.x"] for row in run.rows()] == [None, None, 2]
    assert done.mixed == ["c"]
    assert run.rows()[1]["f"] == str(2**70)


def test_a_feature_whose_name_is_taken_gets_another(run):
    run(*pair("a", [{"id": 5, "prediction": 6, "model": "x"}], [1]))
    (row,) = run.rows()
    assert (row["id"], row["feature_id"], row["feature_prediction"], row["prediction"]) == (
        "a", 5, 6, 1,
    )  # fmt: skip
    assert (row["model"], row["feature_model"]) == ("credit", "x")


def test_nothing_is_left_behind_when_nothing_could_be_converted(run):
    with pytest.raises(SourceError, match="none of 1 records"):
        run("{")
    assert sorted(path.name for path in run.folder.iterdir()) == ["log.jsonl", "rejects.jsonl"]


@pytest.mark.parametrize("source", ["nowhere.jsonl", "."])
def test_an_input_without_a_log_is_an_error(run, source):
    with pytest.raises(SourceError, match=r"no such file|no file in it"):
        convert_logs(str(run.folder / source), run.target, run.rejects, Mapped("kserve"))


def test_a_written_file_that_reads_otherwise_is_not_handed_over(run, monkeypatch):
    real = pq.ParquetWriter.write_table

    def losing(self, table, *arguments):
        real(self, table.slice(1), *arguments)

    monkeypatch.setattr(pq.ParquetWriter, "write_table", losing)
    monkeypatch.setattr(writing.RowWriter, "_write_part", _write_part_by_arrow(real))
    with pytest.raises(SourceError, match="read again"):
        run(*GOOD)
    assert not run.target.exists()


def _write_part_by_arrow(real):
    """Write parts with the writer as it is, so that only the last file is short."""
    original = writing.RowWriter._write_part

    def write(self):
        short = pq.ParquetWriter.write_table
        pq.ParquetWriter.write_table = real
        try:
            original(self)
        finally:
            pq.ParquetWriter.write_table = short

    return write


def test_a_row_of_a_batch_has_an_id_of_its_own(run):
    done = run(*pair("a", [[1], [2]], [1, 2]), *pair("a-1", [[3]], [3]), *pair("b", [[4]], [4]))
    assert done.rejected == {"duplicate_id": 2}
    assert [row["id"] for row in run.rows()] == ["a-0", "a-1", "b"]


def test_long_whole_numbers_keep_their_last_digit(run):
    long = 2**53 + 1
    done = run(*pair("a", [{"x": long}], [1]), *pair("b", [{"x": 1.5}], [1]))
    assert (done.columns["x"], list(done.mixed)) == ("string", ["x"])
    assert [row["x"] for row in run.rows()] == [str(long), "1.5"]
    done = run(*pair("a", [{"x": long}], [1]), *pair("b", [{"x": 1}], [1]))
    assert (done.columns["x"], list(done.mixed)) == ("int64", [])
    digits = "123456789012345678901"
    run(capture("a", f"1234567890123456789,{digits}", "1"), form="sagemaker")
    (row,) = run.rows()
    assert (row["feature_0"], row["feature_1"]) == (1234567890123456789, digits)
