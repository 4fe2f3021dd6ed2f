"""Looking whether a model can be watched: its baselines, its log, its windows. Nothing is run."""

import zlib
from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from monitor.domain.baseline import Baseline
from monitor.domain.errors import BaselineError, ModelmonError, SourceError
from monitor.domain.governance import QUESTIONS
from monitor.domain.manifest import UnreadableFile
from monitor.domain.policy import Policy
from monitor.domain.quarantine import Quarantine
from monitor.domain.schedule import Watermark
from monitor.engine.due import due_windows
from monitor.engine.frozen import check_frozen
from monitor.engine.ports import Source, Store
from monitor.engine.register import baseline_digest
from monitor.engine.unwatched import unwatched
from monitor.profile.codec import grid_from_bytes, profile_from_bytes

_SHOWN = 12
"""Characters of a digest that name it."""

_BEHIND = 2
"""Windows that may be due at a time when all is well: one, and one that ends just now."""


class Condition(StrEnum):
    """What an examination found, by what it asks of people."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Examined(Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        what: Which thing.
        of: The model; "" for the daemon as a whole.
        condition: How it is.
        found: What was seen.
        advice: What to do about it; "" where there is nothing to do.
    """

    what: str
    of: str
    condition: Condition
    found: str
    advice: str = ""


def examine_baselines(policy: Policy, store: Store) -> Iterator[Examined]:
    """Yield each current baseline: whether its bytes are what its digest says, and serve the policy.

    Raises:
        StoreError: The store cannot be read.
    """
    model = policy.model
    baselines = store.current_baselines(model)
    if not baselines:
        advice = f"modelmon baseline register {model} --from … --to … --why …"
        yield Examined("baseline", model, Condition.FAIL, "there is none", advice)
    for version, baseline in baselines.items():
        yield _baseline(policy, version, baseline)


def _baseline(policy: Policy, version: str, baseline: Baseline) -> Examined:
    about = f"version {version}, {baseline.digest[:_SHOWN]}"

    def failed(why: object, advice: str) -> Examined:
        return Examined("baseline", policy.model, Condition.FAIL, f"{about}: {why}", advice)

    restore = "restore a backup of the store, or register the baseline again"
    try:
        if baseline_digest(baseline) != baseline.digest:
            return failed("its content is not what its digest says", restore)
        profile_from_bytes(baseline.profile)
        check_frozen(policy, version, grid_from_bytes(baseline.grid))
    except (ValueError, zlib.error) as error:
        return failed(f"cannot be read: {error}", restore)
    except BaselineError as error:
        return failed(error, "register a new baseline, or put the policy back")
    found = f"{about}: {baseline.rows} rows, its digest is right"
    return Examined("baseline", policy.model, Condition.OK, found)


def examine_log(
    policy: Policy, source: Source, store: Store, now: datetime
) -> tuple[list[Examined], Watermark]:
    """List the log and its tables, read the footers; return what was seen and how far it is complete.

    Files that the quarantine holds are not tried, as in a check. Nothing is written.

    Raises:
        SourceError: The log cannot be reached.
        StoreError: The quarantine cannot be read.
    """
    model, spec = policy.model, policy.source
    survey = source.survey(Quarantine(model, now, store.quarantine(model)))
    if survey.span is None:
        found = "listed, and no row has an event time that can be read"
        told = [f"{file.path}: {file.explanation}" for file in survey.unreadable[:1]]
        advice = "; ".join([*told, f"is source.path right? ({spec.path})"])
        seen = [Examined("log", model, Condition.WARN, found, advice)]
    else:
        first, last = survey.span
        found = f"listed, footers read: events from {_shown(first)} to {_shown(last)}"
        seen = [Examined("log", model, Condition.OK, found)]
    broken = {file.path: file for file in survey.unreadable}
    for what, table in (("labels", spec.labels), ("protected", spec.protected)):
        if table is None:
            continue
        gone = broken.pop(table.path, None)
        if gone is None:
            seen.append(
                Examined(what, model, Condition.OK, f"{table.path}: can be listed and read")
            )
        else:
            found = f"{table.path}: {gone.explanation}"
            advice = f"is source.{what}.path right? Until it is there, nothing comes of it"
            seen.append(Examined(what, model, Condition.WARN, found, advice))
    if broken:
        seen.append(_files(model, tuple(broken.values())))
    return seen, survey.watermark


