"""A model in a registry such as MLflow's: what is there, and what the registry is to be told."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

TAG_PREFIX = "monitor."
"""What the names of our tags begin with. Nobody else is to write them, and nothing is read from
them but whether somebody has."""


class RunStage(StrEnum):
    """What has become of the run that a registered version came from."""

    ACTIVE = "active"
    DELETED = "deleted"
    """It can be brought back until the registry's garbage is collected."""
    MISSING = "missing"
    """The registry does not know it."""


class RegisteredVersion(Struct, frozen=True):
    """A version of a model as a registry has it.

    Attributes:
        version: Its number there, which is the version that the logs name.
        source: Where its files are.
        run: Id of the run that made it; "" for none.
        created_at: When it was registered, by the registry's clock.
        tags: Those of its tags whose names are ours.
        stage: What has become of the run; None where that was not asked, or is not ours to know.
    """

    version: str
    source: str
    run: str
    created_at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    stage: RunStage | None = None


class RegisteredModel(Struct, frozen=True):
    """A model as a registry has it at one time: every version and every alias.

    Attributes:
        name: Its name there.
        versions: In the order of their numbers.
        aliases: Alias to the version that it names.
    """

    name: str
    versions: tuple[RegisteredVersion, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def version(self, number: str) -> RegisteredVersion | None:
        """Return a version by its number; None when it is not there."""
        return next((each for each in self.versions if each.version == number), None)


class UsedData(Struct, frozen=True):
    """A data set that a run says it has read.

    Attributes:
        name: Its name.
        digest: Its digest, as whoever logged it computed it.
        source: Where it is, as the run tells it.
        context: What for, such as ``training``; "" when the run does not say.
    """

    name: str
    digest: str
    source: str
    context: str = ""


class Lineage(Struct, frozen=True):
    """What a registered version was made from, as its registry tells it.

    Attributes:
        run: Id of the run; "" for none.
        stage: What has become of it; None where there is none, or it is not ours to know.
        commit: The commit of the code; "" when the run does not say.
        logged_by: Who logged it, as they said themselves: a hint for who built it, no identity.
        data: Data sets that it read.
        params: Its parameters.
        model_file: sha256 of the file that describes the model; "" where it cannot be had.
        signature: The model's inputs and outputs, as that file has them; "" for none.
    """

    run: str = ""
    stage: RunStage | None = None
    commit: str = ""
    logged_by: str = ""
    data: tuple[UsedData, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    model_file: str = ""
    signature: str = ""


class Origin(Struct, frozen=True):
    """Where a version of a watched model came from, as it was when it was first seen.

    Attributes:
        model: The watched model.
        version: The version.
        source: Where its files were.
        lineage: What it was made from.
        seen_at: When it was first seen.
    """

    model: str
    version: str
    source: str
    lineage: Lineage
    seen_at: datetime


class MirroredState(Struct, frozen=True):
    """What a registry is to show of a version: a copy of its standing, which is decided elsewhere.

    Attributes:
        version: The version.
        state: What it may do, in the words of its standing.
        acts: Whether it may act at all.
        sequence: How often it was moved.
        since: When it was moved last.
        policy: Digest of the policy in force; "" for none.
        approved_until: When its approval ends; None when it does not, or there is none.
        case: Name of its open case; "" for none.
        checkpoint: The audit log's newest signed size and root; "" for none.
        demote: The alias that is taken from it while it does not act; "" for none.
    """

    version: str
    state: str
    acts: bool
    sequence: int
    since: datetime
    policy: str = ""
    approved_until: datetime | None = None
    case: str = ""
    checkpoint: str = ""
    demote: str = ""


class ErrandKind(StrEnum):
    """What a registry is to be told."""

    STATE = "state"
    """The tags that mirror a version's standing."""
    ALIAS = "alias"
    """An alias is to name another version, or none."""
    RESULTS = "results"
    """What a window's run has found, for the monitoring run of the version and month."""


class Errand(Struct, frozen=True):
    """Something that a registry is to be told; it waits until the registry has taken it.

    Attributes:
        key: Its name among those of its model: what is asked for twice is done once.
        model: The watched model.
        kind: What it is about.
        version: The version that it is about.
        payload: What to tell, as JSON.
        made_at: When it was asked for.
        due_at: When it is tried next.
        attempts: How often it was tried in vain.
        error: Why the last try was in vain; "" before the first.
        done_at: When the registry had taken it; None until then.
    """

    key: str
    model: str
    kind: ErrandKind
    version: str
    payload: Mapping[str, object]
    made_at: datetime
    due_at: datetime
    attempts: int = 0
    error: str = ""
    done_at: datetime | None = None
