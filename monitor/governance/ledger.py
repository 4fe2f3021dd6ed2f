"""What is known of a model's authority, and what changes of it.

A ledger is the sum of its changes: each is an event of the audit log that holds the whole of what it
has made of one thing. So the stored state can be made again from the log alone, and held against it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct, field

from monitor.governance.approvals import Request
from monitor.governance.cases import Case
from monitor.governance.events import EventType
from monitor.governance.record import DAEMON, Actor, Json
from monitor.governance.standing import Standing
from monitor.governance.waivers import Waiver

Entry = Standing | Request | Case | Waiver
"""One thing of a ledger, as it is after a change."""


class Change(Struct, frozen=True):
    """Something that happened to a model's authority.

    Attributes:
        type: What.
        at: When.
        version: The version that it is about; "" for the model as a whole.
        after: What it has made of one thing; None where it has changed nothing, as a refusal.
        actor: Who.
        data: What else the audit log is to say of it.
    """

    type: EventType
    at: datetime
    version: str
    after: Entry | None
    actor: Actor = DAEMON
    data: Mapping[str, Json] = field(default_factory=dict)


class Ledger(Struct, frozen=True):
    """What is known of a model's authority at one instant.

    Attributes:
        model: Name of the model.
        standings: Version to where it stands.
        requests: Number to the request.
        cases: Number to the case.
        waivers: Number to the waiver.
    """

    model: str
    standings: Mapping[str, Standing] = field(default_factory=dict)
    requests: Mapping[int, Request] = field(default_factory=dict)
    cases: Mapping[int, Case] = field(default_factory=dict)
    waivers: Mapping[int, Waiver] = field(default_factory=dict)

    def after(self, changes: Iterable[Change]) -> "Ledger":
        """Return the ledger after some changes."""
        standings, requests = dict(self.standings), dict(self.requests)
        cases, waivers = dict(self.cases), dict(self.waivers)
        for change in changes:
            match change.after:
                case Standing() as standing:
                    standings[standing.version] = standing
                case Request() as request:
                    requests[request.number] = request
                case Case() as case:
                    cases[case.number] = case
                case Waiver() as waiver:
                    waivers[waiver.number] = waiver
                case None:
                    pass
        return Ledger(self.model, standings, requests, cases, waivers)

    def open_cases(self, version: str) -> list[Case]:
        """Return the open cases of a version, oldest first."""
        return [item for item in self.cases.values() if item.open and item.version == version]

    def waived(self, limit: str, version: str, now: datetime) -> bool:
        """Return whether a limit has no consequence for a version at an instant."""
        return any(
            waiver.about(limit, version) and waiver.holds(now) for waiver in self.waivers.values()
        )


class Book(Struct):
    """A ledger that is being written in: each change is seen by what comes after it.

    Attributes:
        ledger: What is known by now.
        now: When it is written.
        actor: Who writes.
        changes: What was written, in order.
    """

    ledger: Ledger
    now: datetime
    actor: Actor = DAEMON
    changes: list[Change] = field(default_factory=list)

    def write(self, kind: EventType, version: str, after: Entry | None, **data: Json) -> None:
        """Write one change."""
        change = Change(kind, self.now, version, after, self.actor, data)
        self.ledger = self.ledger.after([change])
        self.changes.append(change)
