"""What the files of a run had other than expected: files, rows, values, ids, columns."""

from collections.abc import Iterator, Mapping

from monitor.domain.manifest import Rejection, UnreadableFile
from monitor.domain.policy import Policy
from monitor.domain.run import Run
from monitor.domain.schema import SchemaChange

LISTED_FILES = 20
"""Files of one reason that a summary names: of ten thousand torn ones the first say it all."""

_NAMED = 3  # columns that stand for many which the policy does not read


def notes_on_files(policy: Policy, run: Run) -> Iterator[tuple[str, str, str, str]]:
    """Yield what it is, of what kind, the reason in a word and in a sentence."""
    accounting = run.accounting
    yield from _unreadable(run)
    for reason, rows in accounting.rejected.items():
        if rows:
            where = _most({file.path: file.rejected.get(reason, 0) for file in accounting.files})
            told = f"{rows:,} rows read and not profiled{where}"
            if reason == Rejection.BAD_EVENT_TIME:
                told += f"; {policy.source.event_time} is read as a timestamp, a date, or ISO 8601"
            yield policy.model, "rows", reason, told
    for column, values in accounting.invalid.items():
        where = _most({file.path: file.invalid.get(column, 0) for file in accounting.files})
        yield column, "values", "invalid", f"{values:,} are not of the column's kind{where}"
    if accounting.without_id:
        told = f"{accounting.without_id:,} rows have none: no label can join them"
        yield policy.source.id, "ids", "missing", told
    if policy.label and accounting.labels is not None and accounting.labels.without_time:
        told = f"{accounting.labels.without_time:,} have no time that can be read; each counts unless another has one"
        yield policy.label.column, "labels", "without_time", told
    yield from _in_profiles(policy, run)
    yield from _columns(policy, run)


def _most(rows: Mapping[str, int]) -> str:
    """Return the file that has the most of some rows, and whether others have any.

    How many is not known: the accounts of the most troubled files are kept, not of all.
    """
    paths = [path for path, number in rows.items() if number]
    if not paths:
        return ""
    return f": {max(paths, key=rows.__getitem__)}{' and others' if len(paths) > 1 else ''}"


def _unreadable(run: Run) -> Iterator[tuple[str, str, str, str]]:
    """Yield the files that could not be used: the first of each reason, then how many more."""
    found: dict[str, list[UnreadableFile]] = {}
    for file in run.manifest.unreadable:
        found.setdefault(file.reason, []).append(file)
    for reason, files in found.items():
        for file in files[:LISTED_FILES]:
            yield file.path, "file", reason, file.explanation
        if len(files) > LISTED_FILES:
            told = f"modelmon quarantine list --model {run.model} names them"
            yield f"{len(files) - LISTED_FILES:,} more files", "file", reason, told


def _columns(policy: Policy, run: Run) -> Iterator[tuple[str, str, str, str]]:
    """Yield the columns that changed: one by one those that the policy reads, else by kind."""
    others: dict[str, list[SchemaChange]] = {}
    for change in run.schema_changes:
        if change.watched:
            more = f" and {change.files - 1:,} more files" if change.files > 1 else ""
            yield change.column, "column", change.kind, f"{change}: {change.path}{more}"
        else:
            others.setdefault(change.kind, []).append(change)
    for kind, found in others.items():
        first = ", ".join(change.column for change in found[:_NAMED])
        told = f"{len(found):,} columns that the policy does not read, such as {first}"
        yield policy.model, "column", kind, told


def _in_profiles(policy: Policy, run: Run) -> Iterator[tuple[str, str, str, str]]:
    """Yield the rows without a decision, and values of attributes that no group was registered for."""
    # numpy and Arrow come with profiles: configuration is checked without them.
    from monitor.profile.codec import profile_from_bytes  # noqa: PLC0415
    from monitor.profile.counts import UNKNOWN  # noqa: PLC0415

    for result in run.results:
        if not result.profile:  # nothing is registered of the version
            continue
        profile = profile_from_bytes(result.profile)
        undecided = int(profile.outcomes.margin().sum(axis=1)[UNKNOWN])
        if policy.decision is not None and undecided:
            told = (
                f"{undecided:,} of {profile.rows:,} rows of version {result.version} have none that "
                "can be read: rates and ratios are of the others"
            )
            yield policy.decision.column, "decisions", "missing", told
        for name, sample in profile.outcomes.unmapped.items():
            if sample.rows:
                first = ", ".join(repr(value) for value, _ in sample.most_frequent(_NAMED))
                told = (
                    f"{sample.rows:,} rows of about {sample.distinct:,.0f} values, such as {first}"
                )
                yield name, "groups", "unmapped", told
