"""Whether the daemon is alive, and whether it has something to show."""

from datetime import timedelta

from monitor.exposition.page import ResultsPage
from monitor.exposition.vitals import Vitals


class Health:
    """What ``/-/healthy`` and ``/-/ready`` answer.

    An unreachable log or store makes neither fail: to start the process again would mend nothing,
    and what was last read is shown. That the store is away is said all the same.

    Args:
        vitals: Where the scheduler leaves its heartbeat.
        page: Where results are published.
        bound: The age at which a heartbeat means that the scheduler hangs.
    """

    def __init__(self, vitals: Vitals, page: ResultsPage, bound: timedelta) -> None:
        self._vitals = vitals
        self._page = page
        self._bound = bound

    def healthy(self) -> tuple[bool, str]:
        """Return whether the scheduler is alive, and a sentence."""
        age, bound = self._vitals.heartbeat_age, self._bound.total_seconds()
        if age < bound:
            return True, "healthy"
        return (
            False,
            f"unhealthy: the last scheduler heartbeat is {age:.1f} s old, bound {bound:g} s",
        )

    def ready(self) -> tuple[bool, str]:
        """Return whether the last results are on the page, and a sentence."""
        if self._page.published_at is not None:
            return True, f"ready; {self.lost}" if self.lost else "ready"
        return False, "not ready: the last results have not been exported yet"

    @property
    def lost(self) -> str:
        """Return what is to be said while the store cannot be reached; "" while it can."""
        leading, at = self._vitals.leading, self._page.published_at
        if leading is None or leading.reachable or at is None:
            return ""
        return (
            "the store cannot be reached: nothing is checked here, and results are shown as they "
            f"were read at {at:%Y-%m-%d %H:%M:%S} UTC"
        )
