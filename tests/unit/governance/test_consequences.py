"""What follows by itself for the authority of a version."""

import pytest
from msgspec.structs import replace

from monitor.domain.alert import AlertState
from monitor.domain.finding import Verdict
from monitor.domain.governance import Review, Rung, WaiverRule
from monitor.governance.acts import (
    ask_release,
    ask_waiver,
    close_case,
    revoke,
    submit,
    take_away,
    vote,
)
from monitor.governance.approvals import NotAllowedError, RequestState
from monitor.governance.cases import Disposition
from monitor.governance.consequences import settled
from monitor.governance.events import EventType
from monitor.governance.ledger import Book, Ledger
from monitor.governance.standing import Event, State
from tests.ledgers import (
    AT,
    DAY,
    DEPUTY,
    GINA,
    GOVERNANCE,
    HEAD,
    HOUR,
    OLGA,
    POLICY,
    SRE,
    VERA,
    an_alert,
    over,
    present,
)


def after(ledger, there):
    """Return the ledger after what follows from what is there; a second look changes nothing."""
    found = ledger.after(settled(ledger, there))
    assert not settled(found, there)
    return found


def done(ledger, there, act, *arguments, **named):
    """Return the ledger after somebody did something."""
    book = Book(ledger, there.now)
    takes_what_is_there = act is not revoke
    act(book, *([there] if takes_what_is_there else []), *arguments, **named)
    return after(book.ledger, there)


def approved(there=None):
    there = there or present()
    ledger = after(Ledger("credit"), there)
    ledger = done(ledger, there, submit, OLGA, "3", {"model": "sha-model"}, "ready")
    ledger = done(ledger, there, vote, VERA, 1, "", granted=True)
    ledger = done(ledger, there, vote, HEAD, 1, "", granted=True)
    assert ledger.standings["3"].state is State.APPROVED
    return ledger


def state(ledger):
    return ledger.standings["3"].state


def kinds(ledger, there):
    return [change.type for change in settled(ledger, there)]


def test_a_version_with_a_baseline_is_registered_and_may_do_nothing():
    ledger = after(Ledger("credit"), present())
    assert state(ledger) is State.REGISTERED
    assert not ledger.standings["3"].acts
    assert after(ledger, present(an_alert("ks"))) == ledger


@pytest.mark.parametrize(
    ("alert", "ends", "cause"),
    [
        (an_alert("psi", severity=Verdict.WARNING), State.WATCH, "drift"),
        (an_alert("ks"), State.RESTRICTED, "scores"),
        (an_alert("rate", "sex"), State.HELD, "sex-parity"),
        (an_alert("freshness", version=""), State.STOPPED, "silence"),
    ],
)
def test_a_broken_limit_has_its_consequence_and_a_case_of_the_accountable(alert, ends, cause):
    ledger = after(approved(), present(alert))
    assert state(ledger) is ends
    (case,) = ledger.cases.values()
    assert (case.cause, case.accountable, case.findings) == (cause, "head", (alert.fingerprint,))
    assert cause in ledger.standings["3"].reason


@pytest.mark.parametrize(
    "alert",
    [
        an_alert("ks", severity=Verdict.WARNING),
        an_alert("ks", version="4"),
        over(an_alert("ks")),
        over(an_alert("ks"), AlertState.PENDING),
        an_alert("wasserstein"),
    ],
)
def test_what_no_limit_is_about_has_no_consequence(alert):
    ledger = approved()
    assert after(ledger, present(alert)) == ledger


def test_the_furthest_of_several_consequences_holds_and_each_has_its_case():
    ledger = after(approved(), present(an_alert("psi"), an_alert("rate", "sex"), an_alert("ks")))
    assert state(ledger) is State.HELD
    assert ledger.standings["3"].sequence == 3
    assert {case.cause for case in ledger.cases.values()} == {"drift", "scores", "sex-parity"}


