"""``modelmon explain``: what a stored result rests on."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.finding import full_fingerprint
from monitor.cli.governed import to_look
from monitor.cli.output import (
    Output,
    output_option,
    plot_width,
    say,
    write_document,
    write_tables,
)
from monitor.cli.selection import chosen, instant
from monitor.domain.policy import Policy
from monitor.domain.window import Window

if TYPE_CHECKING:
    from monitor.domain.manifest import LateChange
    from monitor.domain.run import Run
    from monitor.engine.ports import Store

LATEST = "latest"

LEAST_DIGITS = 4
"""Of a fingerprint: fewer are a typing error rather than a name."""

_MONTH = re.compile(r"\d{4}-\d{2}")
_FINGERPRINT = re.compile(f"[0-9a-f]{{{LEAST_DIGITS},16}}")


@click.command()
@click.argument("subject", metavar="MODEL|FINDING")
@click.argument("window", required=False)
@click.option("--window", "at", default=None, help="The same as WINDOW; of a finding, by name.")
@click.option("--revision", type=click.IntRange(1), default=None, help="An older result of it.")
@output_option
@click.option("--json", "as_json", is_flag=True, help="The same as --output json.")
@click.pass_obj
def explain(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    subject: str,
    window: str | None,
    at: str | None,
    revision: int | None,
    output: Output,
    *,
    as_json: bool,
) -> int:
    """Show why a finding is what it is, or what the result of a window rests on.

    Of a MODEL: inputs, rows, files and everything that was judged in a window. WINDOW is the date
    or time at which it starts, or `latest`, which it is unless it is said. The digest of the files
    is computed again; the exit code is 5 when the store no longer holds what was written. The
    window's files are listed again as well, to tell which of them have changed since.

    Of a FINDING, by its fingerprint or the first digits of it, as `modelmon run` and `modelmon
    explain MODEL` print them: the reading and its limit, its last windows, the bins, values or
    groups that made it, which fields moved beside it, and the digests of what it rests on. No log
    is read. The window is the latest that judged it, unless one is given.
    """
    if window is not None and at is not None:
        raise click.UsageError("WINDOW and --window are the same; give one of them")
    policies, store = to_look(config_file, ())
    wanted = window or at
    form: Output = "json" if as_json else output
    if subject not in {policy.model for policy in policies} and _FINGERPRINT.fullmatch(subject):
        return _explain_finding(store, policies, subject, wanted, revision, form)
    (policy,) = chosen(policies, [subject])
    return _explain_run(store, policy, wanted or LATEST, revision, form)


def _explain_run(
    store: "Store", policy: Policy, window: str, revision: int | None, output: Output
) -> int:
    from monitor.reports.explanation import (
        Explained,
        explanation_document,
        explanation_tables,
    )

    model = policy.model
    meant = _meant(policy, window, store.heads(model))
    revisions = store.revisions(model, meant)
    number = revisions[-1].number if revision is None else revision
    run = store.run(model, meant, number)
    if run is None:
        raise click.UsageError(f"{meant} has {len(revisions)} revisions, and none is {revision}")
    known = store.origins(model)
    origins = [known[each.version] for each in run.results if each.version in known]
    since, recorded = _since(policy, run), store.recorded_at(run)
    explained = Explained(run, number, revisions, policy, since, origins, recorded)
    if output == "json":
        write_document(explanation_document(explained))
    else:
        write_tables(explanation_tables(explained), output)
    if explained.intact and run.accounting.balances:
        return 0
    say(f"{model}: the store no longer holds what was written for {meant}")
    return 5


def _explain_finding(  # noqa: PLR0917  # six nouns, each of another type
    store: "Store",
    policies: Sequence[Policy],
    begin: str,
    window: str | None,
    revision: int | None,
    output: Output,
) -> int:
    from monitor.engine.why import latest_of, why
    from monitor.reports.finding import finding_tables
    from monitor.reports.finding_document import finding_document

    last = latest_of(store, full_fingerprint(store, begin, "no configured model, and "))
    found = last.finding
    (policy,) = chosen(policies, [found.reading.subject.model])
    meant = last.window if window is None else _meant(policy, window, store.heads(policy.model))
    try:
        told = why(store, policy, found.fingerprint, meant, revision)
    except LookupError as error:
        raise click.UsageError(f"{error}; it was last judged in {last.window}") from error
    if output == "json":
        write_document(finding_document(told, policy))
    else:
        write_tables(finding_tables(told, policy, plot_width()), output)
    return 0


def _since(policy: Policy, run: "Run") -> "LateChange | None":
    """Return how the files of a run's window have changed; None when its log cannot be reached."""
    from monitor import app
    from monitor.domain.errors import SourceError
    from monitor.domain.manifest import LateChange

    try:
        now = app.source_of(policy).scan(run.window).manifest
    except SourceError as error:
        say(f"{policy.model}: {error}")
        return None
    return LateChange.between(run.window, run.manifest, now)


def _meant(policy: Policy, text: str, windows: Iterable[Window]) -> Window:
    """Return the stored window that starts at an instant.

    Raises:
        click.UsageError: There is none, or several of different length.
    """
    known = sorted(windows, key=lambda window: (window.end, window.start))
    if not known:
        raise click.UsageError(f"{policy.model} has no results yet; see: modelmon run")
    if text == LATEST:
        return known[-1]
    # A month is printed without its day, and so may be given without it.
    start = instant(policy, "WINDOW", f"{text}-01" if _MONTH.fullmatch(text) else text)
    found = [window for window in known if window.start == start]
    ours = [window for window in found if window == policy.schedule.window_at(start)]
    if len(found) == 1 or ours:
        return (ours or found)[0]
    if found:
        listed = ", ".join(map(str, found))
        raise click.UsageError(f"several windows start at {text}, none of this schedule: {listed}")
    around = [str(window) for window in known if window.contains(start)]
    advice = f"; it lies in {around[-1]}" if around else f"; the latest is {known[-1]}"
    raise click.UsageError(
        f"{policy.model} has no result for a window that starts at {text}{advice}"
    )
