"""Comparisons within the strata of declared factors, and what a reader must know of each."""

from collections.abc import Iterator, Mapping

from monitor.domain.estimate import Estimate
from monitor.domain.reading import Reading
from monitor.reports.bias.comparisons import TITLES, Sources, figure
from monitor.reports.bias.document import Stratum
from monitor.reports.bias.looks import p_text
from monitor.reports.bias.tables import WHOLE

_CONDITIONAL = "_conditional_"

_TOLD = ("marginal", "strata", "strata_compared", "sign_reversal", "heterogeneity_p")
"""Details that are shown. Counts of single strata are not: they are not among the tables of the
report, and with the group's own counts they would tell of few people."""


def within_strata(sources: Sources) -> Iterator[Stratum]:
    """Yield what was compared within the strata of a factor, in the order of the readings."""
    for item in sources.stretch.whole.readings:
        if _CONDITIONAL in item.measure and item.subject.population == sources.population:
            yield _stratum(item, sources)


def _stratum(reading: Reading, sources: Sources) -> Stratum:
    subject, result = reading.subject, reading.result
    metric = reading.measure.partition(_CONDITIONAL)[0]
    shown = all(sources.tells(metric, WHOLE, group) for group in (subject.group, sources.reference))
    detail: dict[str, float] = {}
    if not shown:
        told = "not shown: its counts are too small"
    elif isinstance(result, Estimate):
        detail = {name: result.detail[name] for name in _TOLD if name in result.detail}
        told = _words(result.detail, subject.stratum, sources.pair.band.alpha)
    else:
        told = result.explanation
    return Stratum(
        reading.measure,
        TITLES[metric],
        subject.stratum,
        subject.group,
        subject.reference_group,
        figure(result) if shown else None,
        told,
        detail,
    )


def _words(detail: Mapping[str, float], factor: str, alpha: float) -> str:
    """Return what has to be said beside a number that sums up several strata."""
    if "strata" not in detail:
        return "held against itself"
    said = []
    if detail["sign_reversal"]:
        said.append("within strata the difference has another sign than over all rows")
    p_value = detail.get("heterogeneity_p", 1.0)
    if p_value < alpha:
        said.append(
            f"the strata of {factor} differ among themselves (p {p_text(p_value)}): one number is no "
            "summary of them"
        )
    share = detail["share_compared"]
    # A whole per cent: more digits would tell how few people the other strata have.
    about = "nearly all" if 0.99 <= share < 1 else f"{100 * share:.0f} %"  # noqa: PLR2004  # of all
    said.append(
        f"{detail['strata_compared']:.0f} of {detail['strata']:.0f} strata have rows of both, with "
        f"{about} of the group's rows"
    )
    return "; ".join(said)
