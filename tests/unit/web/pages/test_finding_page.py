import sqlite3

import pytest
from msgspec.structs import force_setattr

from monitor.domain.estimate import Estimate
from monitor.reports.discretion import NOT_SHOWN
from monitor.reports.wording import all_findings
from monitor.store.schema import upgrade
from monitor.web.pages import answers
from tests.held import Deployment
from tests.people import deployment, write
from tests.reading_room import Room

SMALLEST = 50_000
DAYS = 5


def at(finding, model="credit"):
    return f"/models/{model}/findings/{finding.fingerprint}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    found = Deployment(tmp_path_factory.mktemp("drifting"))
    for place in range(DAYS):
        if place != 3:
            found.write(place, shift=2.0 if place == 4 else 0.0)
    found.register()
    found.check(DAYS)
    return found


@pytest.fixture(scope="module")
def room(made):
    return Room(made)


def drifted(made, place=4):
    return made.finding(place, "")


@pytest.mark.slow
def test_it_tells_the_reading_its_limit_and_what_it_rests_on(made, room):
    finding, run = drifted(made), made.run(4)
    result = finding.reading.result
    page = room.read(at(finding))
    assert page.facts["finding"] == finding.fingerprint
    assert page.facts["reading"] == (
        f"{result.value:.4g}, {result.level:.0%} interval {result.low:.4g} to {result.high:.4g}"
    )
    assert page.facts["rows"] == f"{result.n}, held against {result.n_reference}"
    assert page.facts["method"] == result.method
    assert page.facts["limit"] == "warning beyond 0.1, critical beyond 0.25"
    assert page.facts["verdict"] == "critical (beyond critical)"
    assert page.facts["alarm"] == "critical"
    assert page.facts["run"] == run.identity
    assert page.facts["data"] == run.manifest.digest
    assert page.facts["baseline"] == run.results[0].baseline
    assert page.facts["policy"] == run.policy == "d"
    assert page.facts["code"] == "modelmon test"
    assert "a test" in page.facts["of the baseline"]
    assert finding.explanation in page.text
    assert "docs/runbooks/ModelMonDrift.md" in page.text
    assert page.table("The files it was made from")[0][1] == "4.parquet"


def test_a_default_is_nobodys_and_a_line_of_the_file_is_its_owners(tmp_path):
    text = "model: credit\nowner: lending\nlimits:\n  drift:\n    psi: {warning: 0.1}\n"
    made = Deployment(tmp_path, owner="lending", text=text)
    for place in range(3):
        made.write(place)
    made.register()
    made.check(3)
    room = Room(made)
    written = room.read(at(made.finding(2, ""))).facts
    assert written["section of the file"] == "limits.drift.psi (line 5)"
    assert written["set by"] == "the owner, lending"
    default = room.read(at(made.finding(2, "", "missing_rate"))).facts
    assert default["section of the file"].endswith("(not written there: the default holds)")
    assert default["set by"].startswith("nobody: modelmon's default")


def test_its_windows_are_drawn_and_listed_and_none_is_joined_over(made, room):
    page = room.read(at(drifted(made)))
    listed = page.table("Its last windows")
    assert [row[0] for row in listed] == ["2024-01-05", "2024-01-04", "2024-01-03"]
    assert "critical" in listed[0][2] and listed[0][3] == "critical"
    assert "not judged" in listed[1][2] and "no such finding" in listed[1][1]
    assert page.source.count('class="gap"') == 1
    assert page.source.count("<polyline") == 0  # one window on either side of the gap
    assert "not judged" in page.source.split("<desc")[1].split("</desc>")[0]


def test_what_made_it_is_drawn_beside_its_table(made, room):
    page = room.read(at(drifted(made)))
    assert len(page.table("What made it: population stability index")) == 10
    assert page.source.count("<svg") == 2 == page.source.count("<title id=")
    assert page.source.count("<desc") == 2


def test_an_older_window_is_told_with_what_came_later(made, room):
    page = room.read(at(drifted(made)) + "?window=2024-01-03T00:00Z")
    assert page.facts["verdict"].startswith("ok")
    assert "judged again in later windows, last in 2024-01-05" in page.text


def test_windows_without_it_after_its_last_are_no_good_news(tmp_path):
    made = Deployment(tmp_path)
    for place in range(3):
        made.write(place)
    made.register()
    made.check(5)  # two days have no file
    page = Room(made).read(at(made.finding(2, "")))
    assert "2 later windows did not judge it, 2 of them without any row" in page.text
    assert "how it is now is not known" in page.text


@pytest.mark.slow
def test_an_older_result_says_that_it_is_one(tmp_path):
    made = Deployment(tmp_path)
    for place in range(3):
        made.write(place)
    made.register()
    made.check(3)
    first = made.finding(2, "")
    made.write(2, shift=3.0)
    made.back_fill(2)
    room = Room(made)
    old = room.read(f"{at(first)}?revision=1")
    assert "This is an older result" in old.text
    assert old.facts["alarm"].startswith("none of this result")
    assert "--revision 1" in old.facts["shows the same on a terminal"]
    assert "This is an older result" not in room.read(at(first)).text


