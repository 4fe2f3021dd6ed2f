"""Receipts: what somebody holds who decided something, and can prove with it for good.

A receipt has the records that a decision made, the proof that each is in the log, and the signed
checkpoint that the proofs lead to. Whoever has it and the log's public key needs nothing else to show
that the decision was recorded; and a log that has lost or changed the records is convicted by it.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from monitor.governance.merkle import Frontier, appended_proof
from monitor.governance.note import Note
from monitor.governance.record import AuditRecord, Json


class Proved(Struct, frozen=True):
    """A record, and the way from its leaf to the root.

    Attributes:
        record: The record.
        hashes: The inclusion proof (RFC 6962), from the leaf up.
    """

    record: AuditRecord
    hashes: tuple[bytes, ...]


class Receipt(Struct, frozen=True):
    """What one write to the log made.

    Attributes:
        log: The log's origin.
        size: Records of the log after it: of the tree that the proofs are of.
        proved: Its records, in order.
        checkpoint: The signed checkpoint over them; None where the log is not signed, and the
            receipt proves nothing.
    """

    log: str
    size: int
    proved: tuple[Proved, ...]
    checkpoint: Note | None

    @property
    def document(self) -> Mapping[str, Json]:
        """Return it as it is handed out: hashes are in hexadecimal."""
        records: list[Json] = [
            {
                "seq": each.record.sequence,
                "leaf": each.record.leaf.hex(),
                "record": each.record.body.decode(),
                "proof": [item.hex() for item in each.hashes],
            }
            for each in self.proved
        ]
        note = None if self.checkpoint is None else str(self.checkpoint)
        return {"log": self.log, "size": self.size, "records": records, "checkpoint": note}


def receipt_of(
    before: Frontier, records: Sequence[AuditRecord], checkpoint: Note | None
) -> Receipt:
    """Return the receipt of records that were just appended.

    Args:
        before: The frontier of the log before them.
        records: The records, at least one.
        checkpoint: The signed checkpoint over them; None where the log is not signed.
    """
    leaves = [each.leaf for each in records]
    proved = tuple(Proved(each, appended_proof(before, leaves, each.sequence)) for each in records)
    return Receipt(records[0].log, before.size + len(leaves), proved, checkpoint)
