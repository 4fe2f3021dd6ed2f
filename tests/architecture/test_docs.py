"""The documents name only what is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("demo/*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"(?:^\s*|`)(?:sudo )?make ([a-z][a-z-]*)", re.MULTILINE)
FILE_IN_TICKS = re.compile(r"`([\w./-]+\.(?:py|toml|sh|md))`")
NYGARD = ("Status", "Context", "Decision", "Consequences")


def name_of(path):
    return str(path.relative_to(ROOT))


def anchors(path):
    """Return the fragments that headings of a Markdown file can be linked by."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    kept = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in HEADING.findall(text))
    return {re.sub(r"\s", "-", heading.strip()) for heading in kept}


def targets():
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_there_are_documents_to_check():
    assert ROOT / "README.md" in DOCUMENTS
    assert len(DECISIONS) >= 9


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path):
    broken = []
    for link in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, fragment = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_the_make_targets_that_are_named_exist(path):
    assert set(MAKE.findall(path.read_text(encoding="utf-8"))) <= targets()


def test_the_readme_begins_with_the_two_commands():
    first_screen = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:30])
    assert {"demo", "test"} <= set(MAKE.findall(first_screen))


def test_every_make_target_says_what_it_does():
    command = ["make", "--no-print-directory", "help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    listed = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    assert targets() == listed


@pytest.mark.parametrize("path", DECISIONS, ids=name_of)
def test_a_decision_is_complete_and_enforced(path):
    text = path.read_text(encoding="utf-8")
    number = int(path.name.split("-")[0])
    headings = HEADING.findall(text)
    assert headings[0].startswith(f"{number}. ")
    assert tuple(headings[1:]) == NYGARD
    enforced = re.search(r"^\*\*Enforced by\*\*: (.+(?:\n.+)*)", text, re.MULTILINE)
    assert enforced, "no 'Enforced by' line"
    files = FILE_IN_TICKS.findall(enforced.group(1))
    assert files, "name the file that keeps this decision"
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.name.split("-")[0]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_page_is_listed():
    folder = ROOT / "docs"
    index = (folder / "README.md").read_text(encoding="utf-8")
    of_measures = folder / "reference" / "measures"  # their own index lists them
    pages = [
        str(page.relative_to(folder)) for page in folder.rglob("*.md") if page.parent != of_measures
    ]
    assert [page for page in pages if page != "README.md" and f"({page})" not in index] == []