def test_the_first_digits_will_do_where_they_are_of_one(made, room, monkeypatch):
    finding = drifted(made)
    assert room.read(at(finding)[:-8]).facts["finding"] == finding.fingerprint
    monkeypatch.setattr(answers, "_DIGITS", "[0-9a-f]*")
    answer = room.ask("/models/credit/findings/" + finding.fingerprint[:1])
    assert answer.status_code in {200, 404}  # of one, or of several that are named
    everything = room.ask("/models/credit/findings/" + "0123456789abcdef")
    assert everything.status_code == 404


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/models/nobody/findings/0123456789abcdef", "No model nobody is watched here"),
        ("/models/credit/findings/0123456789abcdef", "has no finding 0123456789abcdef"),
        ("/models/credit/findings/01", "4 do where no other begins so"),
        ("/models/credit/findings/%27%20or%201%3D1", "has no finding"),
        ("/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "No model ../../etc/passwd is watched"),
        ("/models/credit/findings/<script>", "has no finding"),
        ("/models/credit/nothing", "This address has no page"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(room, path, said):
    answer = room.ask(path)
    assert answer.status_code == 404
    assert said in answer.text
    assert "<script" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    assert 'href="' in answer.text.split("<main")[1]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("window=2031-01-01T00:00Z", "No stored window of model credit starts at 2031"),
        ("window=today", "starts at today"),
        ("revision=7", "none is 7"),
        ("revision=-1", "not the number of a result"),
        ("window=2024-01-04T00:00Z", "did not judge"),
    ],
)
def test_a_window_that_is_not_there_is_said_with_those_that_are(made, room, asked, said):
    answer = room.ask(f"{at(drifted(made))}?{asked}")
    assert (answer.status_code, said in answer.text) == (404, True), answer.text


def test_a_page_that_is_known_is_not_sent_again(made, room):
    first = room.ask(at(drifted(made)))
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    again = room.ask(at(drifted(made)), **{"if-none-match": f'"other", W/{tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert room.ask(at(drifted(made)), **{"if-none-match": '"other"'}).status_code == 200


def test_a_head_is_answered_and_a_write_is_not(made, room):
    assert room.ask(at(drifted(made)), "HEAD").status_code == 200
    assert room.ask(at(drifted(made)), "POST").status_code == 405


def test_no_script_can_run_and_nothing_comes_from_elsewhere(made, room):
    answer = room.ask(at(drifted(made)))
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = room.read(at(drifted(made)))
    assert not {"script", "iframe", "object", "form", "img", "style"} & page.tags
    assert not [link for link in page.links if "//" in link]
    assert room.ask("/-/pages.css").headers["content-type"].startswith("text/css")


def test_a_database_in_trouble_is_said_and_not_cached(tmp_path, caplog):
    url = f"sqlite:///{tmp_path}/store.db"
    upgrade(url)
    made = Deployment(tmp_path / "log", url=url)
    for place in range(3):
        made.write(place)
    made.register()
    made.check(3)
    room, finding = Room(made), made.finding(2, "")
    shots = room.library.models()
    force_setattr(room.library, "models", lambda: shots)
    assert room.ask(at(finding)).status_code == 200
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("drop table modelmon_findings")
    answer = room.ask(at(finding))
    assert answer.status_code == 503
    assert "neither that all is well nor that it is not" in answer.text
    assert str(tmp_path) not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "page not made" in caplog.text


NASTY = (
    "<script>alert(1)</script>",
    "'; drop table modelmon_runs; --",
    "a\u202eb\x00",
    "{{ 7*7 }}",
)


@pytest.mark.slow
def test_names_of_any_content_are_text_and_nothing_else(tmp_path):
    name = 'a/../b?"c"#<i>%2F& d'
    made = deployment(tmp_path, model=name)
    for place in range(4):
        write(made, place, areas=NASTY, weights=(0.4, 0.3, 0.2, 0.1))
    made.register()
    made.check(4)
    room = Room(made)
    run = made.store.latest(name)
    start = "/models/a%2F..%2Fb%3F%22c%22%23%3Ci%3E%252F%26%20d"
    found = [item for item in all_findings(run) if item.reading.subject.population == "area"]
    assert found
    for finding in found:
        page = room.read(f"{start}/findings/{finding.fingerprint}")
        assert "script" not in page.tags and "i" not in page.tags
        assert "\u202e" not in page.source and "\x00" not in page.source
        assert "49" not in page.facts["measured on"]
        assert f"../../../{start[1:]}" in page.links
    assert any(
        "&lt;script&gt;" in room.read(f"{start}/findings/{item.fingerprint}").source
        for item in found
    )


@pytest.mark.slow
def test_every_finding_has_a_page_and_none_is_large(tmp_path):
    made = deployment(tmp_path)
    for place in range(4):
        write(made, place)
    made.register()
    made.check(4)
    room = Room(made)
    for finding in all_findings(made.run(3)):
        page = room.read(at(finding))
        assert len(page.source.encode()) < SMALLEST
        assert page.facts["finding"] == finding.fingerprint
        shown = NOT_SHOWN in page.facts["reading"]
        assert isinstance(finding.reading.result, Estimate) or not shown