def test_what_was_only_watched_is_approved_again_when_the_limit_holds_again():
    alert = an_alert("psi")
    ledger = after(approved(), present(alert))
    assert state(ledger) is State.WATCH
    silent = replace(alert, state=AlertState.ENDED)  # nobody judges it: nothing shows it to hold
    assert after(ledger, present(silent)) == ledger
    ledger = after(ledger, present(over(alert)))
    assert state(ledger) is State.APPROVED
    assert ledger.cases[1].disposition is Disposition.CLEARED


@pytest.mark.parametrize(
    ("measure", "least"), [("ks", State.RESTRICTED), ("freshness", State.STOPPED)]
)
def test_a_limit_that_holds_again_gives_no_authority_back(measure, least):
    alert = an_alert(measure)
    ledger = after(approved(), present(alert))
    assert state(after(ledger, present(over(alert), now=AT + HOUR))) is least


def test_a_case_that_is_not_closed_climbs_the_ladder_by_itself():
    alert = an_alert("psi")
    ledger = after(approved(), present(alert))
    ledger = after(ledger, present(over(alert, AlertState.ENDED), now=AT + 5 * DAY - HOUR))
    assert state(ledger) is State.WATCH
    ledger = after(ledger, present(alert, now=AT + 5 * DAY))
    assert (state(ledger), ledger.cases[1].rung) == (State.RESTRICTED, Rung.RESTRICT)
    assert ledger.cases[1].deadline == AT + 7 * DAY
    ledger = after(ledger, present(alert, now=AT + 7 * DAY))
    assert (state(ledger), ledger.standings["3"].event) == (State.HELD, Event.DEADLINE_MISSED)
    ledger = after(ledger, present(alert, now=AT + 8 * DAY))
    assert (ledger.cases[1].escalated, ledger.cases[1].deadline) == (3, None)
    assert state(ledger) is State.HELD


def test_a_daemon_that_was_down_makes_no_case_longer():
    alert = an_alert("psi")
    ledger = after(approved(), present(alert))
    late = after(ledger, present(alert, now=AT + 30 * DAY))
    assert state(late) is State.HELD
    assert (late.cases[1].escalated, late.cases[1].deadline) == (3, None)


def test_an_alert_that_goes_away_does_not_answer_the_case():
    alert = an_alert("ks")
    ledger = after(approved(), present(alert))
    ledger = after(ledger, present(over(alert), now=AT + 2 * DAY))
    assert state(ledger) is State.HELD


@pytest.mark.parametrize(
    ("there", "name"),
    [
        (present(policy=replace(POLICY, digest="sha-other")), "policy"),
        (present(baseline="sha-other"), "baseline"),
        (present(observed={"3": {"model": "sha-other"}}), "model"),
    ],
)
def test_an_approval_is_void_when_what_was_approved_is_another(there, name):
    ledger = approved()
    changes = settled(ledger, there)
    assert [change.type for change in changes] == [
        EventType.APPROVAL_VOIDED,
        EventType.STATE_CHANGED,
        EventType.CASE_OPENED,
    ]
    assert changes[0].data == {"found": {name: "sha-other"}}
    ledger = after(ledger, there)
    assert (state(ledger), ledger.cases[1].cause) == (State.HELD, "identity")
    assert f"{name} is sha-other" in ledger.standings["3"].reason
    # What was void stays void, also when it is again as it was.
    assert state(after(ledger, present())) is State.HELD
    assert ledger.requests[1].recorded is RequestState.VOIDED


def test_a_request_is_void_before_it_is_granted_as_well():
    there = present()
    ledger = after(Ledger("credit"), there)
    ledger = done(ledger, there, submit, OLGA, "3", {}, "ready")
    assert state(ledger) is State.PENDING
    ledger = after(ledger, present(baseline="sha-other"))
    assert (state(ledger), ledger.requests[1].recorded) == (State.REGISTERED, RequestState.VOIDED)


def test_a_request_that_waits_too_long_is_over():
    there = present()
    ledger = done(after(Ledger("credit"), there), there, submit, OLGA, "3", {}, "ready")
    ledger = after(ledger, present(now=AT + 30 * DAY))
    assert (state(ledger), ledger.requests[1].recorded) == (State.REGISTERED, RequestState.EXPIRED)


