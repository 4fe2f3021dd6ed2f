"""The client of the gate, before a real server: fresh, stale, over; and who never had a permit."""

import json
import subprocess
import sys
import threading
import time

import pytest
from msgspec.structs import replace

from monitor.app import SystemClock
from monitor.domain.governance import GateRule, Risk, Tier, Unreachable
from monitor.gate import Freshness, Gate, GateError, RefusedError
from monitor.governance.jws import key_set, signed
from monitor.governance.note import SigningKey
from monitor.governance.standing import State
from tests.gatehouse import GOVERNED, KEY, open_gate

OPENING = replace(GOVERNED, risk=Risk(Tier.LOW), gate=GateRule(on_unreachable=Unreachable.OPEN))


class Clocks:
    """A machine's two clocks, which a test moves."""

    def __init__(self):
        self.passed = 0.0
        self.jumped = 0.0

    def monotonic(self):
        return 1000 + self.passed

    def wall(self):
        return SystemClock().now().timestamp() + self.passed + self.jumped


@pytest.fixture
def clocks():
    return Clocks()


@pytest.fixture
def house():
    with open_gate(ttl=60, grace=300) as made:
        made.versions.put("credit", "3", State.APPROVED)
        made.keeper.look()
        yield made


def gate_of(house, clocks, version="3", **more):
    return Gate(house.url, "credit", version, monotonic=clocks.monotonic, wall=clocks.wall, **more)


def away(house):
    """Let the monitor say nothing any more, as if it were gone."""
    house.alive.append((False, "unhealthy"))


def test_an_approved_version_may_act(house, clocks):
    found = gate_of(house, clocks).decide()
    assert (found.allowed, found.action, found.freshness) == (True, "allow", Freshness.FRESH)
    assert found.permit["version"] == "3"


@pytest.mark.slow
@pytest.mark.parametrize("version", ["9", "4"])
def test_a_version_that_is_held_or_unknown_may_not(house, clocks, version):
    house.versions.put("credit", "4", State.HELD)
    house.keeper.look()
    found = gate_of(house, clocks, version).decide()
    assert not found.allowed
    assert found.freshness is Freshness.FRESH
    assert found.reasons


def test_a_fresh_permit_is_used_without_asking_again(house, clocks):
    gate = gate_of(house, clocks)
    assert gate.decide().allowed
    asked = sum(house.usage.totals.values())
    for _ in range(100):
        assert gate.decide().allowed
    assert sum(house.usage.totals.values()) == asked == 1


def test_a_permit_is_renewed_from_its_half_on_in_the_background(house, clocks):
    gate = gate_of(house, clocks)
    first = gate.decide().permit["jti"]
    house.versions.put("credit", "3", State.HELD)
    house.keeper.look()
    clocks.passed = 31
    gate.decide()
    _until(lambda: gate.decide().permit["jti"] != first)
    assert not gate.decide().allowed


def test_a_permit_is_fresh_then_stale_then_over(house, clocks):
    gate = gate_of(house, clocks)
    assert gate.decide().allowed
    away(house)
    ages = []
    for passed in (59, 61, 359, 361):
        clocks.passed = passed
        found = gate.decide()
        ages.append((passed, found.freshness.value, found.allowed))
    assert ages == [
        (59, "fresh", True),
        (61, "stale", True),
        (359, "stale", True),
        (361, "expired", False),
    ]
    assert "503" in found.reasons[0]
    house.alive.append((True, "healthy"))
    clocks.passed, clocks.jumped = 363, -363  # for the monitor no time has passed
    assert gate.decide().freshness is Freshness.FRESH


def test_what_opens_by_itself_is_what_the_policy_let(clocks):
    with open_gate(governance=OPENING) as house:
        house.versions.put("credit", "3", State.APPROVED)
        house.versions.put("credit", "4", State.HELD)
        house.keeper.look()
        acting, held = gate_of(house, clocks), gate_of(house, clocks, "4")
        assert (acting.decide().allowed, held.decide().allowed) == (True, False)
        away(house)
        clocks.passed = 1000
        assert (acting.decide().allowed, held.decide().allowed) == (True, False)
        assert acting.decide().freshness is Freshness.EXPIRED


