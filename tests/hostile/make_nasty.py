"""Makes hostile inputs from fifty real rows of the demo, one folder a case.

Each case is the root of an inference log (the label cases hold ``log/`` and ``labels/``). Unless a
case says otherwise, ``good.parquet`` with fifty good rows of July 2005 lies beside what is hostile,
so that a test can see that good rows still count. The rows under other ids are called *others*.
Some cases hold what no repository can keep: files without permissions, sockets, link loops.
"""

# ruff: noqa: ARG001, ARG005  # cases are made by one signature, whatever they need of it

import base64
import datetime as dt
import decimal
import gzip
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather
from pyarrow.parquet import encryption

DEMO = Path(__file__).parents[2] / "demo" / "taiwan_credit" / "log"
ROWS = 50
COLUMNS = (
    "prediction_id",
    "event_time",
    "model_version",
    "limit_bal",
    "repay_status",
    "bill_amt",
    "pay_amt",
    "utilisation",
    "sex",
    "age_group",
    "education",
    "score",
    "flagged",
)
HOSTILE_TEXTS = (
    '"',
    "\\",
    "\n",
    "a\nb",
    "{}",
    '{x="y"}',
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A0",
    "\u202egnirts",
    "\u0000nul",
    "a,b",
    "' OR 1=1 --",
    "\r\n# HELP x",
    "💥",
    "../../etc/passwd",
    "%(x)s",
    "{{7*7}}",
    "",
    " ",
    "None",
    "nan",
    "null",
    "NULL",
)
HOSTILE_NAMES = (
    "annual income (NT$)",
    "pr\u00e9nom",
    "pre\u0301nom",
    "年齢",
    "😀 score",
    "a.b",
    "",
    " leading",
    'quote"s',
    "new\nline",
    "back\\slash",
    "__name__",
    "le",
    "x" * 10_000,
)
ODD_FILE_NAMES = (
    "a b.parquet",
    "emoji-😀.parquet",
    "new\nline.parquet",
    "%41.parquet",
    'quote".parquet',
    "UPPER.PARQUET",
)
HIVE_TROUBLE = ("month=04", "month=4", "month=13", "date=2005-02-30", "Date=2005-07-01")


@dataclass(frozen=True)
class Rows:
    """The real rows that all cases are made of.

    Attributes:
        baseline: 2,000 rows of April 2005.
        good: 50 rows of July 2005.
        others: The same under other ids.
    """

    baseline: pd.DataFrame
    good: pd.DataFrame
    others: pd.DataFrame

    @classmethod
    def of_the_demo(cls) -> "Rows":
        parts = [
            pq.ParquetFile(path).read().to_pandas() for path in sorted(DEMO.rglob("*.parquet"))
        ]
        full = pd.concat(parts, ignore_index=True)
        before = full[full.event_time < "2005-06-01"][list(COLUMNS)].head(2000)
        good = full[full.event_time >= "2005-07-01"][list(COLUMNS)].head(ROWS)
        good = good.reset_index(drop=True)
        return cls(before.reset_index(drop=True), good, renamed(good, "n"))


def renamed(frame, prefix):
    """Return the rows under other ids."""
    return frame.assign(prediction_id=[prefix + name for name in frame.prediction_id])


def table(frame):
    """Return a frame as a table without pandas' own metadata."""
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata({})


