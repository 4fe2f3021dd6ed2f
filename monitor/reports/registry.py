"""What a registry has of a model, as tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import to_builtins

from monitor.domain.registry import Errand, Origin, RegisteredModel
from monitor.engine.registry import Look
from monitor.reports.table import Table

_SHORT = 12
_LONGEST = 100
"""Characters of what others wrote that a cell shows."""


def registry_tables(
    model: str,
    look: Look | None,
    origins: Mapping[str, Origin],
    states: Mapping[str, str],
    waiting: Sequence[Errand],
) -> tuple[Table, ...]:
    """Return what a registry had of a model, where each version came from, and what waits.

    Args:
        model: The watched model.
        look: The last look; None before the first.
        origins: Where versions came from, by version.
        states: Version to its state, as its standing has it.
        waiting: What the registry has not taken yet.
    """
    return (
        _versions(model, look, states),
        origin_table([origin for _, origin in sorted(origins.items(), reverse=True)]),
        Table(
            "What it is to be told",
            ("about", "version", "since", "tries", "last error"),
            tuple(
                (
                    each.kind.value,
                    each.version,
                    _at(each.made_at),
                    str(each.attempts),
                    each.error[:_LONGEST],
                )
                for each in waiting
            ),
        ),
    )


def origin_facts(origin: Origin) -> tuple[tuple[str, str], ...]:
    """Return where a version came from, as names and values; what is not known is left out."""
    lineage = origin.lineage
    data = "; ".join(
        f"{each.name} ({each.context or 'data'}, {each.digest})" for each in lineage.data
    )
    stage = f" ({lineage.stage.value} when it was first seen)" if lineage.stage else ""
    facts = {
        "files": origin.source,
        "run": f"{lineage.run}{stage}" if lineage.run else "",
        "data sets": data,
        "commit": lineage.commit,
        "logged by (as they said)": lineage.logged_by,
        "parameters": ", ".join(f"{key}={value}" for key, value in sorted(lineage.params.items())),
        "model file": lineage.model_file,
        "signature": lineage.signature,
        "first seen": _at(origin.seen_at),
    }
    return tuple((name, value[: _LONGEST * 5]) for name, value in facts.items() if value)


def origin_table(origins: Sequence[Origin]) -> Table:
    """Return where versions came from, as their registry told it when each was first seen."""
    rows = tuple(
        (origin.version, name, value) for origin in origins for name, value in origin_facts(origin)
    )
    return Table("Where the version came from", ("version", "what", "is"), rows)


def origin_document(origin: Origin) -> dict[str, Any]:
    """Return where a version came from, for machines."""
    lineage = to_builtins(origin.lineage)
    return {
        "version": origin.version,
        "source": origin.source,
        "seen_at": origin.seen_at.isoformat(),
        **lineage,
    }


def _versions(model: str, look: Look | None, states: Mapping[str, str]) -> Table:
    columns = ("version", "standing", "alias", "tag of ours", "run", "registered")
    if look is None:
        return Table(f"{model} in its registry: never looked at", columns, ())
    if look.found is None:
        return Table(f"{model} in its registry: not there on {_at(look.at)}", columns, ())
    title = f"{look.found.name} in its registry, as it is since {_at(look.at)}"
    rows = tuple(
        (
            each.version,
            states.get(each.version, "not known"),
            ", ".join(sorted(_aliases(look.found, each.version))),
            each.tags.get("monitor.state", "")[:_LONGEST],
            f"{each.run[:_SHORT]} {each.stage.value if each.stage else ''}".strip(),
            _at(each.created_at),
        )
        for each in reversed(look.found.versions)
    )
    return Table(title, columns, rows)


def _aliases(model: RegisteredModel, version: str) -> list[str]:
    return [alias for alias, number in model.aliases.items() if number == version]


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
