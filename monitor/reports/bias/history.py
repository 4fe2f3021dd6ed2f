"""What the report says of what was before, and of what is open."""

from msgspec import Struct

from monitor.domain.window import Window


class Event(Struct, frozen=True):
    """Something that a reader of a trend has to know: a new policy, version or baseline."""

    window: Window
    what: str


class OpenAlarm(Struct, frozen=True):
    """An alarm that is open at the period's end.

    Attributes:
        population: Whose; "" for one that is not about groups.
        group: Which of its groups.
        against: What it is held against.
        measure: What was measured.
        state: ``critical`` or ``warning``.
        since: The first window, of those looked at, from which on it was open without a break.
        finding: First digits of the fingerprint.
    """

    population: str
    group: str
    against: str
    measure: str
    state: str
    since: str
    finding: str


class Moved(Struct, frozen=True):
    """A group whose answer is another than in the report before.

    Attributes:
        version: The model version.
        population: The population.
        metric: What was compared.
        group: The group.
        before: The answer then; "" where the group was not compared.
        now: The answer now; "" as above.
        ratio_before: The ratio then; None where there was none or it is not shown.
        ratio_now: The ratio now; None as above.
        worse: Whether it is an alarm now and was none; None where neither or both are.
    """

    version: str
    population: str
    metric: str
    group: str
    before: str
    now: str
    ratio_before: float | None
    ratio_now: float | None
    worse: bool | None


class Before(Struct, frozen=True):
    """The report, or the period, that this one is held against.

    Attributes:
        digest: Digest of the report that was named; "" where none was.
        span: Its period.
        revisions: Which result of each of its windows.
    """

    digest: str
    span: Window
    revisions: tuple[tuple[Window, int], ...]


class Since(Struct, frozen=True):
    """What is otherwise than in the report before.

    Attributes:
        compared: Comparisons that are in both.
        moved: Those whose answer is another, and those that are in one only.
        versions: What became of versions and their baselines.
        policy: Digest of the policy then.
        lines: Lines taken out of the policy and put in since.
    """

    compared: int
    moved: tuple[Moved, ...]
    versions: tuple[str, ...]
    policy: str
    lines: tuple[str, ...]
