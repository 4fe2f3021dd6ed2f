"""Where the versions of a report came from, as their model registry told it."""

from collections.abc import Collection

from msgspec import Struct

from monitor.engine.decided import Decided
from monitor.reports.bias.actions import instant_text


class Registered(Struct, frozen=True):
    """Where a version came from.

    Attributes:
        version: The version.
        source: Where its files were.
        run: Id of the run that made it; "" for none.
        commit: The commit of its code; "" where the run does not say.
        data: Name and digest of each data set that the run read.
        model_file: sha256 of the file that describes the model; "" where it could not be had.
        seen: When the registry was found to say so.
    """

    version: str
    source: str
    run: str
    commit: str
    data: tuple[tuple[str, str], ...]
    model_file: str
    seen: str


def registered_of(decided: Decided, versions: Collection[str]) -> tuple[Registered, ...]:
    """Return where versions came from; those that no registry told of are left out."""
    return tuple(
        Registered(
            item.version,
            item.source,
            item.lineage.run,
            item.lineage.commit,
            tuple((each.name, each.digest) for each in item.lineage.data),
            item.lineage.model_file,
            instant_text(item.seen_at),
        )
        for item in decided.origins
        if item.version in versions
    )
