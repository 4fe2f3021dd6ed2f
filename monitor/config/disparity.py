"""``limits.disparity`` → what is tolerated of disparities, and back."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec.structs import asdict, replace
from pydantic_core import PydanticCustomError

from monitor.config.disparity_sections import BandSection, BoundsSection, DisparitySection
from monitor.config.document import Document
from monitor.config.regulation import profile_named
from monitor.config.values import NEVER, duration_text
from monitor.config.wording import quoted, suggestion
from monitor.domain.alarm import AlarmRule
from monitor.domain.disparity import REPRESENTATION, UNKNOWN_SHARE, DisparityLimits, LeftOut
from monitor.domain.errors import Problem
from monitor.domain.limit import Band, Limit
from monitor.domain.naming import CROSS

Content = dict[str, Any]
_PATH = ("limits", "disparity")


def with_profile(section: DisparitySection) -> DisparitySection:
    """Return what a file says, and where it is silent what its regulation profile sets."""
    if section.profile is None:
        return section
    _, sets = profile_named(section.profile)
    given = {name: getattr(section, name) for name in section.model_fields_set}
    band = BandSection.model_construct(**{**_given(sets.band), **_given(section.band)})
    return sets.model_copy(update={**given, "band": band})


def disparity_limits(section: DisparitySection, alarms: AlarmRule) -> tuple[Band, DisparityLimits]:
    """Return the usual band, and everything besides.

    Args:
        section: What the file says, with what its profile sets.
        alarms: When disparities become alarms.
    """
    usual = Band(**section.band.model_dump())
    return usual, DisparityLimits(
        populations={
            name: Band(**_given_over(usual, own.band)) for name, own in section.populations.items()
        },
        metrics={name: Band(**_given_over(usual, own)) for name, own in section.bands.items()},
        change=section.change,
        extend=section.extend,
        representation=_bounds(section.representation, REPRESENTATION),
        unknown_share=_bounds(section.unknown_share, UNKNOWN_SHARE),
        differences=section.differences,
        persistence=alarms,
        profile=profile_named(section.profile)[0] if section.profile else None,
        left_out=LeftOut(**section.leave_out.model_dump()) if section.leave_out else None,
    )


def _bounds(section: BoundsSection, usual: Limit) -> Limit:
    given = {name: getattr(section, name) for name in section.model_fields_set}
    return replace(usual, **given)  # a bound of None was given as never


def _given(section: BandSection) -> dict[str, Any]:
    return section.model_dump(exclude_unset=True)


def _given_over(usual: Band, section: Any) -> dict[str, Any]:
    inherited = {name: getattr(usual, name) for name in BandSection.model_fields}
    return {**inherited, **section.model_dump(exclude_unset=True)}


def disparity_content(
    band: Band, limits: DisparityLimits, metrics: Collection[str] = ()
) -> Content:
    """Return the keys and values that a file in full would have.

    Args:
        band: The usual band.
        limits: Everything besides.
        metrics: What is compared between groups; what is not has no limit to show.
    """
    shares = {"representation": limits.representation, "unknown_share": limits.unknown_share}
    content: Content = {
        "profile": limits.profile.pin if limits.profile else None,
        "band": _band(band),
        "bands": {name: _tolerated(own) for name, own in limits.metrics.items()},
        "populations": {name: {"band": _band(own)} for name, own in limits.populations.items()},
        "change": NEVER if limits.change is None else limits.change,
        **{name: _both(limit) for name, limit in shares.items() if name in metrics},
        "differences": dict(limits.differences),
        "extend": duration_text(limits.extend),
        "leave_out": asdict(limits.left_out) if limits.left_out else None,
    }
    return {key: value for key, value in content.items() if value not in (None, {})}


def _both(limit: Limit) -> Content:
    bounds = {"warning": limit.warning, "critical": limit.critical}
    return {name: NEVER if bound is None else bound for name, bound in bounds.items()}


def _tolerated(band: Band) -> Content:
    return {"low": band.low, "high": band.high, "min_difference": band.min_difference}


def _band(band: Band) -> Content:
    return {
        **_tolerated(band),
        "alpha": band.alpha,
        "min_rows": band.min_rows,
        "min_expected": band.min_expected,
    }


def disparity_problems(document: Document, metrics: Mapping[str, object]) -> Iterator[Problem]:
    """Yield what ``limits.disparity`` says of profiles, populations and metrics that there are not.

    Args:
        document: The file.
        metrics: The metrics that can be judged.
    """
    section = _section(document.value, *_PATH)
    name = section.get("profile")
    if isinstance(name, str):
        try:
            profile_named(name)
        except PydanticCustomError as error:
            yield document.problem((*_PATH, "profile"), error.message())
    declared = _populations(document.value)
    for population in _section(section, "populations"):
        if population not in declared:
            message = (
                f"{quoted(population)} is no declared population{suggestion(population, declared)}"
            )
            yield document.problem((*_PATH, "populations", population), message, at_key=True)
    for metric in _section(section, "bands"):
        if metric not in metrics:
            message = f"{quoted(metric)} is no metric that is judged{suggestion(metric, metrics)}"
            yield document.problem((*_PATH, "bands", metric), message, at_key=True)


def _populations(value: Mapping[str, Any]) -> list[str]:
    """Return the names of populations and crossings as findings have them."""
    single, crossed = value.get("populations"), value.get("crossings")
    names = [item for item in (single or ()) if isinstance(item, str)]
    crossings = crossed if isinstance(crossed, list) else []
    for crossing in crossings:
        parts = crossing if isinstance(crossing, list) else []
        names.append(CROSS.join(part for part in parts if isinstance(part, str)))
    return names


def _section(value: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
