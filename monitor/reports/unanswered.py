"""What a policy leaves open, as a run's summary tells it."""

from monitor.domain.governance import QUESTIONS
from monitor.domain.policy import Policy
from monitor.reports.table import Table


def unanswered(policy: Policy) -> Table:
    """Return the questions that a policy leaves open; no row where there is none."""
    rows = tuple((QUESTIONS[key], key) for key in policy.governance.missing)
    note = "The model is watched, and no version of it may act until its file answers."
    return Table(f"{policy.model}, what nobody has answered", ("question", "key"), rows, note)
