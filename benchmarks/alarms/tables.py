"""The figures as Markdown."""

from collections.abc import Iterable, Sequence

from benchmarks.alarms.bound import best, lawful
from benchmarks.alarms.experiment import TOLERANCE, Between, Boundary, Cell, Delay
from benchmarks.alarms.laws import DIRECTIONS
from benchmarks.alarms.rates import Rate, percent
from benchmarks.alarms.streams import Plan

NOT_RUN = "not run"


def false_alarms(cells: Iterable[Cell]) -> list[str]:
    """Return the table of runs in which nothing that matters changed."""
    lines = [
        (
            "| rows a window | baseline | own day-to-day change | promise | **modelmon: alarm** "
            "| modelmon: finding | Evidently: any column | Evidently: half the columns "
            "| NannyML: any column |"
        ),
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for cell in cells:
        theirs = (cell.evidently, cell.evidently_dataset, cell.nannyml)
        noise = f"{cell.plan.noise:g} σ" if cell.plan.noise else "none"
        values = [str(rate) if rate else NOT_RUN for rate in theirs]
        lines.append(
            f"| {cell.plan.rows:,} | {baseline(cell.plan)} | {noise} | ≤ {100 * cell.promise:.0f} % "
            f"| **{cell.firing}** | {cell.beyond} | {' | '.join(values)} |"
        )
    return lines


def baseline(plan: Plan) -> str:
    """Return the size of a baseline in words."""
    if plan.day_rows is None:
        return f"{plan.days} × the window"
    return f"{plan.days} × {plan.day_rows:,} rows"


def boundary(size: Sequence[Boundary], power: Sequence[Boundary]) -> list[str]:
    """Return the table of tests at the tolerance and at twice that."""
    directions = " / ".join(DIRECTIONS)
    lines = [
        (
            f"| rows a window | baseline | rejected at the tolerance | of these: {directions} "
            f"| rejected at twice the tolerance | of these: {directions} | by the law | no test above |"
        ),
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for at, twice in zip(size, power, strict=True):
        samples = (at.plan.rows, at.plan.baseline_rows, TOLERANCE, twice.psi)
        lines.append(
            f"| {at.plan.rows:,} | {baseline(at.plan)} | {at.whole} | {_directions(at)} "
            f"| {twice.whole} | {_directions(twice)} "
            f"| {percent(lawful(*samples))} | {percent(best(*samples))} |"
        )
    return lines


def _directions(found: Boundary) -> str:
    return " / ".join(percent(found.by_direction[name].share) for name in DIRECTIONS)


def delays(found: Iterable[Delay]) -> list[str]:
    """Return the table of windows until an alarm."""
    lines = [
        (
            "| true PSI of one field | rows a window | own day-to-day change | modelmon | Evidently "
            "| NannyML |"
        ),
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for delay in found:
        noise = f"{delay.plan.noise:g} σ" if delay.plan.noise else "none"
        theirs = [str(other) if other else NOT_RUN for other in (delay.evidently, delay.nannyml)]
        lines.append(
            f"| {delay.psi:g} | {delay.plan.rows:,} | {noise} | {delay.ours} "
            f"| {' | '.join(theirs)} |"
        )
    return lines


def between(found: Iterable[Between]) -> list[str]:
    """Return the table of the time between alarms."""
    lines = [
        (
            "| stream | rule | promise: mean windows between alarms | windows | alarms "
            "| mean windows between |"
        ),
        "|---|---|---:|---:|---:|---:|",
    ]
    for line in found:
        mean = f"{line.windows / line.alarms:,.0f}" if line.alarms else f"> {line.windows:,}"
        promise = f"≥ {line.promise:,.0f}" if line.promise else "none"
        lines.append(
            f"| {line.stream} | {line.rule} | {promise} | {line.windows:,} | {line.alarms:,} "
            f"| {mean} |"
        )
    return lines


def rates(cell: Cell) -> dict[str, Rate]:
    """Return the rates of a line by tool, for the picture."""
    found = {"modelmon": cell.firing, "Evidently": cell.evidently, "NannyML": cell.nannyml}
    return {tool: rate for tool, rate in found.items() if rate is not None}
