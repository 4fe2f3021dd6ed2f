"""What pages leave out of small groups, read as somebody would who wants to know them."""

from itertools import product

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.domain.field import Field, FieldKind
from monitor.domain.naming import CROSS
from monitor.domain.segment import Segment
from monitor.profile.codec import profile_from_bytes
from monitor.reports.discretion import NOT_SHOWN
from monitor.reports.wording import all_findings
from tests.held import FieldLimit, Limit
from tests.people import deployment, write
from tests.reading_room import Room

SEXES, AREAS = ("f", "m"), ("a", "b", "c", "d", "")
WEIGHTS = (0.5, 0.38, 0.115, 0.005)
"""Six of 1200 rows are of area d."""

LAST = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    found = deployment(
        tmp_path_factory.mktemp("small"),
        fields=(
            Field("amount", "amount", FieldKind.NUMERIC),
            Field("area", "area", FieldKind.CATEGORICAL),  # also a protected attribute
        ),
        segments=(Segment("by area", ("area",)),),
        limits={
            "psi": FieldLimit(Limit(0.1, 0.25)),
            "decision_rate": FieldLimit(Limit(0.05, 0.1)),
        },
    )
    for place in range(LAST + 1):
        write(found, place, areas=AREAS[:4], weights=WEIGHTS)
    found.register()
    found.check(LAST + 1)
    return found


@pytest.fixture(scope="module")
def pages(made):
    room = Room(made)
    return [
        (item, room.read(f"/models/credit/findings/{item.fingerprint}"))
        for item in all_findings(made.run(LAST))
    ]


def number(text):
    return float(text.replace(",", ""))


class Reader:
    """Somebody who knows all totals and the pages; unknown is sex × area × decision."""

    shape = (len(SEXES), len(AREAS), 2)

    def __init__(self):
        self.rows, self.shown = [], set()
        for decided in (None, 1):
            self.rows.append(self.form("", "", decided))
            for (
                sex
            ) in SEXES:  # a total for each: the pages may show both, and nothing protects them
                self.rows.append(self.form(sex, "", decided))

    def form(self, sex, area, decided):
        found = np.zeros(self.shape)
        chosen = found[
            [SEXES.index(sex)] if sex else slice(None),
            [AREAS.index(area)] if area else slice(None),
        ]
        chosen[..., slice(None) if decided is None else decided] = 1.0
        found[
            [SEXES.index(sex)] if sex else slice(None),
            [AREAS.index(area)] if area else slice(None),
        ] = chosen
        return found.ravel()

    def learn(self, population, group, decided=None):
        names = dict(zip(population.split(CROSS), group.split(CROSS), strict=True))
        self.shown.add((population, group))
        self.rows.append(self.form(names.get("sex", ""), names.get("area", ""), decided))

    def knows(self, form):
        known = np.array(self.rows)
        return np.linalg.matrix_rank(np.vstack([known, form])) == np.linalg.matrix_rank(known)


def told(finding, page):
    """Yield population, group and rows of everything that a page tells of groups."""
    for name, rows in page.tables.items():
        if name.startswith("The two sides"):
            for group, _, _, count in rows:
                yield finding.reading.subject.population, group, number(count)
        if name.startswith("By ") and rows[0] != [NOT_SHOWN]:
            for group, *_ in rows[:-1]:
                yield name[3:].split(":")[0], group, None


@pytest.mark.slow
def test_no_small_count_can_be_worked_out_from_all_pages(made, pages):
    reader = Reader()
    for finding, page in pages:
        if finding.reading.measure.startswith("selection_rate"):
            for population, group, count in told(finding, page):
                assert count is None or count >= made.policy.suppress_below
                for decided in (None, 1):
                    reader.learn(population, group, decided)
    assert ("area", "a") in reader.shown and ("area", "b") in reader.shown
    assert ("area", "d") not in reader.shown
    outcomes = profile_from_bytes(made.run(LAST).results[0].profile).outcomes
    assert outcomes is not None
    assert not reader.knows(reader.form("", "d", None))
    assert not reader.knows(reader.form("", "d", 1))
    for sex in SEXES:
        assert not reader.knows(reader.form(sex, "d", None))


