"""What is remembered of the authority of versions, and how it changes."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, Self

from monitor.domain.policy import Policy
from monitor.engine.evidence import EvidenceMemory
from monitor.governance.approvals import Request
from monitor.governance.cases import Case
from monitor.governance.consequences import Present
from monitor.governance.ledger import Change, Ledger
from monitor.governance.receipt import Receipt
from monitor.governance.standing import Standing
from monitor.governance.waivers import Waiver

Decide = Callable[[Ledger, Present], Sequence[Change]]
"""What changes, given what is known and what is there; pure, for it may be asked again."""


class Authorities(EvidenceMemory, Protocol):
    """Where it is remembered which version may act, and who said so.

    What changes is written with its audit record in one transaction, and only on top of what it
    was decided on: of two who decide at once the second one decides anew.
    """

    def receipting(self, told: Callable[[Receipt], None]) -> Self:
        """Return the same, whose writes tell what proves them once they are committed."""
        ...

    def standings(self, model: str) -> Mapping[str, Standing]:
        """Return where each known version of a model stands."""
        ...

    def known_models(self) -> frozenset[str]:
        """Return every model that a version is known of, whether or not a file names it still."""
        ...

    def standing_changes(self) -> int:
        """Return a number that grows whenever a version of any model is registered or moved."""
        ...

    def requests(self, model: str) -> Sequence[Request]:
        """Return every request about a model, oldest first."""
        ...

    def cases(self, model: str) -> Sequence[Case]:
        """Return every case of a model, oldest first."""
        ...

    def waivers(self, model: str) -> Sequence[Waiver]:
        """Return every waiver of a model, oldest first."""
        ...

    def ledger(self, model: str) -> Ledger:
        """Return all of these of a model, as they are at one instant."""
        ...

    def authority(self, policy: Policy, now: datetime) -> tuple[Ledger, Present]:
        """Return what is known of a model's authority, and what is there, at one instant.

        Args:
            policy: The policy in force.
            now: When.
        """
        ...

    def govern(self, policy: Policy, now: datetime, decide: Decide) -> Sequence[Change]:
        """Write what a decision makes of a model's authority; return it.

        Args:
            policy: The policy in force.
            now: When.
            decide: Asked in the transaction, with what is known then.

        Raises:
            StoreError: It could not be written; nothing was.
        """
        ...
