"""Who asks the gate, where somebody has to say: looked up once in a while, not for each request."""

import time
from collections.abc import Callable

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Scope

from monitor.domain.policy import Policy
from monitor.governance.approvals import NotAllowedError
from monitor.governance.authorisation import Action, authorise
from monitor.web.access.asking import Doorkeeper
from monitor.web.access.unknown import UnknownError

REMEMBERED = 10.0
"""Seconds for which what was found of a token holds: a revoked one is refused after that."""

MOST_REMEMBERED = 1000

_SAYS_NOTHING = "the gate is asked with a token: Authorization: Bearer, a space, and the token"


class Admitted(Struct, frozen=True):
    """What was found of somebody who asks.

    Attributes:
        name: Who they are.
        status: 200 where they may ask; 401 for who is not known, 403 for who may not.
        reason: Why not.
    """

    name: str
    status: int = 200
    reason: str = ""


class GateDoor:
    """Lets those ask the gate who may.

    Args:
        door: Tells who asks; where it has no way to, everybody may.
        monotonic: A clock that never jumps, in seconds.
    """

    def __init__(self, door: Doorkeeper, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._door = door
        self._monotonic = monotonic
        self._found: dict[tuple[bytes, str], tuple[float, Admitted]] = {}

    async def admit(self, scope: Scope, policy: Policy | None) -> Admitted:
        """Return what is found of who asks.

        Args:
            scope: The request.
            policy: The policy of the model that it is about; None for one that nobody watches.

        Raises:
            StoreError: Tokens cannot be looked up.
        """
        client = scope.get("client")
        if not self._door.open:
            return Admitted(client[0] if client else "")
        said = b"".join(value for name, value in scope["headers"] if name == b"authorization")
        if not said:  # a proxy's headers cost no look into the store
            return self._ask(scope, policy)
        name = (said, "" if policy is None else policy.digest)
        until, found = self._found.get(name, (0.0, None))
        if found is None or self._monotonic() > until:
            found = await run_in_threadpool(self._ask, scope, policy)
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            self._found[name] = (self._monotonic() + REMEMBERED, found)
        return found

    def _ask(self, scope: Scope, policy: Policy | None) -> Admitted:
        try:
            who = self._door.who(Request(scope))
        except UnknownError as error:
            return Admitted("", 401, str(error))
        if who is None:
            return Admitted("", 401, _SAYS_NOTHING)
        try:
            if policy is not None:
                authorise(who, Action.ASK_GATE, policy, self._door.now())
        except NotAllowedError as error:
            return Admitted(who.named, 403, str(error))
        return Admitted(who.named)
