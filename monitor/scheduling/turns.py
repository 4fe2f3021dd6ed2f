"""Places to work at, which are given out in turn."""

from collections import deque
from threading import Condition


class Turns:
    """A number of places, given to those who wait in the order in which they asked.

    Args:
        places: How many may work at the same time.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[object] = deque()
        self._changed = Condition()
        self._ended = False

    def take(self) -> bool:
        """Wait for a place; return False when there will be none any more."""
        with self._changed:
            if self._wait():
                self._free -= 1
            self._changed.notify_all()
            return not self._ended

    def give_back(self) -> None:
        """Leave a place to the next."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def pass_on(self) -> None:
        """Let all those go first who wait now; return at once when nobody does, or at the end."""
        with self._changed:
            if not self._waiting or self._ended:
                return
            self._free += 1
            self._changed.notify_all()
            self._wait()
            self._free -= 1  # at the end as well: it is given back like any other
            self._changed.notify_all()

    def end(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _wait(self) -> bool:
        """Wait in the queue; return whether it is one's turn, and not the end."""
        me = object()
        self._waiting.append(me)
        self._changed.wait_for(lambda: self._ended or (self._free > 0 and self._waiting[0] is me))
        self._waiting.remove(me)
        return not self._ended
