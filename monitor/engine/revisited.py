"""What a source of rows tells of windows that have a result, without counting their rows again."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from monitor.domain.manifest import LogFile, Manifest
from monitor.domain.quarantine import Quarantine
from monitor.domain.window import Window


class Revisited(Protocol):
    """The part of a source that spares windows from being run again for nothing."""

    def moved(
        self, manifests: Mapping[Window, Manifest], quarantine: Quarantine | None = None
    ) -> Collection[Window]:
        """Return the windows whose rows are the same as they were, in other files now.

        Only the log of a table with snapshots tells: that its files were compacted, for instance.

        Args:
            manifests: What the newest result of each window was made from.
            quarantine: The files that are not tried now.

        Raises:
            SourceError: The log cannot be reached.
        """
        ...

    def unlabelled(
        self, labels: Mapping[Window, Sequence[LogFile]], quarantine: Quarantine | None = None
    ) -> Mapping[Window, Sequence[LogFile]]:
        """Return the windows whose labels are as they were, though label files have come.

        None of the files that came holds an id of their rows. The price is the ids of what came,
        once, and those of the windows. Where very many came it is not asked whether that is so.

        Args:
            labels: Label files that the labels of each window are known from.
            quarantine: The files that are not tried now.

        Returns:
            These windows, with all label files that their labels are known from now.

        Raises:
            SourceError: The log cannot be reached.
        """
        ...
