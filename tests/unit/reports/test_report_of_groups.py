"""The report that is signed: what it says, what it keeps to itself, and that it can be made again."""

import csv
import json
import re
from html.parser import HTMLParser
from io import StringIO

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.config.defaults import DEFAULT_LIMITS
from monitor.config.regulation import controls
from monitor.domain.errors import ReportError
from monitor.domain.field import Attribute, Effect, Stratum
from monitor.domain.finding import Verdict
from monitor.domain.policy import FieldLimit
from monitor.engine.alias import group_alias
from monitor.reports.bias import charts, looks, pdf
from monitor.reports.bias.build import report_of
from monitor.reports.bias.counts_csv import NOT_SHOWN, as_csv
from monitor.reports.bias.html import SECTIONS, as_html
from monitor.reports.bias.plain import as_json, digest_of, plain
from monitor.reports.bias.summary import summary
from monitor.reports.bias.tables import tables_of
from monitor.reports.bias.verify import seal_of
from monitor.reports.in_short import in_short
from monitor.reports.wording import all_findings
from tests.people import deployment, write
from tests.reported import (
    SMALL,
    comparison,
    part,
    period,
    report,
    stored,
    sums_of,
    verified,
)


@pytest.fixture(scope="module")
def plenty(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("plenty"))


@pytest.fixture(scope="module")
def sparse(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("sparse"), **SMALL)


@pytest.mark.slow
def test_what_it_says_is_what_was_counted(plenty):
    found = report(plenty)
    (stretch,) = period(plenty).stretches
    table = stretch.whole.pair.current.outcomes.margin("area")
    item = comparison(found, "area", "b")
    assert item.rate.events == table[1, 1].sum()
    assert item.rate.rows == table[1].sum()
    assert item.answer == "breach"
    reference = comparison(found, "area", "a")
    assert item.ratio.value == pytest.approx(item.rate.value / reference.rate.value)
    assert item.past.judged == item.past.beyond == 3
    answers = {item.answer for item in part(found, "sex").metrics[0].comparisons}
    assert answers <= {"", "within", "review"}


@pytest.mark.slow
def test_error_rates_are_those_of_the_integer_table(plenty):
    found = report(plenty)
    (stretch,) = period(plenty).stretches
    table = stretch.whole.pair.current.outcomes.margin("area")[0]
    row = part(found, "area").outcomes[0]
    assert row.counts == {
        "true_positive": table[1, 1],
        "false_positive": table[1, 0],
        "false_negative": table[0, 1],
        "true_negative": table[0, 0],
    }
    rate = row.rates["true_positive_rate"]
    assert (rate.events, rate.rows) == (table[1, 1], table[1, 1] + table[0, 1])
    assert row.rates["false_negative_rate"].value == pytest.approx(1 - rate.value)


def test_nobody_vanishes(plenty):
    found = report(plenty)
    for population in found.versions[0].populations:
        assert sum(item.rows for item in population.presences) == 3600
    assert [item.group for item in part(found, "area").presences][-1] == "(unknown)"
    assert sum(item.read for item in found.windows) == 3600
    assert all(item.read == item.used + sum(item.rejected.values()) for item in found.windows)


def test_the_summary_is_short_and_has_counts_before_per_cents(plenty):
    found = report(plenty)
    assert len(found.summary) <= 8
    assert "3,600 decisions" in found.summary[0]
    worst = next(line for line in found.summary if line.startswith("Farthest apart"))
    item = comparison(found, "area", "b")
    assert f"area b, {item.rate.events:,} of {item.rate.rows:,} (" in worst
    assert "more than at equal rates" in worst
    assert found.summary[-1].startswith("A decision is needed from lending")


def test_an_owner_whom_nobody_named_is_not_named(plenty):
    found = report(plenty)
    unnamed = replace(found.policy, owner="")
    nothing = [replace(version, populations=()) for version in found.versions]
    for versions, told in (
        (found.versions, "A decision is needed from the owner, whom the policy does not name, on "),
        (nothing, "somebody other than the owner, whom the policy does not name."),
    ):
        assert told in summary(found.identity, versions, found.windows, unnamed, None)[-1]


