"""The report in a real browser: who reads it by other means than eyes can, and it prints."""

import shutil
import unicodedata
from io import BytesIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

from monitor.config.regulation import controls
from monitor.domain.field import Attribute, Effect, Stratum
from monitor.domain.window import Window
from monitor.engine.period import period_of
from monitor.reports.bias.build import Earlier, report_of
from monitor.reports.bias.html import SECTIONS, as_html
from monitor.reports.bias.pdf import BROWSERS, as_pdf
from tests.held import day
from tests.people import deployment, write

pytestmark = pytest.mark.slow

SMALL = {"areas": ("a", "b", "c", "d"), "weights": (0.5, 0.38, 0.115, 0.005)}


FACTOR = Stratum(Attribute("product", "product"), "head of credit", "sold to other people")


def page_of(folder, **options):
    strata = {"product": FACTOR} if options.get("products") else {}
    made = deployment(folder, effect=Effect.HARMFUL, strata=strata)
    for place in range(5):
        write(made, place, **options)
    made.register()
    made.check(5)
    then = Earlier(of_days(made, 2, 3), "a" * 64)
    return as_html(report_of(of_days(made, 3, 5), "test", controls(), then))


def of_days(made, first, last):
    span = Window(day(first).start, day(last).start)
    return period_of(made.store, "credit", span, lambda _: made.policy)


@pytest.fixture(
    scope="module",
    params=[{}, SMALL, {"products": True}],
    ids=["all shown", "small groups left out", "with strata"],
)
def page(request, tmp_path_factory):
    return page_of(tmp_path_factory.mktemp("report"), **request.param)


@pytest.fixture(scope="module")
def browser():
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found, "tests/debian-packages.sh installs Chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def violations(browser):
    """Return a function that gives the rules of axe that a page breaks, with where it does."""

    def check(text, width=1280):
        tab = browser.new_page(viewport={"width": width, "height": 900})
        tab.set_content(text)
        try:
            found = Axe().run(tab).response["violations"]
        finally:
            tab.close()
        return {item["id"]: [node["html"] for node in item["nodes"]] for item in found}

    return check


@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_wrong(page, violations, width):
    assert violations(page, width) == {}


def test_axe_finds_what_is_wrong(page, violations):
    spoilt = page.replace('<html lang="en">', "<html>").replace('tabindex="0" ', "")
    assert {"html-has-lang", "scrollable-region-focusable"} <= violations(spoilt, 320).keys()


def test_nothing_is_wider_than_a_small_screen(page, browser):
    tab = browser.new_page(viewport={"width": 320, "height": 640})
    tab.set_content(page)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320
    tab.close()


PAPER = 688
"""Pixels between the margins of an A4 page: what is wider makes the browser print all of it smaller."""


def test_nothing_is_wider_than_the_paper(page, browser):
    tab = browser.new_page(viewport={"width": PAPER, "height": 900})
    tab.emulate_media(media="print")
    tab.set_content(page)
    assert tab.evaluate("document.documentElement.scrollWidth") <= PAPER
    tab.close()


def letters(text):
    """Return what is left of a text however a printer sets blanks, hyphens and ligatures."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))


@pytest.fixture(scope="module")
def printed(page):
    return PdfReader(BytesIO(as_pdf(page, "2005-10-01 01:02:03Z")))


def test_it_prints_on_pages_with_all_its_sections_and_says_its_language(printed):
    assert printed.trailer["/Root"]["/Lang"] == "en"
    assert len(printed.pages) > 3
    texts = [sheet.extract_text() for sheet in printed.pages]
    assert all(text.strip() for text in texts)
    whole = letters("".join(texts))
    for place, (_, title) in enumerate(SECTIONS, start=1):
        assert letters(f"{place}. {title}") in whole
    assert letters("A disparity is not by itself evidence of discrimination") in whole


def test_the_same_page_prints_the_same_text(page, printed):
    again = PdfReader(BytesIO(as_pdf(page, "2005-10-01 01:02:03Z")))
    first, second = ([sheet.extract_text() for sheet in each.pages] for each in (printed, again))
    assert first == second
