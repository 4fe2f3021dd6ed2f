import gzip
from datetime import UTC, datetime
from threading import Thread

from monitor.exposition.page import ResultsPage

NOON = datetime(2005, 9, 1, 12, tzinfo=UTC)


def test_a_page_without_results_has_the_process_part_only():
    page = ResultsPage()
    assert page.published_at is None
    assert page.text(b"up 1\n") == b"up 1\n"
    assert gzip.decompress(page.packed(b"up 1\n")) == b"up 1\n"


def test_results_are_packed_once_and_every_scrape_adds_its_own_end():
    page = ResultsPage()
    page.publish(b"result 1\n" * 10_000, NOON)
    assert page.published_at == NOON
    for process in (b"", b"up 1\n", b"other 2\n" * 5_000):
        assert gzip.decompress(page.packed(process)) == page.text(process)


def test_a_scrape_sees_the_results_of_one_run_whole_whoever_publishes_meanwhile():
    page = ResultsPage()
    versions = [str(number).encode() * 50_000 for number in range(4)]
    page.publish(versions[0], NOON)

    def publish():
        for _ in range(10):
            for version in versions:
                page.publish(version, NOON)

    writer = Thread(target=publish)
    writer.start()
    seen = [gzip.decompress(page.packed(b"!")) for _ in range(50)]
    writer.join()
    assert {text.removesuffix(b"!") for text in seen} <= set(versions)
