"""Which policies runs of a model were made under."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct


class UsedPolicy(Struct, frozen=True):
    """A policy that runs were made under.

    Attributes:
        digest: Of what it says.
        first: When the first run under it began.
        last: When the last one ended.
        runs: How many there are.
    """

    digest: str
    first: datetime
    last: datetime
    runs: int


class PolicyHistory(Protocol):
    """Where it is remembered which policies were in force."""

    def last_policy(self, model: str) -> str:
        """Return the digest of the policy of the run that was stored last; "" before the first."""
        ...

    def policies(self, model: str) -> Sequence[UsedPolicy]:
        """Return every policy that runs of a model were made under, in the order of their first."""
        ...
