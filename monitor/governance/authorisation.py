"""Who may do what: one table of actions and roles, asked before every write and restricted read.

A role comes from one of three places. A model's policy names its people: owners, operators,
validators, governance, the accountable person and their deputy. The daemon's access section gives
roles for every model to groups of people. A token has roles of its own that give no authority to a
model, and never has more than its holder for the others. Whoever administers access approves
nothing, whatever else they are.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from monitor.domain.approval import ApprovalKind
from monitor.domain.governance import Tier
from monitor.domain.policy import Policy
from monitor.domain.role import Role
from monitor.governance.approvals import NotAllowedError

FRESH = timedelta(minutes=15)
"""How old a login may be that approves something of a model of high risk."""

SKEW = timedelta(minutes=1)
"""How far the clock of who saw a login may be ahead of this one."""


class Action(StrEnum):
    """What somebody wants to do."""

    READ = "read"
    """Pages, metrics and results, without what strangers must not see."""
    READ_RESTRICTED = "read_restricted"
    """Names of files, people's reasons, requests, cases and waivers."""
    READ_AUDIT = "read_audit"
    """The audit log, its proofs and its export."""
    ASK_GATE = "ask_gate"
    """Whether a version may act."""

    MUTE = "mute"
    """Have nobody called for a finding for a while, or end that."""
    DECIDE_QUARANTINE = "decide_quarantine"
    """Have files that could not be used tried again, or drop them."""
    REGISTER_BASELINE = "register_baseline"
    """Make a profile what a version is held against."""

    HOLD = "hold"
    """Take a version's authority away until it is released."""
    STOP = "stop"
    """Take a version's authority away until it is approved anew."""
    RETIRE = "retire"
    """Take a version's authority away for good."""

    SUBMIT = "submit"
    """Ask that a version may act."""
    ASK_RELEASE = "ask_release"
    """Ask that a version that is held or restricted gets its authority back."""
    ASK_WAIVER = "ask_waiver"
    """Ask that a consequence be waived for a while."""
    PROPOSE_POLICY = "propose_policy"
    """Ask that a looser policy come into force."""
    WITHDRAW = "withdraw"
    """Take back what one has asked for."""

    APPROVE_VERSION = "approve_version"
    """Say yes or no to a version."""
    APPROVE_RELEASE = "approve_release"
    """Say yes or no to a release, or make one that was granted."""
    APPROVE_WAIVER = "approve_waiver"
    """Say yes or no to a waiver."""
    APPROVE_POLICY = "approve_policy"
    """Say yes or no to a looser policy."""
    REVOKE_WAIVER = "revoke_waiver"
    """End a waiver before its time."""

    CLOSE_CASE = "close_case"
    """Say what has become of what had a consequence."""
    REVIEW = "review"
    """Say that a model was looked at again, as its policy asks."""

    ERASE_WORDS = "erase_words"
    """Erase what somebody wrote about a model; that it was erased stays in the log."""

    LIST_TOKENS = "list_tokens"
    """See which tokens there are; nobody sees their secrets."""
    MANAGE_TOKENS = "manage_tokens"
    """Create tokens and revoke them."""
    CONFIGURE = "configure"
    """Have the configuration read again, sign the log with another key, recover it, prune what is stored."""


_LOOKING = frozenset(Role) - {Role.GATE, Role.SYSTEM}
_TAKING = frozenset({Role.OPERATOR, Role.ACCOUNTABLE, Role.GOVERNANCE})
_ASKING = frozenset({Role.OWNER, Role.OPERATOR, Role.ACCOUNTABLE})

