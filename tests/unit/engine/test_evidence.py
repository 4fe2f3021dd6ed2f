"""What an approval rests on is looked at again, and the approval is void by itself."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from monitor.domain.governance import RegistryEntry
from monitor.domain.registry import RegisteredModel
from monitor.engine import verbs
from monitor.engine.decisions import Said
from monitor.engine.evidence import look_at_files, unseen
from monitor.engine.mirrored import StoredAuthority
from monitor.governance.approvals import NotAllowedError, RequestState
from monitor.governance.consequences import GRACE, register
from monitor.governance.ledger import Book
from monitor.governance.standing import State
from monitor.sources.evidence import LocalFiles
from tests.held import Deployment
from tests.ledgers import GOVERNANCE, who
from tests.registries import MemoryRegistry, a_version

DAY = timedelta(days=1)
RESTS_ON = {"model": "card-{version}.bin", "report": "report.html"}
ENTRY = RegistryEntry("credit-approval", "champion")


@pytest.fixture
def made(tmp_path):
    """Return a version that was never submitted, with the files that its approval is to rest on."""
    governance = replace(GOVERNANCE, rests_on=RESTS_ON)
    found = Deployment(tmp_path / "log", governance=governance)
    found.outside = replace(found.outside, files=LocalFiles())
    for place in range(4):
        found.write(place)
    found.register(0, 4)
    source = replace(found.policy.source, path="log")
    found.restart(directory=str(tmp_path), source=source)
    (tmp_path / "card-1.bin").write_bytes(b"weights")
    (tmp_path / "report.html").write_text("groups as accepted")
    found.clock.day = 4
    look(found)
    return found


def look(found):
    look_at_files(found.policy, found.store, LocalFiles(), found.clock.now())


def said(made, person):
    return Said(who(person), made.clock.now(), "because")


def submit(made, **digests):
    verbs.submit(made.policy, made.store, said(made, "olga"), "1", digests)


def agree(made, *people):
    number = max(item.number for item in made.store.requests("credit"))
    for person in people:
        verbs.vote(made.policy, made.store, said(made, person), number, granted=True)


def standing(made):
    return made.store.standings("credit")["1"]


def request(made):
    return made.store.requests("credit")[-1]


def test_a_request_is_bound_to_what_is_there(made, tmp_path):
    submit(made)
    assert request(made).bound_to["report"] == LocalFiles().digest(str(tmp_path), "report.html")
    assert request(made).bound_to["model"] == LocalFiles().digest(str(tmp_path), "card-1.bin")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["card-1.bin", "report.html"])
def test_another_file_voids_the_approval_at_the_next_check(made, tmp_path, name):
    submit(made)
    agree(made, "vera", "head")
    made.check(5)
    assert standing(made).state is State.APPROVED
    (tmp_path / name).write_text("another")
    made.check(6)
    assert (standing(made).state, standing(made).by) == (State.HELD, "daemon")
    assert "it takes a new approval" in standing(made).reason
    assert request(made).recorded is RequestState.VOIDED
    assert {case.cause for case in made.store.cases("credit")} == {"identity"}
    with pytest.raises(NotAllowedError, match="submit it anew"):
        verbs.release(made.policy, made.store, said(made, "olga"), "1")


@pytest.mark.slow
def test_bringing_the_file_back_does_not_bring_the_approval_back(made, tmp_path):
    submit(made)
    agree(made, "vera", "head")
    was = (tmp_path / "report.html").read_text()
    (tmp_path / "report.html").write_text("another")
    made.check(5)
    (tmp_path / "report.html").write_text(was)
    made.check(6)
    assert (standing(made).state, request(made).recorded) == (State.HELD, RequestState.VOIDED)


@pytest.fixture
def away(made, tmp_path):
    """Return an approved version whose report was found to be gone on the fifth day."""
    submit(made)
    agree(made, "vera", "head")
    (tmp_path / "report.html").rename(tmp_path / "elsewhere")
    made.check(5)
    return made


@pytest.mark.slow
def test_a_file_that_is_gone_for_a_day_is_not_what_was_approved(away):
    away.check(5 + GRACE / DAY - 1e-4)
    assert (standing(away).state, request(away).recorded) == (State.APPROVED, RequestState.GRANTED)
    away.check(5 + GRACE / DAY)
    assert standing(away).state is State.HELD
    assert "report is gone" in standing(away).reason


def test_a_file_that_comes_back_as_it_was_has_voided_nothing(away, tmp_path):
    (tmp_path / "elsewhere").rename(tmp_path / "report.html")
    away.check(5.5)
    away.check(9)
    assert (standing(away).state, request(away).recorded) == (State.APPROVED, RequestState.GRANTED)


def test_a_file_that_comes_back_as_another_voids_at_once(away, tmp_path):
    (tmp_path / "report.html").write_text("another")
    away.check(5.5)
    assert (standing(away).state, request(away).recorded) == (State.HELD, RequestState.VOIDED)


@pytest.mark.slow
def test_each_absence_has_a_day_of_its_own(away, tmp_path):
    (tmp_path / "elsewhere").rename(tmp_path / "report.html")
    away.check(5.5)
    (tmp_path / "report.html").unlink()
    away.check(5.9)
    away.check(6.8)
    assert standing(away).state is State.APPROVED
    away.check(6.95)
    assert standing(away).state is State.HELD


def test_what_is_gone_is_told_at_once_and_once_and_nothing_new_rests_on_it(away, caplog):
    (found,) = unseen(away.policy, away.store.found("credit"))
    assert (found.name, found.seen) == ("report", False)
    away.check(5.5)
    records = [*caplog.get_records("setup"), *caplog.records]
    told = [record.getMessage() for record in records if "report" in record.getMessage()]
    assert told == ["the report of version 1 cannot be looked at: report.html is not there"]
    with pytest.raises(NotAllowedError, match=r"the report, .* in report\.html, is not there"):
        submit(away)


def test_a_file_that_cannot_be_looked_at_voids_nothing_and_is_said_once(made, tmp_path, caplog):
    submit(made)
    agree(made, "vera", "head")
    (tmp_path / "report.html").unlink()
    (tmp_path / "report.html").symlink_to("report.html")
    made.check(5)
    made.check(6)
    assert standing(made).state is State.APPROVED
    (found,) = [each for each in made.store.found("credit") if each.name == "report"]
    assert "report.html" in found.trouble
    assert [record.levelname for record in caplog.records if "report" in record.message] == [
        "WARNING"
    ]


def test_what_changes_between_the_votes_cannot_be_approved(made, tmp_path):
    submit(made)
    agree(made, "vera")
    (tmp_path / "card-1.bin").write_bytes(b"other weights")
    look(made)
    with pytest.raises(NotAllowedError, match="the request is voided"):
        agree(made, "head")
    assert standing(made).state is State.REGISTERED
    assert "submit it anew" in standing(made).reason


def test_what_is_not_there_cannot_be_submitted(made, tmp_path):
    (tmp_path / "report.html").unlink()
    look(made)
    with pytest.raises(NotAllowedError, match=r"the report, .* in report\.html, is not there"):
        submit(made)


def test_what_could_never_be_looked_at_cannot_be_submitted(made, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    made.restart(governance=replace(GOVERNANCE, rests_on={"card": "loop"}))
    look(made)
    with pytest.raises(NotAllowedError, match=r"the card, .* in loop, was not looked at yet"):
        submit(made)


def test_a_digest_that_is_not_of_what_is_there_is_refused(made):
    with pytest.raises(NotAllowedError, match="the model that you name is sha256:00; there is"):
        submit(made, model="sha256:00")


@pytest.mark.slow
@pytest.mark.parametrize("version", ["../secret", "a/b", "..", ".", "a\0b"])
def test_a_version_does_not_lead_out_of_the_folder(made, tmp_path, version):
    (tmp_path / "secret.bin").write_text("secret")
    made.restart(governance=replace(GOVERNANCE, rests_on={"model": "in/{version}.bin"}))
    made.store.govern(
        made.policy, made.clock.now(), lambda ledger, there: named(ledger, there, version)
    )
    look(made)
    (found,) = [each for each in made.store.found("credit") if each.version == version]
    assert (found.digest, found.trouble) == (None, "its version cannot be a part of a file's name")


def named(ledger, there, version):
    book = Book(ledger, there.now)
    register(book, version)
    return book.changes


def approved_in(made, registry):
    made.restart(governance=replace(GOVERNANCE, registry=ENTRY))
    authority = StoredAuthority(made.store, made.clock)
    authority.look(made.policy, registry.model, registry)
    submit(made)
    agree(made, "vera", "head")
    return authority


def a_registry(*versions):
    return MemoryRegistry(RegisteredModel("credit-approval", versions or (a_version("1"),)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("there", "file", "what"),
    [
        (a_version("1", source="s3://elsewhere"), "ab" * 32, "registry is sha256"),
        (a_version("2"), "ab" * 32, "registry is gone"),
        (a_version("1"), "cd" * 32, "model_file is sha256"),
    ],
)
def test_another_entry_in_the_registry_voids_the_approval(made, there, file, what):
    registry = a_registry()
    authority = approved_in(made, registry)
    authority.look(made.policy, registry.model, registry)
    assert standing(made).state is State.APPROVED
    registry.model, registry.described = RegisteredModel("credit-approval", (there,)), file
    authority.look(made.policy, registry.model, registry)
    assert (standing(made).state, request(made).recorded) == (State.HELD, RequestState.VOIDED)
    assert what in standing(made).reason


def test_what_the_registry_does_not_hand_out_voids_nothing(made):
    registry = a_registry()
    authority = approved_in(made, registry)
    registry.described = ""
    authority.look(made.policy, registry.model, registry)
    assert standing(made).state is State.APPROVED


def test_a_held_version_loses_its_approval_as_well(made):
    registry = a_registry()
    authority = approved_in(made, registry)
    authority.hold(made.policy, "1", "the registry's version 1 is not what was approved")
    assert request(made).recorded is RequestState.GRANTED
    registry.put(a_version("1", source="s3://elsewhere"))
    authority.look(made.policy, registry.model, registry)
    assert request(made).recorded is RequestState.VOIDED
    with pytest.raises(NotAllowedError, match="submit it anew"):
        verbs.release(made.policy, made.store, said(made, "olga"), "1")


def test_what_is_looked_at_between_the_request_and_the_last_yes_is_approved_as_well(made):
    made.restart(governance=replace(GOVERNANCE, registry=ENTRY))
    registry, authority = a_registry(), StoredAuthority(made.store, made.clock)
    submit(made)
    agree(made, "vera")
    assert "registry" not in request(made).bound_to
    authority.look(made.policy, registry.model, registry)
    agree(made, "head")
    assert {"registry", "model_file"} <= set(request(made).bound_to)
    registry.described = "cd" * 32
    authority.look(made.policy, registry.model, registry)
    assert standing(made).state is State.HELD
