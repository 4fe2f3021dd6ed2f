import os
import stat

import click
import pytest

from monitor.cli.files import write_whole


def test_a_file_is_put_in_its_place_at_once_and_may_be_read_by_everybody(tmp_path):
    path = tmp_path / "results.prom"
    path.write_text("before")
    opened = path.open()
    before = os.umask(0o077)
    try:
        write_whole(path, b"after")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    with opened:
        assert opened.read() == "before"  # whoever reads it meanwhile reads it whole
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_nothing_behind_and_is_told(tmp_path):
    with pytest.raises(click.UsageError, match=r"results\.prom cannot be written: No such file"):
        write_whole(tmp_path / "gone" / "results.prom", b"")
    folder = tmp_path / "results.prom"
    folder.mkdir()
    with pytest.raises(click.UsageError, match="cannot be written: Is a directory"):
        write_whole(folder, b"")
    assert list(tmp_path.iterdir()) == [folder]