ALLOWED: Mapping[Action, frozenset[Role]] = {
    Action.READ: _LOOKING,
    Action.READ_RESTRICTED: _LOOKING - {Role.VIEWER},
    Action.READ_AUDIT: frozenset({Role.AUDITOR, Role.GOVERNANCE, Role.ADMIN}),
    Action.ASK_GATE: frozenset({Role.GATE}) | _LOOKING,
    Action.MUTE: _ASKING,
    Action.DECIDE_QUARANTINE: _ASKING,
    Action.REGISTER_BASELINE: frozenset({Role.OWNER}),
    Action.HOLD: _TAKING,
    Action.STOP: _TAKING,
    Action.RETIRE: frozenset({Role.OWNER}),
    Action.SUBMIT: frozenset({Role.OWNER}),
    Action.ASK_RELEASE: _ASKING,
    Action.ASK_WAIVER: _ASKING,
    Action.PROPOSE_POLICY: frozenset({Role.OWNER}),
    Action.WITHDRAW: _ASKING,
    Action.APPROVE_VERSION: frozenset({Role.VALIDATOR, Role.ACCOUNTABLE}),
    Action.APPROVE_RELEASE: frozenset({Role.ACCOUNTABLE}),
    Action.APPROVE_WAIVER: frozenset({Role.GOVERNANCE}),
    Action.APPROVE_POLICY: frozenset({Role.GOVERNANCE, Role.ACCOUNTABLE}),
    Action.REVOKE_WAIVER: frozenset({Role.GOVERNANCE, Role.ACCOUNTABLE}),
    Action.CLOSE_CASE: frozenset({Role.ACCOUNTABLE}),
    Action.REVIEW: frozenset({Role.ACCOUNTABLE, Role.VALIDATOR, Role.GOVERNANCE}),
    Action.ERASE_WORDS: frozenset({Role.GOVERNANCE}),
    Action.LIST_TOKENS: frozenset({Role.ADMIN, Role.AUDITOR}),
    Action.MANAGE_TOKENS: frozenset({Role.ADMIN}),
    Action.CONFIGURE: frozenset({Role.ADMIN}),
}
"""Action to the roles that may do it. The system asks nobody: what it does follows from a policy."""

APPROVING: Mapping[Action, ApprovalKind | None] = {
    Action.APPROVE_VERSION: ApprovalKind.ACTIVATE_VERSION,
    Action.APPROVE_RELEASE: ApprovalKind.RELEASE_HOLD,
    Action.APPROVE_WAIVER: ApprovalKind.WAIVER,
    Action.APPROVE_POLICY: ApprovalKind.LOOSEN_POLICY,
    Action.CLOSE_CASE: None,
    Action.REVIEW: None,
}
"""What gives authority or leaves it, which takes a person; with its kind of approval, if it is one.

Where a policy says whose votes that kind takes, its seats are the roles that may.
"""

WITHOUT_MODEL = frozenset(
    {Action.READ_AUDIT, Action.LIST_TOKENS, Action.MANAGE_TOKENS, Action.CONFIGURE}
)
"""What is about the daemon and not about one model."""

OPERATING = frozenset(
    {Action.MUTE, Action.DECIDE_QUARANTINE, Action.REGISTER_BASELINE, Action.ERASE_WORDS}
)
"""What whoever is at the machine may do for a model whose policy names nobody who may."""

GIVEN = frozenset({Role.VIEWER, Role.OPERATOR, Role.AUDITOR, Role.GATE, Role.ADMIN})
"""Roles that a token has by itself. For any other its holder must have it where they log in."""

GLOBAL = frozenset({Role.VIEWER, Role.AUDITOR, Role.GOVERNANCE, Role.ADMIN})
"""Roles that the daemon's access section gives, for every model."""


class Method(StrEnum):
    """How it is known who somebody is."""

    OIDC = "oidc"
    """A token signed by the issuer that people log in to."""
    HEADER = "header"
    """A proxy that shares a secret with the daemon says so."""
    TOKEN = "token"  # noqa: S105  # the word, no secret
    """They have a secret that the daemon gave out."""
    CLI = "cli"
    """They run commands where the database's password is; `--by` is their word."""


class Who(Struct, frozen=True):
    """Somebody who wants to do something.

    Attributes:
        account: As whom they are logged in, as policies name people.
        method: How that is known.
        roles: What they are for every model, by the access section or their token.
        groups: Teams that they are of, as policies name them.
        authenticated_at: When they proved who they are; None where nobody knows.
        within: With a token: the roles it is for; None without one.
        models: With a token: the models it is for; None for all.
        id: What the audit log names: issuer and subject, or a token; "" for the account.
        ends: With a token: when it ends.
    """

    account: str
    method: Method
    roles: frozenset[Role] = frozenset()
    groups: frozenset[str] = frozenset()
    authenticated_at: datetime | None = None
    within: frozenset[Role] | None = None
    models: frozenset[str] | None = None
    id: str = ""
    ends: datetime | None = None

    @property
    def named(self) -> str:
        """Return what the audit log names."""
        return self.id or self.account


def allowed(action: Action, role: Role) -> bool:
    """Return whether a role may do something, by the table."""
    return role in ALLOWED[action]


def roles_of(who: Who, policy: Policy | None = None) -> frozenset[Role]:
    """Return what somebody is: for a model, or for the daemon where no policy is given."""
    if policy is not None and who.models is not None and policy.model not in who.models:
        return frozenset()
    held = who.roles if policy is None else who.roles | _by_policy(who, policy)
    return held if who.within is None else held & who.within


