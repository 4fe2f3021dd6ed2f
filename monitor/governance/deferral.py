"""What becomes of a waiver, and of the deadlines of the cases whose limit it waives.

While a limit is waived nothing follows from it, so that this time is none of a case's: its deadline
is put off by as long as the waiver holds. When the waiver is over, whoever answers has as long as
they had left.
"""

from datetime import datetime

from msgspec.structs import replace

from monitor.governance.cases import Case
from monitor.governance.events import EventType
from monitor.governance.ledger import Book, Ledger
from monitor.governance.waivers import Waiver


def write_waiver(book: Book, kind: EventType, waiver: Waiver) -> None:
    """Write what has become of a waiver, and of the deadlines of its open cases."""
    before = book.ledger
    book.write(kind, waiver.version, waiver)
    for case in list(before.cases.values()):
        if case.open and case.deadline is not None and waiver.about(case.cause, case.version):
            longer = _until(book.ledger, case, book.now) - _until(before, case, book.now)
            if longer:
                after = replace(case, deadline=case.deadline + longer)
                book.write(EventType.CASE_DEFERRED, case.version, after)


def _until(ledger: Ledger, case: Case, now: datetime) -> datetime:
    """Return until when the limit of a case has no consequence, as far as is known; now where it has."""
    holding = (
        waiver.over_at
        for waiver in ledger.waivers.values()
        if waiver.about(case.cause, case.version) and waiver.holds(now)
    )
    return max(holding, default=now)