def write(data, path, **options):
    """Write a frame or table to a parquet file, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = table(data) if isinstance(data, pd.DataFrame) else data
    pq.write_table(data, path, **{"compression": "zstd", **options})
    return path


def with_column(data, name, values):
    """Return a table with one column replaced."""
    return data.set_column(data.schema.get_field_index(name), name, values)


def flipped(data, start=60, end=160):
    """Return bytes of which some are flipped."""
    return data[:start] + bytes(byte ^ 0x5A for byte in data[start:end]) + data[end:]


CASES: dict[str, Callable[["Rows", Path], None]] = {}
ALONE: set[str] = set()
"""Cases without good.parquet."""


def case(name, *, good=True):
    """Register the function that makes a case."""

    def register(make):
        CASES[name] = make
        if not good:
            ALONE.add(name)
        return make

    return register


def make(name, rows, root):
    """Make a case below a folder and return its root."""
    folder = root / name
    folder.mkdir(parents=True)
    if name not in ALONE:
        write(rows.good, folder / "good.parquet")
    CASES[name](rows, folder)
    return folder


def whole(rows, folder):
    """Return the bytes of a good file with the others."""
    path = write(rows.others, folder.parent / "whole.bytes")
    data = path.read_bytes()
    path.unlink()
    return data


# ------------------------------------------------------------------------------ broken files


@case("f01-zero-byte")
def _(rows, folder):
    (folder / "bad.parquet").touch()


@case("f02-wrong-magic")
def _(rows, folder):
    (folder / "bad.parquet").write_bytes(b"prediction_id,event_time\n" * 16)


@case("f03-truncated-tail")
def _(rows, folder):
    data = whole(rows, folder)
    (folder / "bad.parquet").write_bytes(data[: len(data) * 2 // 3])


@case("f04-footer-length-lies")
def _(rows, folder):
    (folder / "bad.parquet").write_bytes(whole(rows, folder)[:-8] + b"\xff\xff\xff\x7fPAR1")


@case("f05-flipped-bytes-in-data")
def _(rows, folder):
    (folder / "bad.parquet").write_bytes(flipped(whole(rows, folder)))


@case("f06-only-magic")
def _(rows, folder):
    (folder / "bad.parquet").write_bytes(b"PAR1PAR1")


@case("f07-trailing-garbage")
def _(rows, folder):
    (folder / "bad.parquet").write_bytes(whole(rows, folder) + bytes(30))


@case("f08-csv-named-parquet")
def _(rows, folder):
    rows.others.to_csv(folder / "bad.parquet", index=False)


@case("f09-gzipped-parquet")
def _(rows, folder):
    for name in ("bad.parquet", "good2.parquet.gz"):
        (folder / name).write_bytes(gzip.compress(whole(rows, folder)))


@case("f10-arrow-ipc-named-parquet")
def _(rows, folder):
    feather.write_feather(table(rows.others), folder / "bad.parquet")


class _Keys(encryption.KmsClient):
    """A key server that keeps its keys in the open."""

    def __init__(self, connection):
        encryption.KmsClient.__init__(self)
        self._keys = connection.custom_kms_conf

    def wrap_key(self, key_bytes, master_key_identifier):
        return base64.b64encode(self._keys[master_key_identifier].encode() + key_bytes)

    def unwrap_key(self, wrapped_key, master_key_identifier):
        return base64.b64decode(wrapped_key)[len(self._keys[master_key_identifier].encode()) :]


def write_encrypted(data, path, columns=("score", "sex"), *, plaintext_footer):
    """Write a file by parquet's modular encryption, under keys that nobody will have."""
    factory = encryption.CryptoFactory(_Keys)
    connection = encryption.KmsConnectionConfig(
        custom_kms_conf={"f": "0123456789012345", "c": "1234567890123450"}
    )
    how = encryption.EncryptionConfiguration(
        footer_key="f", column_keys={"c": list(columns)}, plaintext_footer=plaintext_footer
    )
    keys = factory.file_encryption_properties(connection, how)
    with pq.ParquetWriter(path, data.schema, encryption_properties=keys) as writer:
        writer.write_table(data)


@case("f11-encrypted-footer")
def _(rows, folder):
    write_encrypted(table(rows.others), folder / "bad.parquet", plaintext_footer=False)


@case("f12-encrypted-columns-plain-footer")
def _(rows, folder):
    write_encrypted(table(rows.others), folder / "bad.parquet", plaintext_footer=True)


@case("f13-zero-rows")
def _(rows, folder):
    write(rows.others.head(0), folder / "empty.parquet")


@case("f14-empty-row-groups")
def _(rows, folder):
    data = table(rows.others)
    with pq.ParquetWriter(folder / "groups.parquet", data.schema) as writer:
        for start, length in ((0, 0), (0, 30), (0, 0), (30, 20), (0, 0)):
            writer.write_table(data.slice(start, length))


@case("f15-no-columns")
def _(rows, folder):
    write(pa.table({}), folder / "bad.parquet")


@case("f16-codecs-and-encodings")
def _(rows, folder):
    special = {
        "zstd": {
            "use_dictionary": False,
            "column_encoding": {"score": "BYTE_STREAM_SPLIT", "prediction_id": "DELTA_BYTE_ARRAY"},
            "data_page_version": "2.0",
        },
        "none": {"use_deprecated_int96_timestamps": True},
    }
    for number, codec in enumerate(("snappy", "gzip", "brotli", "lz4", "zstd", "none")):
        frame = renamed(rows.good, f"c{number}")
        write(frame, folder / f"{codec}.parquet", compression=codec, **special.get(codec, {}))


