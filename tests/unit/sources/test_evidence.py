"""Digests of what approvals rest on, against what anybody computes with ``sha256sum``."""

import os
import subprocess
from hashlib import sha256

import pytest

from monitor.domain.errors import SourceError
from monitor.sources.evidence import LocalFiles


def test_the_digest_of_a_file_is_that_of_sha256sum(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"weights")
    told = subprocess.run(
        ["sha256sum", tmp_path / "model.bin"], capture_output=True, text=True, check=True
    )
    assert LocalFiles().digest(str(tmp_path), "model.bin") == f"sha256:{told.stdout.split()[0]}"


def test_the_digest_of_a_folder_is_that_of_all_its_files_and_their_names(tmp_path):
    folder = tmp_path / "model"
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text("run_id: r\n")
    (folder / "data" / "w.bin").write_bytes(b"weights")
    files = LocalFiles()
    told = subprocess.run(
        ["sha256sum", "MLmodel", "data/w.bin"], cwd=folder, capture_output=True, check=True
    )
    before = files.digest(str(tmp_path), "model")
    assert before == f"sha256:{sha256(told.stdout).hexdigest()}"
    (folder / "data" / "w.bin").rename(folder / "data" / "v.bin")
    assert files.digest(str(tmp_path), "model") != before


def test_what_was_written_over_in_place_is_another_though_its_time_was_put_back(tmp_path):
    place, files = tmp_path / "report.html", LocalFiles()
    place.write_text("groups as accepted")
    was, before = place.stat(), files.digest("", str(place))
    assert files.digest("", str(place)) == before
    with place.open("r+") as stream:
        stream.write("groups as refused!")
    os.utime(place, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert files.digest("", str(place)) != before


def test_what_is_not_read_again_was_not_changed(tmp_path):
    place, files = tmp_path / "model.bin", LocalFiles()
    place.write_bytes(b"weights")
    before = files.digest("", str(place))
    read = place.stat().st_atime_ns
    assert files.digest("", str(place)) == before
    assert place.stat().st_atime_ns == read


def test_nothing_there_is_no_digest(tmp_path):
    assert LocalFiles().digest(str(tmp_path), "gone.html") == ""


def test_what_cannot_be_looked_at_is_not_gone(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"file/report\.html"):
        LocalFiles().digest(str(tmp_path), "file/report.html")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="neither a file nor a folder"):
        LocalFiles().digest(str(tmp_path), "pipe")
    with pytest.raises(SourceError, match="loop"):
        LocalFiles().digest(str(tmp_path), "loop")
