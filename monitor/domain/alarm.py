"""From what is found in single windows to what somebody is called for."""

from enum import StrEnum

from msgspec import Struct


class AlarmRule(Struct, frozen=True):
    """When findings become alarms.

    Attributes:
        needed: Windows that must be beyond a limit for a warning to become an alarm …
        of: … among so many of the last judged ones. A critical finding is one at once.
        false_alarms_per_year: How often the detector over all fields may call in a year in which
            nothing happens; None for no detector.
        keep: An alarm goes on until so many judged windows in a row were within their limit.
    """

    needed: int = 2
    of: int = 3
    false_alarms_per_year: float | None = None
    keep: int = 1


USUAL = AlarmRule()
"""What holds when a policy says nothing."""

OF_DISPARITIES = AlarmRule(2, 2)
"""What holds for disparities when a policy says nothing: two judged windows, one after the other."""


class AlarmState(StrEnum):
    """What is to be done about what was found."""

    NONE = "none"
    """The last judged windows give no reason to act."""
    PENDING = "pending"
    """The last judged window is beyond the warning limit, too few before it were."""
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"
    """No window could be judged."""


class Alarm(Struct, frozen=True):
    """What the findings of one fingerprint amount to, over the windows up to one.

    Attributes:
        state: The alarm.
        beyond: Of the last judged windows, those that were beyond a limit.
        judged: How many of the last windows were judged, at most as many as the rule looks at.
        needed: How many of them the rule asks for.
    """

    state: AlarmState
    beyond: int
    judged: int
    needed: int = USUAL.needed

    @property
    def firing(self) -> bool:
        """Return whether somebody is called."""
        return self.state in {AlarmState.WARNING, AlarmState.CRITICAL}


class Detection(Struct, frozen=True):
    """How much evidence of drift has gathered over all fields and windows up to one.

    Attributes:
        statistic: The gathered evidence.
        threshold: From here on it is an alarm, and gathering begins anew.
    """

    statistic: float
    threshold: float

    @property
    def firing(self) -> bool:
        """Return whether the evidence is enough."""
        return self.statistic >= self.threshold