def test_who_never_had_a_permit_does_not_act(clocks):
    with open_gate(governance=OPENING) as house:
        found = gate_of(house, clocks).decide()
        assert (found.allowed, found.freshness) == (False, Freshness.NONE)
    found = gate_of(house, clocks).decide()
    assert (found.allowed, found.freshness) == (False, Freshness.NONE)
    assert "cannot be asked" in found.reasons[0]


@pytest.mark.slow
def test_a_model_that_nobody_watches_is_refused(house, clocks):
    gate = Gate(house.url, "debit", "3", monotonic=clocks.monotonic, wall=clocks.wall)
    assert "404" in gate.decide().reasons[0]


@pytest.mark.slow
@pytest.mark.parametrize("jumped", [-86_400, 50])
def test_a_clock_that_is_set_otherwise_makes_no_permit_longer(house, clocks, jumped):
    gate = gate_of(house, clocks)
    assert gate.decide().allowed
    away(house)
    clocks.jumped = jumped
    clocks.passed = 59
    assert gate.decide().freshness is Freshness.FRESH
    clocks.passed = 61
    assert gate.decide().freshness is Freshness.STALE


def test_a_machine_that_slept_wakes_with_no_permit(house, clocks):
    gate = gate_of(house, clocks)
    assert gate.decide().allowed
    away(house)
    clocks.jumped = 7200  # its other clock stood
    assert gate.decide().freshness is Freshness.EXPIRED


def test_while_the_monitor_is_away_not_every_request_pays_for_asking(house, clocks):
    gate = gate_of(house, clocks)
    assert gate.decide().allowed
    away(house)
    clocks.passed = 70
    tried = []
    gate.ask = lambda: tried.append(clocks.passed) or _fail()
    for _ in range(50):
        assert gate.decide().freshness is Freshness.STALE
    clocks.passed = 72
    gate.decide()
    assert tried == [70, 72]