@case("f17-whole-folder-empty", good=False)
def _(rows, folder):
    """Leave the folder as it is."""


@case("f18-duplicate-file")
def _(rows, folder):
    write(rows.good, folder / "copy.parquet")


# ------------------------------------------------------------------------------ schemas


def second(**columns):
    """Return the maker of a second file in which some columns are replaced."""

    def make_second(rows, folder):
        made = {
            name: values(rows.others) if callable(values) else values
            for name, values in columns.items()
        }
        write(rows.others.assign(**made), folder / "second.parquet")

    return make_second


def second_without(column):
    """Return the maker of a second file that lacks a column."""
    return lambda rows, folder: write(rows.others.drop(columns=column), folder / "second.parquet")


case("s01-missing-feature-column")(second_without("utilisation"))
case("s02-missing-score-column")(second_without("score"))
case("s03-missing-timestamp-column")(second_without("event_time"))
case("s04-int-becomes-string")(second(repay_status=lambda rows: rows.repay_status.astype(str)))
case("s05-numeric-becomes-text")(
    second(limit_bal=lambda rows: [f"NT$ {int(value):,}" for value in rows.limit_bal])
)


@case("s06-all-null-typed-null")
def _(rows, folder):
    write(with_column(table(rows.others), "education", pa.nulls(ROWS)), folder / "second.parquet")


@case("s07-all-null-feature", good=False)
def _(rows, folder):
    nothing = pa.nulls(ROWS, pa.float64())
    write(with_column(table(rows.good), "pay_amt", nothing), folder / "only.parquet")


@case("s09-case-variants")
def _(rows, folder):
    data = table(rows.others).append_column("Score", pa.array(np.full(ROWS, 0.99)))
    write(data, folder / "second.parquet")


@case("s10-names-with-spaces-unicode-emoji", good=False)
def _(rows, folder):
    data = table(rows.good)
    for name in HOSTILE_NAMES:
        data = data.append_column(name, pa.array(np.arange(ROWS, dtype=float)))
    write(data, folder / "only.parquet")


@case("s12-dictionary-100k", good=False)
def _(rows, folder):
    many = pd.concat([rows.good] * 2000, ignore_index=True)
    many["prediction_id"] = [f"d{row:06d}" for row in range(len(many))]
    many["repay_code"] = pd.Categorical([f"code-{row:06d}" for row in range(len(many))])
    write(many, folder / "only.parquet")


@case("s13-decimal")
def _(rows, folder):
    data = table(rows.others)
    for name, kind in (("limit_bal", pa.decimal128(18, 2)), ("bill_amt", pa.decimal256(50, 10))):
        values = [decimal.Decimal(int(value)) for value in rows.others[name]]
        data = with_column(data, name, pa.array(values, kind))
    write(data, folder / "second.parquet")


@case("s14-odd-types", good=False)
def _(rows, folder):
    data = table(rows.good)
    for name, values in (
        ("bin", pa.array([b"\xff\x00"] * ROWS)),
        ("dur", pa.array([3600] * ROWS, pa.duration("s"))),
        ("tod", pa.array([1] * ROWS, pa.time64("us"))),
        ("half", pa.array(np.full(ROWS, 1.5, np.float16))),
        ("u64", pa.array(np.full(ROWS, 2**63 + 5, np.uint64))),
        ("ls", pa.array(["a"] * ROWS, pa.large_string())),
        ("fsl", pa.array([[1.0, 2.0]] * ROWS, pa.list_(pa.float64(), 2))),
        ("flag2", pa.array([True] * ROWS)),
        ("d32", pa.array([dt.date(2005, 7, 1)] * ROWS)),
    ):
        data = data.append_column(name, values)
    write(data, folder / "only.parquet")


@case("s15-3000-columns", good=False)
def _(rows, folder):
    data = table(rows.good)
    zeros = [pa.array(np.zeros(ROWS, np.float32))] * 3000
    names = [*data.column_names, *(f"x{number}" for number in range(3000))]
    write(pa.Table.from_arrays([*data.columns, *zeros], names=names), folder / "only.parquet")


case("s16-id-type-change")(second(prediction_id=lambda rows: np.arange(len(rows))))


# ------------------------------------------------------------------------------ values

NUMBERS = (np.nan, np.inf, -np.inf, None, 0.0, -0.0, 1e308, -1e308, 5e-324, 1.0)
case("v01-nan-inf-mix")(
    second(utilisation=lambda rows: pd.Series(list(NUMBERS) * 5, dtype=object).astype(float))
)


