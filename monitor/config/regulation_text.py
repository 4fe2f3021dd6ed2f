"""The reference of regulation profiles and controls, written from their data."""

from collections.abc import Iterator

from monitor.config.content import as_yaml
from monitor.config.disparity_sections import DisparitySection
from monitor.config.regulation import controls, profiles
from monitor.config.values import NEVER, duration_text
from monitor.domain.regulation import RegulationProfile

_HEAD = """# Regulation profiles

<!-- written from monitor/config/profiles and monitor/config/controls.yaml; `make golden` renews it -->

`limits.disparity.profile` names a set of defaults after one rule of law or practice:

```yaml
limits:
  disparity:
    profile: ll144            # or ll144@1, which no later version of modelmon takes for another
    band: {min_rows: 30}      # what the file says itself holds instead
```

A profile is data with a date, not code: its id, version and digest are part of the policy's digest, so that
every result says by which rule it was judged, as of when. `modelmon config show` writes out what it set.
A profile that changes has another version; a file that pins the old one is an error, not a silent change.

A profile says which numbers are judged, by which bounds, and with which sentences they are shown. It does
not say that a rule is met: no program can. Citations that were not read for the profile are marked; have
them read before you rely on one.
"""

_CONTROLS = """## Controls

What instruments ask of those who run models, and what modelmon has to show for it. The states are those of
{as_of}, and laws move: check them.

| instrument | holds for | state | asks for | served by |
|---|---|---|---|---|
"""


def regulation_reference() -> str:
    """Return the page, in Markdown."""
    parts = [_HEAD]
    for profile, sets in profiles().values():
        parts.append("\n".join(_profile(profile, sets)) + "\n")
    found = controls()
    rows = [
        f"| **{item.id}**: {item.title}{'' if item.verified else ' (not verified)'} "
        f"| {item.jurisdiction} | {item.status}, {_when(item.since, item.until)}. {item.note} "
        f"| {item.asks} | {', '.join(item.served_by)} |"
        for item in found.items
    ]
    parts.append(_CONTROLS.format(as_of=found.as_of) + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _when(since: str, until: str) -> str:
    return f"{since} to {until}" if until else f"from {since}"


def _profile(profile: RegulationProfile, sets: DisparitySection) -> Iterator[str]:
    yield f"## {profile.id}\n"
    yield f"{profile.title}. Version {profile.version}, as of {profile.as_of}; {profile.status}.\n"
    yield f"{profile.rule}\n"
    yield "| | |"
    yield "|---|---|"
    yield f"| holds for | {profile.jurisdiction} |"
    yield f"| reference group | {profile.reference} |"
    yield f"| left out | {profile.exclusion} |"
    yield f"| not known | {profile.unknown} |"
    for source in profile.sources:
        yield f"| source | {source.text}{'' if source.verified else ' (not verified)'} |"
    for sentence in profile.required:
        yield f"| a report says | {sentence} |"
    yield "\nIt sets:\n"
    yield f"```yaml\n{as_yaml(_written(sets))}```"


def _written(sets: DisparitySection) -> dict[str, object]:
    given = sets.model_dump(exclude_unset=True)
    if "extend" in given:
        given["extend"] = duration_text(sets.extend)
    if "change" in given and sets.change is None:
        given["change"] = NEVER
    return given
