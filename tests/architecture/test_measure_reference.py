"""Each measure has its page in the reference, and each page its measure."""

import re
from pathlib import Path

import pytest

from monitor.config.defaults import DEFAULT_LIMITS
from monitor.measures.catalogue import CATALOGUE, EVERY

INDEX = Path(__file__).parents[2] / "docs" / "reference" / "measures.md"
PAGES = INDEX.with_suffix("")
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
