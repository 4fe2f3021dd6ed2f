"""The keys of ``limits.disparity``: their types, defaults and descriptions."""

from typing import Literal

from pydantic import Field, PositiveFloat

from monitor.config.defaults import DEFAULT_BAND, DEFAULT_DISPARITY
from monitor.config.section import Section
from monitor.config.values import Bound, Duration, Name, Share, Text, duration_text


class BandSection(Section):
    """The tolerated band of a ratio between two groups' rates."""

    low: float = Field(DEFAULT_BAND.low, gt=0, le=1, description="lower bound of the ratio")
    high: float = Field(DEFAULT_BAND.high, ge=1, description="upper bound of the ratio")
    min_difference: float = Field(
        DEFAULT_BAND.min_difference,
        ge=0,
        lt=1,
        description="a smaller difference in rates is never beyond the band",
    )
    alpha: float = Field(
        DEFAULT_BAND.alpha,
        gt=0,
        lt=1,
        description="family-wise error over the groups of a population",
    )
    min_rows: int = Field(
        DEFAULT_BAND.min_rows, ge=1, description="fewer rows in a group are not judged"
    )
    min_expected: float = Field(
        DEFAULT_BAND.min_expected,
        ge=0,
        description="fewer expected outcomes of either kind in a group are not judged",
    )


class MetricBandSection(Section):
    """The tolerated band of one metric, in every population."""

    low: float = Field(DEFAULT_BAND.low, gt=0, le=1, description="lower bound of the ratio")
    high: float = Field(DEFAULT_BAND.high, ge=1, description="upper bound of the ratio")
    min_difference: float = Field(
        DEFAULT_BAND.min_difference,
        ge=0,
        lt=1,
        description="a smaller difference in rates is never beyond the band",
    )


class PopulationLimitSection(Section):
    """What is tolerated in one population."""

    band: BandSection = Field(
        {}, validate_default=True, description="its band; what it does not say is as for the others"
    )


class LeftOutSection(Section):
    """Groups that are counted and shown, but not compared."""

    below: float = Field(
        gt=0, le=0.1, description="share of a population's rows below which a group is left out"
    )
    because: Text = Field(description="the justification, which stands beside each such group")


class BoundsSection(Section):
    """The bounds of a number."""

    warning: Bound = Field(None, description="beyond this a finding is a warning; or never")
    critical: Bound = Field(None, description="beyond this a finding is critical; or never")


class DisparitySection(Section):
    """Limits on unequal outcomes between groups."""

    profile: Text | None = Field(
        None, description="regulation profile whose defaults hold for what is not said here"
    )
    metrics: list[Name] | None = Field(
        None,
        min_length=1,
        description="what is compared between groups, by id or by another name of it; otherwise "
        "selection_rate and the error that a positive decision harms by",
    )
    reference: Literal["largest", "rest", "best_off"] = Field(
        "largest",
        description="what groups are held against where their population names no reference: the "
        "largest group of the baseline, all others together, or the group that fares best",
    )
    band: BandSection = Field(
        {}, validate_default=True, description="the band by which all disparities are judged"
    )
    bands: dict[str, MetricBandSection] = Field(
        {}, description="metrics whose bounds are others, in every population"
    )
    populations: dict[str, PopulationLimitSection] = Field(
        {}, description="populations or crossings that have a band of their own"
    )
    change: Share = Field(
        DEFAULT_DISPARITY.change,
        description="a ratio that is on the harmful side worse than this share of the baseline's "
        "has changed; or never",
    )
    representation: BoundsSection = Field(
        {},
        validate_default=True,
        description="what a group's share of its population may change by, up or down",
    )
    unknown_share: BoundsSection = Field(
        {},
        validate_default=True,
        description="what the share of rows of unknown membership may rise by",
    )
    differences: dict[str, PositiveFloat] = Field(
        {},
        description="metrics without a ratio to the difference from the reference group that is "
        "tolerated, in the metric's unit; the others are measured and not judged",
    )
    leave_out: LeftOutSection | None = Field(
        None,
        description="groups that are too small a share of a population for any comparison, by "
        "somebody's decision; they are shown with their rows and rates",
    )
    extend: Duration = Field(
        duration_text(DEFAULT_DISPARITY.extend),
        validate_default=True,
        description="how long a stretch of windows a group that is too small in one is measured "
        "over; 0s for one window",
    )
