"""A YAML file as plain values, with the place of everything in it.

The grammar is that of YAML 1.2's core schema: ``true`` and ``false`` are the booleans, ``12``,
``0.5`` and ``1e5`` are numbers, ``2005-06-01`` is a text. A plain scalar that YAML 1.1 reads
otherwise (``no``, ``012``, ``12:30:45``) is an error that says what to write, because the next tool
that reads the file may be of the other opinion. Keys are texts; a key may not be given twice, and a
key without a value is an error. Anchors and aliases work; tags, merge keys and a second document do
not.

The parser's events are read, not its composed nodes: libyaml's composer calls itself for each level
of nesting, and a file of brackets alone ends the process.
"""

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct, field

from monitor.config.wording import quoted
from monitor.domain.errors import Problem
from monitor.domain.naming import scalar_text

KeyPath = tuple[str | int, ...]
"""Where a value stands: keys and list indices from the top."""

Position = tuple[int, int]
"""1-based line and column."""

MAX_DEPTH = 20
"""Levels of nesting; the deepest key of any file is at six."""

_SHOWN = 60
"""Characters of a key that are repeated in a path."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WHOLE = re.compile(r"[-+]?[0-9]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_TRUE_1_1 = re.compile(r"y|Y|yes|Yes|YES|on|On|ON")
_FALSE_1_1 = re.compile(r"n|N|no|No|NO|off|Off|OFF")
_OTHER_BASE = re.compile(r"[-+]?0(x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class Document(Struct, frozen=True):
    """What a file says.

    Attributes:
        file: The file as the user named it.
        text: Its content.
        value: Its keys; empty for an empty file.
        values_at: Position of each value.
        keys_at: Position of each key.
        problems: What cannot be read, in the order of the file.
        written: Numbers and booleans as they are written.
        unread: Paths of values that are already named in ``problems``; None stands in for them.
        incomplete: Paths of sections of which a key is already named in ``problems``.
        whole: Whether the file was read to its end.
    """

    file: str
    text: str
    value: Mapping[str, Any] = field(default_factory=dict)
    values_at: Mapping[KeyPath, Position] = field(default_factory=dict)
    keys_at: Mapping[KeyPath, Position] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    written: Mapping[KeyPath, str] = field(default_factory=dict)
    unread: frozenset[KeyPath] = frozenset()
    incomplete: frozenset[KeyPath] = frozenset()
    whole: bool = True

    def problem(self, path: KeyPath, message: str, *, at_key: bool = False) -> Problem:
        """Return a problem with the value (or key) at a path, or with what is nearest above it."""
        places = [self.keys_at, self.values_at] if at_key else [self.values_at]
        line, column = next(
            (
                place[path[:length]]
                for length in range(len(path), -1, -1)
                for place in places
                if path[:length] in place
            ),
            (1, 1),
        )
        return Problem(self.file, line, column, dotted(path), message)


def dotted(path: KeyPath) -> str:
    """Return a path as people write it: ``crossings[0][1]``, ``limits.drift.psi``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            short = 0 < len(part) <= _SHOWN and part.isprintable()
            shown = part if short else quoted(part)
            text += f".{shown}" if text else shown
    return text


def read_document(path: Path) -> Document:
    """Read a file; what is wrong with it is in the document's problems."""
    file = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return _unreadable(file, "", 1, 1, f"cannot be read: {reason}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        line, column = _position(before, len(before))
        return _unreadable(file, "", line, column, "is not UTF-8 text; save the file as UTF-8")
    return parse_document(file, text)


def parse_document(file: str, text: str) -> Document:
    """Read a text as a file of the given name."""
    stray = _UNPRINTABLE.search(text)
    if stray:
        line, column = _position(text, stray.start())
        code = f"U+{ord(stray.group()):04X}"
        return _unreadable(file, text, line, column, f"the control character {code} is not allowed")
    return _Reader(file, text).read()


def plain_value(text: str) -> bool | int | float | str | None:
    """Return what a scalar without quotes means.

    Raises:
        ValueError: YAML tools do not agree on it; the message says what to write.
    """
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text.lower() == "true"
    surprise = _surprise(text)
    if surprise:
        raise ValueError(surprise)
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"is too large a number; if it is a text, write {quoted(text)} in quotes")
    return int(text) if _WHOLE.fullmatch(text) else number