def examine_windows(
    policy: Policy, store: Store, watermark: Watermark, now: datetime
) -> Iterator[Examined]:
    """Yield which windows are due, and when the next one will be.

    Raises:
        StoreError: The store cannot be read.
    """
    model, schedule = policy.model, policy.schedule
    baselines, heads = store.current_baselines(model), store.heads(model)
    if not baselines:
        return  # said by `examine_baselines`
    due = due_windows(policy, baselines, heads, watermark, now)
    behind = len(due) > _BEHIND
    found = f"{len(due)} due" + (f", the oldest is {due[0]}" if due else "")
    begin = schedule.start or min(item.window.end for item in baselines.values())
    reached = max((*(window.end for window in (*heads, *due)), begin))
    following = schedule.window_at(reached)
    if following.start < reached:
        following = schedule.window_at(following.end)
    if schedule.end is not None and following.end > schedule.end:
        found += f"; the schedule ended at {_shown(schedule.end)}"
    else:
        at = following.end + schedule.lateness
        found += f"; the next is {following}, due at {_shown(at)}"
        if schedule.patience:
            found += f" or, for a log that is late, up to {schedule.patience} after that"
    condition = Condition.WARN if behind else Condition.OK
    advice = f"is the daemon running? modelmon run --model {model} runs them now" if behind else ""
    yield Examined("windows", model, condition, found, advice)


def examine_governance(policy: Policy) -> Examined:
    """Return whether the policy answers what it must before a version may act."""
    what, model, governance = "governance", policy.model, policy.governance
    if policy.waiting:
        found = f"the file is looser than the policy in force, {policy.digest[:_SHOWN]}, and waits"
        advice = f"modelmon policy diff {model}; modelmon policy propose {model} --why …"
        return Examined(what, model, Condition.WARN, found, advice)
    if governance.missing:
        asked = "; ".join(f"{QUESTIONS[key]} ({key})" for key in governance.missing)
        advice = "answer in the file, or nothing of it may act; docs/how-to/write-a-policy.md"
        return Examined(what, model, Condition.WARN, f"ungoverned: {asked}", advice)
    if governance.unfilled:
        lacking = ", ".join(f"{kind} takes a {role}" for kind, role in governance.unfilled)
        found = f"{lacking}; accountability names nobody"
        advice = "name them, unless the login gives people that role"
        return Examined(what, model, Condition.WARN, found, advice)
    found = f"tier {governance.risk.tier}; {governance.accountability.accountable} answers for it"
    return Examined(what, model, Condition.OK, found)


def examine_unwatched(store: Store, named: Collection[str]) -> Iterator[Examined]:
    """Yield models whose versions act, or have to be answered for, and that no file names any more.

    Args:
        store: The store.
        named: The models that files name.

    Raises:
        StoreError: The store cannot be read.
    """
    for model, versions in unwatched(store, named):
        listed = ", ".join(f"version {name} is {state}" for name, state in versions.items())
        advice = "bring its file back; the gate denies it, and what asks no gate is not watched"
        found = f"no file names it, and {listed}"
        yield Examined("governance", model, Condition.FAIL, found, advice)


def examine_model(
    policy: Policy, source: Source, store: Store, now: datetime
) -> Iterator[Examined]:
    """Yield all that is to be seen of a model.

    Raises:
        StoreError: The store cannot be read.
    """
    yield from examine_baselines(policy, store)
    try:
        seen, watermark = examine_log(policy, source, store, now)
    except SourceError as error:
        yield unreachable(policy.model, error)
        return
    yield from seen
    yield from examine_windows(policy, store, watermark, now)


def unreachable(model: str, error: ModelmonError) -> Examined:
    """Return what is said of a log that cannot be reached."""
    advice = "is source.path right, and may this user list and read there?"
    return Examined("log", model, Condition.FAIL, str(error), advice)


def _files(model: str, broken: tuple[UnreadableFile, ...]) -> Examined:
    first = broken[0]
    found = f"{len(broken)} cannot be used; {first.path}: {first.explanation}"
    advice = f"modelmon quarantine list --model {model}"
    return Examined("files", model, Condition.WARN, found, advice)


def _shown(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
