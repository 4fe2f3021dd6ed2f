"""What can be asked of the JSON interface, and who asks it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Protocol

from msgspec import Struct
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from monitor.domain.policy import Policy
from monitor.engine.decisions import MOST_WORDS, Said
from monitor.engine.evidence import Files
from monitor.engine.ports import Store
from monitor.governance.authorisation import Action, Who
from monitor.store.access import AccessStore


def _seen(text: str) -> str:
    if not text.strip():
        raise ValueError("must have a letter that can be seen")
    return text


Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MOST_WORDS, pattern=r"\S"),
    AfterValidator(_seen),
]
"""A reason that somebody gives."""


class Body(BaseModel):
    """What somebody sends: no other keys, and no value is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Reason(Body):
    """Why somebody decides."""

    why: Words = Field(description="the reason, in words; kept, and in the audit log")


class Answer(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Known(Protocol):
    """A model that is watched."""

    @property
    def policy(self) -> Policy:
        """Return the policy in force."""
        ...


class Desk(Struct, frozen=True):
    """What requests are answered from.

    Attributes:
        models: Returns the models that are watched, by name.
        store: Everything that is remembered.
        access: Tokens, refusals and answered requests.
        now: Returns the present.
        files: Where files are that approvals rest on.
    """

    models: Callable[[], Mapping[str, Known]]
    store: Store
    access: AccessStore
    now: Callable[[], datetime]
    files: Files


class Asked(Struct, frozen=True):
    """A request that is understood, of somebody who is known.

    Attributes:
        desk: What it is answered from.
        who: Who asks.
        at: When.
        parts: The named parts of its address.
        known: The policy of the model that it is about; None where it is about none.
        body: What was sent; None where nothing is.
        may: Makes sure that who asks may do something; a refusal is recorded.
    """

    desk: Desk
    who: Who
    at: datetime
    parts: Mapping[str, str]
    known: Policy | None
    body: Any
    may: Callable[[Action], None]

    @property
    def policy(self) -> Policy:
        """Return the policy of the model that it is about."""
        assert self.known is not None  # noqa: S101  # its address has a model
        return self.known

    def said(self, why: str) -> Said:
        """Return who decides, when, and why."""
        return Said(self.who, self.at, why)


class MissingError(Exception):
    """There is nothing of that name."""


class Endpoint(Struct, frozen=True):
    """One thing that can be asked.

    Attributes:
        method: ``GET`` or ``POST``; what is posted changes something.
        path: Its address; a part in braces is a name.
        action: What somebody must be allowed; None for everybody who is known.
        summary: What it does, in a sentence.
        answer: What is answered.
        handle: Does it.
        body: What is sent; None for nothing.
        kept: What is remembered of an answer, for who sends the same request again.
    """

    method: str
    path: str
    action: Action | None
    summary: str
    answer: type[Answer]
    handle: Callable[[Asked], Answer]
    body: type[Body] | None = None
    kept: Callable[[Answer], Answer] = lambda answer: answer

    @property
    def writes(self) -> bool:
        """Return whether it changes something."""
        return self.method != "GET"

    @property
    def segments(self) -> tuple[str, ...]:
        """Return the parts of its address."""
        return tuple(part for part in self.path.split("/") if part)

    def matches(self, parts: tuple[str, ...]) -> Mapping[str, str] | None:
        """Return the named parts of an address, if it is this one's."""
        if len(parts) != len(self.segments):
            return None
        pairs = list(zip(self.segments, parts, strict=True))
        if any(not own.startswith("{") and own != part for own, part in pairs):
            return None
        return {own[1:-1]: part for own, part in pairs if own.startswith("{")}
