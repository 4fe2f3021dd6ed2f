import os
import pickle
import socket
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from monitor.domain.errors import SourceError
from monitor.sources.location import Fault, Location, fault, file_system, hive_keys


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def listed(folder):
    listing = Location.at(str(folder), ".").listing()
    return [file.path for file in listing.files], {
        file.path: file.reason for file in listing.unreadable
    }


def test_files_are_found_at_any_depth_in_any_case_and_sorted(tmp_path):
    touch(tmp_path, "b.parquet", "UPPER.PARQUET", "year=2005/month=07/a.parquet", "a b😀\n.parquet")
    touch(tmp_path, "old.parquet/part-0.parquet")
    files, unreadable = listed(tmp_path)
    assert files == sorted(
        [
            "b.parquet",
            "UPPER.PARQUET",
            "year=2005/month=07/a.parquet",
            "a b😀\n.parquet",
            "old.parquet/part-0.parquet",
        ]
    )
    assert not unreadable


def test_unfinished_and_other_files_are_passed_over(tmp_path):
    touch(
        tmp_path,
        ".a.parquet",
        "_metadata.parquet",
        "_temporary/0/part.parquet",
        ".x/a.parquet",
        "part.parquet.inprogress",
        "README.md",
        "_SUCCESS",
    )
    assert listed(tmp_path) == ([], {})


def test_a_key_of_folders_may_begin_with_an_underscore(tmp_path):
    touch(tmp_path, "_date=2026-03-01/a.parquet", "_staging/_date=2026-03-01/b.parquet")
    touch(tmp_path, ".spark-staging/_date=2026-03-01/c.parquet")
    assert listed(tmp_path) == (["_date=2026-03-01/a.parquet"], {})
    elsewhere = Location(fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "", "", "log")
    assert [file.path for file in elsewhere.listing().files] == ["_date=2026-03-01/a.parquet"]


@pytest.mark.parametrize("names", [("part-00000",), ("a.PARQ", "b.pq"), ("a.parquet.gz", "b.csv")])
def test_where_only_files_of_other_names_are_the_first_is_named(tmp_path, names):
    touch(tmp_path, *names, "README.md", "b.parquet.tmp")
    assert listed(tmp_path) == ([], {names[0]: "other_name"})
    (file,) = Location.at(str(tmp_path), "/").listing().unreadable
    assert f"and {len(names)} here end otherwise: rename them" in file.explanation


def test_beside_parquet_files_short_names_of_such_are_named_and_others_are_not(tmp_path):
    touch(tmp_path, "a.parquet", "part-00000", "deep/b.pq", "x.csv", "z.parq")
    assert listed(tmp_path) == (["a.parquet"], {"deep/b.pq": "other_name"})


def test_loops_of_links_end_and_a_linked_folder_is_read_once(tmp_path):
    touch(tmp_path, "log/a/one.parquet")
    (tmp_path / "log/a/up").symlink_to(tmp_path / "log")
    (tmp_path / "log/self").symlink_to(tmp_path / "log/self")
    (tmp_path / "log/self.parquet").symlink_to(tmp_path / "log/self.parquet")
    (tmp_path / "log/b").symlink_to(tmp_path / "log/a")
    files, unreadable = listed(tmp_path / "log")
    assert len(files) == 1
    assert list(unreadable) == ["self", "self.parquet"]


def test_links_to_nowhere_are_reported_and_what_holds_no_rows_is_passed_over(tmp_path):
    (tmp_path / "gone.parquet").symlink_to("/nonexistent")
    os.mkfifo(tmp_path / "pipe.parquet")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.parquet"))
    touch(tmp_path, os.fsdecode(b"\xff.parquet"), "good.parquet")
    files, unreadable = listed(tmp_path)
    assert files == ["good.parquet"]
    assert unreadable == {
        "gone.parquet": Fault.NOT_FOUND,
        "\\xff.parquet": Fault.BAD_NAME,
    }


def test_a_folder_that_may_not_be_read_is_reported_and_stops_nothing(tmp_path, monkeypatch):
    touch(tmp_path, "shut/a.parquet", "good.parquet")
    scandir = os.scandir

    def refuse(path):  # permissions do not bind root, who may run the tests
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert listed(tmp_path) == (["good.parquet"], {"shut/": Fault.PERMISSION_DENIED})


def test_a_single_file_is_a_location(tmp_path):
    touch(tmp_path, "data", "other.parquet")
    assert listed(tmp_path / "data") == (["data"], {})


def test_uris_and_relative_paths_lead_to_the_same_files(tmp_path):
    touch(tmp_path, "log/a.parquet")
    by_uri = Location.at(f"file://{tmp_path}/log", "/elsewhere").listing()
    by_path = Location.at("log", str(tmp_path)).listing()
    assert by_uri == by_path


def test_a_missing_folder_says_so_and_may_come_later(tmp_path):
    with pytest.raises(SourceError, match="no such file or folder") as caught:
        Location.at("log", str(tmp_path))
    assert caught.value.retryable


