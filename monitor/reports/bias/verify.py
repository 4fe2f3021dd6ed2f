"""Whether a report still says what the store gives: every number and word of it, one by one."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from html.parser import HTMLParser
from math import isclose
from typing import Any

from msgspec import Struct

from monitor.domain.errors import ReportError
from monitor.domain.window import Window
from monitor.engine.recheck import RELATIVE
from monitor.reports.bias.history import Before
from monitor.reports.bias.plain import KIND, digest_of

SEAL = "modelmon-report"
"""Name of the tag in which a page carries what it is made from."""

_VOID = frozenset({"meta", "br", "img", "link", "hr", "input", "col"})

_NAMING = frozenset({"h1", "h2", "h3", "caption", "dt", "th"})
"""Elements that say where in a page something stands."""


class Discrepancy(Struct, frozen=True):
    """One place where a report is not what the store gives.

    Attributes:
        where: The place, in words or as a path.
        report: What the report says; "" for nothing.
        store: What the store gives; "" for nothing.
    """

    where: str
    report: str
    store: str


class Seal(Struct, frozen=True):
    """What a report says that it is of: enough to make it again.

    Attributes:
        digest: The digest that it bears.
        model: The model.
        span: The period.
        revisions: Which result of each window.
        unsuppressed: Whether small counts are shown.
        code: The version of the program that wrote it.
        before: What it is held against; None for nothing.
        decided: When the last decision that it tells of was made; None for none.
    """

    digest: str
    model: str
    span: Window
    revisions: Mapping[Window, int]
    unsuppressed: bool
    code: str
    before: Before | None
    decided: datetime | None = None


def seal_of(text: str) -> Seal:
    """Return what a report is of: a page, or JSON.

    Raises:
        ReportError: It is no report, or the part that says so is missing or damaged.
    """
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else json.loads(_sealed(text))
        identity = found["identity"]
        return Seal(
            str(found["digest"]),
            str(identity["model"]),
            _window(identity["span"]),
            {_window(window): int(number) for window, number in identity["revisions"]},
            bool(identity["unsuppressed"]),
            str(identity["code"]),
            _before(identity.get("before")),
            datetime.fromisoformat(identity["decided"]) if identity.get("decided") else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ReportError(
            f"this is no report of modelmon, or its seal is damaged: {error}"
        ) from error


def discrepancies(
    text: str, again: Mapping[str, Any], page: str, seal: Seal
) -> tuple[Discrepancy, ...]:
    """Return every difference between a report and the one that the store gives now.

    Args:
        text: The report, a page or JSON.
        again: The same report made again, as plain values.
        page: The same as a page.
        seal: What the report says that it is of.
    """
    found: list[Discrepancy] = []
    if text.lstrip().startswith("{"):
        content = json.loads(text)
        own = digest_of(content)
        if content.get("kind") != KIND:
            found.append(Discrepancy("kind", str(content.get("kind", "")), KIND))
        if own != seal.digest:
            found.append(Discrepancy("digest of its own content", seal.digest, own))
        found += _values("", content, again)
        return tuple(found)
    if seal.digest != again["digest"]:
        found.append(Discrepancy("digest", seal.digest, str(again["digest"])))
    found += _texts(text, page)
    if not found and text != page:
        found.append(Discrepancy("marks of the page, not its words", "altered", "as written"))
    return tuple(found)


def _before(found: Mapping[str, Any] | None) -> Before | None:
    if found is None:
        return None
    revisions = tuple((_window(window), int(number)) for window, number in found["revisions"])
    return Before(str(found["digest"]), _window(found["span"]), revisions)


def _window(found: Mapping[str, str]) -> Window:
    return Window(datetime.fromisoformat(found["start"]), datetime.fromisoformat(found["end"]))


def _values(where: str, report: Any, store: Any) -> Iterator[Discrepancy]:
    if isinstance(report, dict) and isinstance(store, Mapping):
        for key in dict.fromkeys((*report, *store)):
            at = f"{where}.{key}" if where else str(key)
            yield from _values(at, report.get(key, _NOTHING), store.get(key, _NOTHING))
    elif isinstance(report, list) and isinstance(store, list):
        for index in range(max(len(report), len(store))):
            yield from _values(
                f"{where}[{index}]",
                report[index] if index < len(report) else _NOTHING,
                store[index] if index < len(store) else _NOTHING,
            )
    elif not _same(report, store):
        yield Discrepancy(where, _said(report), _said(store))


class _Nothing:
    """Stands for what is not there."""


_NOTHING = _Nothing()


def _same(report: Any, store: Any) -> bool:
    if type(report) is float and type(store) is float:
        return isclose(report, store, rel_tol=RELATIVE)
    return type(report) is type(store) and bool(report == store)


def _said(value: Any) -> str:
    return "" if isinstance(value, _Nothing) else json.dumps(value)


def _texts(report: str, store: str) -> Iterator[Discrepancy]:
    """Yield the words, and the numbers that drawings are made of, that differ between two pages."""
    theirs, ours = list(_pieces(report)), list(_pieces(store))
    for index in range(max(len(theirs), len(ours))):
        at, said = theirs[index] if index < len(theirs) else (ours[index][0], "")
        also, gives = ours[index] if index < len(ours) else (at, "")
        if said != gives:
            yield Discrepancy(also if gives else at, said, gives)


def _pieces(text: str) -> list[tuple[str, str]]:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.pieces


def _sealed(text: str) -> str:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    if not reader.seal:
        raise ValueError(f"it has no {SEAL} tag")
    return reader.seal


class _Reader(HTMLParser):
    """Reads the words of a page, each with where it stands."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[tuple[str, str]] = []
        self.seal = ""
        self._open: list[str] = []
        self._named: dict[str, str] = {}
        self._svg = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "meta" and given.get("name") == SEAL:
            self.seal = given.get("content") or ""
        if tag == "svg" or self._svg:
            self._svg += tag not in _VOID
            drawn = [f"{name}={value}" for name, value in attrs if name not in {"class", "role"}]
            if drawn:
                self.pieces.append((f"{self._where()}, drawing", " ".join(drawn)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._svg:
            self._svg -= 1
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if not words or "style" in self._open:
            return
        for tag in _NAMING.intersection(self._open[-2:]):
            self._named[tag] = words
            if tag == "h2":
                self._named = {"h2": words}
        self.pieces.append((self._where(), words))

    def _where(self) -> str:
        named = (self._named.get(tag, "") for tag in ("h2", "h3", "caption", "th", "dt"))
        return " / ".join(dict.fromkeys(name for name in named if name)) or "the page"
