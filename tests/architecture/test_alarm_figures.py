"""The figures in the page on alarms are those of the experiment."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "concepts" / "alarms.md"
FIGURES = ROOT / "benchmarks" / "ALARMS.md"
PICTURE = ROOT / "docs" / "concepts" / "alarms.svg"


def rows(path):
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line[:2] == "| "]


def measured(path):
    """Return the rows that say how many runs they rest on."""
    return [row for row in rows(path) if "; " in row and " % (" in row]


def test_every_measured_row_of_the_page_is_one_of_the_experiment():
    shown = measured(PAGE)
    assert len(shown) >= 10
    assert [row for row in shown if row not in rows(FIGURES)] == []


def test_every_promise_that_was_counted_was_kept():
    """A promise is broken when even the lower end of the interval is beyond it."""
    table = FIGURES.read_text(encoding="utf-8").split("## The test of a single field")[0]
    lines = [line.split("|") for line in table.splitlines() if "≤" in line]
    assert len(lines) >= 12
    for cells in lines:
        promise = float(cells[4].strip(" ≤%"))
        low = float(cells[5].split("(")[1].split("–")[0].strip(" %"))
        assert low <= promise, cells


def test_the_picture_is_told_in_words():
    text = PICTURE.read_text(encoding="utf-8")
    assert "<desc" in text
    assert "modelmon: at most" in text
