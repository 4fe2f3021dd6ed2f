"""Which models and which period a command is about."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from monitor.domain.policy import Policy
from monitor.domain.window import Window

INSTANT_HELP = "a date or an ISO 8601 time; without an offset it is in the schedule's zone"


FIRST_YEAR, LAST_YEAR = 1700, 2200
"""Years that a period may lie in, as in configuration files."""


def chosen(policies: Sequence[Policy], names: Sequence[str]) -> tuple[Policy, ...]:
    """Return the policies of the named models, or all when none is named.

    Raises:
        click.UsageError: A name is not configured.
    """
    known = {policy.model: policy for policy in policies}
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(known) or "none"
        raise click.UsageError(f"no such model: {', '.join(unknown)}; configured: {listed}")
    return tuple(known[name] for name in names) if names else tuple(policies)


def period(policy: Policy, begin: str | None, end: str | None) -> Window | None:
    """Return the period of ``--from`` and ``--to``, or None when neither is given.

    Raises:
        click.UsageError: Only one is given, one is no instant, or they are not in order.
    """
    if begin is None and end is None:
        return None
    if begin is None or end is None:
        raise click.UsageError("--from and --to go together")
    start, stop = instant(policy, "--from", begin), instant(policy, "--to", end)
    if start >= stop:
        raise click.UsageError(f"--from {begin} is not before --to {end}")
    return Window(start, stop)


def instant(policy: Policy, option: str, text: str) -> datetime:
    """Return the instant that a text means; without an offset it is in the schedule's zone.

    Raises:
        click.UsageError: It is no instant.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{option} {text!r} is no date; write 2005-06-01 or 2005-06-01T12:00+02:00"
        raise click.UsageError(message) from error
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(policy.schedule.zone))
        _require_one(found, option, text)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise click.UsageError(
            f"{option} {text!r} does not lie between {FIRST_YEAR} and {LAST_YEAR}"
        )
    return found.astimezone(UTC)


def _require_one(local: datetime, option: str, text: str) -> None:
    """Refuse a local time that was twice, or never, when the clocks were changed; a day is one.

    Raises:
        click.UsageError: It is not one instant.
    """
    offsets = [local.replace(fold=fold).isoformat()[-len("+00:00") :] for fold in (0, 1)]
    if offsets[0] == offsets[1] or len(text) <= len("2005-06-01"):
        return
    there = local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None)
    times = "twice" if there == local.replace(tzinfo=None) else "never"
    raise click.UsageError(
        f"{option} {text!r} was {times} in {local.tzinfo}, where the clocks were changed; write it "
        f"with its offset: {text}{offsets[0]} or {text}{offsets[1]}"
    )
