"""Where the limit of a finding stands in the model's file, and whose file that is."""

from msgspec import Struct

from monitor.alerts.disparity import OF_CHANGE, OF_DIFFERENCE, metric_of
from monitor.domain.finding import Finding
from monitor.domain.limit import Limit
from monitor.domain.policy import Policy
from monitor.measures.measure import Family

KeyPath = tuple[str, ...]

_DISPARITY = ("limits", "disparity")


class Origin(Struct, frozen=True):
    """Who set a limit.

    Attributes:
        owner: Who owned the model by the policy that judged; "" when its file did not say.
        policy: Digest of that policy.
        in_force: Whether it still is the model's policy.
        section: The key of the file that the limit comes from, with dots.
        line: Its line in the stored file; None when the file does not say it: a default holds.
    """

    owner: str
    policy: str
    in_force: bool
    section: str
    line: int | None


def limit_sections(policy: Policy, finding: Finding, family: Family) -> tuple[KeyPath, ...]:
    """Return the keys that may say the limit of a finding, the one that goes first, first.

    Args:
        policy: The policy that judged.
        finding: The finding.
        family: The section of ``limits`` that its measure belongs to.
    """
    measure, subject = finding.reading.measure, finding.reading.subject
    if isinstance(finding.limit, Limit):
        own = next((key for key in _LEVELS if measure.startswith(key)), "")
        if family is Family.DISPARITY and own:
            return ((*_DISPARITY, own),)
        at = ("limits", family.value, measure)
        paths = (_of_field(at, subject.field), at)
        if not subject.reference:
            return paths
        other = ("references", subject.reference, "limits", measure)
        return (_of_field(other, subject.field), other, *paths)
    metric, kind = metric_of(measure)
    if kind is OF_CHANGE:
        return ((*_DISPARITY, "change"),)
    if kind is OF_DIFFERENCE and metric in policy.disparity.differences:
        return ((*_DISPARITY, "differences", metric),)
    populations = (*_DISPARITY, "populations", subject.population, "band")
    bands = ((*_DISPARITY, "bands", metric), populations, (*_DISPARITY, "band"))
    profile = () if policy.disparity.profile is None else ((*_DISPARITY, "profile"),)
    return (*bands, *profile)


_LEVELS = ("representation", "unknown_share")
"""Measures of groups that have a limit and no band, by how their names begin."""


def _of_field(path: KeyPath, name: str) -> KeyPath:
    return (*path, "fields", name)