@case("v02-constant-feature", good=False)
def _(rows, folder):
    write(rows.good.assign(limit_bal=50000.0), folder / "only.parquet")


@case("v03-hostile-categories")
def _(rows, folder):
    many = pd.concat([rows.good.head(1)] * len(HOSTILE_TEXTS), ignore_index=True)
    ids = [f"h{row}" for row in range(len(many))]
    texts = list(HOSTILE_TEXTS)
    write(many.assign(prediction_id=ids, education=texts, sex=texts), folder / "second.parquet")


@case("v05-huge-strings")
def _(rows, folder):
    write(rows.others.head(3).assign(education="A" * 2_000_000), folder / "second.parquet")


case("v06-whitespace-and-case-variants")(
    second(sex=["male", "Male", " male", "MALE ", "männlich"] * 10)
)
case("v07-score-out-of-range")(
    second(score=lambda rows: pd.Series([-0.2, 1.7, np.nan, None, 55.0] * 10, dtype=float))
)
case("v08-score-as-text")(second(score=["0.73", "73%"] * 25))
case("v09-decision-as-float")(second(flagged=lambda rows: rows.flagged.astype(float)))
case("v10-decision-as-yes-no")(second(flagged=lambda rows: np.where(rows.flagged, "yes", "no")))


@case("v12-single-row", good=False)
def _(rows, folder):
    write(rows.good.head(1), folder / "only.parquet")


case("v14-null-ids")(second(prediction_id=[None if row % 2 else f"z{row}" for row in range(ROWS)]))


# ------------------------------------------------------------------------------ times


def instants(frame, unit, zone=None):
    """Return the event times of a frame in another unit and zone."""
    naive = pd.DatetimeIndex(frame.event_time).tz_convert("UTC").tz_localize(None)
    times = pa.array(naive.astype("datetime64[us]"), pa.timestamp("us"))
    return times.cast(pa.timestamp(unit), safe=False).cast(pa.timestamp(unit, zone), safe=False)


UNITS = (
    ("s", None),
    ("ms", None),
    ("us", None),
    ("ns", None),
    ("ms", "UTC"),
    ("us", "+02:00"),
    ("ns", "UTC"),
    ("us", "America/New_York"),
)


@case("t01-units-and-zones")
def _(rows, folder):
    for number, (unit, zone) in enumerate(UNITS):
        data = table(renamed(rows.good, f"u{number}"))
        times = instants(rows.good, unit, zone)
        write(with_column(data, "event_time", times), folder / f"f{number}.parquet")


@case("t02-string-and-epoch-times")
def _(rows, folder):
    at = rows.good.event_time
    seconds = (at - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)
    for name, times in (
        ("iso", at.dt.strftime("%Y-%m-%dT%H:%M:%S+00:00")),
        ("epoch_s", seconds),
        ("epoch_ms", seconds * 1000),
        ("ambiguous", at.dt.strftime("%m/%d/%Y")),
    ):
        write(renamed(rows.good, name).assign(event_time=times), folder / f"{name}.parquet")


@case("t04-null-timestamps")
def _(rows, folder):
    times = [
        None if row % 5 == 0 else at
        for row, at in enumerate(rows.others.event_time.dt.tz_convert(None))
    ]
    data = with_column(table(rows.others), "event_time", pa.array(times, pa.timestamp("us")))
    write(data, folder / "second.parquet")


@case("t06-late-arrival")
def _(rows, folder):
    write(rows.others, folder / "late.parquet")


@case("t08-dst-ambiguous-local", good=False)
def _(rows, folder):
    frame = rows.good.assign(event_time=pd.Timestamp("2005-10-30 01:30:00"))
    write(frame, folder / "only.parquet")


# ------------------------------------------------------------------------------ labels


def labels_of(rows):
    """Return a label for each good row, known a month later."""
    return pd.DataFrame(
        {
            "prediction_id": rows.good.prediction_id,
            "late_next_month": (np.arange(ROWS) % 4 == 0).astype("int8"),
            "label_time": rows.good.event_time + pd.DateOffset(months=1),
        }
    )


def label_case(name):
    """Register the function that returns the label files of a case."""

    def register(frames):
        def make_labels(rows, folder):
            write(rows.good, folder / "log" / "good.parquet")
            for number, frame in enumerate(frames(rows, labels_of(rows))):
                write(frame, folder / "labels" / f"l{number}.parquet")

        case(name, good=False)(make_labels)
        return frames

    return register


@label_case("l01-labels-twice-same")
def _(rows, labels):
    return labels, labels


