"""The keys that say who belongs to which group."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from monitor.config.section import Section, TableFormat, named_in_full
from monitor.config.values import Bins, Location, Name, Text, Value


class ProtectedTableSection(Section):
    """A table of protected attributes that is kept apart from the log, joined by id."""

    path: Location = Field(description="folder or file of the table, as for source.path")
    format: TableFormat = Field("parquet", description="what keeps its files, as for source.format")
    id: Text = Field(description="column of the table with the id")
    key: Text | None = Field(
        None, description="column of the log with the same id, when it is not source.id"
    )
    time: Text | None = Field(
        None, description="column that says since when a row is so; of several the latest counts"
    )


class FactorSection(Section):
    """A column whose values become groups."""

    column: Text | None = Field(None, description="column of the log, when it has another name")
    values: dict[str, Name] | None = Field(
        None,
        min_length=1,
        description="value to the name of its group; otherwise each value is its own group",
    )
    bins: Bins | None = Field(
        None,
        description="cut points of a numeric column, or adea, ecoa or decades; a group begins at "
        "its cut point",
    )
    labels: list[Name] | None = Field(
        None, min_length=1, description="names of the groups that the bins make, lowest first"
    )
    unknown: list[Value] = Field([], description="values that mean not known; nulls always do")


class PopulationSection(FactorSection):
    """A protected attribute: how its values become groups."""

    declined: list[Value] = Field(
        [],
        description="values that mean that somebody would not say; they are a group of their own",
    )
    reference: Name | None = Field(
        None, description="group that others are held against; otherwise the baseline's largest"
    )
    source: Literal["log", "protected"] = Field(
        "log", description="where its column is: in the log, or in the protected table"
    )
    legal_basis: Text | None = Field(
        None, description="why it may be processed, in your words; kept with the policy"
    )
    retention_days: int | None = Field(
        None, ge=1, description="how long you may keep it; kept with the policy"
    )


class StratumSection(FactorSection):
    """A factor within whose groups outcomes are compared besides."""

    approved_by: Name = Field(description="who approved that outcomes may differ by it")
    reason: Text = Field(description="why they may")


Populations = Annotated[
    dict[Name, PopulationSection],
    BeforeValidator(
        named_in_full,
        json_schema_input_type=dict[Name, PopulationSection] | list[Name],
    ),
]


Strata = dict[Name, StratumSection]