def test_an_approval_that_is_over_holds_the_version():
    without_review = replace(POLICY, governance=replace(GOVERNANCE, review=None))
    ledger = approved()
    assert state(after(ledger, present(now=AT + 90 * DAY - HOUR, policy=without_review))) is (
        State.APPROVED
    )
    ledger = after(ledger, present(now=AT + 90 * DAY, policy=without_review))
    assert (state(ledger), ledger.cases[1].cause) == (State.HELD, "approval")


def test_a_review_that_is_not_made_has_a_consequence():
    ledger = approved()
    assert state(after(ledger, present(now=AT + 70 * DAY - HOUR))) is State.APPROVED
    ledger = after(ledger, present(now=AT + 70 * DAY))
    assert (state(ledger), ledger.standings["3"].event) == (State.RESTRICTED, Event.REVIEW_LAPSED)
    assert ledger.cases[1].cause == "review"


@pytest.mark.parametrize("rung", Rung)
def test_a_review_that_is_not_made_leads_to_the_rung_that_the_policy_names(rung):
    lapses = replace(GOVERNANCE, review=Review(60 * DAY, on_lapse=rung))
    there = present(now=AT + 60 * DAY, policy=replace(POLICY, governance=lapses))
    ends = {
        Rung.WATCH: State.WATCH,
        Rung.RESTRICT: State.RESTRICTED,
        Rung.HOLD: State.HELD,
        Rung.STOP: State.STOPPED,
    }
    assert state(after(approved(), there)) is ends[rung]


def test_a_version_that_is_approved_anew_in_time_needs_no_other_step():
    ledger, there = approved(), present(now=AT + 50 * DAY)
    ledger = done(ledger, there, submit, OLGA, "3", {"model": "sha-model"}, "looked at again")
    assert state(ledger) is State.APPROVED
    ledger = done(ledger, there, vote, VERA, 2, "", granted=True)
    ledger = done(ledger, there, vote, HEAD, 2, "", granted=True)
    assert (state(ledger), ledger.standings["3"].sequence) == (State.APPROVED, 2)
    assert ledger.requests[1].recorded is RequestState.EXPIRED
    assert state(after(ledger, present(now=AT + 100 * DAY))) is State.APPROVED


def waived(ledger, there, ends, limit="sex-parity"):
    number = max(ledger.requests) + 1
    ledger = done(
        ledger, there, ask_waiver, OLGA, limit, "", ends, "known cause", "every case is looked at"
    )
    return done(ledger, there, vote, GINA, number, "", granted=True)


def test_a_waiver_takes_the_consequence_and_gives_it_back_by_itself():
    alert = an_alert("rate", "sex")
    ledger = waived(approved(), present(), AT + 10 * DAY)
    ledger = after(ledger, present(alert, now=AT + DAY))
    assert (state(ledger), ledger.cases) == (State.APPROVED, {})
    night = present(alert, now=AT + 10 * DAY)
    assert kinds(ledger, night) == [
        EventType.WAIVER_EXPIRED,
        EventType.STATE_CHANGED,
        EventType.CASE_OPENED,
    ]
    ledger = after(ledger, night)
    assert state(ledger) is State.HELD


def test_a_waiver_that_is_revoked_gives_the_consequence_back_at_once():
    alert = an_alert("rate", "sex")
    ledger = waived(approved(), present(), AT + 10 * DAY)
    there = present(alert, now=AT + DAY)
    ledger = done(after(ledger, there), there, revoke, GINA, 2, "the control failed")
    assert state(ledger) is State.HELD


def test_the_time_for_which_a_limit_is_waived_is_none_of_its_cases():
    alert = an_alert("ks")
    ledger = after(approved(), present(alert))
    there = present(alert, now=AT + HOUR)
    ledger = waived(ledger, there, there.now + 10 * DAY, "scores")
    assert ledger.cases[1].deadline == AT + 12 * DAY
    for days in (9, 10.5, 11.9):
        assert state(after(ledger, present(alert, now=AT + days * DAY))) is State.RESTRICTED
    late = after(ledger, present(alert, now=AT + 12 * DAY))
    assert (state(late), late.cases[1].escalated) == (State.HELD, 1)


