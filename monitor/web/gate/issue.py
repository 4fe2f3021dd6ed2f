"""Signing permits: one a second and version at the most, however many ask."""

import json
from datetime import datetime
from secrets import token_hex

from monitor.domain.governance import GateRule, Governance
from monitor.governance.jws import signed
from monitor.governance.note import SigningKey
from monitor.governance.permit import Answer, permit_of

_ID_BYTES = 12


class Issuer:
    """Makes answers into permits. It is for one thread.

    Two permits of one second that say the same would differ in nothing but their names, so it is
    the same permit.

    Args:
        key: Signs them.
    """

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._second: datetime | None = None
        self._issued: dict[tuple[str, int, str, GateRule], bytes] = {}

    @property
    def key(self) -> SigningKey:
        """Return what signs."""
        return self._key

    def issue(
        self, answer: Answer, governance: Governance, log: tuple[int, str], now: datetime
    ) -> bytes:
        """Return a permit as the body that is sent: the signed form, and what it says."""
        second = now.replace(microsecond=0)
        if second != self._second:
            self._second, self._issued = second, {}
        name = (answer.digest, *log, governance.gate)
        body = self._issued.get(name)
        if body is None:
            permit = permit_of(answer, governance, second, token_hex(_ID_BYTES), log)
            said = permit.claims()
            document = {"permit": signed(said, self._key), "says": said}
            body = self._issued[name] = json.dumps(document, ensure_ascii=False).encode() + b"\n"
        return body