def test_what_is_missing_stands_in_every_summary_and_missing_decisions_call(tmp_path):
    limits = {"undecided_rate": FieldLimit(DEFAULT_LIMITS["undecided_rate"])}
    made = deployment(tmp_path, limits=limits)
    for place in range(4):
        write(made, place, undecided=0 if place < 2 else 900)
    made.register()
    (made.folder / "torn.parquet").write_bytes(b"PAR1 and then nothing")
    made.check(4)
    runs = [made.run(place) for place in (2, 3)]
    (judged,) = (item for item in all_findings(runs[-1]) if item.reading.measure in limits)
    assert (judged.verdict, judged.reading.result.value) == (Verdict.CRITICAL, 0.75)
    told = " ".join(in_short(made.policy, runs))
    assert (
        "rows without a known decision 75.0%, 0.0% in the baseline (critical beyond 0.05)." in told
    )
    assert "1 file is in no result: `modelmon quarantine list` says why." in told
    told = next(line for line in report(made, 2, 4).summary if line.startswith("Of 2,400 rows"))
    assert (
        "1,800 (75.0\N{NO-BREAK SPACE}%) have no known decision and are in no rate of decisions"
        in told
    )
    assert "0 were not, and 1 file could not be used; 1,800" in told


@pytest.mark.slow
def test_a_favourable_decision_is_told_from_its_own_side(tmp_path):
    found = report(stored(tmp_path, effect=Effect.FAVOURABLE))
    assert comparison(found, "area", "b").answer == "within"
    assert part(found, "area").metrics[0].tolerated == (0.8, None)
    assert "helps the person" in found.summary[1]
    assert found.summary[-1].startswith("Nothing is in breach")


@pytest.mark.slow
def test_small_counts_are_nowhere_in_any_form(sparse):
    found = report(sparse)
    group = part(found, "area")
    assert "d" in group.withheld
    assert comparison(found, "area", "d").rate is None
    every = [item for item in found.versions[0].populations for item in item.presences]
    assert not [item for item in every if item.rows and item.rows < 10]
    rows = list(csv.DictReader(StringIO(as_csv(found))))
    shown = [row for row in rows if row["population"] == "area" and row["group"] == "d"]
    assert shown
    assert {row["rows"] for row in shown} == {NOT_SHOWN}
    for row in rows:
        for count in (row["events"], row["rows"]):
            assert count == NOT_SHOWN or not 0 < int(count) < 10
    assert "Counts from 1 to 9 are not shown" in as_html(found)


@pytest.mark.slow
def test_what_is_shown_does_not_determine_what_is_not(sparse):
    """Rank test on the very tables of a report: margins, crossings, windows and labels together."""
    (stretch,) = period(sparse).stretches
    tables = tables_of(stretch, sparse.policy, below=10)
    order = sorted(tables.hidden, key=str)
    assert len(order) > 10
    sums = sums_of(tables, stretch)
    rows = np.array(
        [[(item.total == cell) - float(item.parts.count(cell)) for cell in order] for item in sums]
    )
    _, sizes, directions = np.linalg.svd(rows)
    free = directions[int((sizes > 1e-9).sum()) :]  # ways in which the hidden counts may differ
    assert (np.abs(free).max(axis=0) > 1e-9).all()


@pytest.mark.slow
def test_an_unsuppressed_report_says_so(sparse):
    found = report(sparse, unsuppressed=True)
    assert comparison(found, "area", "d").rate is not None
    assert "Small counts are shown." in as_html(found)
    assert "Small counts are shown." not in as_html(report(sparse))


@pytest.mark.slow
def test_adjusted_p_values_are_not_shown_beside_a_group_that_is_not(sparse):
    items = part(report(sparse), "area").metrics[0].comparisons
    assert {item.p_adjusted for item in items} == {None}
    assert comparison(report(sparse), "area", "b").answer == "breach"


@pytest.mark.slow
def test_the_same_store_gives_the_same_bytes(plenty):
    first, second = report(plenty), report(plenty)
    assert as_html(first) == as_html(second)
    assert as_json(first) == as_json(second)
    assert plain(first)["digest"] in as_html(first)


