"""Tokens and answered requests on each kind of database, and what the audit log says of them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, text

from monitor.domain.errors import RefusedError, StoreError
from monitor.domain.role import Role
from monitor.governance.events import EventType
from monitor.governance.log import Happened
from monitor.governance.record import Actor, AuditEvent, record_of
from monitor.governance.tokens import Wanted, new_token
from monitor.store.access import ANSWERS_KEPT, AccessStore
from monitor.store.audit_store import AuditStore
from monitor.store.schema import upgrade
from tests.stored import FIRST

NOW = FIRST + timedelta(days=30)
ROOT = Actor("root", "cli")
MODELS = frozenset({"credit", "Ümlaut/\u2603"})


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request, tmp_path):
    found = f"sqlite:///{tmp_path / 'modelmon.db'}"
    if request.param == "postgres":
        found = request.getfixturevalue("postgres_url")
    upgrade(found)
    return found


@pytest.fixture
def store(url):
    opened = AccessStore(url)
    yield opened
    opened.close()


def a_token(holder="olga", models=MODELS):
    roles = frozenset({Role.OPERATOR, Role.VIEWER})
    return new_token(Wanted(holder, "pager", roles, models, timedelta(days=9)), "root", NOW)


def recorded(url):
    audit = AuditStore(url)
    try:
        (log,) = audit.logs()
        assert not audit.compared()
    finally:
        audit.close()
    return [record_of(body).event for body in log.bodies[1:]]


def test_a_token_comes_back_as_it_was_stored(store):
    for token in (a_token()[0], a_token("<b>x</b>'; --", None)[0]):
        store.create(token, ROOT)
        assert store.token(token.id) == token
    assert len(store.tokens()) == 2
    assert store.token("0123456789abcdef") is None


def test_the_secret_is_nowhere_in_the_database(store, url):
    token, secret = a_token()
    store.create(token, ROOT)
    store.used(token, NOW)
    store.revoke(token.id, "root", ROOT, NOW)
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = [
            str(row)
            for table in ("modelmon_tokens", "modelmon_audit_records")
            for row in connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
        ]
    engine.dispose()
    assert not any(secret.rpartition("_")[2] in row for row in rows)


def test_a_token_is_made_and_ended_in_the_audit_log(store, url):
    token, _ = a_token()
    store.create(token, ROOT)
    ended = store.revoke(token.id, "ann", Actor("oidc|x|ann", "oidc"), NOW + timedelta(1))
    assert (ended.revoked_by, store.token(token.id).state(NOW + timedelta(1))) == ("ann", "revoked")
    made, gone = recorded(url)
    assert (made.type, made.actor, made.subject) == (
        EventType.TOKEN_CREATED,
        ROOT,
        f"token/{token.id}",
    )
    assert made.data["roles"] == ["operator", "viewer"]
    assert (gone.type, gone.actor.id) == (EventType.TOKEN_REVOKED, "oidc|x|ann")


def test_what_is_not_there_or_is_revoked_is_not_revoked(store, url):
    token, _ = a_token()
    store.create(token, ROOT)
    store.revoke(token.id, "ann", ROOT, NOW)
    for public, reason in ((token.id, "revoked already"), ("' OR 1=1 --", "there is no token")):
        with pytest.raises(RefusedError, match=reason):
            store.revoke(public, "bob", ROOT, NOW)
    assert len(recorded(url)) == 2


def test_a_use_is_noted_once_an_hour(store):
    token, _ = a_token()
    store.create(token, ROOT)
    assert store.used(token, NOW)
    used = store.token(token.id)
    assert used.used_at == NOW
    assert not store.used(used, NOW + timedelta(minutes=59))
    assert store.used(used, NOW + timedelta(hours=1))


def test_a_refusal_is_recorded(store, url):
    event = AuditEvent(EventType.ACCESS_DENIED, "model/credit", ROOT, data={"action": "stop"})
    store.denied(Happened(NOW, event))
    assert recorded(url) == [event]


class TestRequests:
    def test_one_is_carried_out_once_and_answered_as_before(self, store):
        assert store.begin("olga", "1", "d", NOW) is None
        assert store.begin("olga", "1", "d", NOW).status is None
        store.end("olga", "1", 201, '{"a": "<é>"}')
        again = store.begin("olga", "1", "e", NOW)
        assert (again.digest, again.status, again.body) == ("d", 201, '{"a": "<é>"}')
        assert store.begin("omar", "1", "d", NOW) is None

    def test_one_that_did_nothing_may_be_asked_again(self, store):
        store.begin("olga", "1", "d", NOW)
        store.end("olga", "1", None, "")
        assert store.begin("olga", "1", "d", NOW) is None

    def test_its_id_is_forgotten_after_some_days(self, store):
        store.begin("olga", "1", "d", NOW)
        later = NOW + ANSWERS_KEPT + timedelta(seconds=1)
        assert store.begin("olga", "1", "e", later) is None

    def test_of_several_at_once_one_is_carried_out(self, store):
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: _begun(store), range(8)))
        assert sum(item is None for item in found) == 1


def _begun(store):
    try:
        return store.begin("olga", "at once", "d", NOW)
    except StoreError as error:  # the other one's row was written in between: it is told so
        return error


def test_a_change_whose_record_cannot_be_written_is_not_made(url):
    store, (token, _) = AccessStore(url), a_token()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE modelmon_audit_records"))
    engine.dispose()
    with pytest.raises(StoreError):
        store.create(token, ROOT)
    assert store.tokens() == []
    store.close()