def test_one_thread_asks_for_all(house, clocks):
    gate = gate_of(house, clocks)
    threads = [threading.Thread(target=gate.decide) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(house.usage.totals.values()) == 1
    assert gate.decide().allowed


def test_a_function_is_called_only_while_the_version_may_act(house, clocks):
    gate = gate_of(house, clocks)

    @gate.guard
    def predict(amount):
        return amount * 2

    assert predict(4) == 8
    assert predict.__name__ == "predict"
    house.versions.put("credit", "3", State.STOPPED)
    house.keeper.look()
    gate.ask()
    with pytest.raises(RefusedError, match=r"deny \(fresh\); stopped: since") as refused:
        predict(4)
    assert refused.value.decision.action == "deny"


def test_conditions_are_for_who_keeps_them(house, clocks):
    house.versions.put("credit", "3", State.RESTRICTED)
    house.keeper.look()
    gate = gate_of(house, clocks)

    @gate.guard(keeps_conditions=True)
    def within(amount, *, decision):
        return amount <= decision.conditions["amount"]

    assert within(5000)
    assert not within(5001)
    with pytest.raises(RefusedError):
        gate.guard(lambda: None)()


@pytest.mark.slow
def test_a_hold_is_known_within_a_second_by_who_follows(house):
    house.keeper.start()
    gate = Gate(house.url, "credit", "3")
    told = []
    gate.follow(lambda decision: told.append((time.monotonic(), decision.allowed)))
    _until(lambda: told)
    took, state = [], State.APPROVED
    # A machine that is busy delays some of them, and a fault all.
    while len(took) < 5 or (min(took) >= 1 and len(took) < 41):
        state = State.APPROVED if state is State.HELD else State.HELD
        put, before = time.monotonic(), len(told)
        house.versions.put("credit", "3", state)
        _until(lambda before=before: len(told) > before)
        took.append(told[-1][0] - put)
    gate.close()
    assert [allowed for _, allowed in told] == [place % 2 == 0 for place in range(len(told))]
    assert len(told) == len(took) + 1
    assert min(took) < 1
    assert gate.decide().allowed == (state is State.APPROVED)


def test_a_replica_that_lags_behind_does_not_undo_what_is_known(house, clocks):
    gate = gate_of(house, clocks)
    gate.ask()
    house.versions.put("credit", "3", State.HELD)
    house.keeper.look()
    gate.ask()
    house.versions.found["credit"]["3"] = replace(
        house.versions.found["credit"]["3"], sequence=0, state=State.APPROVED
    )
    house.versions.number += 1
    house.keeper.look()
    gate.ask()
    assert not gate.decide().allowed


def test_only_the_key_that_was_given_is_believed(house, clocks):
    assert gate_of(house, clocks, keys=key_set([KEY.verifying])).decide().allowed
    other = key_set([SigningKey("gate", bytes(32)).verifying])
    found = gate_of(house, clocks, keys=other).decide()
    assert not found.allowed
    assert "a key that is not the monitor's" in found.reasons[0]


def test_another_key_of_the_monitor_is_asked_for(house, clocks):
    gate = gate_of(house, clocks)
    gate.ask()
    gate._keys = {"old": b""}
    clocks.passed = 20
    gate.ask()
    assert gate.decide().allowed


SAYS = {
    "v": 1,
    "model": "credit",
    "version": "3",
    "action": "allow",
    "conditions": {},
    "reasons": [],
    "seq": 1,
    "on_expiry": "closed",
}


def sent(clocks, key=KEY, **other):
    now = int(clocks.wall())
    said = {**SAYS, "iat": now, "exp": now + 60, "stale_until": now + 360, **other}
    return json.dumps({"permit": signed(said, key), "says": said}).encode()


def believe(clocks, body):
    keys = key_set([KEY.verifying])
    gate = Gate("http://x", "credit", "3", keys=keys, monotonic=clocks.monotonic, wall=clocks.wall)
    gate._get = lambda *_: (200, "", body)
    gate.ask()
    return gate.decide()


def test_what_the_monitor_signed_is_believed(clocks):
    assert believe(clocks, sent(clocks)).allowed


@pytest.mark.parametrize(
    "other", [{"model": "debit"}, {"version": "4"}, {"v": 2}, {"exp": 1, "iat": 0}]
)
def test_what_is_about_something_else_or_long_over_is_not_believed(clocks, other):
    with pytest.raises(GateError):
        believe(clocks, sent(clocks, **other))


def test_nothing_that_was_changed_is_believed(clocks):
    held = sent(clocks, action="deny")
    token = json.loads(held)["permit"]
    head, _, signature = token.split(".")
    claims = json.loads(sent(clocks))["permit"].split(".")[1]
    header = json.loads(json.dumps({"alg": "none", "kid": "", "typ": "modelmon-permit+jwt"}))
    bodies = [
        {"permit": f"{head}.{claims}.{signature}"},
        {"permit": f"{head}.{claims}."},
        {"permit": f"{head}.{claims}"},
        {"permit": f"{head}.{claims}.!!!!"},
        {"permit": 7},
        {"permit": signed(header, SigningKey("gate", bytes(32)))},
        {},
        [],
    ]
    for body in bodies:
        with pytest.raises(GateError):
            believe(clocks, json.dumps(body).encode())
    with pytest.raises(GateError):
        believe(clocks, b"\xff")


def test_what_it_says_beside_the_permit_is_not_believed(clocks):
    document = json.loads(sent(clocks, action="deny"))
    document["says"]["action"] = "allow"
    assert not believe(clocks, json.dumps(document).encode()).allowed


def test_an_address_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="http://"):
        Gate("file:///etc/passwd", "credit", "3")


def test_importing_it_takes_the_standard_library_alone():
    code = (
        "import sys; before = set(sys.modules); import monitor.gate;"
        " new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        " print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["monitor"]


def _fail():
    raise GateError("gone")


def _until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