def test_a_waiver_that_ends_before_its_day_puts_off_no_longer():
    alert = an_alert("ks")
    ledger = waived(after(approved(), present(alert)), present(alert), AT + 10 * DAY, "scores")
    there = present(alert, now=AT + 3 * DAY)
    ledger = done(after(ledger, there), there, revoke, GINA, 2, "the control failed")
    assert ledger.cases[1].deadline == AT + 5 * DAY
    assert EventType.CASE_DEFERRED not in kinds(ledger, there)


def test_a_waiver_on_top_of_another_puts_off_by_what_it_adds():
    alert = an_alert("ks")
    ledger = waived(after(approved(), present(alert)), present(alert), AT + 10 * DAY, "scores")
    there = present(alert, now=AT + 8 * DAY)
    ledger = waived(after(ledger, there), there, AT + 14 * DAY, "scores")
    assert ledger.cases[1].deadline == AT + 16 * DAY


def test_a_hold_is_released_by_a_second_person_in_two_steps_after_its_case_is_closed():
    alert = an_alert("rate", "sex")
    ledger, there = after(approved(), present(alert)), present(over(alert), now=AT + HOUR)
    ledger = done(ledger, there, close_case, HEAD, 1, Disposition.FIX, "mended", "sha-evidence")
    ledger = done(ledger, there, ask_release, SRE, "3", "mended upstream")
    ledger = done(ledger, there, vote, HEAD, 2, "", granted=True)
    assert state(ledger) is State.RESTRICTED
    ledger = done(ledger, there, ask_release, HEAD, "3", "a week without trouble")
    ledger = done(ledger, there, vote, DEPUTY, 3, "", granted=True)
    assert state(ledger) is State.APPROVED


def test_what_was_asked_for_before_another_hold_releases_nothing():
    alert = an_alert("rate", "sex")
    there = present(over(alert), now=AT + HOUR)
    ledger = done(
        after(approved(), present(alert)), there, close_case, HEAD, 1, Disposition.FIX, "x", "y"
    )
    ledger = done(ledger, there, ask_release, SRE, "3", "mended")
    ledger = done(ledger, there, take_away, SRE, "3", Event.STOPPED, "no: look at these scores")
    assert ledger.requests[2].recorded is RequestState.VOIDED


def test_a_case_that_was_answered_is_not_opened_again_for_the_same_alert():
    alert = an_alert("rate", "sex")
    ledger, there = after(approved(), present(alert)), present(alert, now=AT + HOUR)
    ledger = done(ledger, there, close_case, HEAD, 1, Disposition.ROLL_BACK, "2 again", "sha")
    assert len(ledger.cases) == 1
    again = replace(alert, started_at=AT + DAY)
    assert len(after(ledger, present(again, now=AT + DAY)).cases) == 2


def test_a_person_s_hold_has_a_case_and_a_retired_version_s_cases_are_closed():
    there = present()
    ledger = done(approved(), there, take_away, SRE, "3", Event.HELD, "odd scores")
    assert (state(ledger), ledger.cases[1].cause) == (State.HELD, "person")
    ledger = done(ledger, there, take_away, OLGA, "3", Event.RETIRED, "replaced by 4")
    assert state(ledger) is State.RETIRED
    assert ledger.cases[1].disposition is Disposition.RETIRE


