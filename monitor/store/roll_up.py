"""What is kept of pruned results, as a document."""

from datetime import datetime
from typing import Any

from monitor.domain.errors import PrunedError
from monitor.domain.finding import Verdict
from monitor.domain.roll_up import RollUp
from monitor.domain.window import Window


def roll_up_document(roll_up: RollUp) -> dict[str, Any]:
    """Return a roll-up as JSON."""
    return {
        "at": roll_up.at.isoformat(),
        "readings": roll_up.readings,
        "verdicts": {verdict.value: count for verdict, count in roll_up.verdicts.items()},
    }


def roll_up_of(document: dict[str, Any]) -> RollUp:
    """Return what `roll_up_document` was given."""
    verdicts = {Verdict(name): count for name, count in document["verdicts"].items()}
    return RollUp(datetime.fromisoformat(document["at"]), document["readings"], verdicts)


def pruned_at(document: dict[str, Any] | None) -> datetime | None:
    """Return when results were pruned; None while they are kept."""
    return None if document is None else roll_up_of(document).at


def require_kept(document: dict[str, Any] | None, model: str, window: Window) -> None:
    """Refuse to give back a result that has lost its readings and findings.

    Raises:
        PrunedError: It has.
    """
    if document is None:
        return
    kept = roll_up_of(document)
    raise PrunedError(
        f"the results of {model} for {window} were pruned on {kept.at:%Y-%m-%d}: {kept}. What is "
        "kept is this, the run's inputs, its alerts and the audit log; to see more, restore a backup"
        " from before that day elsewhere"
    )
