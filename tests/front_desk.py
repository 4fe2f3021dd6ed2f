"""The JSON interface over a real database, with everybody who may ask it, without a network."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import httpx
from msgspec.structs import replace
from starlette.applications import Starlette

from monitor.domain.governance import Accountability, Risk, RiskLimit, Rung, Tier
from monitor.domain.role import Role
from monitor.domain.settings import ProxyHeader
from monitor.governance.note import new_signing_key
from monitor.governance.record import Actor, record_of
from monitor.governance.tokens import Wanted, new_token
from monitor.sources.evidence import LocalFiles
from monitor.store.access import AccessStore
from monitor.store.audit import Auditing
from monitor.store.audit_store import AuditStore
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.words import resolved
from monitor.web.access.asking import Doorkeeper
from monitor.web.access.keys import IssuerKeys
from monitor.web.access.login import Logins
from monitor.web.api.catalogue import ENDPOINTS
from monitor.web.api.endpoint import Desk
from monitor.web.api.refusals import Refusals
from monitor.web.api.serving import Api
from tests.issuer import ISSUER, KEYS, NOW, signed
from tests.ledgers import GOVERNANCE
from tests.stored import a_filled, a_policy, a_quarantined

ORIGIN = "https://monitor.example"
SECRET = "s" * 40
PROXY = ProxyHeader("X-User", "X-Secret", SECRET, "${S}", ("10.0.0.3",))
GROUPS = {
    "admins": frozenset({Role.ADMIN}),
    "audit": frozenset({Role.AUDITOR}),
    "lookers": frozenset({Role.VIEWER}),
    "risk": frozenset({Role.GOVERNANCE}),
}
PEOPLE = Accountability(
    accountable="maria",
    owners=("omar",),
    operators=("olga",),
    validators=("vera",),
    governance=("gita",),
)
LOGGED_IN = {
    Role.OWNER: {"account": "omar"},
    Role.OPERATOR: {"account": "olga"},
    Role.VALIDATOR: {"account": "vera"},
    Role.ACCOUNTABLE: {"account": "maria"},
    Role.GOVERNANCE: {"account": "gita", "groups": ["risk"]},
    Role.AUDITOR: {"account": "uma", "groups": ["audit"]},
    Role.ADMIN: {"account": "uma", "groups": ["admins"]},
    Role.VIEWER: {"account": "uma", "groups": ["lookers"]},
}
"""Role to the claims of somebody who has it, and no other."""

LIMITS = (RiskLimit("drift", Rung.HOLD, frozenset({"ks"})),)
ROOT = Actor("root", "cli")


@cache
def filled():
    """Return a database with results in it, made once."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/modelmon.db"
        upgrade(url)
        store = SqlStore(url)
        a_filled(store).note([a_quarantined()])
        store.close()
        return Path(folder, "modelmon.db").read_bytes()


@dataclass
class Answered:
    """An answer, as a client has it."""

    status: int
    headers: httpx.Headers
    text: str

    @property
    def document(self):
        return json.loads(self.text)

    @property
    def reasons(self):
        return self.document["reasons"]


class FrontDesk:
    """The application, its clock and what it has stored."""

    def __init__(self, folder, *, writes=True, tier=Tier.LOW, signed=False, **ways):
        self.at, self.folder = NOW, folder
        self.url = f"sqlite:///{folder / 'modelmon.db'}"
        (folder / "modelmon.db").write_bytes(filled())
        auditing = Auditing(self._sign() if signed else None)
        self.store, self.access = SqlStore(self.url, auditing), AccessStore(self.url, auditing)
        answers = replace(
            GOVERNANCE, accountability=PEOPLE, risk=Risk(tier), limits=LIMITS, review=None
        )
        self.policy = replace(a_policy(), governance=answers)
        self.other = replace(a_policy(), model="other/one")
        self.findings = self.store.fingerprints("", 100)
        now = self.now
        logins = Logins(ISSUER, IssuerKeys(lambda: KEYS, now), now, GROUPS)
        ways = {"tokens": self.access, "logins": logins, "proxy": PROXY, **ways}
        desk = Desk(self.models, self.store, self.access, now, LocalFiles())
        door, refusals = Doorkeeper(now, **ways), Refusals(self.access)
        self.api = Api(ENDPOINTS, desk, door, refusals, "0", writes, (ORIGIN,))
        self.app = Starlette(routes=self.api.routes())

    def _sign(self):
        """Have the log signed from here on; return the key."""
        audit = AuditStore(self.url)
        try:
            self.key = new_signing_key(audit.logs()[-1].origin)
            audit.sign((self.key,), ROOT, NOW)
        finally:
            audit.close()
        return self.key

    def now(self):
        return self.at

    def models(self):
        return {
            policy.model: SimpleNamespace(policy=policy) for policy in (self.policy, self.other)
        }

    def close(self):
        self.store.close()
        self.access.close()

    def token(self, *roles, holder="robot", models=None, lasting=timedelta(days=1)):
        """Return a new token's text."""
        wanted = Wanted(holder, "a test", frozenset(roles), models, lasting)
        token, text = new_token(wanted, "root", self.at)
        self.access.create(token, ROOT)
        return text

    def login(self, role):
        """Return what somebody sends who has a role and no other."""
        return signed(now=self.at, **LOGGED_IN[role])

    def ask(self, method, path, body=None, *, who=None, peer="127.0.0.1", **headers):
        """Return the answer; ``who`` is a token, or None for nobody."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["Authorization"] = f"Bearer {who}"
        content = body
        if body is not None and not isinstance(body, bytes):
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")

        async def request():
            transport = httpx.ASGITransport(self.app, client=(peer, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, path, content=content, headers=sent)

        answer = asyncio.run(request())
        return Answered(answer.status_code, answer.headers, answer.text)

    def bodies(self):
        """Return every record of the audit log."""
        audit = AuditStore(self.url)
        try:
            (log,) = audit.logs()
        finally:
            audit.close()
        return [body.decode() for body in log.bodies]

    def recorded(self, kind=None):
        """Return what the audit log has, of one kind or all."""
        audit = AuditStore(self.url)
        try:  # with the words that people wrote, which the log has digests of
            words = {each["words"]: each.get("text", "") for each in audit.words()}
        finally:
            audit.close()
        records = [resolved(record_of(body.encode()), words) for body in self.bodies()]
        return [each.event for each in records if kind in {None, each.event.type}]
