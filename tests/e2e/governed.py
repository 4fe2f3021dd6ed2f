"""A governed model in a small deployment, and people who decide on its versions."""

from contextlib import closing
from datetime import UTC, datetime

from monitor.config.model_file import load_policy
from monitor.engine.governing import decide
from monitor.governance.acts import submit, take_away, vote
from monitor.governance.authorisation import Action, Method, Who
from monitor.governance.standing import Event
from monitor.store.sql import SqlStore

GOVERNANCE = """\
delegation:
  statement: Approve loans.
  by: cro
  date: 2024-01-01
  autonomy: act_with_limits
  fallback: {{target: desk}}
accountability: {{accountable: anna, owners: [otto], operators: [olga], validators: [vera], governance: [gerd]}}
risk:
  tier: medium
  rationale: Small loans.
  limits: [{{id: drift, measures: [missing_rate], consequence: watch}}]
gate: {{ttl: {ttl}s, stale_grace: {grace}s}}
"""


class Board:
    """The people of a deployment's model, each of whom decides at a command line of their own."""

    def __init__(self, deployment, model="credit"):
        self._url = f"sqlite:///{deployment.database}"
        self._policy = load_policy(deployment.folder / "models" / f"{model}.yaml")

    def approve(self, version="1"):
        """Ask that a version may act, and have everybody agree who must."""
        asked = self._decide(
            "otto",
            Action.SUBMIT,
            lambda book, there, speaker: submit(book, there, speaker, version, {}, "it is ready"),
        )
        number = next(change.after.number for change in asked if hasattr(change.after, "votes"))
        for person in ("vera", "anna"):
            self._decide(
                person,
                Action.APPROVE_VERSION,
                lambda book, there, speaker: vote(
                    book, there, speaker, number, "seen", granted=True
                ),
            )

    def hold(self, version="1"):
        """Hold a version, as one person may."""
        self._decide(
            "olga",
            Action.HOLD,
            lambda book, there, speaker: take_away(
                book, there, speaker, version, Event.HELD, "customers complain"
            ),
        )

    def _decide(self, person, action, act):
        now = datetime.now(UTC)  # noqa: TID251  # the daemon beside has the machine's clock
        who = Who(person, Method.CLI, authenticated_at=now)
        with closing(SqlStore(self._url)) as store:
            return decide(self._policy, store, who, action, act, now)
