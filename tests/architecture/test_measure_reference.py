"""Each measure has its page in the reference, and each page its measure."""

import re
from pathlib import Path

import pytest

from monitor.config.defaults import DEFAULT_LIMITS
from monitor.measures.catalogue import CATALOGUE, EVERY

INDEX = Path(__file__).parents[2] / "docs" / "reference" / "measures.md"
PAGES = INDEX.with_suffix("")
LITERATURE = INDEX.with_name("literature.md")
LINE = re.compile(r"^\| \[`(\w+)`\]\(measures/(\w+)\.md\) \| (.+) \| (.+) \|$", re.MULTILINE)


def index():
    return LINE.findall(INDEX.read_text(encoding="utf-8"))


def pages():
    """Return the text of each page, in the order of the index."""
    return {name: (PAGES / f"{name}.md").read_text(encoding="utf-8") for name, *_ in index()}


def two_groups(text):
    """Return what is told together with a rate: its ratio, its difference, its change."""
    line = re.search(r"^\*\*Two groups\.\*\* (.*)$", text, flags=re.MULTILINE)
    return re.findall(r"`(\w+)`", line[1]) if line else []


def test_the_reference_lists_the_catalogue_in_its_order():
    of_profiles = [measure.about.id for measure in CATALOGUE]
    told = [heading for name, text in pages().items() for heading in (name, *two_groups(text))]
    assert [name for name in told if name in of_profiles] == of_profiles
    assert set(told) == {measure.about.id for measure in EVERY}


@pytest.mark.slow
def test_each_page_is_in_the_index_once_under_its_own_title():
    assert [name for name, *_ in index()] == [file for _, file, *_ in index()]
    assert sorted(pages()) == sorted(page.stem for page in PAGES.glob("*.md"))
    for name, _, title, _ in index():
        assert pages()[name].startswith(f"# `{name}`: {title}\n"), name


def test_each_page_gives_formula_reading_aid_default_and_source():
    for identifier, text in pages().items():
        for part in (
            "**Value.**",
            "**Interval.**",
            "**Read it.**",
            "**Default limit.**",
            "**Source.**",
        ):
            assert f"\n\n{part} " in text, f"{identifier} lacks {part}"


def test_each_page_names_the_family_it_is_configured_under():
    text = INDEX.read_text(encoding="utf-8")
    of_measure = {measure.about.id: measure.about.family.value for measure in EVERY}
    for name, page in pages().items():
        before = text[: text.index(f"[`{name}`](measures/{name}.md) |")]
        assert re.findall(r"^## (\w+)", before, flags=re.MULTILINE)[-1].lower() == of_measure[name]
        assert f"[{of_measure[name]}](../measures.md#{of_measure[name]})" in page


def test_the_default_limits_are_those_of_the_configuration():
    for name, _, _, told in index():
        if name not in DEFAULT_LIMITS:
            assert "arning" not in told, name
            continue
        limit = DEFAULT_LIMITS[name]
        said = re.search(r"\*\*Default limit\.\*\* (.*)", pages()[name])[1]
        for text in (told, said):
            found = re.findall(r"(?i)(warning|critical) (?:beyond )?(\d[\d.]*\d|\d)", text)
            assert {bound.lower(): float(size) for bound, size in found} == {
                bound: size
                for bound, size in (("warning", limit.warning), ("critical", limit.critical))
                if size is not None
            }, name


def bounds_told(text):
    """Return the bounds that a page names for its value; None for none, and for what it does not say."""
    value = re.search(r"\*\*Value\.\*\* (.*)", text)[1].replace("−", "-")
    both = re.search(r"[Ff]rom (-?\d) to (-?\d)(?!\d|\.\d)", value)
    lower = re.search(r"[Ff]rom (-?\d)[,;.]| (-\d) for none", value)
    return (
        tuple(map(float, both.groups()))
        if both
        else (float(lower[1] or lower[2]) if lower else None, None)
    )


def test_each_page_names_the_range_of_its_measure():
    about = {measure.about.id: measure.about for measure in EVERY}
    told = {name: bounds_told(text) for name, text in pages().items()}
    # Up to the window's length, which is no constant; scores that are probabilities, not the ratio.
    del told["freshness"]
    told["calibration_ratio"] = (told["calibration_ratio"][0] or 0.0, None)
    assert told == {name: (about[name].lower, about[name].upper) for name in told}


def test_every_source_stands_in_the_literature_in_full_and_nothing_else_does():
    listed = re.findall(r"^- \*\*(.+?)\*\*", LITERATURE.read_text(encoding="utf-8"), re.MULTILINE)
    sources = [re.search(r"\*\*Source\.\*\* (.*)", text)[1] for text in pages().values()]
    named = {
        found
        for source in sources
        for part in source.split("; ")
        for found in re.findall(r"^(.+ \((?:18|19|20)\d\d\))", part)
    }
    assert sorted(named - set(listed)) == []
    assert [item for item in listed if not any(item in source for source in sources)] == []