def test_an_unknown_kind_of_uri_is_refused_without_its_password():
    with pytest.raises(SourceError, match="not a path or URI") as caught:
        Location.at("gopher://me:secret@host/log", ".")
    assert "secret" not in str(caught.value)


def test_a_changed_file_is_noticed(tmp_path):
    touch(tmp_path, "a.parquet")
    location = Location.at(str(tmp_path), ".")
    (file,) = location.listing().files
    assert location.unchanged(file)
    (tmp_path / "a.parquet").write_bytes(b"xy")
    assert not location.unchanged(file)
    (tmp_path / "a.parquet").unlink()
    assert not location.unchanged(file)


def test_a_location_travels_to_other_processes(tmp_path):
    location = Location.at(str(tmp_path), ".")
    assert pickle.loads(pickle.dumps(location)).root == location.root  # noqa: S301  # our own bytes


def test_keys_come_from_folders_and_their_values_are_text():
    assert hive_keys("a=1/b=x%2Fy/c=/d=__HIVE_DEFAULT_PARTITION__/plain/=no/e=5.parquet") == {
        "a": "1",
        "b": "x/y",
        "c": "",
        "d": None,
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Fault.NOT_PARQUET),
        (b"a,b\n1,2\n" * 50, Fault.NOT_PARQUET),
        (b"PAR1PAR1", Fault.NOT_PARQUET),
        (b"\0" * 40 + b"\xff\xff\xff\x7fPAR1", Fault.NOT_PARQUET),
    ],
)
def test_broken_footers_have_a_reason(tmp_path, content, reason):
    path = tmp_path / "bad.parquet"
    path.write_bytes(content)
    with pytest.raises(pa.ArrowInvalid) as caught:
        pq.read_metadata(path)
    assert fault("bad.parquet", caught.value, Fault.UNREADABLE).reason == reason


def test_errors_of_the_system_have_a_reason():
    reasons = [
        fault("a", error, Fault.CORRUPT).reason
        for error in (PermissionError(13, "no"), FileNotFoundError(2, "no"), OSError(5, "I/O"))
    ]
    assert reasons == [Fault.PERMISSION_DENIED, Fault.NOT_FOUND, Fault.CORRUPT]


@pytest.mark.parametrize(
    ("uri", "kind", "root"),
    [
        ("s3://bucket/log?region=eu-west-1", fs.S3FileSystem, "bucket/log"),
        ("s3://b/log?endpoint_override=127.0.0.1:9000&scheme=http", fs.S3FileSystem, "b/log"),
        ("gs://anonymous@bucket/log", fs.GcsFileSystem, "bucket/log"),
        ("gcs://anonymous@bucket/log", fs.GcsFileSystem, "bucket/log"),
        ("abfs://logs@account.dfs.core.windows.net/m", fs.AzureFileSystem, "logs/m"),
        ("abfss://logs@account.dfs.core.windows.net/m", fs.AzureFileSystem, "logs/m"),
        ("file:///srv/log", fs.LocalFileSystem, "/srv/log"),
    ],
)
def test_a_uri_names_a_file_system_without_asking_it(uri, kind, root, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    filesystem, found = file_system(uri, ".")
    assert isinstance(filesystem, kind)
    assert found == root


def test_a_key_with_an_empty_part_is_named_and_not_taken_for_another():
    keys = ["log/a.parquet", "log//a.parquet", "log/day//b.parquet", "log/_x//c.parquet", "log/"]
    infos = [fs.FileInfo(f"bucket/{key}", fs.FileType.File, size=1) for key in keys]
    remote = SimpleNamespace(get_file_info=lambda _selector: infos)
    listing = Location(remote, "bucket/log", "", "s3://bucket/log").listing()
    assert [file.path for file in listing.files] == ["a.parquet"]
    assert [(file.path, file.reason) for file in listing.unreadable] == [
        ("/a.parquet", Fault.BAD_NAME),
        ("day//b.parquet", Fault.BAD_NAME),
    ]


@pytest.mark.parametrize(
    ("sign", "told"),
    [
        ("_delta_log/00000000000000000000.json", "source.format: delta"),
        ("metadata/00001-a.metadata.json", "source.format: iceberg"),
        (".hoodie/hoodie.properties", "a copy"),
    ],
)
def test_the_folder_of_a_table_is_not_read_as_files(tmp_path, sign, told):
    touch(tmp_path, "part.parquet", sign)
    with pytest.raises(SourceError, match=told) as caught:
        Location.at(str(tmp_path), ".")
    assert not caught.value.retryable


def test_a_folder_of_a_name_that_tables_use_is_a_folder(tmp_path):
    touch(tmp_path, "metadata/part.parquet", "metadata/readme.json", "data/part.parquet")
    assert listed(tmp_path) == (["data/part.parquet", "metadata/part.parquet"], {})
