"""The glossary and the code say the same, word for word."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import monitor.domain
from monitor.governance.approvals import Request, Vote
from monitor.governance.cases import Case, Disposition
from monitor.governance.ledger import Ledger
from monitor.governance.standing import Standing, State
from monitor.governance.waivers import Waiver
from monitor.profile.grid import Grid
from monitor.profile.profile import Profile

GLOSSARY = Path(__file__).parents[2] / "docs" / "concepts" / "glossary.md"
ENTRY = re.compile(r"^\*\*(\w+)\*\* — (.+)$", re.MULTILINE)

ELSEWHERE = (Profile, Grid, Standing, State, Request, Vote, Case, Disposition, Waiver, Ledger)
"""Nouns that need numpy, and so cannot live in the domain, and those of who may act."""


def nouns():
    """Return each public class of the domain, errors left out, with the first line about it."""
    classes = list(ELSEWHERE)
    for module in pkgutil.iter_modules(monitor.domain.__path__, "monitor.domain."):
        members = vars(importlib.import_module(module.name)).values()
        classes += [
            member
            for member in members
            if inspect.isclass(member)
            and member.__module__ == module.name
            and not member.__name__.startswith("_")
            and not issubclass(member, Exception)
        ]
    return {noun.__name__: inspect.getdoc(noun).splitlines()[0] for noun in classes}


def entries():
    return dict(ENTRY.findall(GLOSSARY.read_text(encoding="utf-8")))


def test_the_glossary_says_what_the_docstrings_say():
    assert entries() == nouns()


def test_no_noun_is_defined_twice_and_they_are_in_order():
    names = [name for name, _ in ENTRY.findall(GLOSSARY.read_text(encoding="utf-8"))]
    assert names == sorted(set(names))
