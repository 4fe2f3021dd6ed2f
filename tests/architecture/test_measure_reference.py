"""Each measure has its heading in the reference, and each heading its measure."""

import re
from pathlib import Path

from monitor.measures.catalogue import CATALOGUE, EVERY

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "measures.md"


def sections():
    parts = re.split(r"^### `(\w+)`.*$", REFERENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def two_groups(text):
    """Return what is told together with a rate: its ratio, its difference, its change."""
    line = re.search(r"^\*\*Two groups\.\*\* (.*)$", text, flags=re.MULTILINE)
    return re.findall(r"`(\w+)`", line[1]) if line else []


def test_the_reference_lists_the_catalogue_in_its_order():
    of_profiles = [measure.about.id for measure in CATALOGUE]
    told = [heading for name, text in sections().items() for heading in (name, *two_groups(text))]
    assert [name for name in told if name in of_profiles] == of_profiles
    assert set(told) == {measure.about.id for measure in EVERY}


def test_each_section_gives_formula_reading_aid_default_and_source():
    for identifier, text in sections().items():
        for part in (
            "**Value.**",
            "**Interval.**",
            "**Read it.**",
            "**Default limit.**",
            "**Source.**",
        ):
            assert part in text, f"{identifier} lacks {part}"


def test_each_section_names_the_family_it_is_configured_under():
    text = REFERENCE.read_text(encoding="utf-8")
    for measure in EVERY:
        before = text[: text.index(f"`{measure.about.id}`", text.index("\n## "))]
        last = re.findall(r"^## (\w+)", before, flags=re.MULTILINE)[-1]
        assert last.lower() == measure.about.family.value
