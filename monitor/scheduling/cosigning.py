"""Showing the newest checkpoint to a witness, and keeping what it made of it."""

import logging
from collections.abc import Sequence
from datetime import datetime

from monitor.domain.lease import Term
from monitor.governance.checkpoint import unverified_checkpoint
from monitor.governance.merkle import consistency_proof
from monitor.store.audit_witnesses import AuditWitnesses
from monitor.witness.tlog import CosignedBy, HttpWitness, LastSaw, RefusedBy, add_checkpoint

_log = logging.getLogger("modelmon")


def show(log: AuditWitnesses, witness: HttpWitness, now: datetime, term: Term) -> None:
    """Have a witness cosign the newest checkpoint, if it has not yet.

    A witness that last saw less than is remembered here is shown how the log grew since then. One
    that has seen more than there is, or something else, refuses: what it was asked and what it said
    are kept as evidence, and recorded.

    Args:
        log: The newest log.
        witness: The witness.
        now: The present.
        term: The term in which something may be written.

    Raises:
        WitnessError: It cannot be reached, or is in trouble itself.
        FencedError: The term is over.
        StoreError: The database cannot be read or written.
    """
    note, name = log.newest_checkpoint(), witness.key.name
    old = log.known(name).size
    if note is None:
        return
    size = unverified_checkpoint(note).size
    if size == old:
        return
    leaves = log.leaves(size)
    answer = add_checkpoint(witness, old, _proof(leaves, old), note)
    if isinstance(answer, LastSaw) and answer.size <= size:
        answer = add_checkpoint(witness, answer.size, _proof(leaves, answer.size), note)
    match answer:
        case CosignedBy():
            log.cosigned(name, size, str(answer.line).removesuffix("\n"), answer.at, term)
        case LastSaw():
            said = f"it has cosigned {answer.size} records; there are {size}"
            _refused(log, witness, size, RefusedBy(409, said, str(note)), now, term)
        case RefusedBy():
            _refused(log, witness, size, answer, now, term)


def _refused(  # noqa: PLR0917  # what a refusal consists of
    log: AuditWitnesses,
    witness: HttpWitness,
    size: int,
    answer: RefusedBy,
    now: datetime,
    term: Term,
) -> None:
    name = witness.key.name
    before = log.known(name).refused_at
    log.refused(name, size, answer.status, answer.said, answer.asked, now, term)
    if before is None:
        what = "has seen another log" if answer.contradicts else "does not cosign"
        _log.error("the witness %s %s: %s: %s", name, what, answer.status, answer.said)


def _proof(leaves: Sequence[bytes], old: int) -> tuple[bytes, ...]:
    return consistency_proof(leaves, old) if 0 < old < len(leaves) else ()
