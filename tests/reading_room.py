"""The application over a real store, and what its pages say, for tests of pages."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import httpx

from monitor import app
from monitor.exposition.page import ResultsPage
from monitor.exposition.process import ProcessMetrics
from monitor.exposition.vitals import Vitals
from monitor.store.sql import SqlStore
from monitor.web.app import create_app
from monitor.web.health import Health
from monitor.web.pages.library import Library

VOID = {"meta", "link", "br"}


class Room:
    """The daemon's application on a deployment's store, asked without a network."""

    def __init__(self, made, **models):
        policies = models or {made.policy.model: made.policy}
        self.made = made
        self.library = Library(
            models=lambda: {
                name: app.snapshot(policy, made.outside) for name, policy in policies.items()
            },
            store=made.store,
            read_policy=app.policy_of_text,
            line_of=app.line_of_key,
            now=made.clock.now,
        )
        page = ResultsPage()
        vitals = Vitals(list(policies), monotonic=lambda: 0.0)
        health = Health(vitals, page, timedelta(seconds=30))
        self.app = create_app(page, ProcessMetrics(vitals, page), health, self.library)

    def ask(self, path, method="GET", **headers):
        async def request():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(request())

    def read(self, path):
        answer = self.ask(path)
        assert answer.status_code == 200, answer.text
        return Read.of(answer.text)


@dataclass(frozen=True)
class Read:
    """What a page says, element by element."""

    source: str
    facts: dict
    tables: dict
    links: list
    text: str
    tags: set

    @classmethod
    def of(cls, source):
        parser = _Parser()
        parser.feed(source)
        parser.close()
        assert parser.open == [], f"not closed: {parser.open}"
        facts = dict(zip(parser.cells["dt"], parser.cells["dd"], strict=True))
        text = " ".join(unescape(re.sub("<[^>]*>", " ", source)).split())
        return cls(source, facts, parser.tables, parser.links, text, parser.tags)

    def table(self, title):
        (found,) = [rows for name, rows in self.tables.items() if name.startswith(title)]
        return found


class _Parser(HTMLParser):
    """Collects terms, tables and links, and refuses tags that do not match."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.tables, self.tags = [], [], {}, set()
        self.cells = {"dt": [], "dd": []}
        self._words, self._rows, self._row, self._title = None, None, None, ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        names = [name for name, _ in attrs]
        assert "style" not in names and not any(name.startswith("on") for name in names)
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag in {"dt", "dd", "td", "th", "caption"}:
            self._words = []
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._row = []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        said = " ".join("".join(self._words or []).split())
        if tag in self.cells:
            self.cells[tag].append(said)
        if tag in {"td", "th"}:
            self._row.append(said)
        if tag == "caption":
            self._title = said
        if tag == "tr":
            self._rows.append(self._row)
        if tag == "table":
            self.tables[self._title] = self._rows[1:]

    def handle_data(self, data):
        if self._words is not None:
            self._words.append(data)


def an_empty_library():
    """Return a library without models, for tests of everything else."""
    store = SqlStore("sqlite://")
    return Library(dict, store, app.policy_of_text, app.line_of_key, app.SystemClock().now)
