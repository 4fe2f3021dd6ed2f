"""The lines of series, held to what the library writes and its parsers read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)

from monitor.exposition.catalogue import CATALOGUE
from monitor.exposition.family import Kind, Part
from monitor.exposition.page import Results
from monitor.exposition.render import render
from monitor.exposition.sheet import Sheet, SheetCollector
from monitor.exposition.text import Form, chunk, head, lines

NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53)


def by_the_library(sheet, generate):
    registry = CollectorRegistry()
    registry.register(SheetCollector(tuple(sheet.metrics(Part.RESULTS))))
    return generate(registry)


def ours(sheet, form):
    series = sheet.series.items()
    return Results([{name: chunk(lines(name, found)) for name, found in series}]).text(form)


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.text(st.characters()), NUMBERS, st.sampled_from(["ok", "warning"]))),
    st.integers(0, 2**53),
)
def test_the_page_is_what_the_library_would_write(found, runs):
    sheet = Sheet()
    sheet.add("models", 3)
    sheet.add("check_runs_total", runs, model="credit")
    for name, value, verdict in found:
        sheet.add("finding_state", value, model=name, feature=name, verdict=verdict)
    assert ours(sheet, Form.TEXT) == by_the_library(sheet, generate_latest)
    # The library tells no units of metrics that are made so.
    units = [one for one in ours(sheet, Form.OPENMETRICS).split(b"\n") if b"# UNIT" not in one]
    expected = by_the_library(sheet, openmetrics.generate_latest).removesuffix(b"# EOF\n")
    assert b"\n".join(units) == expected


def test_both_formats_have_the_same_series(make, fleet, hostile):
    results = render([*fleet, hostile], make.build, make.families)
    plain, marked = (
        [line for line in results.text(form).split(b"\n") if line and not line.startswith(b"#")]
        for form in Form
    )
    assert plain == marked


def test_a_strict_reader_of_openmetrics_finds_every_series(make, fleet, hostile):
    results = render([*fleet, hostile], make.build, make.families)
    text = results.text(Form.OPENMETRICS).decode() + "# EOF\n"
    samples = [sample for family in read_openmetrics(text) for sample in family.samples]
    assert len(samples) == sum(not line.startswith("#") for line in text.split("\n")[:-1])


def test_the_head_of_every_metric_says_type_and_where_the_name_has_it_the_unit():
    for family in CATALOGUE:
        name = family.name.removesuffix("_total")
        text = head(family, Form.OPENMETRICS).text.decode()
        assert f"# TYPE {name} {family.kind}\n" in text
        assert (f"# UNIT {name} {family.unit}\n" in text) == name.endswith("_" + family.unit)
        if family.unit == "seconds":
            assert "# UNIT" in text
        suffix = "_total" if family.kind is Kind.COUNTER else ""
        assert f"# TYPE {name}{suffix} {family.kind}\n" in head(family, Form.TEXT).text.decode()
