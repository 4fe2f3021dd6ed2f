"""Which of several replicas leads: one at a time, by the database's clock."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace


class Replica(Struct, frozen=True):
    """A process that serves results and may lead.

    Attributes:
        name: Host, process and a random part: no other process ever has the same.
        machine: What runs it, the same for all processes that share a kernel.
    """

    name: str
    machine: str


class Term(Struct, frozen=True):
    """A time in which one replica leads without a break.

    Attributes:
        holder: Name of the replica.
        token: Number of the term: each one's is higher than those before.
    """

    holder: str
    token: int


class Lease(Struct, frozen=True):
    """Who may write results, and until when. All instants are the database's.

    Attributes:
        holder: Name of the replica that leads; "" for nobody.
        machine: What runs it.
        token: Number of the term, which rises with every change of the holder.
        acquired: When the term began.
        renewed: When the holder last asked.
        expires: From when on another replica may take over.
    """

    holder: str
    machine: str
    token: int
    acquired: datetime
    renewed: datetime
    expires: datetime

    @property
    def term(self) -> Term:
        """Return the term."""
        return Term(self.holder, self.token)

    def is_free(self, now: datetime) -> bool:
        """Return whether any replica may take it."""
        return not self.holder or self.expires <= now

    def asked_for(self, replica: Replica, now: datetime, ttl: timedelta) -> "Lease":
        """Return what the lease is after a replica has asked for it.

        Its own is renewed, also one that has expired and that nobody took; a free one is taken,
        with the next token; another's stays as it is.

        Args:
            replica: Who asks.
            now: The present, by the database's clock.
            ttl: How long the lease is good for without being renewed.
        """
        if self.holder == replica.name:
            return replace(self, renewed=now, expires=now + ttl)
        if self.is_free(now):
            return Lease(replica.name, replica.machine, self.token + 1, now, now, now + ttl)
        return self

    def released(self, now: datetime) -> "Lease":
        """Return the lease without a holder."""
        return replace(self, holder="", machine="", renewed=now, expires=now)


NEVER_HELD = Lease("", "", 0, *[datetime.fromtimestamp(0, UTC)] * 3)
"""The lease of a store that no replica has served yet."""
