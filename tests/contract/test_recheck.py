"""Every stored number is recomputable, on each kind of database, and what was changed is found."""

import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, insert, select, update

import monitor
from monitor.alerts.detector import e_value
from monitor.config.model_file import load_policy, parse_policy
from monitor.domain.manifest import Accounting
from monitor.domain.window import Window
from monitor.engine.recheck import Agreement, Rechecker, revisions_within
from monitor.profile.codec import profile_from_bytes, profile_to_bytes
from monitor.store.schema import upgrade
from monitor.store.sql import SqlStore
from monitor.store.tables import BASELINES, FINDINGS, POLICIES, PROFILES, READINGS, RUNS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MODEL = "card-late-payment"


@pytest.fixture(scope="module")
def demo():
    """The demo's baseline and four months, each under two policies: the real path, once."""
    policy = load_policy(ROOT / "config" / "models" / f"{MODEL}.yaml")
    stricter = parse_policy(f"{policy.text}\nlimits: {{drift: {{psi: {{warning: 0.05}}}}}}\n", "x")
    model = monitor.open_model(policy)
    model.register(start="2005-04-01", end="2005-06-01", why="calm months")
    ran = [(policy, item.run) for item in model.run(start="2005-06-01", end="2005-10-01")]
    again = monitor.open_model(replace(stricter, directory=policy.directory))
    again.outside.store.register(model.outside.store.baselines(MODEL)[0])
    ran += [(stricter, item.run) for item in again.run(start="2005-06-01", end="2005-10-01")]
    return model.outside.store.baselines(MODEL), ran


@pytest.fixture
def filled(store, demo):
    baselines, ran = demo
    for baseline in baselines:
        store.register(baseline)
    for policy, run in ran:
        store.commit(run, policy)
    return store


@pytest.fixture(scope="module")
def of_september(tmp_path_factory, demo):
    """A database with both revisions of one month, to be copied."""
    baselines, ran = demo
    file = tmp_path_factory.mktemp("september") / "modelmon.db"
    upgrade(f"sqlite:///{file}")
    with closing(SqlStore(f"sqlite:///{file}")) as store:
        for baseline in baselines:
            store.register(baseline)
        for policy, run in (ran[3], ran[7]):
            store.commit(run, policy)
    return file


@pytest.fixture
def september(tmp_path, of_september):
    """Both revisions of one month, to be tampered with."""
    with closing(SqlStore(f"sqlite:///{shutil.copy(of_september, tmp_path)}")) as store:
        yield store


def rechecked(store, period=None, code=""):
    rechecker = Rechecker(store, MODEL, lambda text: parse_policy(text, "stored"), code=code)
    return [rechecker.recheck(*item) for item in revisions_within(store, MODEL, period)]


def changed(store, *statements):
    with store._engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def only(found):
    """Return the one result that is not equal."""
    (one,) = [item for item in found if item.agreement is not Agreement.EQUAL]
    return one


def newest(store):
    with store._engine.connect() as connection:
        return connection.scalar(select(RUNS.c.id).order_by(RUNS.c.id.desc()).limit(1))


def test_every_revision_is_equal(filled, demo):
    _, ran = demo
    found = rechecked(filled)
    assert [item.revision for item in found] == [1, 2] * 4
    assert {item.agreement for item in found} == {Agreement.EQUAL}
    (result,) = ran[0][1].results
    assert (found[0].readings, found[0].findings) == (len(result.readings), len(result.findings))
    assert min(item.findings for item in found) > 30


@pytest.mark.parametrize("url", ["file"], indirect=True)
def test_a_period_is_rechecked_by_its_windows(filled, demo):
    _, ran = demo
    july = ran[1][1].window
    assert [item.window for item in rechecked(filled, july)] == [july, july]
    half = Window(july.start, july.start + july.duration / 2)
    assert rechecked(filled, half) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("value", 0.01), ("low", -0.5), ("n", 7), ("method", "guess"), ("detail", {})],
)
def test_a_changed_reading_is_found(september, column, value):
    run = newest(september)
    where = (READINGS.c.run == run, READINGS.c.measure == "psi", READINGS.c.field == "repay_status")
    changed(september, update(READINGS).where(*where).values({column: value}))
    found = only(rechecked(september))
    assert found.agreement is Agreement.DIFFERENT
    assert {item.subject.field for item in found.differences} == {"repay_status"}
    assert {item.what for item in found.differences} == {"reading"}
    if column == "detail":
        assert [item.attribute for item in found.differences] == [
            "detail.excess",
            "detail.df",
            "detail.n_eff",
        ]
        assert {item.stored for item in found.differences} == {None}
    else:
        (difference,) = found.differences
        assert (difference.attribute, difference.stored) == (column, value)
        assert difference.recomputed not in (None, value)


