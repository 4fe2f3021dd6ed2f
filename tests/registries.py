"""A registry in memory, the authority over versions, and a clock: for tests of what hangs on them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from monitor.domain.errors import RegistryError
from monitor.domain.governance import (
    Accountability,
    Delegation,
    Governance,
    OnOutsideMove,
    RegistryEntry,
    Risk,
    RiskLimit,
    Rung,
    Tier,
)
from monitor.domain.registry import (
    Lineage,
    MirroredState,
    RegisteredModel,
    RegisteredVersion,
    RunStage,
    UsedData,
)
from monitor.engine.errands import Delivery
from monitor.engine.registry_poll import Link
from tests.stored import a_policy

AT = datetime(2026, 9, 1, tzinfo=UTC)
LINEAGE = Lineage(
    run="r3",
    stage=RunStage.ACTIVE,
    commit="4f2a9c1",
    logged_by="dana",
    data=(UsedData("applications", "d1f0", '{"uri": "s3://lake/applications"}', "training"),),
    params={"depth": "3"},
    model_file="ab" * 32,
    signature='{"inputs": []}',
)


def a_version(number, run="", tags=None, stage=None, source=None):
    return RegisteredVersion(
        number, source or f"s3://models/{number}", run or f"r{number}", AT, tags or {}, stage
    )


def a_state(version="2", state="approved", sequence=1, since=AT, **more):
    acts = state in {"approved", "watch", "restricted"}
    return MirroredState(
        version, state, acts, sequence, since, "policy-1", demote="champion", **more
    )


def governed(policy=None, on_move=OnOutsideMove.HOLD):
    """Return a policy that leaves no answer out, of a model with the alias ``champion``."""
    governance = Governance(
        delegation=Delegation("Approve or refer loans", "cro"),
        accountability=Accountability("head"),
        risk=Risk(Tier.MEDIUM),
        limits=(RiskLimit("drift", Rung.HOLD),),
        registry=RegistryEntry("credit-approval", "champion", on_move),
    )
    return replace(policy or a_policy(), governance=governance)


class MemoryRegistry:
    """A registry that can be down, can be slow to obey, and remembers what it was told."""

    shown = "https://mlflow.example"

    def __init__(self, model=None):
        self.model = model
        self.down = False
        self.stubborn = False
        self.refuses = ""
        self.told = []
        self.runs = {}
        self.described = LINEAGE.model_file

    def snapshot(self, _name, _looked_at):
        self._up()
        return self.model

    def lineage(self, _name, _version):
        self._up()
        return LINEAGE

    def model_file(self, _name, _version):
        self._up()
        return self.described

    def set_state(self, _name, version, tags):
        self._up()
        if self.refuses == version:
            raise RegistryError("no")
        self.told.append((version, dict(tags)))
        found = self.model.version(version)
        merged = {key: value for key, value in {**found.tags, **tags}.items() if value}
        self.put(replace(found, tags=merged))

    def demote(self, _name, alias, version, to):
        self._up()
        if self.model.aliases.get(alias, "") == version and not self.stubborn:
            self.point(alias, to)
        return self.model.aliases.get(alias, "")

    def record(self, run):
        self._up()
        self.runs[run.version, run.month, run.at] = run
        return "run"

    def put(self, version):
        versions = {each.version: each for each in self.model.versions} | {version.version: version}
        self.model = replace(self.model, versions=tuple(versions.values()))

    def point(self, alias, to):
        aliases = {**self.model.aliases, alias: to}
        self.model = replace(
            self.model, aliases={name: number for name, number in aliases.items() if number}
        )

    def _up(self):
        if self.down:
            raise RegistryError("the registry cannot be asked", retryable=True)


@dataclass
class Standings:
    """Who may act, changed by hand and by holds."""

    known: dict = field(default_factory=dict)
    held: list = field(default_factory=list)
    looked_at: list = field(default_factory=list)

    def states(self, _policy):
        return list(self.known.values())

    def hold(self, _policy, version, why):
        self.held.append((version, why))
        now = self.known[version]
        if now.acts:
            self.known[version] = replace(now, state="held", acts=False, sequence=now.sequence + 1)

    def look(self, _policy, found, _registry):
        self.looked_at.append(found)

    def set(self, *states):
        self.known |= {state.version: state for state in states}


class Hands:
    """A clock that is moved by hand."""

    def __init__(self, at=AT):
        self.at = at

    def now(self):
        return self.at

    def pass_by(self, **time):
        self.at += timedelta(**time)


@dataclass
class Connected:
    """A registry, a store and what connects them."""

    registry: MemoryRegistry
    store: object
    authority: Standings = field(default_factory=Standings)
    clock: Hands = field(default_factory=Hands)

    @property
    def link(self):
        return Link(self.registry, self.store, self.authority, self.clock)

    def delivery(self, results=lambda _: ()):
        names = {"credit": "credit-approval"}
        return Delivery(self.registry, self.store, self.clock, names, results)


def a_model(*versions, **aliases):
    return RegisteredModel("credit-approval", versions, aliases)
