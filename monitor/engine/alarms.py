"""What the stored findings of a model's windows amount to."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field

from monitor.alerts.detector import detections
from monitor.alerts.persistence import Verdicts, alarms_over
from monitor.domain.alarm import USUAL, Alarm, AlarmRule, Detection
from monitor.domain.finding import Verdict
from monitor.domain.policy import Policy
from monitor.domain.run import Outcome
from monitor.domain.window import Window
from monitor.engine.ports import Store, WindowVerdicts

LOOKED_BACK = 30
"""Windows before the first one asked for: a fingerprint that was judged in none of them has no
past."""


class ModelAlarms(Struct, frozen=True):
    """The alarms of a model, as of each window.

    Attributes:
        rule: What makes an alarm; disparities have one of their own.
        found: Window to the alarm of each fingerprint that was judged in it.
        detections: Window to the evidence gathered up to it; empty without a detector.
    """

    rule: AlarmRule = USUAL
    found: Mapping[Window, Mapping[str, Alarm]] = field(default_factory=dict)
    detections: Mapping[Window, Detection] = field(default_factory=dict)


def alarms_since(policy: Policy, store: Store, since: datetime) -> ModelAlarms:
    """Return the alarms of the windows that end after an instant.

    Derived from the newest revisions in the order of the windows, whenever they were run: a
    restart or a back-fill in any order comes to the same. Windows of a former schedule are not
    counted with those of the present one. A window without data is unknown for everything that
    was judged in the one before it: silence clears no alarm. Of windows that are too near to some
    whose results were pruned no alarm is known, and none is returned.

    Args:
        policy: Has the rule, and the schedule.
        store: Its results.
        since: The instant.

    Raises:
        StoreError: The database cannot be read.
    """
    rule, schedule = policy.alarms, policy.schedule
    looked_back = look_back(policy)
    stored = store.verdicts(policy.model, since - looked_back)
    known = known_from(policy, store)
    history = [item for item in stored if schedule.window_at(item.window.start) == item.window]
    alarms = alarms_of(policy, history)
    found = {
        item.window: alarm
        for item, alarm in zip(history, alarms, strict=True)
        if item.window.end > since and (known is None or item.window.start >= known)
    }
    if rule.false_alarms_per_year is None:
        return ModelAlarms(rule, found)
    evidence = {
        window: value
        for window, value in store.e_values(policy.model).items()
        if schedule.window_at(window.start) == window
    }
    bound = schedule.windows_per_year / rule.false_alarms_per_year
    gathered = dict(zip(evidence, detections(list(evidence.values()), bound), strict=True))
    return ModelAlarms(rule, found, gathered)


def look_back(policy: Policy) -> timedelta:
    """Return how long before a window the verdicts begin that its alarms may rest on."""
    looked_back = LOOKED_BACK * policy.schedule.interval
    if policy.populations:  # whose verdicts may rest on longer stretches, of which several count
        looked_back += policy.disparity.persistence.of * policy.disparity.extend
    return looked_back


def known_from(policy: Policy, store: Store) -> datetime | None:
    """Return from where on windows have alarms that are known; None: all have.

    Raises:
        StoreError: The database cannot be read.
    """
    pruned = store.pruned_until(policy.model)
    return None if pruned is None else pruned + look_back(policy)


def alarms_of(policy: Policy, history: Sequence[WindowVerdicts]) -> list[Mapping[str, Alarm]]:
    """Return the alarms as of each of some windows; disparities have a rule of their own.

    Args:
        policy: Has the rules.
        history: The windows of its schedule, oldest first.
    """
    apart = {fingerprint for item in history for fingerprint in item.since}
    verdicts = _with_silence(history)
    others = [{name: item[name] for name in item if name not in apart} for item in verdicts]
    disparities = [{name: item[name] for name in item if name in apart} for item in verdicts]
    reach = [_reach(history, place) for place in range(len(history))]
    return [
        {**found, **of_groups}
        for found, of_groups in zip(
            alarms_over(others, policy.alarms),
            alarms_over(disparities, policy.disparity.persistence, reach),
            strict=True,
        )
    ]


def _reach(history: Sequence[WindowVerdicts], place: int) -> dict[str, int]:
    """Return over how many of the windows up to one each of its findings reaches, where over more."""
    found: dict[str, int] = {}
    for fingerprint, since in history[place].since.items():
        earlier = sum(item.window.end > since for item in history[:place])
        if earlier:
            found[fingerprint] = 1 + earlier
    return found


def _with_silence(history: Sequence[WindowVerdicts]) -> list[Verdicts]:
    found: list[Verdicts] = []
    for item in history:
        if item.outcome is Outcome.NO_DATA and found:
            found.append({**dict.fromkeys(found[-1], Verdict.UNKNOWN), **item.verdicts})
        else:
            found.append(item.verdicts)
    return found
