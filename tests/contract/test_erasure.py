"""What people wrote can be erased: the log stays whole, and nothing leads back to the words."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, select

from monitor import audit_verify
from monitor.domain.alert import Mute
from monitor.domain.errors import RefusedError
from monitor.governance.acts import submit, take_away, vote
from monitor.governance.authorisation import Action
from monitor.governance.erasable import digests_in
from monitor.governance.events import EventType
from monitor.governance.note import new_signing_key
from monitor.governance.record import Actor, record_of
from monitor.governance.standing import Event
from monitor.governance.verification import Fault, examine_log
from monitor.store.audit import Auditing
from monitor.store.audit_store import AuditStore
from monitor.store.every_table import METADATA
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from tests.attackers import Attacker
from tests.contract.test_store_governance import NOW, act
from tests.stored import a_baseline

KEY = new_signing_key("monitor.example.org/test")
AUDITING = Auditing(KEY)
NAMED = "Mrs Olsen of 14 Elm Street \u2028 complained; é \ud800"
GITA = Actor("gita", "cli")
AT = NOW + timedelta(days=3)


class Scene(Attacker):
    """A version that was held for a reason that names a person, and muted for the same."""

    def __init__(self, url):
        super().__init__(url)
        store = SqlStore(url, AUDITING)
        store.register(a_baseline("1"))
        act(store, "olga", Action.SUBMIT, submit, "1", {}, "it is ready")
        act(store, "vera", Action.APPROVE_VERSION, vote, 1, NAMED, granted=True)
        act(store, "head", Action.APPROVE_VERSION, vote, 1, "seen", granted=True)
        act(store, "sre", Action.HOLD, take_away, "1", Event.HELD, NAMED)
        store.mute(Mute("credit", "f" * 16, NOW, AT, "olga", NAMED), Actor("olga", "cli"))
        store.close()

    def everything(self):
        """Return all that is in the database, as text."""
        engine = create_engine(self.url)
        with engine.connect() as connection:
            rows = [
                str(tuple(row))
                for table in METADATA.sorted_tables
                for row in connection.execute(select(table))
            ]
        engine.dispose()
        return "\n".join(rows)

    def record_with(self, kind):
        (place, *_) = [
            place
            for place, body in enumerate(self.bodies)
            if record_of(body.encode()).event.type is kind
            and digests_in(dict(record_of(body.encode()).event.data))
        ]
        return place

    def erase(self, place, model="credit", why="request 17"):
        return self.asked(lambda to: to.erase(model, place, GITA, why, AT, AUDITING))

    @property
    def replay(self):
        return self.asked(AuditStore.replayed)[1]


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.slow)])
def scene(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'modelmon.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    upgrade(url)
    return Scene(url)


def test_the_log_has_no_words_of_a_person_and_adds_up_with_them(scene):
    assert not any("Elm Street" in body for body in scene.bodies)
    assert not any("it is ready" in body for body in scene.bodies)
    assert "Elm Street" in scene.everything()
    assert scene.replay == ()
    assert scene.compared == set()


def test_what_is_erased_is_nowhere_and_everything_is_as_whole_as_before(scene):
    before = scene.bodies
    signed = scene.erase(scene.record_with(EventType.APPROVAL_VOTED))
    assert "Elm Street" not in scene.everything()
    assert "(erased on 2005-06-14 by gita)" in scene.everything()
    assert "it is ready" in scene.everything()  # other words stay
    assert scene.bodies[: len(before)] == before
    assert examine_log(scene.log).flaws == ()
    assert (scene.replay, scene.compared) == ((), set())
    (record,) = signed.records
    assert (record.event.type, record.event.actor) == (EventType.WORDS_ERASED, GITA)
    store = SqlStore(scene.url, AUDITING)
    held, votes = store.standings("credit")["1"], store.requests("credit")[0].votes
    muted = store.mutes("credit")["f" * 16]
    act(store, "sre", Action.STOP, take_away, "1", Event.STOPPED, "and it goes on", now=AT)
    store.close()
    told = "(erased on 2005-06-14 by gita)"
    assert {held.reason, votes[0].reason, muted.why} == {told}
    assert scene.compared == set()


def test_what_is_erased_cannot_be_guessed_from_what_is_left(scene):
    scene.erase(scene.record_with(EventType.APPROVAL_VOTED))
    engine = create_engine(scene.url)
    with engine.connect() as connection:
        rows = connection.execute(select(METADATA.tables["modelmon_audit_words"])).mappings().all()
    engine.dispose()
    left = {(row["salt"], row["text"], row["fingerprint"]) for row in rows if row["erased_at"]}
    assert left == {(None, None, None)}


def test_an_export_has_the_words_and_says_what_was_erased(scene, tmp_path, capsys):
    def verified():
        log = scene.log
        lines = [{"log": log.origin}, *({"record": body.decode()} for body in log.bodies)]
        lines += [{"checkpoint": str(note)} for note in log.checkpoints]
        lines += scene.asked(AuditStore.words)
        path = tmp_path / "export.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path, audit_verify.main([str(path), "--key", str(KEY.verifying)])

    path, code = verified()
    assert (code, "Elm Street" in path.read_text()) == (0, True), capsys.readouterr()
    path.write_text(path.read_text().replace("Elm Street", "Oak Street"))
    assert audit_verify.main([str(path), "--key", str(KEY.verifying)]) == 2
    assert "other words than those of sha256:" in capsys.readouterr().err
    scene.erase(scene.record_with(EventType.APPROVAL_VOTED))
    path, code = verified()
    assert code == 0
    assert "Elm Street" not in path.read_text()
    assert "(erased on 2005-06-14 by gita)" in path.read_text()


def test_words_that_were_changed_in_both_places_are_found(scene):
    engine = create_engine(scene.url)
    words, standings = (METADATA.tables[f"modelmon_{n}"] for n in ("audit_words", "standings"))
    with engine.begin() as connection:
        connection.execute(words.update().values(text="nothing of the kind"))
        connection.execute(standings.update().values(reason="nothing of the kind"))
    engine.dispose()
    assert any("other words than those of sha256:" in told for told in scene.replay)
    assert Fault.STATE_DIFFERS in scene.compared


@pytest.mark.parametrize(
    ("model", "place", "told"),
    [
        ("other", 2, "no record 2 of the model other"),
        ("credit", 999, "no record 999 of the model credit"),
        ("credit", 2, "holds no words of a person that are still there"),
    ],
)
def test_what_there_is_not_is_not_erased(scene, model, place, told):
    before = scene.bodies
    with pytest.raises(RefusedError, match=told):
        scene.erase(place, model)
    assert scene.bodies == before


def test_words_are_erased_where_they_were_first_written(scene):
    """A request is written anew with each vote: whoever erases a vote leaves the request's words."""
    place = scene.record_with(EventType.APPROVAL_GRANTED)
    scene.erase(place)
    assert "seen" not in {each["text"] for each in words_left(scene)}
    assert {"it is ready"} < {each.get("text") for each in scene.asked(AuditStore.words)}


def words_left(scene):
    return [each for each in scene.asked(AuditStore.words) if "text" in each]


def test_it_is_erased_once(scene):
    place = scene.record_with(EventType.APPROVAL_VOTED)
    scene.erase(place)
    with pytest.raises(RefusedError, match="still there"):
        scene.erase(place)
