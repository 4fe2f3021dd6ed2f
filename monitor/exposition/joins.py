"""What is told of the tables that are joined to a window's rows, and of its columns."""

from collections import Counter

from msgspec.structs import asdict

from monitor.domain.manifest import Accounting
from monitor.domain.policy import Policy
from monitor.domain.run import Run
from monitor.domain.schema import ColumnChange
from monitor.engine.withheld import Withheld
from monitor.exposition.sheet import Sheet


def add_label_join(sheet: Sheet, model: str, accounting: Accounting) -> None:
    """Add how the label table was joined."""
    if accounting.labels is not None:
        found = asdict(accounting.labels)
        del found["digest"]
        for kind, number in found.items():
            sheet.add("window_labels", number, model=model, kind=kind)
    unmapped = sum(accounting.unmapped_labels.values())
    sheet.add("window_labels", unmapped, model=model, kind="unmapped")


def add_memberships(sheet: Sheet, accounting: Accounting, policy: Policy, small: Withheld) -> None:
    """Add how the table of protected attributes was joined.

    Whom it does not know is what the groups leave of all rows: where a group is left out, so is
    this.
    """
    hidden = {population for (_, population), number in small.groups.items() if number}
    parts = {name for item in policy.populations if item.name in hidden for name in item.attributes}
    untold = {item.column for name, item in policy.attributes.items() if name in parts}
    for column, join in accounting.memberships.items():
        if column in untold:
            continue
        found = asdict(join)
        del found["digest"], found["before_prediction"]  # attributes are known before, as a rule
        for kind, number in found.items():
            sheet.add("window_memberships", number, model=policy.model, column=column, kind=kind)


def add_columns(sheet: Sheet, run: Run, policy: Policy) -> None:
    """Add what is wrong with the columns of the window's files.

    A label that is not there yet is awaited, which its coverage tells, and no fault of a file.
    """
    label = "" if policy.label is None else policy.label.column
    for column, values in run.accounting.invalid.items():
        sheet.add("window_invalid_values", values, model=run.model, column=column)
    changed = Counter(change.kind for change in run.schema_changes)
    for kind in ColumnChange:
        sheet.add("window_schema_changes", changed[kind], model=run.model, kind=kind.value)
    read: Counter[tuple[str, ColumnChange]] = Counter()
    for change in run.schema_changes:
        awaited = change.kind is ColumnChange.MISSING and change.column == label
        if change.watched and not awaited:
            read[change.column, change.kind] += change.files
    for (column, kind), files in sorted(read.items()):
        labels = {"column": column, "kind": kind.value}
        sheet.add("window_read_columns_changed", files, model=run.model, **labels)
