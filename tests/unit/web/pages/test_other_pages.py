from datetime import timedelta

import pytest
from msgspec.structs import force_setattr, replace

from monitor.domain.alarm import Alarm, AlarmState
from monitor.domain.alert import Condition, Mute
from monitor.domain.finding import Verdict
from monitor.engine.pruning import Pruning
from monitor.reports.discretion import NOT_SHOWN
from monitor.web.pages import answers
from tests.held import DAY, Deployment
from tests.people import deployment, write
from tests.reading_room import Read, Room

DAYS = 6


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    found = Deployment(tmp_path_factory.mktemp("models"))
    for place in range(DAYS):
        found.write(place, shift=2.0 if place == DAYS - 1 else 0.0)
    found.register()
    found.check(DAYS)
    return found


@pytest.fixture(scope="module")
def room(made):
    return Room(made)


def test_the_first_page_names_every_model_with_what_is_known_of_it(room):
    ((name, state, alarms, found, window, _, owner),) = room.read("/").table("1 model")
    assert (name, window, owner) == ("credit", "2024-01-06", "nobody")
    assert "critical" in state and alarms.endswith("critical")
    assert "1 critical" in found


def test_a_model_without_results_is_not_well(tmp_path):
    made = Deployment(tmp_path)
    ((_, state, _, found, window, *_),) = Room(made).read("/").table("1 model")
    assert "unknown" in state
    assert (found, window) == ("there is no result yet", "none yet")
    page = Room(made).read("/models/credit")
    assert "nothing can be compared" in page.facts["baseline"]
    assert "There is no result of these windows" in page.text


def test_a_window_without_rows_is_not_well_and_keeps_its_alarms(tmp_path):
    made = Deployment(tmp_path)
    for place in range(4):
        made.write(place, shift=2.0 if place == 3 else 0.0)
    made.register()
    made.check(5)
    room = Room(made)
    ((_, state, alarms, found, *_),) = room.read("/").table("1 model")
    assert "critical" in state and "critical" in alarms
    assert found == "the latest window has no rows; alarms stay as they were"
    called = room.read("/models/credit").table("Findings that call")
    assert ("amount", "critical") in [(row[1], row[6]) for row in called]


def test_a_model_of_which_nothing_could_be_judged_is_not_well(made):
    shot = next(iter(Room(made).library.models().values()))
    unknown = tuple(
        replace(item, verdict=Verdict.UNKNOWN) for item in shot.latest.results[0].findings
    )
    result = replace(shot.latest.results[0], findings=unknown)
    latest = replace(shot.latest, results=(result,), findings=())
    room = Room(made)
    blind = replace(shot, latest=latest, alarms=replace(shot.alarms, found={}), alerts=())
    force_setattr(room.library, "models", lambda: {"credit": blind})
    ((_, state, _, found, *_),) = room.read("/").table("1 model")
    assert "unknown" in state
    assert found.startswith("nothing could be judged")


def test_a_late_result_is_said(made):
    room = Room(made)
    assert "<strong>late" not in room.read("/").source
    force_setattr(room.library, "now", lambda: made.clock.now() + 3 * DAY)
    assert "<strong>late" in room.read("/").source
    assert "A result is late" in room.read("/models/credit").text


def test_nothing_shown_yet_is_not_well(made):
    room = Room(made)
    force_setattr(room.library, "models", dict)
    assert "Nothing is known to be well" in room.read("/").text


def test_many_models_take_several_pages_those_that_call_first(made, monkeypatch):
    monkeypatch.setattr(answers, "LISTED", 2)
    room = Room(made)
    (shot,) = room.library.models().values()
    quiet = replace(shot, alarms=replace(shot.alarms, found={}), alerts=())
    named = {
        name: replace(shot if name == "d" else quiet, policy=replace(shot.policy, model=name))
        for name in "abcde"
    }
    force_setattr(room.library, "models", lambda: named)
    assert [row[0] for row in room.read("/").table("5 models")] == ["d", "a"]
    assert [row[0] for row in room.read("/?page=3").table("5 models")] == ["e"]
    assert room.ask("/?page=4").status_code == 404
    assert room.ask("/?page=x").status_code == 404


def test_a_models_page_has_alarms_first_then_fields_worst_first(room):
    page = room.read("/models/credit")
    called = page.table("Findings that call")
    assert called[0][6] == "critical"
    fields = page.table("What was judged of fields")
    assert fields[0][1] == "amount" and fields[0][2] == "population stability index"
    order = ["critical", "warning", "unknown", "ok"]
    ranks = [order.index(row[5].split()[-1]) for row in fields]
    assert ranks[0] == 0 and ranks[-1] == 3
    assert page.text.index("Findings that call") < page.text.index("What was judged of fields")
    assert "registered by a test" in page.facts["baseline of version 1"]


def test_an_alert_goes_on_in_a_window_that_says_nothing_and_its_mute_is_told(made):
    room = Room(made)
    (shot,) = room.library.models().values()
    (alert, *_) = [item for item in shot.alerts if item.firing]
    told = replace(alert, condition=Condition.UNKNOWN)
    now = room.library.now()
    mute = Mute("credit", alert.fingerprint, now, now + timedelta(days=1), "ada", "a campaign")
    held = replace(
        shot,
        alarms=replace(shot.alarms, found={}),
        alerts=(told,),
        mutes={alert.fingerprint: mute},
    )
    force_setattr(room.library, "models", lambda: {"credit": held})
    ((_, _, alarms, *_),) = room.read("/").table("1 model")
    assert alarms == "1 critical (1 of them muted)"
    ((name, _, _, state, _, _, windows, muted),) = room.read("/models/credit").table("Open alerts")
    assert (name, state) == (alert.fingerprint[:8], "firing, critical")
    assert "; unknown since " in windows
    assert muted.endswith("Z, ada: a campaign")
    facts = room.read(f"/models/credit/findings/{alert.fingerprint}").facts
    assert (facts["state"], facts["windows"]) == (state, windows)
    assert facts["muted"] == f"{muted}: nobody is called meanwhile"


