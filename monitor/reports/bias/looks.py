"""How answers and numbers look: a word, a sign and a colour, so that none of them has to be seen."""

from collections.abc import Mapping

from msgspec import Struct

from monitor.reports.bias.document import Figure, StratumCount


class Look(Struct, frozen=True):
    """How an answer is shown.

    Attributes:
        word: What it is called.
        sign: A character.
        css: Name of its colours.
        ink: Colour of its lines, at least 4.5 to 1 on white.
        shape: Its mark in drawings.
        means: What it means, as a sentence.
    """

    word: str
    sign: str
    css: str
    ink: str
    shape: str
    means: str


_FEW = "There are rows, but too few to be compared."

LOOKS: Mapping[str, Look] = {
    "breach": Look(
        "breach",
        "■",
        "breach",
        "#a3122a",
        "square",
        "Beyond the limit, and so is the interval that holds for all groups together.",
    ),
    "suspected": Look(
        "suspected",
        "▲",
        "suspected",
        "#9a4a00",
        "triangle",
        "Beyond the limit, and chance does not explain it after adjustment for the number of groups.",
    ),
    "review": Look(
        "review",
        "◆",
        "review",
        "#4b4a99",
        "diamond",
        "Inside the limit, but more than chance explains before adjustment: for a person to look at.",
    ),
    "within": Look(
        "within",
        "●",
        "within",
        "#1e6a48",
        "circle",
        "The whole interval is inside the limit: no disparity beyond it was detected at this sample "
        "size.",
    ),
    "inconclusive": Look(
        "inconclusive",
        "○",
        "unknown",
        "#595959",
        "ring",
        "The data support neither.",
    ),
    "insufficient_data": Look("too few", "–", "unknown", "#595959", "ring", _FEW),
    "undefined": Look(
        "undefined",
        "–",
        "unknown",
        "#595959",
        "ring",
        "The number does not exist for these data.",
    ),
    "left_out": Look(
        "left out",
        "–",
        "unknown",
        "#595959",
        "ring",
        "The policy leaves so small a share out of comparisons, and says why.",
    ),
    "no_data": Look("no rows", "–", "unknown", "#595959", "ring", "Nobody of the group is here."),
    "withheld": Look(
        "not shown",
        "▒",
        "unknown",
        "#595959",
        "ring",
        "Its counts are too small to be shown, and it raises no alarm.",
    ),
    "": Look("not judged", "·", "plain", "#444444", "circle", "It is held against no other group."),
}
"""Answer to how it is shown."""


def look(answer: str) -> Look:
    """Return how an answer is shown; one of a kind that is not listed by its own word."""
    found = LOOKS.get(answer)
    if found is not None:
        return found
    return Look(answer.replace("_", " "), "–", "unknown", "#595959", "ring", "It was not judged.")


def percent(value: float) -> str:
    """Return a share in per cent."""
    return f"{value * 100:.1f}\u00a0%"


def rate(figure: Figure | None) -> str:
    """Return a rate in per cent with its interval."""
    if figure is None:
        return NOT_SHOWN
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({figure.low * 100:.1f}–{figure.high * 100:.1f})"


def of(figure: Figure | None) -> str:
    """Return the counts that a rate is of."""
    return NOT_SHOWN if figure is None else f"{figure.events:,} of {figure.rows:,}"


def ratio(figure: Figure | None) -> str:
    """Return a ratio with its interval; a dash where there is none."""
    if figure is None:
        return "–"
    if figure.low is None and figure.high is None:
        return f"{figure.value:.2f}"
    high = "open" if figure.high is None else f"{figure.high:.2f}"
    return f"{figure.value:.2f} ({figure.low or 0:.2f}–{high})"


def points(figure: Figure | None) -> str:
    """Return a difference of rates in percentage points with its interval."""
    if figure is None:
        return "–"
    if figure.low is None or figure.high is None:
        return signed(figure.value * 100, 1)
    low, high = (signed(end * 100, 1) for end in (figure.low, figure.high))
    return f"{signed(figure.value * 100, 1)} ({low} to {high})"


def signed(value: float, digits: int = 0) -> str:
    """Return a number with its sign, a minus and no hyphen; nothing before zero."""
    text = f"{value:+,.{digits}f}"
    return text[1:] if float(text.replace(",", "")) == 0 else text.replace("-", "−")


def p_text(value: float | None) -> str:
    """Return a probability as people read it."""
    if value is None:
        return "–"
    least = 0.0001
    return f"< {least:g}" if value < least else f"{value:.4f}"


def number(value: float | None) -> str:
    """Return a count, or that it is not shown."""
    return NOT_SHOWN if value is None else f"{value:,.0f}"


def stratum_count(count: StratumCount) -> str:
    """Return the positive decisions of a group in a stratum, and how many it has."""
    if count.rows is None or count.positive is None:
        return NOT_SHOWN
    if not count.rows:
        return "no rows"
    return f"{count.positive:,} of {count.rows:,} ({percent(count.positive / count.rows)})"


def association(value: float | None) -> str:
    """Return an association, from 0 to 1."""
    return NOT_SHOWN if value is None else f"{value:.2f}"


NOT_SHOWN = "not shown"
"""What stands in the place of a count that is too small to be shown."""
