"""Waivers: a broken limit has no consequence for a while, and is measured all the same.

Somebody asks, somebody else approves, something else guards meanwhile, and it ends by itself. When
it does the consequence is back with nobody having done anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from monitor.domain.governance import Governance, RiskLimit


class Waiver(Struct, frozen=True):
    """That a limit has no consequence for a while.

    Attributes:
        model: Name of the model.
        number: The number of the request that it was granted by.
        limit: Id of the limit.
        version: The version that it is for; "" for all.
        reason: Why, in words.
        control: What guards meanwhile.
        requested_by: The person who asked.
        approved_by: Who agreed.
        starts: From when on.
        ends: Until when, at the latest.
        ended_at: When it was written down that it is over; None until then.
        ended_by: The person who ended it before its time, or ``daemon``; "" until then.
        ending: Why it was ended before its time.
    """

    model: str
    number: int
    limit: str
    version: str
    reason: str
    control: str
    requested_by: str
    approved_by: tuple[str, ...]
    starts: datetime
    ends: datetime
    ended_at: datetime | None = None
    ended_by: str = ""
    ending: str = ""

    def holds(self, now: datetime) -> bool:
        """Return whether the limit has no consequence at an instant."""
        over = self.ends if self.ended_at is None else min(self.ends, self.ended_at)
        return self.starts <= now < over

    def about(self, limit: str, version: str) -> bool:
        """Return whether it is for a limit of a version."""
        return self.limit == limit and self.version in {"", version}

    @property
    def over_at(self) -> datetime:
        """Return when its limit has its consequence again."""
        return self.ends if self.ended_at is None else min(self.ends, self.ended_at)


def refusals(  # noqa: PLR0917  # six nouns, each of another type
    limit: str,
    version: str,
    ends: datetime,
    governance: Governance,
    earlier: Sequence[Waiver],
    now: datetime,
) -> tuple[str, ...]:
    """Return every reason why a limit may not be waived from now until an instant."""
    rule, known = governance.waivers, sorted(item.id for item in governance.limits)
    reasons = []
    if limit not in known:
        named = ", ".join(known) or "none"
        reasons.append(f"the policy has no limit {limit!r}; its limits are: {named}")
    if limit in rule.never_for:
        reasons.append(f"the policy never lets the limit {limit} be waived")
    if ends <= now:
        reasons.append(f"the waiver would end at {ends.isoformat()}, which is over")
    if ends > now + rule.longest:
        last = (now + rule.longest).isoformat(timespec="seconds")
        reasons.append(f"the policy lets a waiver hold until {last} at the latest")
    renewed = _on_end([item for item in earlier if _meets(item, limit, version)], governance, now)
    if renewed > rule.renewals:
        times = "once" if rule.renewals == 1 else f"{rule.renewals} times"
        again = "no waiver be renewed" if not rule.renewals else f"a waiver be renewed {times}"
        reasons.append(f"the limit was waived {renewed} times on end, and the policy lets {again}")
    return tuple(reasons)


COVERS = "covers"
"""What a request for a waiver says of its limit, as it is when it is asked for."""


def covers(limit: RiskLimit) -> str:
    """Return what a limit is about and what follows from it. Kept with each waiver: never reworded."""
    about = ", ".join(sorted(limit.measures)) or "any measure"
    within = ", ".join(sorted(limit.fields | limit.populations))
    return f"{about}{' of ' if within else ''}{within}, from {limit.at} on: {limit.consequence}"


def no_longer(
    waiver: Waiver, governance: Governance, now: datetime, terms: Mapping[str, str]
) -> str:
    """Return why a policy that is another now ends a waiver; "" if it does not.

    Args:
        waiver: The waiver.
        governance: What the policy answers.
        now: When.
        terms: What was asked for, and agreed to.
    """
    rule = governance.waivers
    named = (covers(limit) for limit in governance.limits if limit.id == waiver.limit)
    if COVERS in terms and terms[COVERS] not in (is_now := [*named]):
        other = is_now[0] if is_now else "gone"
        return (
            f"the limit {waiver.limit} is another than was waived, {terms[COVERS]}: it is {other}"
        )
    if waiver.limit in rule.never_for:
        return f"the policy never lets the limit {waiver.limit} be waived"
    if now >= waiver.starts + rule.longest:
        last = (waiver.starts + rule.longest).isoformat(timespec="seconds")
        return f"the policy let it hold until {last} at the latest"
    return ""


def _meets(waiver: Waiver, limit: str, version: str) -> bool:
    """Return whether a waiver was for some version that another one is to be for."""
    return waiver.limit == limit and ("" in {version, waiver.version} or waiver.version == version)


def _on_end(waivers: Iterable[Waiver], governance: Governance, now: datetime) -> int:
    """Return how many waivers follow each other up to now, with no longer pause than one may hold."""
    count, since = 0, now
    for waiver in sorted(waivers, key=lambda item: item.starts, reverse=True):
        if since - waiver.over_at > governance.waivers.longest:
            break
        count, since = count + 1, waiver.starts
    return count
