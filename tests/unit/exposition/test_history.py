from datetime import timedelta
from io import BytesIO

import pytest
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.family import Kind
from monitor.exposition.history import write_history

LATER = timedelta(days=31)


def written(snapshots, make):
    target = BytesIO()
    done = write_history(iter(snapshots), make.families, target)
    return done, target.getvalue().decode()


@pytest.fixture
def two(fleet):
    """Return each model of the fleet that has a window, and the same a month later."""
    found = []
    for item in fleet:
        if item.latest is not None:
            window = replace(
                item.latest.window,
                start=item.latest.window.end,
                end=item.latest.window.end + LATER,
            )
            found += [item, replace(item, latest=replace(item.latest, window=window))]
    return found


def test_the_library_that_defines_the_format_reads_it(make, two):
    done, text = written(two, make)
    samples = [item for family in text_string_to_metric_families(text) for item in family.samples]
    assert (done.windows, done.points) == (len(two), len(samples))
    ends = {item.latest.window.end.timestamp() for item in two}
    assert {float(item.timestamp) for item in samples} == ends


def test_points_of_a_series_stand_together_in_the_order_of_time(make, two):
    _, text = written(two, make)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    series = [line.rsplit(" ", 2)[0] for line in lines]
    assert series == sorted(series, key=series.index), "a series is in two places"
    names = [one.partition("{")[0] for one in series]
    order = [family.name for family in CATALOGUE]
    assert [order.index(name) for name in names] == sorted(order.index(name) for name in names)


def test_what_is_of_no_window_is_left_out(make, fleet):
    shown = [item for item in fleet if item.latest is not None]
    _, text = written(shown, make)
    counters = {family.name for family in CATALOGUE if family.kind is Kind.COUNTER}
    of_now = {"modelmon_model_info", "modelmon_files_quarantined", "modelmon_series_dropped"}
    names = {line.partition("{")[0] for line in text.splitlines() if not line.startswith("#")}
    assert not names & (counters | of_now)


def test_nothing_is_a_whole_file_and_a_model_without_a_window_is_a_mistake(make, fleet):
    done, text = written([], make)
    assert (done.windows, done.points, text) == (0, 0, "# EOF\n")
    (bare,) = [item for item in fleet if item.latest is None][:1] or [
        replace(fleet[0], latest=None)
    ]
    with pytest.raises(ValueError, match="no window to show"):
        written([bare], make)
