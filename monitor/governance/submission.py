"""Why a version cannot be submitted: answers that are left out, and things that are not there."""

from collections.abc import Iterator, Mapping

from monitor.domain.governance import Tier
from monitor.governance.consequences import STANDING, Present

DIGEST = "[a-z0-9]+:[0-9a-f]{32,128}"
"""What a digest looks like that somebody names: shorter ones are cut off, and name nothing."""

_OURS = frozenset({"policy", "baseline", STANDING})
"""What a request is bound to by what is stored."""


def not_submittable(present: Present, version: str, digests: Mapping[str, str]) -> Iterator[str]:
    """Yield why nobody could approve a version as things are.

    Args:
        present: What is there.
        version: The version.
        digests: What the request is to rest on besides, name to digest.
    """
    governance = present.governance
    for answer in governance.missing:
        yield f"the policy does not answer {answer}"
    if governance.risk.tier is Tier.PROHIBITED:
        yield "its risk is prohibited: nobody may let it act"
    if version not in present.baselines:
        yield "no baseline is registered for it, so nothing would be watched"
    yield from _not_there(present, present.observed.get(version, {}), digests)


def _not_there(
    present: Present, observed: Mapping[str, str], digests: Mapping[str, str]
) -> Iterator[str]:
    for name, place in present.governance.rests_on.items():
        if name not in observed:
            yield f"the {name}, which the policy has in {place}, was not looked at yet"
        elif not observed[name]:
            yield f"the {name}, which the policy has in {place}, is not there"
    for name in sorted(_OURS & set(digests)):
        yield f"the digest of the {name} is not for you to name: it is what is in the store"
    for name, digest in digests.items():
        if observed.get(name, digest) != digest:
            yield f"the {name} that you name is {digest}; there is {observed[name]}"
    if not observed.get("registry", "there"):
        yield "the registry does not have it any more"
