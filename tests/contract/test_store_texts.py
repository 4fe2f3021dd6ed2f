"""Any text in any place comes back as it was, from each kind of database."""

import dataclasses
from enum import Enum
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import asdict, replace

from monitor.domain.manifest import LogFile
from monitor.domain.run import Run
from tests.stored import a_baseline, a_failure, a_policy, a_run

LONE_SURROGATES_TOO = st.characters(exclude_categories=())
texts = (
    st.text(LONE_SURROGATES_TOO, max_size=8)
    | st.sampled_from(
        ["\x00", "\\u0000", "\\", "\\ud800", "\ud800\udc00", "\ufeff", "'; --", "\r\n"]
    )
    | st.sampled_from(["%s", ":x", "{}", "İ", "ß" * 300, "\x85", "\u2028", " trailing ", "NULL"])
)


def whole(text):
    """Return a text whose pairs of surrogates are the letters that they mean."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


FIXED = {"digest", "identity", "policy", "baseline"}
"""Texts of our own making, by which one row is found from another."""

numbers = count()


def retold(value, say):
    """Return a value of the domain with every text of it replaced."""
    if isinstance(value, Struct):
        changes = {name: retold(part, say) for name, part in asdict(value).items()}
        return replace(value, **{name: changes[name] for name in changes.keys() - FIXED})
    if isinstance(value, LogFile):
        return dataclasses.replace(value, path=retold(value.path, say))
    if isinstance(value, Enum) or not isinstance(value, str | tuple | dict):
        return value
    if isinstance(value, dict):
        return {retold(key, say): retold(each, say) for key, each in value.items()}
    return tuple(retold(item, say) for item in value) if isinstance(value, tuple) else say(value)


def any_text(*, fewest=1, most=40):
    return st.lists(texts.map(whole), min_size=fewest, max_size=most)


def speaker(choices):
    """Return a function that replaces one text by another, always the same one by the same one."""
    place = next(numbers)
    said = {}

    def say(text):
        # No text stays none, and texts stay apart from each other: names are keys.
        return text and said.setdefault(
            text, f"{choices[len(said) % len(choices)]}{place}.{len(said)}"
        )

    return say


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(any_text())
def test_any_text_comes_back_as_it_was(store, choices):
    say = speaker(choices)
    digests = {version: f"b{version}-{next(numbers)}" for version in ("1", "2")}
    for version, digest in digests.items():
        baseline = retold(a_baseline(version, digest), say)
        assert store.register(baseline)
        assert store.baseline(digest) == baseline
    run = a_run(policy=f"policy-{next(numbers)}")
    results = tuple(replace(item, baseline=digests[item.version]) for item in run.results)
    run: Run = retold(replace(run, results=results), say)
    plain = a_policy(run.policy)
    # The zone of a schedule is no free text: it was looked up when the policy was read.
    policy = replace(retold(plain, say), model=run.model, schedule=plain.schedule)
    assert store.commit(run, policy).new
    assert store.latest(run.model) == run
    assert {item.version for item in store.current_baselines(run.model).values()} == {
        say("1"),
        say("2"),
    }
    failure = replace(a_failure(), model=run.model, error=say("Error"), explanation=say("why"))
    store.fail(failure)
    assert store.counts(run.model).failed == {failure.error: 1}