def _surprise(text: str) -> str:  # noqa: PLR0911  # one return a kind of surprise
    """Return what is wrong with a scalar that YAML 1.1 and 1.2 read differently, or ""."""
    in_quotes = f"{quoted(text)} in quotes"
    if _TRUE_1_1.fullmatch(text) or _FALSE_1_1.fullmatch(text):
        meant = "true" if _TRUE_1_1.fullmatch(text) else "false"
        return f"{text} is a boolean to some YAML tools; write {in_quotes}, or {meant}"
    if _LEADING_ZERO.fullmatch(text):
        return f"{text} is octal to some YAML tools; write {int(text[:300])}, or {in_quotes}"
    if _OTHER_BASE.fullmatch(text):
        return f"{text} is a number to some YAML tools; write its decimal digits, or {in_quotes}"
    plain = text.replace("_", "")
    if plain != text and not text.startswith("_") and _NUMBER.fullmatch(plain):
        return f"{text} is a number to some YAML tools; write {plain}, or {in_quotes}"
    if _SEXAGESIMAL.fullmatch(text):
        return f"{text} is a number in base 60 to some YAML tools; write {in_quotes}"
    if _NOT_FINITE.fullmatch(text):
        return f"{text} is no finite number; if it is a text, write {in_quotes}"
    return ""


def _position(text: str, offset: int) -> Position:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _unreadable(file: str, text: str, line: int, column: int, message: str) -> Document:
    return Document(file, text, problems=(Problem(file, line, column, "", message),), whole=False)


class _UnreadableError(Exception):
    """Reading cannot go on; carries the position."""

    def __init__(self, at: Position, message: str) -> None:
        self.at = at
        self.message = message
        super().__init__(message)