def test_a_measure_that_another_version_did_not_have_is_named_and_one_that_was_taken_away_is_found(
    september,
):
    changed(september, delete(READINGS).where(READINGS.c.measure == "hellinger"))
    of_another = rechecked(september, code="another version")
    assert [item.not_measured for item in of_another] == [("hellinger",)] * 2
    assert {item.agreement for item in of_another} == {Agreement.EQUAL}
    stored_by = september.run(MODEL, of_another[0].window).code
    for item in rechecked(september, code=stored_by):
        assert {found.measure for found in item.differences} == {"hellinger"}
    in_one = (READINGS.c.measure == "js_distance", READINGS.c.run == newest(september))
    changed(september, delete(READINGS).where(*in_one))
    found = only(rechecked(september, code="another version"))
    assert {item.measure for item in found.differences} == {"js_distance"}


@pytest.mark.parametrize("measure", ["duplicate_rate", "unseen_rate"])
def test_what_is_judged_together_is_held_against_what_was_judged_then(demo, tmp_path, measure):
    baselines, ran = demo
    policy, run = ran[3]
    others = {name: limit for name, limit in policy.limits.items() if name != measure}
    upgrade(f"sqlite:///{tmp_path / 'modelmon.db'}")
    with closing(SqlStore(f"sqlite:///{tmp_path / 'modelmon.db'}")) as store:
        for baseline in baselines:
            store.register(baseline)
        of_then = Rechecker(store, MODEL, lambda _: policy)
        found = of_then.concluded(run, replace(policy, limits=others), as_then=True).results
        results = tuple(
            replace(item, readings=tuple(each for each in item.readings if each.measure != measure))
            for item in found
        )
        evidence = e_value(finding for item in results for finding in item.findings)
        store.commit(replace(run, results=results, e_value=evidence), policy)
        (now,) = rechecked(store, code="another version")
        assert (now.agreement, now.not_measured) == (Agreement.EQUAL, (measure,))
        (strict,) = rechecked(store, code=run.code)
        assert {item.measure for item in strict.differences} > {measure}


def test_a_number_that_became_a_reason_is_found(september):
    row = (
        READINGS.c.run == newest(september),
        READINGS.c.measure == "ks",
        READINGS.c.field == "score",
    )
    nothing = {"value": None, "absence": "no_data", "explanation": "lost"}
    changed(september, update(READINGS).where(*row).values(nothing))
    differences = {item.attribute: item for item in only(rechecked(september)).differences}
    assert (differences["reason"].stored, differences["reason"].recomputed) == ("no_data", None)
    assert differences["value"].stored is None and differences["value"].recomputed > 0


@pytest.mark.parametrize(
    ("column", "attribute", "value"),
    [
        ("verdict", "verdict", "ok"),
        ("reason", "reason", "within"),
        ("critical", "limit.critical", 99.0),
        ("explanation", "explanation", "all is well"),
    ],
)
def test_a_changed_finding_is_found(september, column, attribute, value):
    judged = (FINDINGS.c.run == newest(september), FINDINGS.c.reason == "beyond_critical")
    with september._engine.connect() as connection:
        place = connection.scalar(select(FINDINGS.c.position).where(*judged).limit(1))
    changed(
        september,
        update(FINDINGS).where(*judged, FINDINGS.c.position == place).values({column: value}),
    )
    (difference,) = only(rechecked(september)).differences
    assert (difference.what, difference.attribute, difference.stored) == (
        "finding",
        attribute,
        value,
    )


def test_results_that_were_taken_away_are_found(september):
    run = newest(september)
    alarm = (FINDINGS.c.run == run, FINDINGS.c.verdict == "critical")
    with september._engine.connect() as connection:
        alarms = len(connection.execute(select(FINDINGS.c.position).where(*alarm)).all())
    unjudged = (READINGS.c.run == run, READINGS.c.measure == "hellinger")
    changed(september, delete(FINDINGS).where(*alarm), delete(READINGS).where(*unjudged))
    gone = only(rechecked(september)).differences
    assert [item.stored for item in gone] == [None] * len(gone)
    assert [item.recomputed for item in gone if item.what == "finding"] == ["critical"] * alarms
    assert sum(item.measure == "hellinger" for item in gone) == 6


