"""A gate over a real web server, whose versions stand where a test puts them."""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import Event

from msgspec.structs import replace

from monitor.app import SystemClock
from monitor.domain.governance import (
    Accountability,
    Autonomy,
    Consequence,
    Delegation,
    Fallback,
    GateAction,
    GateRule,
    Governance,
    Risk,
    RiskLimit,
    Rung,
    Tier,
)
from monitor.domain.limit import Band
from monitor.domain.policy import Policy, SourceSpec
from monitor.domain.schedule import CalendarUnit, Schedule
from monitor.gatekeeper import Gatekeeper
from monitor.governance.ledger import Ledger
from monitor.governance.note import SigningKey
from monitor.governance.reckoning import Doubts
from monitor.governance.standing import Standing
from monitor.web.access.asking import Doorkeeper
from monitor.web.gate.board import Board
from monitor.web.gate.door import GateDoor
from monitor.web.gate.endpoints import GateEndpoints
from monitor.web.gate.issue import Issuer
from monitor.web.gate.usage import UsageCount
from monitor.web.server import WebServer

AT = datetime(2026, 9, 1, tzinfo=UTC)
KEY = SigningKey("gate", bytes(range(32)))
LADDER = {
    Rung.WATCH: Consequence(Rung.WATCH, GateAction.ALLOW),
    Rung.RESTRICT: Consequence(Rung.RESTRICT, GateAction.ALLOW_WITH_CONDITIONS, {"amount": 5000.0}),
    Rung.HOLD: Consequence(Rung.HOLD, GateAction.ROUTE_TO_HUMAN),
    Rung.STOP: Consequence(Rung.STOP, GateAction.DENY),
}
GOVERNED = Governance(
    delegation=Delegation(
        "Approve loans up to 20 000 EUR",
        "cro@bank.example",
        date(2026, 9, 1),
        autonomy=Autonomy.ACT_WITH_LIMITS,
        fallback=Fallback("underwriting-desk"),
    ),
    accountability=Accountability("head@bank.example"),
    risk=Risk(Tier.HIGH, "Access to credit"),
    limits=(RiskLimit("drift", Rung.HOLD),),
    consequences=LADDER,
)


POLICY = Policy(
    model="credit",
    source=SourceSpec(".", "at"),
    fields=(),
    decision=None,
    label=None,
    attributes={},
    populations=(),
    schedule=Schedule(CalendarUnit.DAY),
    limits={},
    band=Band(),
    digest="p" * 64,
)


@dataclass
class Versions:
    """Where versions stand, in memory, and what the gate has recorded."""

    found: dict = field(default_factory=dict)
    number: int = 0
    recorded: list = field(default_factory=list)
    used: list = field(default_factory=list)
    asked: dict = field(default_factory=dict)
    opened: dict = field(default_factory=dict)
    waived: dict = field(default_factory=dict)
    failing: Exception | None = None
    doubts: Doubts = field(default_factory=Doubts)

    def put(self, model, version, state):
        known = self.found.setdefault(model, {}).get(version)
        moved = 0 if known is None else known.sequence + 1
        self.found[model][version] = Standing(model, version, state, moved, AT, "daemon")
        self.number += 1

    def under(self, _):
        return self

    def ledger(self, model):
        things = [each.get(model, ()) for each in (self.asked, self.opened, self.waived)]
        numbered = [{each.number: each for each in every} for every in things]
        return Ledger(model, dict(self.found.get(model, {})), *numbered)

    def standings(self, model):
        return dict(self.found.get(model, {}))

    def known_models(self):
        return frozenset(self.found)

    def standing_changes(self):
        if self.failing is not None:
            raise self.failing
        return self.number

    def requests(self, model):
        return self.asked.get(model, ())

    def checkpoint(self):
        return 7, "ab" * 32

    def gate_answers(self, model):
        return [each for each in self.recorded if each.answer.model == model]

    def newest_answers(self, model):
        return {each.answer.version: each for each in self.gate_answers(model)}

    def record_answers(self, answers):
        self.recorded += answers

    def record_usage(self, usage):
        self.used.append(usage)


@dataclass
class House:
    """A running gate.

    `alive` is what the daemon says of itself; `models` are the models and how they are governed.
    """

    versions: Versions
    board: Board
    keeper: Gatekeeper
    usage: UsageCount
    port: int
    models: dict
    alive: list

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


async def nothing_else(_, __, send):
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def open_gate(
    *, governance=GOVERNED, ttl=60, grace=300, key=KEY, term=lambda: None, port=0, door=None
):
    """Yield a gate before the model credit, governed so; nothing is followed until `start`."""
    rule = GateRule(
        timedelta(seconds=ttl), timedelta(seconds=grace), governance.gate.on_unreachable
    )
    models = {"credit": replace(POLICY, governance=replace(governance, gate=rule))}
    versions, alive, clock = Versions(), [(True, "healthy")], SystemClock()
    board, usage = Board(lambda: alive[-1]), UsageCount("here")
    policies = lambda: tuple(models.values())  # noqa: E731
    keeper = Gatekeeper(board, usage, versions, policies, lambda: versions.doubts, term, clock)
    issuer = None if key is None else Issuer(key)
    asked = GateDoor(door or Doorkeeper(clock.now))
    app = GateEndpoints(nothing_else, board, issuer, usage, clock.now, asked)
    server = WebServer(app, port=port, ended=Event().set)
    _, bound = server.start()
    try:
        yield House(versions, board, keeper, usage, bound, models, alive)
    finally:
        keeper.stop()
        assert server.stop()


def totals(used):
    """Return what was asked, to how often, over all hours."""
    found = Counter()
    for usage in used:
        found.update(usage.asked)
    return found