def test_a_small_group_has_a_verdict_and_no_number(pages):
    of_d = [
        (finding, page)
        for finding, page in pages
        if finding.reading.subject.group == "d" and finding.reading.subject.population == "area"
    ]
    assert of_d
    for finding, page in of_d:
        assert (
            page.facts["verdict"] == finding.verdict.value
            or "insufficient" in page.facts["verdict"]
        )
        assert "rows" not in page.facts and "then → now" not in page.facts
        assert finding.explanation not in page.text or finding.explanation == "too few rows"
        assert not any(name.startswith("The two sides") for name in page.tables)


def test_neither_is_it_told_beside_the_other_groups(pages):
    for finding, page in pages:
        subject = finding.reading.subject
        for name, rows in page.tables.items():
            if not name.startswith("The other groups of area"):
                continue
            for group, reading, _, why in rows:
                if group.startswith("area: d"):
                    assert subject.group != "d"
                    assert reading == NOT_SHOWN or reading.startswith("no number")
                    assert why in {NOT_SHOWN, "too few rows", "undefined", "no labels"}


def test_parts_of_a_field_that_is_a_protected_attribute_are_left_out(pages):
    (page,) = [
        page
        for finding, page in pages
        if finding.reading.measure == "psi"
        and finding.reading.subject.field == "area"
        and not finding.reading.subject.segment
    ]
    assert page.table("What made it") == [[NOT_SHOWN]]
    (other,) = [
        page
        for finding, page in pages
        if finding.reading.measure == "psi"
        and finding.reading.subject.field == "amount"
        and not finding.reading.subject.segment
    ]
    assert len(other.table("What made it")) == 10


def test_a_rate_is_taken_apart_by_no_population_that_hangs_together_with_a_small_group(pages):
    (page,) = [
        page
        for finding, page in pages
        if finding.reading.measure == "decision_rate" and not finding.reading.subject.segment
    ]
    for name in ("By sex", "By area", f"By sex{CROSS}area", "By by area"):
        assert [rows for title, rows in page.tables.items() if title == name] == [[[NOT_SHOWN]]]


def test_slices_by_a_protected_attribute_are_left_out_where_a_group_is_small(pages):
    sliced = [(finding, page) for finding, page in pages if finding.reading.subject.segment]
    assert sliced
    for finding, page in sliced:
        assert "rows" not in page.facts
        assert finding.explanation not in page.text


@pytest.mark.slow
def test_where_all_groups_are_large_everything_is_told(tmp_path):
    made = deployment(tmp_path, limits={"decision_rate": FieldLimit(Limit(0.05, 0.1))})
    for place in range(4):
        write(made, place, rows=2400)
    made.register()
    made.check(4)
    room = Room(made)
    found = all_findings(made.run(3))
    page = room.read(
        "/models/credit/findings/"
        + next(item.fingerprint for item in found if item.reading.measure == "decision_rate")
    )
    assert len(page.table("By sex:")) == 3  # both, and all
    assert "not shown" not in page.text


def test_an_owner_may_have_everything_shown(made):
    policy = replace(made.policy, suppress_in_metrics=False)
    room = Room(made, credit=policy)
    of_d = next(
        item
        for item in all_findings(made.run(LAST))
        if item.reading.subject.group == "d" and item.reading.subject.population == "area"
    )
    assert "not shown" not in room.read(f"/models/credit/findings/{of_d.fingerprint}").text


def test_crossings_of_the_small_group_are_left_out(pages):
    cells = {CROSS.join(pair) for pair in product(SEXES, ("d",))}
    for finding, page in pages:
        if finding.reading.subject.group in cells:
            assert "rows" not in page.facts
