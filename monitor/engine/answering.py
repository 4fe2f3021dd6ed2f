"""What the gate answers for a model, from its policy and from what is stored of its versions."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from monitor.domain.governance import GateAction, Governance
from monitor.domain.policy import Policy
from monitor.governance.consequences import activation
from monitor.governance.ledger import Ledger
from monitor.governance.permit import Answer, answer_of


class Answered(Struct, frozen=True):
    """What the gate answered from an instant on.

    Attributes:
        at: Since when.
        answer: What.
        lasts: How long a permit given until the next answer may still have been used after it.
    """

    at: datetime
    answer: Answer
    lasts: timedelta


class Answers(Protocol):
    """What the gate has answered, as the store remembers it."""

    def checkpoint(self) -> tuple[int, str]:
        """Return size and root, in hexadecimal, of the audit log's newest checkpoint; 0 for none."""
        ...

    def gate_answers(self, model: str) -> Sequence[Answered]:
        """Return everything that the gate answered for a model, oldest first."""
        ...

    def newest_answers(self, model: str) -> Mapping[str, Answered]:
        """Return each version of a model to what the gate answered last."""
        ...

    def record_answers(self, answers: Sequence[Answered]) -> None:
        """Record answers that differ from those before, each with its audit record."""
        ...

    def record_usage(self, usage: "Usage") -> None:
        """Record how often somebody asked, with an audit record a model."""
        ...


class Asked(Struct, frozen=True):
    """What was asked by whom, and answered how.

    Attributes:
        model: Name of the model.
        version: The version; one that nobody knows may be `OTHERS`.
        client: Who asked: an address, or the name of a token.
        action: What was answered.
    """

    model: str
    version: str
    client: str
    action: GateAction


class Usage(Struct, frozen=True):
    """How often the gate was asked in one hour, of one replica.

    Attributes:
        hour: The hour's start.
        replica: The replica's name.
        at: When this was added up.
        asked: What was asked, to how often.
    """

    hour: datetime
    replica: str
    at: datetime
    asked: Mapping[Asked, int]


MODEL = "model"
"""What a request calls the model's own digest."""

OTHERS = "(others)"
"""Stands for names beyond those that can be told apart: of versions nobody knows, of clients."""


class ModelAnswers(Struct, frozen=True):
    """What the gate answers for a model.

    Attributes:
        policy: The policy in force.
        by_version: Each known version to its answer.
        doubt: Why what is stored of the model is not believed; "" where it is.
    """

    policy: Policy
    by_version: Mapping[str, Answer]
    doubt: str = ""

    @property
    def governance(self) -> Governance:
        """Return what the policy answers."""
        return self.policy.governance

    def of(self, version: str) -> Answer:
        """Return the answer for a version, known or not."""
        known = self.by_version.get(version)
        if known is not None:
            return known
        policy, doubt = self.policy, self.doubt
        return answer_of(
            policy.model, version, policy.governance, None, policy=policy.digest, doubt=doubt
        )


def answers_for(policy: Policy, ledger: Ledger, now: datetime, doubt: str = "") -> ModelAnswers:
    """Return what the gate answers for a model.

    Args:
        policy: The policy in force.
        ledger: What is stored of the model's versions.
        now: When.
        doubt: Why that is not believed, as a code, a colon and words; "" where it is.
    """
    answers = {
        version: _answer(policy, version, ledger, now, doubt) for version in ledger.standings
    }
    return ModelAnswers(policy, answers, doubt)


def _answer(policy: Policy, version: str, ledger: Ledger, now: datetime, doubt: str) -> Answer:
    activated = activation(ledger, version)
    rungs = [
        case.rung
        for case in ledger.open_cases(version)
        if not ledger.waived(case.cause, version, now)
    ]
    waived = {
        waiver.limit
        for waiver in ledger.waivers.values()
        if waiver.holds(now) and waiver.about(waiver.limit, version)
    }
    return answer_of(
        policy.model,
        version,
        policy.governance,
        ledger.standings[version],
        rung=max(rungs, default=None),
        waived=sorted(waived),
        policy=policy.digest,
        model_digest="" if activated is None else activated.bound_to.get(MODEL, ""),
        doubt=doubt,
    )
