"""The container image installs what pyproject.toml asks for, and only by hash."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-build.lock")
WANTED = {
    "requirements.lock": PROJECT["project"]["dependencies"]
    + PROJECT["project"]["optional-dependencies"]["postgres"],
    "requirements-build.lock": PROJECT["build-system"]["requires"],
}


def pins(lock):
    """Return the locked versions by name; one that depends on the Python version has several."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    found = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[\w+\])?==([^\s;]+)", text, re.MULTILINE):
        found.setdefault(name.lower(), []).append(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_locked_at_a_version_that_it_allows(lock):
    locked = pins(lock)
    requirements = [Requirement(text) for text in WANTED[lock]]
    wrong = [
        str(requirement)
        for requirement in requirements
        if not any(
            requirement.specifier.contains(version)
            for version in locked.get(requirement.name.lower(), ())
        )
    ]
    assert wrong == [], "run `make lock` and commit its result"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock):
    blocks = re.split(r"^(?=[\w.-]+(?:\[\w+\])?==)", (ROOT / lock).read_text(), flags=re.MULTILINE)
    unhashed = [block.splitlines()[0] for block in blocks[1:] if "--hash=sha256:" not in block]
    assert len(blocks) > 1
    assert unhashed == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_says_where_packages_come_from(lock):
    assert "://" not in (ROOT / lock).read_text(encoding="utf-8")


def test_the_build_lock_is_made_from_what_the_project_is_built_with():
    lines = (ROOT / "requirements-build.in").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == PROJECT["build-system"][
        "requires"
    ]


def test_the_image_gets_every_file_that_its_dockerfile_copies():
    sent = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = set()
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied |= set(line.split()[1:-1])
    assert copied == sent
