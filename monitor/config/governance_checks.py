"""What the keys about governance demand of one another.

Sections are read one by one, so that a wrong type in one hides nothing of another: a check is left
out only where a section that it looks at cannot be read itself.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from pydantic import ValidationError

from monitor.config.approval_checks import approval_problems
from monitor.config.document import Document
from monitor.config.governance import tier_of
from monitor.config.governance_sections import GovernanceSections
from monitor.config.ladder_checks import ladder_problems
from monitor.config.people_checks import people_problems
from monitor.config.risk_checks import risk_problems
from monitor.config.values import duration_text
from monitor.config.wording import quoted, suggestion
from monitor.domain.errors import Problem
from monitor.domain.governance import Tier, Unreachable
from monitor.measures.names import MeasureName

LONGEST_REVIEW = timedelta(days=366)
"""How long a model of the tier high may go without a review."""

Check = Callable[[Document, GovernanceSections], Iterator[Problem]]


def governance_problems(
    document: Document, measures: Mapping[str, MeasureName]
) -> Iterator[Problem]:
    """Yield what is wrong between the keys of delegation, accountability, risk and what follows."""
    given, unread = _readable(document)
    checks: tuple[tuple[Check, frozenset[str]], ...] = (
        (people_problems, frozenset({"accountability", "risk"})),
        (approval_problems, frozenset({"accountability", "approvals", "risk"})),
        (ladder_problems, frozenset({"consequences", "delegation", "risk", "registry"})),
        (_of_tier, frozenset({"risk", "review", "gate"})),
        (_never_waived, frozenset({"risk", "waivers"})),
    )
    for check, needs in checks:
        if not needs & unread:
            yield from check(document, given)
    if "risk" not in unread:
        yield from risk_problems(document, given, measures)


def _readable(document: Document) -> tuple[GovernanceSections, frozenset[str]]:
    """Return the sections that can be read, and the names of those that cannot."""
    sections: dict[str, object] = {}
    unread: set[str] = set()
    for key in GovernanceSections.model_fields:
        if key not in document.value:
            continue
        alone = {key: document.value[key]}
        try:
            GovernanceSections.model_validate(alone)
        except ValidationError:  # every problem with it is told by `validated`
            unread.add(key)
        else:
            sections |= alone
    return GovernanceSections.model_validate(sections), frozenset(unread)


def _of_tier(document: Document, given: GovernanceSections) -> Iterator[Problem]:
    tier = tier_of(given.risk)
    if tier not in {Tier.HIGH, Tier.PROHIBITED}:
        return
    if Unreachable(given.gate.on_unreachable) is Unreachable.OPEN:
        message = f"a model of the tier {tier} does not act unasked; right is closed"
        yield document.problem(("gate", "on_unreachable"), message)
    if tier is Tier.PROHIBITED:
        return
    if given.review is None:
        message = "high asks for a review once a year at least; add review: {cadence: 180d}"
        yield document.problem(("risk", "tier"), message)
    elif given.review.cadence > LONGEST_REVIEW:
        message = (
            f"a model of the tier high is reviewed once a year at least; "
            f"{duration_text(given.review.cadence)} is longer"
        )
        yield document.problem(("review", "cadence"), message)


def _never_waived(document: Document, given: GovernanceSections) -> Iterator[Problem]:
    limits = [limit.id for limit in given.risk.limits]
    for place, name in enumerate(given.waivers.never_for):
        if name not in limits:
            near = suggestion(name, dict.fromkeys(limits)) or "; risk.limits has none"
            message = f"{quoted(name)} is the id of no limit under risk.limits{near}"
            yield document.problem(("waivers", "never_for", place), message)
