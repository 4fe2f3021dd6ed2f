"""Regulation profiles are dated data: what they say is shown, pinned and never more than they know."""

import re
from datetime import date
from pathlib import Path

import pytest

from monitor.config.content import policy_as_yaml
from monitor.config.model_file import parse_policy
from monitor.config.regulation import controls, profiles
from monitor.config.regulation_text import regulation_reference
from monitor.domain.errors import ConfigError
from monitor.domain.limit import Band

MODEL = """model: hiring
source: {path: log, event_time: at}
fields: {score: numeric}
decision: {column: hired, positive: [true], positive_is: favourable}
populations: [sex, race]
crossings: [[sex, race]]
schedule: {window: month}
"""

PUBLISHED = {
    "four-fifths-with-significance@1+ba4c55e3b09e",
    "ll144@1+57ac5d5c2bf5",
    "plain@1+e50a41050219",
    "ugesp@1+843bfc404e55",
}
"""Content that policies are pinned to: whoever edits a profile gives it another version."""


def policy(limits):
    return parse_policy(f"{MODEL}limits: {{disparity: {limits}}}\n", "hiring.yaml")


def problems(limits):
    with pytest.raises(ConfigError) as caught:
        policy(limits)
    return [(item.key, item.message) for item in caught.value.problems]


def test_the_page_is_written_from_the_data(golden):
    golden("../../docs/reference/regulation-profiles.md", regulation_reference())


def test_a_profile_that_changes_has_another_version():
    assert {profile.pin for profile, _ in profiles().values()} == PUBLISHED


def test_everything_has_a_date():
    for profile, _ in profiles().values():
        assert date.fromisoformat(profile.as_of)
    for control in controls().items:
        since = date.fromisoformat(control.since)
        assert not control.until or date.fromisoformat(control.until) > since
        assert bool(control.until) == (control.status == "superseded")


def test_every_profile_cites_its_sources_and_forbids_what_no_finding_says():
    for profile, _ in profiles().values():
        assert profile.sources
        assert {"fair", "unbiased", "compliant", "passed"} <= set(profile.forbidden)
        spoken = " ".join(
            (profile.title, profile.rule, profile.exclusion, profile.unknown, *profile.required)
        )
        found = [
            word for word in profile.forbidden if re.search(rf"\b{word}\b", spoken, re.IGNORECASE)
        ]
        assert found == [], profile.id


@pytest.mark.parametrize("name", sorted(profiles()))
def test_a_profile_sets_what_the_file_does_not_say(name):
    made = policy(f"{{profile: {name}, band: {{low: 0.9}}}}")
    _, sets = profiles()[name]
    assert made.band == Band(**{**sets.band.model_dump(), "low": 0.9})
    assert (made.disparity.change, made.disparity.extend) == (sets.change, sets.extend)
    assert made.disparity.profile is profiles()[name][0]
    own = policy(f"{{profile: {name}, change: never, extend: 7d}}")
    assert (own.disparity.change, own.disparity.extend.days) == (None, 7)


def test_plain_is_what_holds_without_a_profile():
    named, usual = policy("{profile: plain}"), policy("{}")
    assert (named.band, named.disparity.change, named.disparity.extend) == (
        usual.band,
        usual.disparity.change,
        usual.disparity.extend,
    )
    assert named.digest != usual.digest


def test_the_profile_is_part_of_the_policy_and_survives_being_written_out():
    made = policy("{profile: ll144, populations: {sex × race: {band: {min_rows: 50}}}}")
    written = policy_as_yaml(made)
    assert f"profile: {made.disparity.profile.pin}\n" in written
    again = parse_policy(written, "again.yaml")
    assert again.digest == made.digest
    assert again.band_of("sex × race") == made.band_of("sex × race")
    assert again.band_of("sex × race").min_rows == 50
    assert again.band_of("sex").min_rows == 1


def test_what_is_not_there_is_named_with_what_would_be_right():
    assert problems("{profile: ll14}") == [
        ("limits.disparity.profile", '"ll14" is no regulation profile; did you mean "ll144"?')
    ]
    ((key, message),) = problems("{profile: ll144@7}")
    assert key == "limits.disparity.profile"
    assert message.startswith('"ll144@7" is pinned, and this version of modelmon has ll144@1+')
    assert problems("{populations: {sexx: {band: {low: 0.9}}}}") == [
        (
            "limits.disparity.populations.sexx",
            '"sexx" is no declared population; did you mean "sex"?',
        )
    ]
    assert problems("{bands: {selection_rat: {low: 0.9}}}") == [
        (
            "limits.disparity.bands.selection_rat",
            '"selection_rat" is no metric that is judged; did you mean "selection_rate"?',
        )
    ]
    assert problems("{change: 1.2}")
    assert problems("{change: no way}")


def test_the_profiles_are_in_the_wheel():
    import monitor.config

    folder = Path(monitor.config.__file__).parent / "profiles"
    assert {path.stem for path in folder.glob("*.yaml")} == set(profiles())
