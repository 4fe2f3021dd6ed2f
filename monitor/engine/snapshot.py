"""Everything that is shown of a model, read from the store at one instant."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from monitor.domain.alarm import Alarm, AlarmState
from monitor.domain.alert import Alert, Mute
from monitor.domain.baseline import Baseline
from monitor.domain.policy import Policy
from monitor.domain.quarantine import QuarantinedFile
from monitor.domain.run import Run
from monitor.engine.alarms import ModelAlarms
from monitor.engine.evidence import Found
from monitor.engine.overreach import Overreach
from monitor.engine.ports import RunCounts
from monitor.governance.ledger import Ledger


class ModelSnapshot(Struct, frozen=True):
    """A model as its newest stored results show it.

    Attributes:
        policy: The policy in force.
        baselines: The current baseline of each version.
        latest: The newest revision of the latest window; None before the first run.
        counts: How its runs ended.
        revision: The number of ``latest`` among the runs of its window; None before the first run.
        quarantine: Every file that is or was quarantined, by path.
        alarms: What its findings amount to as of the latest window.
        judged: The newest revision of the last window with data, when the latest has none.
        alerts: The newest episode of each finding that was ever beyond a limit.
        mutes: The newest decision of each finding that was ever muted.
        oldest: Start of the oldest window with a result; None before the first run.
        windows: How many windows have a result.
        ledger: What its versions may do, and what was asked, waived and is to be answered.
        overreach: Decisions of the latest window that were outside what was allowed.
        found: What was found last of everything that approvals rest on.
    """

    policy: Policy
    baselines: Mapping[str, Baseline]
    latest: Run | None
    counts: RunCounts
    revision: int | None = None
    quarantine: Mapping[str, QuarantinedFile] = field(default_factory=dict)
    alarms: ModelAlarms = field(default_factory=ModelAlarms)
    judged: Run | None = None
    alerts: Sequence[Alert] = ()
    mutes: Mapping[str, Mute] = field(default_factory=dict)
    oldest: datetime | None = None
    windows: int = 0
    ledger: Ledger = field(default_factory=lambda: Ledger(""))
    overreach: Sequence[Overreach] = ()
    found: Sequence[Found] = ()

    @property
    def standing(self) -> Mapping[str, AlarmState]:
        """Return the state of each finding that is, or was, judged: series and pages agree on it.

        The alert has the last word: it goes on though the last windows say nothing of it. A store
        that an upgrade has just brought alerts to has none yet: there the last windows tell.
        """
        if self.latest is None:
            return {}
        found: Mapping[str, Alarm] = self.alarms.found.get(self.latest.window, {})
        states: dict[str, AlarmState] = {
            name: alarm.state
            for name, alarm in found.items()
            if alarm.state is not AlarmState.UNKNOWN
        }
        for alert in self.alerts:
            if alert.firing:
                states[alert.fingerprint] = AlarmState(alert.severity.value)
            elif alert.fingerprint in states:
                states[alert.fingerprint] = AlarmState.NONE
        return states