def test_a_finding_that_was_added_is_found(september):
    run = newest(september)
    with september._engine.connect() as connection:
        row = dict(
            connection.execute(select(FINDINGS).where(FINDINGS.c.run == run)).mappings().first()
        )
        judged = select(FINDINGS.c.reading).where(FINDINGS.c.run == run)
        free = select(READINGS.c.position).where(
            READINGS.c.run == run, READINGS.c.position.not_in(judged)
        )
        row |= {"reading": connection.scalar(free), "position": 999, "fingerprint": "f" * 16}
    changed(september, insert(FINDINGS).values(row))
    (difference,) = only(rechecked(september)).differences
    assert (difference.what, difference.recomputed) == ("finding", None)


def test_a_changed_profile_makes_other_readings(september, demo):
    _, ran = demo
    profile = profile_from_bytes(ran[-1][1].results[0].profile)
    profile.fields["limit_bal"].cells[3] += 500
    profile.rows += 500
    forged = {"profile": profile_to_bytes(profile)}
    changed(september, update(PROFILES).where(PROFILES.c.run == newest(september)).values(forged))
    found = only(rechecked(september)).differences
    assert ("rows", "in the profile") in {(item.what, item.attribute) for item in found}
    assert "limit_bal" in {item.subject.field for item in found if item.measure == "psi"}


def test_changed_sums_of_rows_are_found(september):
    with september._engine.connect() as connection:
        run = newest(september)
        stored = connection.scalar(select(RUNS.c.accounting).where(RUNS.c.id == run))
    assert Accounting(stored["read"], stored["profiled"]).balances
    forged = stored | {"profiled": {"1": stored["read"] - 9}}
    changed(september, update(RUNS).where(RUNS.c.id == run).values(accounting=forged))
    found = {(item.what, item.attribute) for item in only(rechecked(september)).differences}
    assert found == {("rows", "read"), ("rows", "in the sum of rows")}


def test_changed_evidence_is_found(september):
    run = newest(september)
    judged = select(FINDINGS.c.position, FINDINGS.c.evidence).where(
        FINDINGS.c.run == run, FINDINGS.c.verdict == "critical"
    )
    with september._engine.connect() as connection:
        rows = connection.execute(judged).all()
    place, evidence = next((place, stored) for place, stored in rows if stored)
    forged = {name: test | {"p_value": 0.5} for name, test in evidence.items()}
    changed(
        september,
        update(FINDINGS)
        .where(FINDINGS.c.run == run, FINDINGS.c.position == place)
        .values(evidence=forged),
        update(RUNS).where(RUNS.c.id == run).values(e_value=0.0),
    )
    found = only(rechecked(september)).differences
    assert {item.attribute for item in found} == {
        "e_value",
        *(f"evidence.{name}.p_value" for name in forged),
    }


def test_another_data_digest_is_found(september):
    forged = update(RUNS).where(RUNS.c.id == newest(september)).values(manifest_digest="ab" * 32)
    changed(september, forged)
    (difference,) = only(rechecked(september)).differences
    assert (difference.what, difference.stored) == ("data", "ab" * 32)


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (lambda: update(PROFILES).values(profile=b"MMP1 torn"), "the profile of 1 cannot be read"),
        (lambda: update(BASELINES).values(grid=b"MMG1 torn"), "the baseline .* cannot be read"),
        (lambda: update(BASELINES).values(version="2"), "is stored with the content of"),
        (lambda: update(POLICIES).values(text="model: x"), "cannot read the policy"),
        (lambda: update(READINGS).values(low=float("inf")), "its rows are damaged"),
    ],
)
def test_what_it_rests_on_is_damaged(september, forge, why):
    changed(september, forge())
    found = rechecked(september)
    assert {item.agreement for item in found} == {Agreement.IMPOSSIBLE}
    for item in found:
        assert re.search(why, item.why)


def test_a_policy_whose_text_was_changed_is_found_with_what_it_judges(september, demo):
    _, ran = demo
    stricter, run = ran[-1]
    text = stricter.text.replace("warning: 0.05", "warning: 0.06")
    changed(september, update(POLICIES).where(POLICIES.c.digest == run.policy).values(text=text))
    found = only(rechecked(september))
    assert (found.revision, found.agreement) == (2, Agreement.DIFFERENT)
    digest, *others = found.differences
    assert (digest.what, digest.attribute, digest.stored) == ("policy", "digest", run.policy)
    limits = {(item.attribute, item.stored, item.recomputed) for item in others}
    assert ("limit.warning", 0.05, 0.06) in limits
