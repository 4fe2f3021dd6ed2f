"""Every command that a document shows exists, with the options and values it is shown with."""

import re
import shlex
from pathlib import Path

import click
import pytest

from monitor.cli.main import root

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("demo/*.md"), *(ROOT / "docs").rglob("*.md")]
    if page != ROOT / "docs" / "reference" / "cli.md"  # it is written by the commands
)
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TICKS = re.compile(r"`([^`]+)`")
IN_FENCE = re.compile(r"(?:^\s*|-- |/|\* +modelmon +)modelmon ((?!.*\bmodelmon )[^\n]*)")
"""At the start of a line, after a path, what ``exec`` calls, or a line of cron with its user."""
ENDS = re.compile(r"\s(?:#|\||>|&&|;|2>)")
WRITTEN_OTHERWISE = re.compile(r"[|…\[\]]|\.\.\.")
"""Alternatives and omissions: ``config check|show``, ``--from …``."""
OF_OTHERS = re.compile(r"^\s*(?:docker|pip|useradd|install|systemctl|kubectl .* create)\b")
PICTURE = re.compile(r"[─│►→]")


def commands(path):
    """Yield each command line of a document, without the program's name, that is complete."""
    text = path.read_text(encoding="utf-8")
    shown = []
    for block in FENCE.findall(text):
        lines = [
            line for line in block.replace("\\\n", " ").splitlines() if not PICTURE.search(line)
        ]
        shown += [
            found
            for line in lines
            if not OF_OTHERS.search(line)
            for found in IN_FENCE.findall(line)
        ]
    for span in TICKS.findall(FENCE.sub("", text)):
        words = " ".join(span.split())
        if words.startswith("modelmon "):
            shown.append(words.removeprefix("modelmon "))
    for line in shown:
        words = ENDS.split(line)[0].strip()
        if words and not WRITTEN_OTHERWISE.search(words):
            yield words


def wrong(words):
    """Return why a command cannot be as it is shown; "" when it can."""
    group, rest = root, shlex.split(words)
    try:
        while True:
            context = click.Context(group, info_name="modelmon", resilient_parsing=False)
            values, rest, _ = group.make_parser(context).parse_args(rest)
            for option in group.params:
                value = values.get(option.name)
                if isinstance(option.type, click.Choice) and isinstance(value, str):
                    option.type.convert(value, option, context)
            if not isinstance(group, click.Group) or not rest:
                return ""
            name, *rest = rest
            command = group.get_command(context, name)
            if command is None:
                return f"no command {name}"
            group = command
    except click.BadOptionUsage as error:
        # An option that is only named, at the end, has no value there.
        return "" if "requires an argument" in error.message else error.message
    except click.ClickException as error:
        return error.format_message()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_that_are_shown_exist(path):
    found = {words: wrong(words) for words in commands(path)}
    assert {words: why for words, why in found.items() if why} == {}


def test_the_commands_are_found():
    readme = list(commands(ROOT / "README.md"))
    assert "db upgrade" in readme
    assert any(words.startswith("baseline register my-model --from") for words in readme)
    number = sum(len(list(commands(path))) for path in DOCUMENTS)
    assert number > 100


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("nothing", "no command nothing"),
        ("config nothing", "no command nothing"),
        ("run --nothing", "No such option"),
        ("run --output paper", "is not one of"),
        ("run --once=1", "No such option"),
        ("doctor --help=1", "does not take a value"),
    ],
)
def test_a_command_that_does_not_exist_is_told(words, why):
    assert why in wrong(words)
