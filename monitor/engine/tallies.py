"""Decisions by what was allowed when, as JSON has them: in the store and for programs."""

from datetime import datetime
from typing import Any

from monitor.domain.timetable import Regime, Spell, Tally


def tally_document(tally: Tally) -> dict[str, Any]:
    """Return a tally as JSON has it; what was not counted is left out."""
    spell = tally.spell
    document: dict[str, Any] = {
        "version": tally.version,
        "start": spell.start.isoformat(),
        "end": spell.end.isoformat(),
        "regime": spell.regime.value,
        "rows": tally.rows,
        "last": tally.last.isoformat(),
    }
    more: dict[str, Any] = {
        "conditions": dict(spell.conditions),
        "over": dict(tally.over),
        "unknown": dict(tally.unknown),
        "last_over": tally.last_over and tally.last_over.isoformat(),
    }
    document |= {key: value for key, value in more.items() if value}
    if tally.reviewed is not None:
        document |= {"reviewed": tally.reviewed, "unmarked": tally.unmarked}
    return document


def tally_of(document: dict[str, Any]) -> Tally:
    """Return the tally of a document."""
    spell = Spell(
        start=datetime.fromisoformat(document["start"]),
        end=datetime.fromisoformat(document["end"]),
        regime=Regime(document["regime"]),
        conditions=document.get("conditions", {}),
    )
    last_over = document.get("last_over")
    return Tally(
        version=document["version"],
        spell=spell,
        rows=document["rows"],
        last=datetime.fromisoformat(document["last"]),
        reviewed=document.get("reviewed"),
        unmarked=document.get("unmarked"),
        over=document.get("over", {}),
        unknown=document.get("unknown", {}),
        last_over=None if last_over is None else datetime.fromisoformat(last_over),
    )
