"""What keeps the files of a model's tables, and at which of their snapshots they are read."""

from collections.abc import Iterable, Mapping
from functools import partial

from monitor.domain.manifest import TableSnapshot
from monitor.domain.policy import NO_CATALOGS, SourceSpec, TableFormat
from monitor.sources.location import parquet_folder
from monitor.sources.parquet import TableKind


def table_kinds(
    spec: SourceSpec, snapshots: Iterable[TableSnapshot] = ()
) -> tuple[TableKind, TableKind, TableKind]:
    """Return what finds the files of the log, of the labels, and of the protected table.

    Args:
        spec: What the policy says of them.
        snapshots: Tables that are read as they were; of all others the newest state is.
    """
    states = {state.table: state.id for state in snapshots}
    labels = TableFormat.PARQUET if spec.labels is None else spec.labels.format
    protected = TableFormat.PARQUET if spec.protected is None else spec.protected.format
    return (
        table_kind(spec.format, spec.catalogs, states.get("log", "")),
        table_kind(labels, spec.catalogs, states.get("labels", "")),
        table_kind(protected, spec.catalogs, states.get("protected", "")),
    )


def table_kind(
    kept_by: TableFormat,
    catalogs: Mapping[str, Mapping[str, str]] = NO_CATALOGS,
    state: str = "",
) -> TableKind:
    """Return what finds the files of a table; packages that read it are imported then.

    Args:
        kept_by: What keeps its files.
        catalogs: Properties of catalogs by their names.
        state: Which of its snapshots; "" for the newest.
    """
    match kept_by:
        case TableFormat.PARQUET:
            return parquet_folder
        case TableFormat.DELTA:
            from monitor.sources.delta import delta_table  # noqa: PLC0415  # with an extra

            return partial(delta_table, version=state)
        case TableFormat.ICEBERG:
            from monitor.sources.iceberg import iceberg_table  # noqa: PLC0415  # with an extra

            return partial(iceberg_table, snapshot=state, catalogs=catalogs)