class _Reader:
    """Builds values from the parser's events."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)
        self._problems: list[Problem] = []
        self._values_at: dict[KeyPath, Position] = {}
        self._keys_at: dict[KeyPath, Position] = {}
        self._written: dict[KeyPath, str] = {}
        self._unread: set[KeyPath] = set()
        self._incomplete: set[KeyPath] = set()
        self._anchors: dict[str, Any] = {}

    def read(self) -> Document:
        value: Any = {}
        whole = False
        try:
            value = self._document()
            whole = True
        except yaml.MarkedYAMLError as error:
            self._syntax_error(error)
        except _UnreadableError as error:
            self._problems.append(Problem(self._file, *error.at, "", error.message))
        if not isinstance(value, dict):
            message = "the file must hold keys with values, one a line"
            self._problems.append(Problem(self._file, *self._values_at[()], "", message))
            value, whole = {}, False
        return Document(
            file=self._file,
            text=self._text,
            value=value,
            values_at=self._values_at,
            keys_at=self._keys_at,
            problems=tuple(self._problems),
            written=self._written,
            unread=frozenset(self._unread),
            incomplete=frozenset(self._incomplete),
            whole=whole,
        )

    def _document(self) -> Any:
        value: Any = {}
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _UnreadableError(
                        _start(event), "a second document begins; a file holds one"
                    )
            elif not isinstance(event, yaml.StreamStartEvent | yaml.DocumentEndEvent):
                if isinstance(event, yaml.StreamEndEvent):
                    break
                value = self._node(event, ())
        return value

    def _node(self, event: yaml.Event, path: KeyPath) -> Any:
        self._values_at[path] = _start(event)
        if len(path) > MAX_DEPTH:
            raise _UnreadableError(_start(event), f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, yaml.AliasEvent):
            anchor = str(event.anchor)
            if anchor not in self._anchors:
                self._refuse(path, f"no anchor &{anchor} stands before this alias")
            elif self._anchors[anchor] is None:  # named where it stands, not once more here
                self._unread.add(path)
            return self._anchors.get(anchor)
        value = self._built(event, path)
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _built(self, event: yaml.Event, path: KeyPath) -> Any:
        if isinstance(event, yaml.SequenceStartEvent):
            self._refuse_tag(event, path)
            return self._sequence(path)
        if isinstance(event, yaml.MappingStartEvent):
            self._refuse_tag(event, path)
            return self._mapping(path)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        raise _UnreadableError(_start(event), f"unexpected {type(event).__name__}")

    def _sequence(self, path: KeyPath) -> list[Any]:
        items: list[Any] = []
        for event in self._until(yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return items

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for event in self._until(yaml.MappingEndEvent):
            key = self._key(event, path)
            if key is None:
                self._skip(next(self._events))
                continue
            here = (*path, key)
            if key in items:
                line = self._keys_at[here][0]
                message = f"the key is given twice; the first is in line {line}"
                self._problems.append(Problem(self._file, *_start(event), dotted(here), message))
                self._skip(next(self._events))
                continue
            self._keys_at[here] = _start(event)
            items[key] = self._node(next(self._events), here)
        return items

    def _key(self, event: yaml.Event, path: KeyPath) -> str | None:
        """Return a key as text, or None after naming what is wrong with it."""
        try:
            if isinstance(event, yaml.ScalarEvent) and event.tag is None:
                return _key_text(event)
            self._skip(event)
            message = "a key must be a plain or quoted text"
        except ValueError as error:
            message = str(error)
        self._problems.append(Problem(self._file, *_start(event), dotted(path), message))
        self._incomplete.add(path)
        return None

    def _scalar(self, event: yaml.ScalarEvent, path: KeyPath) -> Any:
        if event.tag == "tag:yaml.org,2002:str" or (event.tag is None and event.style):
            return event.value
        if event.tag is not None:
            return self._refuse_tag(event, path)
        try:
            value = plain_value(event.value)
        except ValueError as error:
            return self._refuse(path, str(error))
        if value is None:
            what = "entry" if path and isinstance(path[-1], int) else "key"
            return self._refuse(path, f"has no value; write one, or leave the {what} out")
        if not isinstance(value, str):
            self._written[path] = event.value
        return value

    def _refuse_tag(self, event: yaml.Event, path: KeyPath) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            name = tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(path, f"the tag {name} is not supported; write the value without it")

    def _refuse(self, path: KeyPath, message: str) -> None:
        self._problems.append(Problem(self._file, *self._values_at[path], dotted(path), message))
        self._unread.add(path)

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _skip(self, event: yaml.Event) -> None:
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = next(self._events)

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        lines = self._text.split("\n")
        after = lines[at[0] - 1][at[1] - 1 :] if at[0] <= len(lines) else ""
        if after.startswith("\t"):
            message = "a tab cannot indent in YAML; use blanks"
        elif error.context:
            message = f"is not YAML: {error.problem} {error.context}"
        else:
            message = f"is not YAML: {error.problem}"
        self._problems.append(Problem(self._file, *at, "", message))


def _key_text(event: yaml.ScalarEvent) -> str:
    text: str = event.value
    if event.style:
        return text
    if text == "<<":
        raise ValueError("merge keys (<<) are not supported; write the keys out")
    try:
        value = plain_value(text)
    except ValueError as error:
        raise ValueError(f"the key {text} must be in quotes: {quoted(text)}") from error
    if value is None:
        raise ValueError("a key is empty; write a text")
    if isinstance(value, float) and scalar_text(value) != text:
        choices = f"{quoted(scalar_text(value))} or {quoted(text)}"
        raise ValueError(f"the key {text} must be in quotes: {choices}")
    return scalar_text(value)


def _start(event: yaml.Event) -> Position:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
