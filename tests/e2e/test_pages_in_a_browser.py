"""The pages of a running daemon in a real browser: for eyes and without, on paper and small screens."""

import re
import shutil
import unicodedata
from datetime import UTC, datetime
from io import BytesIO

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

from monitor.reports.bias.pdf import BROWSERS
from tests.e2e.deployment import get, make_deployment, register, wait_for, write_day

pytestmark = pytest.mark.slow

PAGES = ("fleet", "model", "field", "group", "empty", "result", "missing")

ANSWERS = """
delegation: {statement: Approve loans, by: cro, fallback: {target: desk, capacity_per_day: 40}}
accountability: {accountable: head, owners: [olga], contacts: {owner: "#credit"}}
risk: {rationale: nobody has said how much, limits: [{id: any, consequence: hold}]}
"""
"""All answers but one, so that what is there and what is missing is on the page."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Run a daemon over drifted days, one of them without rows; yield its pages by name."""
    deployment = make_deployment(tmp_path_factory.mktemp("site"), days=9)
    (deployment.folder / "log" / "2024-01-07.parquet").unlink()
    write_day(deployment.folder / "log" / "2024-01-06.parquet", datetime(2024, 1, 6, tzinfo=UTC))
    path = deployment.folder / "models" / "credit.yaml"
    register(deployment)
    path.write_text(path.read_text() + ANSWERS)
    deployment.call("run")
    with deployment.daemon() as (process, address, log):
        wait_for(lambda: get(f"{address}/-/ready")[0] == 200, process, log)
        said = get(f"{address}/models/credit")[1]
        rows = re.findall(r'href="([^"]*/findings/[0-9a-f]{16})[^"]*">.*?<td>(.*?)</td>', said)
        found = {what: f"{address}/models/credit/{link}" for link, what in rows[::-1]}
        found = {what: re.sub(r"/models/credit/\.\./", "/", link) for what, link in found.items()}
        yield {
            "fleet": f"{address}/",
            "model": f"{address}/models/credit",
            "field": found["amount"],
            "group": next(link for what, link in found.items() if what.startswith("sex: ")),
            "empty": f"{address}/models/credit/runs/2024-01-07T00:00Z/newest",
            "result": f"{address}/models/credit/runs/2024-01-09T00:00Z/1",
            "missing": f"{address}/models/debit",
        }


@pytest.fixture(scope="module")
def browser():
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    assert found, "tests/debian-packages.sh installs Chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser):
    """Return a function that opens an address and gives the tab, which has logged no complaint."""
    tabs, complaints = [], []

    def open_(address, width=1280, scheme="light"):
        tab = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=False
        )
        tabs.append(tab)
        tab.on("console", lambda message: complaints.append(message.text))
        tab.goto(address)
        return tab

    yield open_
    for tab in tabs:
        tab.close()
    assert [text for text in complaints if "404" not in text and "favicon" not in text] == []


def violations(browser, address, width, scheme):
    # axe is a script, which the pages forbid: it may run beside them.
    tab = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    tab.goto(address)
    try:
        found = Axe().run(tab).response["violations"]
    finally:
        tab.close()
    return {item["id"]: [node["html"] for node in item["nodes"]] for item in found}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "light"), (1280, "dark")])
def test_axe_finds_nothing_wrong(site, browser, name, width, scheme):
    assert violations(browser, site[name], width, scheme) == {}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_a_small_screen(site, opened, name):
    tab = opened(site[name], 320)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_stylesheet_is_used_and_a_script_is_not(site, opened):
    tab = opened(site["field"])
    assert tab.evaluate("getComputedStyle(document.querySelector('.state')).borderStyle") == "solid"
    assert tab.evaluate("document.scripts.length") == 0


def test_a_page_leads_to_the_others(site, opened):
    tab = opened(site["fleet"])
    tab.click("text=credit")
    assert tab.url == site["model"]
    tab.click("table >> text=/^[0-9a-f]{8}$/ >> nth=0")
    assert "/findings/" in tab.url
    tab.click("td a:has-text('result 1') >> nth=0")
    assert "/runs/" in tab.url
    tab.click("text=modelmon >> nth=0")
    assert tab.url == site["fleet"]


def test_a_finding_prints_with_what_it_rests_on(site, opened):
    tab = opened(site["field"])
    printed = PdfReader(BytesIO(tab.pdf(prefer_css_page_size=True, tagged=True)))
    read = "".join(sheet.extract_text() for sheet in printed.pages)
    text = "".join(unicodedata.normalize("NFKC", read).split())
    for title in ("Thefinding", "Thelimit,andwhosetit", "Itslastwindows", "Whatitrestson"):
        assert title in text
    assert re.search("[0-9a-f]{64}", text)


def test_the_window_without_rows_is_a_gap_in_the_drawing(site, opened):
    tab = opened(site["field"])
    assert tab.locator("svg .gap").count() == 1
    assert "2024-01-07" in tab.locator("table >> nth=0").inner_text()
