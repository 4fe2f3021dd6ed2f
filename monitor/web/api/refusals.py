"""That somebody who is known was refused, in the audit log: each once a minute at most."""

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

from monitor.engine.decisions import refusal
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action, Who
from monitor.governance.log import Happened

EACH = timedelta(minutes=1)
"""How often the same refusal is recorded: nobody fills the log by asking."""

REMEMBERED = 1_000


class Recorder(Protocol):
    """Where refusals are recorded."""

    def denied(self, happened: Happened) -> None:
        """Record that somebody was refused."""
        ...


class Refusals:
    """Records refusals, the same one not again at once."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._last: OrderedDict[tuple[str, Action, str], datetime] = OrderedDict()
        self._lock = Lock()

    def note(  # five nouns, each of another type
        self, who: Who, action: Action, model: str, error: NotAllowedError, at: datetime
    ) -> None:
        """Record that somebody may not do something.

        Raises:
            StoreError: It cannot be written.
        """
        key = (who.named, action, model)
        with self._lock:
            last = self._last.get(key)
            if last is not None and at - last < EACH:
                return
            self._last[key] = at
            self._last.move_to_end(key)
            while len(self._last) > REMEMBERED:
                self._last.popitem(last=False)
        self._recorder.denied(refusal(who, action, model, error, at))
