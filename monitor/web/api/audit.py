"""``/v1/audit``: the records of the newest audit log, and the proof that one is in it."""

from re import fullmatch

from monitor.governance.authorisation import Action
from monitor.web.api.endpoint import Answer, Asked, Endpoint, MissingError

MOST = 200
"""Records of an answer."""


class RecordsKnown(Answer):
    """Some records of the log, each the bytes that were hashed."""

    log: str
    size: int
    records: list[str]
    next: int | None


class ProofKnown(Answer):
    """That a record is in what a checkpoint covers (RFC 6962); hashes are in hex."""

    sequence: int
    record: str
    leaf: str
    size: int
    proof: list[str]
    checkpoint: str | None


def _records(asked: Asked) -> RecordsKnown:
    since = _place(asked)
    page = asked.desk.access.log.page(since, MOST)
    if page is None:
        raise MissingError("there is no audit log yet: nothing was written")
    after = since + len(page.bodies)
    return RecordsKnown(
        log=page.origin,
        size=page.size,
        records=list(page.bodies),
        next=after if page.bodies and after < page.size else None,
    )


def _proof(asked: Asked) -> ProofKnown:
    place = _place(asked)
    found = asked.desk.access.log.proof(place)
    if found is None:
        raise MissingError("the log has no such record")
    return ProofKnown(
        sequence=place,
        record=found.body,
        leaf=found.leaf.hex(),
        size=found.size,
        proof=[item.hex() for item in found.hashes],
        checkpoint=None if found.checkpoint is None else str(found.checkpoint),
    )


def _place(asked: Asked) -> int:
    text = asked.parts["sequence"]
    if not fullmatch("0|[1-9][0-9]{0,14}", text):
        raise MissingError("a record's place is 0, 1, 2 and so on")
    return int(text)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/audit/since/{sequence}",
        Action.READ_AUDIT,
        "Records of the newest log from a place on, each as it was hashed; next says where to go on.",
        RecordsKnown,
        _records,
    ),
    Endpoint(
        "GET",
        "/v1/audit/records/{sequence}/proof",
        Action.READ_AUDIT,
        "The proof that a record is in what the newest checkpoint covers.",
        ProofKnown,
        _proof,
    ),
)
