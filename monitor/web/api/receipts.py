"""The receipts that come with the answer to whatever changed something."""

from collections.abc import Sequence
from functools import cache

from pydantic import Field, create_model

from monitor.governance.receipt import Receipt
from monitor.web.api.endpoint import Answer, Endpoint


class RecordProved(Answer):
    """A record, and the proof that it is in the log (RFC 6962); hashes are in hex."""

    seq: int
    leaf: str
    record: str
    proof: list[str]


class ReceiptKnown(Answer):
    """What was recorded, and the signed checkpoint that the proofs lead to."""

    log: str
    size: int
    records: list[RecordProved]
    checkpoint: str | None = Field(
        description="as C2SP tlog-checkpoint has it; null where the log is not signed"
    )


def answer_of(endpoint: Endpoint) -> type[Answer]:
    """Return what an endpoint answers, with receipts if it changes something."""
    return _with_receipts(endpoint.answer) if endpoint.writes else endpoint.answer


def with_receipts(answer: Answer, receipts: Sequence[Receipt]) -> Answer:
    """Return an answer with the receipts of what was written for it."""
    known = [ReceiptKnown.model_validate(each.document) for each in receipts]
    return _with_receipts(type(answer)).model_validate({**answer.model_dump(), "receipts": known})


@cache
def _with_receipts(kind: type[Answer]) -> type[Answer]:
    told = Field(description="what proves that it was recorded: modelmon-audit-verify --receipt")
    return create_model(
        f"{kind.__name__}Recorded",
        __base__=kind,
        __doc__=kind.__doc__,
        receipts=(list[ReceiptKnown], told),
    )