@pytest.mark.parametrize("rung", [Rung.RESTRICT, Rung.HOLD, Rung.STOP])
def test_a_new_approval_is_the_review_that_was_not_made(rung):
    lapses = replace(GOVERNANCE, review=Review(60 * DAY, on_lapse=rung))
    policy = replace(POLICY, governance=lapses)
    late = present(now=AT + 60 * DAY, policy=policy)
    ledger = after(approved(present(policy=policy)), late)
    assert [(case.cause, case.open) for case in ledger.cases.values()] == [("review", True)]
    ledger = done(ledger, late, submit, OLGA, "3", {}, "looked at again")
    ledger = done(ledger, late, vote, VERA, 2, "", granted=True)
    ledger = done(ledger, late, vote, HEAD, 2, "", granted=True)
    (case,) = ledger.cases.values()
    assert (case.disposition, case.closing) == (Disposition.FIX, "request 2 was granted")
    if rung is Rung.RESTRICT:  # it acted all the time: the rest is given back by a release
        ledger = done(ledger, late, ask_release, OLGA, "3", "reviewed")
        ledger = done(ledger, late, vote, HEAD, 3, "", granted=True)
    assert state(ledger) is State.APPROVED


def test_nothing_is_released_instead_of_a_review():
    policy = replace(POLICY, governance=replace(GOVERNANCE, review=Review(60 * DAY)))
    late = present(now=AT + 60 * DAY, policy=policy)
    ledger = after(approved(present(policy=policy)), late)
    with pytest.raises(NotAllowedError) as refused:
        done(ledger, late, ask_release, OLGA, "3", "reviewed")
    assert "submit it anew: a new approval is the review" in str(refused.value)


@pytest.mark.parametrize(
    "another",
    [
        {"consequence": Rung.STOP},
        {"measures": frozenset({"rate"})},
        {"populations": frozenset({"age"})},
        {"at": Verdict.WARNING},
    ],
)
def test_a_waiver_is_of_the_limit_that_was_waived_and_of_no_other(another):
    alert = an_alert("rate", "sex")
    ledger = waived(approved(), present(), AT + 10 * DAY)
    said = ledger.requests[2].terms["covers"]
    assert said == "any measure of sex, from critical on: hold"
    limits = [
        replace(limit, **another) if limit.id == "sex-parity" else limit
        for limit in GOVERNANCE.limits
    ]
    policy = replace(POLICY, governance=replace(GOVERNANCE, limits=tuple(limits)))
    ledger = after(ledger, present(now=AT + DAY, policy=policy))
    (waiver,) = ledger.waivers.values()
    assert (waiver.over_at, waiver.ended_by) == (AT + DAY, "daemon")
    assert f"sex-parity is another than was waived, {said}: it is " in waiver.ending
    assert not ledger.waived("sex-parity", "3", AT + DAY)
    assert after(ledger, present(alert, now=AT + DAY, policy=policy)).waivers == ledger.waivers


def test_a_waiver_of_a_limit_that_is_as_it_was_outlasts_another_policy():
    ledger = waived(approved(), present(), AT + 10 * DAY)
    policy = replace(POLICY, governance=replace(GOVERNANCE, review=Review(60 * DAY)))
    ledger = after(ledger, present(now=AT + DAY, policy=policy))
    assert ledger.waived("sex-parity", "3", AT + DAY)


@pytest.mark.parametrize(
    ("rule", "at", "why"),
    [
        (WaiverRule(14 * DAY, 1, frozenset({"drift"})), HOUR, "never lets the limit drift"),
        (WaiverRule(2 * DAY), 2 * DAY, "the policy let it hold until 2026-09-03"),
    ],
)
def test_a_policy_that_becomes_tighter_ends_a_waiver_that_it_would_not_allow(rule, at, why):
    ledger = done(
        approved(), present(), ask_waiver, OLGA, "drift", "", AT + 9 * DAY, "a campaign", "daily"
    )
    ledger = done(ledger, present(), vote, GINA, 2, "", granted=True)
    governance = replace(GOVERNANCE, waivers=rule)
    there = present(now=AT + at, policy=replace(POLICY, governance=governance))
    assert ledger.waived("drift", "3", AT + at)
    ledger = after(ledger, there)
    assert not ledger.waived("drift", "3", AT + at)
    (waiver,) = ledger.waivers.values()
    assert (waiver.ended_by, why in waiver.ending) == ("daemon", True)