def test_pending_alarms_are_listed_after_those_that_call(made):
    room = Room(made)
    (shot,) = room.library.models().values()
    window = shot.latest.window
    names = list(shot.alarms.found[window])
    states = dict.fromkeys(names, Alarm(AlarmState.NONE, 0, 3))
    states[names[0]] = Alarm(AlarmState.PENDING, 1, 3)
    states[names[1]] = Alarm(AlarmState.WARNING, 2, 3)
    held = replace(shot, alarms=replace(shot.alarms, found={window: states}))
    force_setattr(room.library, "models", lambda: {"credit": held})
    called = room.read("/models/credit").table("Findings that call")
    assert [row[6] for row in called] == ["warning, 2 of 3", "1 of 2 windows so far"]


def test_results_are_read_in_pages(made, monkeypatch):
    monkeypatch.setattr(answers, "LISTED", 2)
    room = Room(made)
    first = room.read("/models/credit")
    assert [row[0] for row in first.table("The newest result")] == ["2024-01-06", "2024-01-05"]
    (older,) = [link for link in first.links if link.startswith("?before=")]
    second = room.read(f"/models/credit{older}")
    assert [row[0] for row in second.table("The newest result")] == ["2024-01-04", "2024-01-03"]
    assert not [link for link in second.links if link.startswith("?before=")]
    assert room.ask("/models/credit?before=never").status_code == 404


def test_a_result_accounts_for_its_rows_and_files(made, room):
    page = room.read("/models/credit/runs/2024-01-06T00:00Z/1")
    run = made.run(5)
    assert page.facts["identity"] == run.identity
    assert page.facts["data"].startswith(run.manifest.digest)
    assert page.table("Its rows")[-1] == ["read", "300"]
    assert page.table("The files it was made from")[0][0] == "5.parquet"
    assert len(page.table("Findings of this result")) == len(run.results[0].findings) + len(
        run.findings
    )
    assert page.source == room.read("/models/credit/runs/2024-01-06T00:00Z/newest").source
    for path in ("runs/2024-01-06T00:00Z/2", "runs/2024-01-06T00:00Z/x", "runs/yesterday/1"):
        assert room.ask(f"/models/credit/{path}").status_code == 404


@pytest.mark.slow
def test_every_link_of_every_page_leads_somewhere(room):
    seen, waiting = set(), ["/", "/models/credit", "/models/credit/runs/2024-01-06T00:00Z/1"]
    while waiting:
        path = waiting.pop()
        if path in seen or len(seen) > 60:
            continue
        seen.add(path)
        answer = room.ask(path)
        assert answer.status_code in {200, 503} if path == "/-/ready" else answer.status_code == 200
        if answer.headers["content-type"].startswith("text/html"):
            base = answer.url
            waiting += [
                base.join(link).raw_path.decode()
                for link in room.read(path).links
                if not link.startswith("#")
            ]
    assert len(seen) > 10


@pytest.mark.slow
def test_small_groups_are_left_out_of_every_list(tmp_path):
    made = deployment(tmp_path)
    for place in range(4):
        write(made, place, areas=("a", "b", "c", "d"), weights=(0.5, 0.38, 0.115, 0.005))
    made.register()
    made.check(4)
    room = Room(made)
    for path in ("/models/credit", "/models/credit/runs/2024-01-04T00:00Z/1"):
        page = room.read(path)
        (title,) = [name for name in page.tables if "groups" in name or "this result" in name]
        of_d = [row for row in page.tables[title] if row[1].startswith("area: d ")]
        assert of_d
        assert {row[3] == NOT_SHOWN or row[3].startswith("no number") for row in of_d} == {True}
        assert any(row[1].startswith("area: b ") and "(" in row[3] for row in page.tables[title])


@pytest.mark.slow
def test_no_page_is_large(tmp_path):
    many = tuple(f"group {place}" for place in range(30))
    made = deployment(tmp_path)
    for place in range(4):
        write(made, place, areas=many, weights=tuple(1 / 30 for _ in many), rows=6000)
    made.register()
    made.check(4)
    room = Room(made)
    for path in ("/", "/models/credit", "/models/credit/runs/2024-01-04T00:00Z/1"):
        assert len(room.read(path).source.encode()) < 50_000


@pytest.mark.slow
def test_a_pruned_result_is_said_to_be_gone_and_what_it_came_to_is_shown(tmp_path):
    made = Deployment(tmp_path)
    for place in range(6):
        made.write(place, shift=2.0 if place == 3 else 0.0)
    made.register()
    made.check(7)
    room = Room(made)
    named = room.read("/models/credit").table("The newest result of each window")
    made.store.prune(Pruning("credit", made.run(3).window.end, frozenset(), made.clock.now()), 9)
    listed = room.read("/models/credit").table("The newest result of each window")
    assert listed[:3] == named[:3]
    assert listed[3][3] == f"{named[3][3]}; pruned on 2024-01-08"
    answer = room.ask("/models/credit/runs/2024-01-04T00:00Z/newest")
    assert answer.status_code == 410
    page = Read.of(answer.text)
    assert "These results were pruned" in page.text
    assert "were pruned on 2024-01-08: there were" in page.text
