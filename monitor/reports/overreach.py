"""Decisions by what was allowed when they were made, as people and programs read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.domain.governance import HUMAN_REVIEW_SHARE
from monitor.domain.run import Run
from monitor.domain.timetable import Regime, Spell, Tally
from monitor.engine.overreach import Excess, Overreach
from monitor.engine.tallies import tally_document
from monitor.reports.table import Table
from monitor.reports.wording import window_name

_WORDS: Mapping[Regime, str] = {
    Regime.ALLOWED: "allowed",
    Regime.CONDITIONED: "allowed within",
    Regime.ROUTED: "people were to decide",
    Regime.REFUSED: "not to act",
    Regime.UNKNOWN: "known to nobody",
    Regime.UNRECORDED: "not recorded",
}

_WHY: Mapping[Excess, str] = {
    Excess.NOT_ACTING: "the version was not to act",
    Excess.UNKNOWN_VERSION: "nobody knew the version",
    Excess.UNDECIDED: "not known whether they were allowed",
    Excess.UNRECORDED: "nothing was recorded yet",
    Excess.CONDITION_BROKEN: "beyond",
    Excess.CONDITION_UNKNOWN: "not known whether within",
}


def decision_table(run: Run) -> Table:
    """Return the decisions of a window by version and by what was allowed at the time."""
    columns = ("version", "from", "until", "it was", "decisions", "a person looked", "beyond")
    tallies = run.accounting.authority
    note = "" if tallies is not None else "not counted: the whole window was held against the gate"
    rows = tuple(_row(tally) for tally in tallies or ())
    return Table(f"Decisions of {run.model} in {window_name(run.window)}", columns, rows, note)


def overreach_table(found: Sequence[Overreach], title: str) -> Table:
    """Return decisions outside what was allowed: whose, how many and why; of kept conditions none."""
    rows = tuple(
        (each.version, f"{each.rows:,}", why_text(each), f"{each.last:%Y-%m-%d %H:%M:%S}Z")
        for each in found
        if each.rows
    )
    return Table(title, ("version", "decisions", "why", "the last at"), rows)


def decision_document(run: Run, found: Sequence[Overreach]) -> dict[str, Any]:
    """Return the same for programs; null where it was not counted."""
    tallies = run.accounting.authority
    return {
        "model": run.model,
        "window": {"start": run.window.start.isoformat(), "end": run.window.end.isoformat()},
        "run": run.identity,
        "decisions": None if tallies is None else [tally_document(item) for item in tallies],
        "outside": [
            {
                "version": each.version,
                "reason": each.excess.value,
                "decisions": each.rows,
                "last": each.last.isoformat(),
                "condition": each.condition or None,
                "bound": each.bound,
            }
            for each in found
        ],
    }


def _row(tally: Tally) -> tuple[str, ...]:
    spell = tally.spell
    unknown = {name: rows for name, rows in tally.unknown.items() if rows}
    beyond = [f"{name}: {rows:,}" for name, rows in tally.over.items()]
    beyond += [f"{name}: {rows:,} not known" for name, rows in unknown.items()]
    looked = "" if tally.reviewed is None else f"{tally.reviewed:,}"
    if tally.unmarked:
        looked += f", {tally.unmarked:,} not known"
    return (
        tally.version,
        f"{spell.start:%Y-%m-%d %H:%M:%S}Z",
        f"{spell.end:%Y-%m-%d %H:%M:%S}Z",
        _allowed(spell),
        f"{tally.rows:,}",
        looked,
        ", ".join(beyond),
    )


def _allowed(spell: Spell) -> str:
    bounds = [
        f"{name} {'≥' if name == HUMAN_REVIEW_SHARE else '≤'} {bound:g}"
        for name, bound in sorted(spell.conditions.items())
    ]
    return f"{_WORDS[spell.regime]} {', '.join(bounds)}".strip()


def why_text(each: Overreach) -> str:
    """Return how decisions were outside of what was allowed."""
    if not each.condition:
        return _WHY[each.excess]
    if each.condition == HUMAN_REVIEW_SHARE and each.excess is Excess.CONDITION_BROKEN:
        return f"short of {each.condition} {each.bound:g}"
    return f"{_WHY[each.excess]} {each.condition} {each.bound:g}"