def authorise(who: Who, action: Action, policy: Policy | None, at: datetime) -> frozenset[Role]:
    """Return the roles as any of which somebody may do something.

    There is none where nobody is asked for one: at the machine, for what is left to whoever is.

    Args:
        who: Who wants to.
        action: What.
        policy: The policy of the model that it is done to, the one in force; None for what is about
            the daemon.
        at: When.

    Raises:
        NotAllowedError: They may not, with every reason.
        ValueError: It is about a model, and none is given.
    """
    if policy is None and action not in WITHOUT_MODEL:
        raise ValueError(f"{action} is done to a model: give its policy")
    held, able = roles_of(who, policy), _able(action, policy)
    if who.method is Method.CLI and _left_to_the_machine(action, policy):
        return held & able
    reasons = []
    if policy is not None and who.models is not None and policy.model not in who.models:
        reasons.append(f"this token is not for the model {policy.model}")
    elif not held & able:
        reasons.append(_no_role(who, action, held, able, policy))
    if action in APPROVING and policy is not None:
        reasons += _not_a_person(who, policy, at)
    if reasons:
        raise NotAllowedError(tuple(reasons))
    return held & able


def _able(action: Action, policy: Policy | None) -> frozenset[Role]:
    """Return who may, by the policy's own seats where it has some."""
    kind = APPROVING.get(action)
    if policy is not None and kind is not None and kind in policy.governance.approvals:
        return frozenset(seat.role for seat in policy.governance.approvals[kind].seats)
    return ALLOWED[action]


def _by_policy(who: Who, policy: Policy) -> frozenset[Role]:
    answers = policy.governance.accountability
    person = answers.person(who.account)
    me = {person, who.account} - {""}
    mine = me | who.groups
    teams = {
        Role.OWNER: answers.owners,
        Role.OPERATOR: answers.operators,
        Role.VALIDATOR: answers.validators,
        Role.GOVERNANCE: answers.governance,
    }
    roles = {
        role
        for role, named in teams.items()
        if not mine.isdisjoint(named) or person in answers.people(role)
    }
    named = {answers.accountable, answers.deputy} - {""}
    if not me.isdisjoint(named) or person in map(answers.person, named):  # never a team
        roles.add(Role.ACCOUNTABLE)
    return frozenset(roles)


def _left_to_the_machine(action: Action, policy: Policy | None) -> bool:
    """Return whether who is at the machine needs no role: they could write the database as well."""
    if action in WITHOUT_MODEL:
        return True
    if policy is None or action not in OPERATING:
        return False
    answers = policy.governance.accountability
    return not (answers.owners or answers.operators or answers.accountable)


def _no_role(
    who: Who, action: Action, held: frozenset[Role], able: frozenset[Role], policy: Policy | None
) -> str:
    what = action.replace("_", " ")
    where = "this daemon" if policy is None else f"the model {policy.model}"
    mine = " and ".join(sorted(held)) or "nothing"
    told = policy if held or who.method is Method.CLI else None  # who is nothing learns no names
    right = " or ".join(_with_people(role, told) for role in sorted(able)) or "nobody"
    by = "; --by says whom a command acts for" if who.method is Method.CLI else ""
    return f"{who.account} is {mine} for {where}; to {what} is up to {right}{by}"


def _with_people(role: Role, policy: Policy | None) -> str:
    people = policy.governance.accountability.people(role) if policy else frozenset()
    return f"{role} ({', '.join(sorted(people))})" if people else role


def _not_a_person(who: Who, policy: Policy, at: datetime) -> tuple[str, ...]:
    """Return why a word does not count as that of a person who is free to give it."""
    reasons = []
    if Role.ADMIN in who.roles:  # also of a token that is used for another role
        reasons.append("whoever administers access approves nothing")
    if policy.governance.risk.tier is Tier.HIGH:
        reasons += _no_login(who, at)
    return tuple(reasons)


def _no_login(who: Who, at: datetime) -> tuple[str, ...]:
    needed = f"{FRESH.seconds // 60} minutes"
    if who.method in {Method.TOKEN, Method.HEADER}:
        return (f"the model's risk is high: it takes a person's login, not a {who.method}",)
    if who.authenticated_at is None:
        return ("the model's risk is high: it takes a person's login, and nobody knows of one",)
    if not -SKEW <= at - who.authenticated_at <= FRESH:
        return (f"the model's risk is high: the login is not of the last {needed}; log in again",)
    return ()