class Page(HTMLParser):
    """Notes what is in a page, and that every element is closed in order."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        if "id" in given:
            self.ids.append(given["id"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [given for name, given in self.tags if name == tag]


@pytest.fixture(scope="module")
def page(plenty):
    text = as_html(report(plenty))
    return text, Page(text)


def test_the_page_is_well_formed_and_has_every_section(page):
    text, found = page
    assert text.startswith("<!DOCTYPE html>")
    assert found.all("html") == [{"lang": "en"}]
    assert [given["id"] for given in found.all("section")] == [key for key, _ in SECTIONS]
    for place, (_, title) in enumerate(SECTIONS, 1):
        assert f">{place}. {title}</h2>" in text
    assert len(found.ids) == len(set(found.ids))


def test_a_screen_reader_finds_its_way(page):
    text, found = page
    for landmark in ("header", "nav", "main", "footer"):
        assert len(found.all(landmark)) == 1
    assert text.count("<caption>") == len(found.all("table")) > 10
    assert all("scope" in given for given in found.all("th"))
    drawings = found.all("svg")
    assert len(drawings) > 5
    for given in drawings:
        assert given["role"] == "img"
        assert set(given["aria-labelledby"].split()) <= set(found.ids)
    assert len(found.all("title")) == len(drawings) + 1
    assert len(found.all("h1")) == 1


def test_nothing_runs_and_nothing_comes_from_elsewhere(page):
    text, found = page
    tags = {tag for tag, _ in found.tags}
    assert not tags & {"script", "link", "iframe", "object", "embed", "img"}
    assert not [name for _, given in found.tags for name in given if name.startswith("on")]
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text
    links = [given["href"] for given in found.all("a")]
    assert {link.lstrip("#") for link in links} <= set(found.ids)


def luminance(colour):
    value = colour.lstrip("#")
    value = "".join(two * 2 for two in value) if len(value) == 3 else value
    parts = [int(value[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_colours_have_contrast_and_never_stand_alone(page):
    text, _ = page
    pairs = re.findall(r"^\.(\w+) \{ color: (#\w+); background: (#\w+);", text, flags=re.MULTILINE)
    assert len(pairs) >= 6
    assert all(contrast(ink, ground) >= 4.5 for _, ink, ground in pairs)
    for look in looks.LOOKS.values():
        assert contrast(look.ink, "#ffffff") >= 4.5
    words = [look.word for look in looks.LOOKS.values()]
    assert len(set(words)) == len(words)


@pytest.mark.slow
def test_names_from_the_log_are_only_text(tmp_path):
    hostile = "<script>alert(1)</script>"
    made = deployment(tmp_path)
    for place in range(4):
        write(made, place, areas=("a", hostile, "=cmd|'x'!A1"))
    made.register()
    made.check(4)
    text = as_html(report(made, 2, 4))
    Page(text)
    assert hostile not in text
    assert "&lt;script&gt;" in text
    assert "\n1,\"'=cmd" not in as_csv(report(made, 2, 4))
    assert "'=cmd" in as_csv(report(made, 2, 4))


@pytest.mark.slow
@pytest.mark.parametrize("form", [as_html, as_json])
def test_a_report_that_was_left_alone_is_verified(plenty, form):
    assert verified(plenty, form(report(plenty))) == ()


@pytest.mark.slow
def test_a_changed_number_is_found_where_it_stands(plenty):
    text = as_html(report(plenty))
    item = comparison(report(plenty), "area", "b")
    told = f"{item.rate.events:,} of {item.rate.rows:,}"
    (*_, last) = verified(plenty, text.replace(told, "1 of 2"))
    assert (last.report, last.store) != ("", "")
    first = verified(plenty, text.replace(told, "1 of 2"))[0]
    assert "1. Summary" in first.where
    assert "1 of 2" in first.report
    assert told in first.store


@pytest.mark.slow
def test_a_drawing_that_was_changed_is_found(plenty):
    text = as_html(report(plenty))
    moved = re.sub(r'cx="(\d+)', r'cx="1\1', text, count=1)
    found = verified(plenty, moved)
    assert len(found) == 1
    assert "drawing" in found[0].where


@pytest.mark.slow
def test_a_changed_answer_in_json_is_found_and_so_is_its_digest(plenty):
    content = json.loads(as_json(report(plenty)))
    area = content["versions"][0]["populations"][1]["metrics"][0]["comparisons"]
    area[1]["answer"] = "within"
    found = verified(plenty, json.dumps(content))
    assert {item.where.rpartition(".")[2] for item in found} == {
        "digest of its own content",
        "answer",
    }
    content["digest"] = digest_of(content)
    again = verified(plenty, json.dumps(content))
    assert {item.where.rpartition(".")[2] for item in again} == {"digest", "answer"}


@pytest.mark.slow
def test_a_missing_part_is_found(plenty):
    content = json.loads(as_json(report(plenty)))
    del content["versions"][0]["populations"][2]
    found = verified(plenty, json.dumps(content))
    assert any("populations[2]" in item.where and item.report == "" for item in found)
    text = as_html(report(plenty))
    cut = re.sub(r'<section id="cannot".*?</section>', "", text, flags=re.DOTALL)
    assert any("15. What" in item.store for item in verified(plenty, cut))


@pytest.mark.slow
def test_a_stylesheet_that_hides_something_is_found(plenty):
    text = as_html(report(plenty))
    (only,) = verified(plenty, text.replace("</style>", ".breach { display: none }</style>"))
    assert "marks of the page" in only.where


@pytest.mark.slow
def test_a_report_is_made_again_from_the_revisions_that_it_names(tmp_path):
    made = stored(tmp_path, days=4)
    text = as_html(report(made, 2, 4))
    made.store.commit(replace(made.run(2), identity="other", results=()), made.policy)
    assert verified(made, text) == ()  # the revision that it was made from is still there
    assert as_html(report(made, 2, 4)) != text


@pytest.mark.parametrize("text", ["", "<p>nothing</p>", "{}", '{"identity": 3}', "[1"])
def test_what_is_no_report_is_refused(text):
    with pytest.raises(ReportError, match="no report"):
        seal_of(text)


def test_a_pdf_is_dated_by_what_it_rests_on():
    printed = b"%PDF /CreationDate (D:20261122034611+00'00')\n/ModDate (D:20261122034611+00'00')>>"
    dated = pdf.dated(printed, "2005-10-01 01:02:03Z")
    assert dated.count(b"(D:20051001010203+00'00')") == 2
    assert len(dated) == len(printed)


def test_a_pdf_without_a_browser_says_what_to_install(monkeypatch):
    monkeypatch.setattr(pdf, "BROWSERS", ("no-such-browser",))
    with pytest.raises(ReportError, match="apt-get install chromium"):
        pdf.as_pdf("<p>", "2005-10-01 00:00:00Z")


@pytest.mark.slow
def test_a_factor_that_turns_a_difference_round_is_said_to(tmp_path):
    factor = Stratum(Attribute("product", "product"), "head of credit", "sold to other people")
    made = deployment(tmp_path, strata={"product": factor})
    for place in range(5):
        write(made, place, products=True)
    made.register()
    made.check(5)
    found = report(made)
    within = {
        (item.metric, item.group): item
        for item in part(found, "area").conditional
        if item.group == "b"
    }
    difference = within["selection_rate_conditional_difference", "b"]
    assert difference.factor == "product"
    assert difference.detail["marginal"] > 0.1
    assert difference.figure.value == pytest.approx(-0.1, abs=0.04)
    assert "has another sign than over all rows" in difference.explanation
    assert "of the group's rows" in difference.explanation
    assert not {"positive", "expected", "share_compared"} & difference.detail.keys()
    assert within["selection_rate_conditional_ratio", "b"].figure.value < 1
    text = as_html(found)
    assert "share of positive decisions: difference, points" in text
    assert "No factor is declared" not in text
    assert verified(made, text) == ()


def test_a_model_that_makes_no_decision_has_no_such_report(plenty):
    made = period(plenty)
    undecided = replace(made, policy=replace(made.policy, decision=None))
    with pytest.raises(ReportError, match="credit makes no decision"):
        report_of(undecided, "test", controls())


@pytest.mark.parametrize("high", [1.0, 1.4, 1.5, 3.5, 3.6, 7.0, 7.1, 9.99])
@pytest.mark.parametrize("power", [-3, -1, 0, 2])
def test_an_axis_of_any_length_has_three_to_seven_steps(high, power):
    length = high * 10.0**power
    assert 3 <= round(length / charts._step(length), 9) <= 7


def test_the_report_says_which_alias_of_a_dashboard_is_whom(plenty):
    made = period(plenty)
    policy = replace(made.policy, alias_groups=True)
    found = report_of(replace(made, policy=policy), "test", controls())
    (told,) = (
        note for note in found.notes if note.startswith("On metrics and dashboards, of sex:")
    )
    assert f"f is {group_alias('credit', 'sex', 'f')}" in told
