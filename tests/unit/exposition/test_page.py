import gzip
import zlib
from datetime import UTC, datetime
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.exposition.page import Results, ResultsPage
from monitor.exposition.text import Form, chunk

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)
HEAD = b"# HELP modelmon_models Configured models.\n# TYPE modelmon_models gauge\n"
PARTS = st.lists(
    st.dictionaries(st.sampled_from(["modelmon_models", "modelmon_series"]), st.binary())
)


def results(*texts):
    return Results([{"modelmon_models": chunk(text)} for text in texts])


@pytest.mark.parametrize("form", Form)
def test_a_page_without_results_has_the_process_part_only(form):
    page = ResultsPage()
    assert page.published_at is None
    assert page.text(b"up 1\n", form) == b"up 1\n"
    assert gzip.decompress(page.packed(b"up 1\n", form)) == b"up 1\n"


@pytest.mark.slow
@given(PARTS, st.binary(), st.sampled_from(Form))
def test_what_is_packed_piece_by_piece_is_the_whole_page_in_one_stream(parts, process, form):
    page = ResultsPage()
    page.publish(
        Results([{name: chunk(text) for name, text in part.items()} for part in parts]), NOON
    )
    packed = page.packed(process, form)
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    assert stream.decompress(packed) == page.text(process, form)
    assert stream.eof
    assert not stream.unused_data


def test_results_are_put_together_once_and_every_scrape_adds_its_own_end():
    page = ResultsPage()
    page.publish(results(b"result 1\n" * 10_000, b"result 2\n"), NOON)
    assert page.published_at == NOON
    assert page.text(b"") == HEAD + b"result 1\n" * 10_000 + b"result 2\n"
    for process in (b"", b"up 1\n", b"other 2\n" * 5_000):
        assert gzip.decompress(page.packed(process)) == page.text(process)


def test_a_scrape_sees_the_results_of_one_run_whole_whoever_publishes_meanwhile():
    page = ResultsPage()
    versions = [str(number).encode() * 50_000 for number in range(4)]
    page.publish(results(versions[0]), NOON)

    def publish():
        for _ in range(10):
            for version in versions:
                page.publish(results(version), NOON)

    writer = Thread(target=publish)
    writer.start()
    seen = [gzip.decompress(page.packed(b"!")) for _ in range(50)]
    writer.join()
    assert {text.removesuffix(b"!").removeprefix(HEAD) for text in seen} <= set(versions)
