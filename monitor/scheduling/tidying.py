"""Pruning by the settings: what a daemon does every hour while it leads."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from monitor.domain.errors import FencedError, StoreError
from monitor.domain.lease import Term
from monitor.domain.policy import Policy
from monitor.engine.ports import Store
from monitor.engine.pruning import Pruned
from monitor.engine.retention import carried_out, plan
from monitor.engine.run import Outside
from monitor.exposition.vitals import Vitals
from monitor.scheduling.leadership import Leadership

_log = logging.getLogger("modelmon")


class Tidying:
    """Prunes what is older than the settings keep it.

    Args:
        outside: Store and clock.
        leadership: Whether this is the replica that writes.
        vitals: Where it is noted when everything was looked at.
        retention: Returns how long results are kept; None for ever.
        policies: Returns the policies in force.
        policy_of: Returns the policy that a stored file declares.
        stopping: Whether to stop before the next few windows.
    """

    def __init__(
        self,
        outside: Outside,
        leadership: Leadership,
        vitals: Vitals,
        *,
        retention: Callable[[], timedelta | None],
        policies: Callable[[], Iterable[Policy]],
        policy_of: Callable[[str], Policy],
        stopping: Callable[[], bool],
    ) -> None:
        self._outside = outside
        self._leadership = leadership
        self._vitals = vitals
        self._retention = retention
        self._policies = policies
        self._policy_of = policy_of
        self._stopping = stopping

    def __call__(self) -> None:
        """Prune, if this replica leads; trouble with the store is logged, and tried again."""
        term, retention = self._leadership.term, self._retention()
        if term is None or retention is None:
            self._vitals.pruned(None)
            return
        store = self._outside.store.under(term)
        try:
            for policy in self._policies():
                done = self._prune(policy, store, term, retention)
                if done.windows:
                    _tell(policy.model, done)
        except FencedError as error:
            self._leadership.refused(term)
            _log.warning("refused: %s", error)
            return
        except StoreError as error:
            _log.error("results could not be pruned: %s", error, exc_info=error)
            return
        if self._goes_on(term):
            self._vitals.pruned(self._outside.clock.now())

    def _prune(self, policy: Policy, store: Store, term: Term, retention: timedelta) -> Pruned:
        now = self._outside.clock.now()
        made = plan(policy, now - retention, "store.retention", store, now, self._policy_of)
        if made.pruning is None:
            return Pruned()
        return carried_out(store, made.pruning, lambda: self._goes_on(term))

    def _goes_on(self, term: Term) -> bool:
        return not self._stopping() and self._leadership.term == term


def _tell(model: str, done: Pruned) -> None:
    _log.info(
        "pruned %d windows: %d rows and %d profiles went",
        done.windows,
        sum(done.rows.values()),
        done.emptied,
        extra={"model": model},
    )