@label_case("l03-labels-for-unknown-ids")
def _(rows, labels):
    ghosts = [f"ghost{row}" for row in range(30)]
    return labels, labels.head(30).assign(prediction_id=ghosts)


@label_case("l04-labels-before-prediction")
def _(rows, labels):
    before = rows.good.event_time - pd.Timedelta(days=1)
    times = labels.label_time.where(np.arange(ROWS) >= 5, before)
    return (labels.assign(label_time=times),)


@label_case("l06-label-types")
def _(rows, labels):
    return (labels.assign(late_next_month=["Yes", "no ", "1", None, "0"] * 10),)


@label_case("l07-only-one-class")
def _(rows, labels):
    return (labels.assign(late_next_month=np.int8(0)),)


@label_case("l08-no-labels-yet")
def _(rows, labels):
    return (labels.head(0),)


# ------------------------------------------------------------------------------ groups


@case("g01-single-group", good=False)
def _(rows, folder):
    write(rows.good.assign(sex="female"), folder / "only.parquet")


@case("g02-group-of-one")
def _(rows, folder):
    one = rows.others.head(1).assign(education="phd", flagged=False)
    write(one, folder / "second.parquet")


@case("g04-null-groups", good=False)
def _(rows, folder):
    sex = [None if row % 5 < 2 else value for row, value in enumerate(rows.good.sex)]
    write(rows.good.assign(sex=sex), folder / "only.parquet")


@case("g05-300-groups", good=False)
def _(rows, folder):
    many = pd.concat([rows.good] * 60, ignore_index=True)
    ids = [f"q{row}" for row in range(len(many))]
    schools = [f"school {row % 300}" for row in range(len(many))]
    write(many.assign(prediction_id=ids, education=schools), folder / "only.parquet")


@case("g07-protected-column-absent", good=False)
def _(rows, folder):
    write(rows.good.drop(columns="sex"), folder / "only.parquet")


# ------------------------------------------------------------------------------ file systems


@case("x01-being-written")
def _(rows, folder):
    for name in (".good2.parquet.swp", "good2.parquet.tmp", "part.parquet.inprogress"):
        (folder / name).write_bytes(whole(rows, folder)[:500])
    write(rows.others, folder / "_temporary" / "0" / "part.parquet")
    write(rows.others, folder / ".hidden.parquet")
    (folder / "_SUCCESS").touch()
    (folder / "_metadata").write_text("x")
    (folder / ".good.parquet.crc").write_bytes(b"crc\0")
    (folder / ".DS_Store").write_bytes(b"\0")


@case("x02-directory-named-parquet")
def _(rows, folder):
    write(rows.others, folder / "old.parquet" / "part-0.parquet")


@case("x04-dangling-symlink")
def _(rows, folder):
    (folder / "gone.parquet").symlink_to("/nonexistent/file.parquet")


@case("x06-permission-denied")
def _(rows, folder):
    write(rows.others, folder / "denied.parquet").chmod(0)


@case("x08-odd-file-names")
def _(rows, folder):
    for number, name in enumerate(ODD_FILE_NAMES):
        write(renamed(rows.good, f"o{number}"), folder / name)


@case("x10-hive-type-and-date-trouble", good=False)
def _(rows, folder):
    for number, name in enumerate(HIVE_TROUBLE):
        write(renamed(rows.good, f"m{number}"), folder / name / "part-0.parquet")


@case("x12-mixed-depth")
def _(rows, folder):
    write(renamed(rows.good, "y"), folder / "year=2005" / "p.parquet")
    write(rows.others, folder / "year=2005" / "month=07" / "day=01" / "p.parquet")


def bind_socket(path):
    """Leave a socket behind, by a short path: the name of a socket has few bytes."""
    short = Path("/tmp") / f"nasty-{os.getpid()}"  # noqa: S108  # a link, removed at once
    short.symlink_to(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(short / path.name))
    finally:
        short.unlink()


@case("x13-socket-and-readme")
def _(rows, folder):
    (folder / "README.md").write_text("# data")
    (folder / "x.json").write_text("{}")
    bind_socket(folder / "s.parquet")


# ------------------------------------------------------------------------------ many files


@case("h02-3000-files", good=False)
def _(rows, folder):
    good = table(rows.good)
    for number in range(3000):
        row = good.slice(number % ROWS, 1)
        ids = pa.array([f"k{number}"])
        write(with_column(row, "prediction_id", ids), folder / f"{number:04d}.parquet")
