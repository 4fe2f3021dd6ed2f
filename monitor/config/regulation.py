"""Regulation profiles and controls: YAML that comes with the package → domain values."""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal

from pydantic import Field

from monitor.config.disparity_sections import DisparitySection
from monitor.config.document import parse_document
from monitor.config.section import Section
from monitor.config.validation import AnySection, validated
from monitor.config.values import Name, Text, wrong
from monitor.config.wording import quoted, suggestion
from monitor.domain.errors import ConfigError
from monitor.domain.regulation import Citation, Control, Controls, RegulationProfile

_HERE = files("monitor.config")
Status = Literal["in force", "deferred", "superseded", "practice"]


class CitationSection(Section):
    """Where a rule is written."""

    citation: Text
    verified: bool


class ProfileSection(Section):
    """A regulation profile: what it is after, and the keys of ``limits.disparity`` that it sets."""

    id: Name
    version: int = Field(ge=1)
    as_of: Text
    title: Text
    jurisdiction: Text
    status: Status
    sources: list[CitationSection] = Field(min_length=1)
    rule: Text
    reference: Text
    exclusion: Text
    unknown: Text
    sets: DisparitySection
    required: list[Text] = Field(min_length=1)
    forbidden: list[Text] = Field(min_length=1)


class ControlSection(Section):
    """An instrument that asks something of those who run a model."""

    id: Name
    title: Text
    jurisdiction: Text
    status: Status
    since: Text
    until: Text | None = None
    note: Text
    asks: Text
    served_by: list[Text] = Field(min_length=1)
    verified: bool


class ControlsSection(Section):
    """All controls, as of one day."""

    version: int = Field(ge=1)
    as_of: Text
    controls: list[ControlSection] = Field(min_length=1)


@cache
def profiles() -> Mapping[str, tuple[RegulationProfile, DisparitySection]]:
    """Return every profile of this version with the keys that it sets, by id.

    Raises:
        ConfigError: A file of the package was changed into something that is no profile.
    """
    found: dict[str, tuple[RegulationProfile, DisparitySection]] = {}
    for path in sorted(_HERE.joinpath("profiles").iterdir(), key=lambda item: item.name):
        text = path.read_text(encoding="utf-8")
        section = _section(path.name, text, ProfileSection)
        found[section.id] = _profile(section, text), section.sets
    return found


@cache
def controls() -> Controls:
    """Return what instruments ask for, and what of modelmon serves each.

    Raises:
        ConfigError: The file of the package was changed into something else.
    """
    text = _HERE.joinpath("controls.yaml").read_text(encoding="utf-8")
    section = _section("controls.yaml", text, ControlsSection)
    items = tuple(
        Control(
            item.id,
            item.title,
            item.jurisdiction,
            item.status,
            item.since,
            item.until or "",
            item.note,
            item.asks,
            tuple(item.served_by),
            item.verified,
        )
        for item in section.controls
    )
    return Controls(section.as_of, items)


def profile_named(name: str) -> tuple[RegulationProfile, DisparitySection]:
    """Return the profile that a file names: by id, id and version, or its whole pin.

    Raises:
        PydanticCustomError: There is none, or this version of modelmon has it with other content.
    """
    identity = name.partition("@")[0]
    if identity not in profiles():
        raise wrong(
            f"{quoted(identity)} is no regulation profile{suggestion(identity, profiles())}"
        )
    profile, sets = profiles()[identity]
    if name not in {identity, f"{identity}@{profile.version}", profile.pin}:
        raise wrong(f"{quoted(name)} is pinned, and this version of modelmon has {profile.pin}")
    return profile, sets


def _section(name: str, text: str, kind: type[AnySection]) -> AnySection:
    document = parse_document(name, text)
    section, problems = validated(document, kind)
    if section is None or document.problems:
        raise ConfigError((*document.problems, *problems))
    return section


def _profile(section: ProfileSection, text: str) -> RegulationProfile:
    return RegulationProfile(
        id=section.id,
        version=section.version,
        as_of=section.as_of,
        digest=sha256(text.encode()).hexdigest(),
        title=section.title,
        jurisdiction=section.jurisdiction,
        status=section.status,
        sources=tuple(Citation(item.citation, item.verified) for item in section.sources),
        rule=section.rule,
        reference=section.reference,
        exclusion=section.exclusion,
        unknown=section.unknown,
        required=tuple(section.required),
        forbidden=tuple(section.forbidden),
    )
