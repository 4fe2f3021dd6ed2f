"""``modelmon run``: what is due, once."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import Output, output_option, progress_bar, say, write_tables
from monitor.cli.selection import INSTANT_HELP, chosen, period
from monitor.cli.textfile import textfile_path, write_textfile
from monitor.domain.errors import ModelmonError
from monitor.domain.finding import Verdict
from monitor.domain.policy import Policy
from monitor.domain.window import Window
from monitor.loading import uncollected

if TYPE_CHECKING:
    from monitor.domain.manifest import LateChange
    from monitor.engine.alarms import ModelAlarms
    from monitor.engine.run import Outside, Ran


ALARM = "alarm"
"""What the findings of the last windows amount to, rather than those of one."""


@click.command()
@click.option("--model", "models", multiple=True, help="Only this model; may be repeated.")
@click.option("--from", "begin", default=None, help=f"Run every window from here: {INSTANT_HELP}.")
@click.option("--to", "end", default=None, help="… up to here.")
@click.option(
    "--fail-on",
    type=click.Choice(["warning", "critical", "unknown", ALARM]),
    default=None,
    help="Exit with 1 when a finding is at least this grave, or when an alarm fires.",
)
@click.option(
    "--textfile",
    type=click.Path(path_type=Path),
    callback=textfile_path,
    help="Write the results of every configured model to this .prom file, for node_exporter's textfile collector.",
)
@output_option
@click.pass_obj
def run(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    models: tuple[str, ...],
    begin: str | None,
    end: str | None,
    fail_on: str | None,
    textfile: Path | None,
    output: Output,
) -> int:
    """Run the windows that are due, or all windows of a period, and print what they show.

    A window that was run before on the same data, policy and baselines changes nothing.
    """
    with uncollected():
        from monitor import app
        from monitor.reports.summary import late_changes, summarise

        settings = app.read_settings(config_file)
        configured = app.read_policies(settings)
        policies = chosen(configured, models)
        periods = {policy.model: period(policy, begin, end) for policy in policies}
        outside = app.open_configured(settings)
    policies = tuple(_in_force(policy, outside) for policy in policies)
    problems: list[Exception] = []
    worst: list[Verdict] = []
    calls = False
    for policy in policies:
        late: list[LateChange] = []
        done, problem = run_model(policy, outside, periods[policy.model], late)
        new = sum(item.committed.new for item in done)
        say(f"{policy.model}: {len(done)} windows, {new} with new results")
        alarms = _alarms(policy, outside, done)
        tables = summarise(policy, [item.run for item in done], alarms)
        write_tables((*tables, *late_changes(policy, late)), output)
        worst += [_worst(item) for item in done]
        calls = calls or _calls(alarms, done)
        if problem is not None:
            say(f"{policy.model}: {type(problem).__name__}: {problem}")
            problems.append(problem)
    if textfile is not None:
        write_textfile(textfile, configured, outside, settings.max_series_per_model)
    if problems:
        raise _first_of_ours(problems)
    if fail_on == ALARM:
        return int(calls)
    return int(fail_on is not None and _fails(worst, Verdict(fail_on)))


def _in_force(file: Policy, outside: "Outside") -> Policy:
    from monitor import app

    policy = app.in_force(file, outside.store).policy
    if policy.waiting:
        say(
            f"{policy.model}: judged by the policy {policy.digest[:12]}; its file is looser and waits "
            f"for approval: modelmon policy diff {policy.model}"
        )
    return policy


def run_model(
    policy: Policy,
    outside: "Outside",
    asked: Window | None = None,
    late: "list[LateChange] | None" = None,
) -> "tuple[list[Ran], Exception | None]":
    """Run a model's windows of a period, or those that are due.

    Its failure is stored and returned, not raised.

    Args:
        policy: The model's policy.
        outside: Store, compute, clock.
        asked: The period to run; None for what is due.
        late: Where to add what came too late for windows that are closed.
    """
    with uncollected():
        from monitor import app
        from monitor.engine.check import check_due, guarded, run_windows
        from monitor.engine.lookback import Lookback

    done: list[Ran] = []

    def work() -> None:
        with progress_bar(policy.model) as progress:
            with uncollected():
                source = app.source_of(policy)
            if asked is None:
                lookback = Lookback()
                done.extend(check_due(policy, source, outside, progress, lookback))
                if late is not None:
                    late.extend(lookback.told())
                return
            windows = policy.schedule.windows(asked.start, asked.end)
            done.extend(run_windows(policy, source, windows, outside, progress))

    failed = guarded(policy.model, work, outside)
    return done, None if failed is None else failed.error


def _alarms(policy: Policy, outside: "Outside", done: "Sequence[Ran]") -> "ModelAlarms | None":
    """Return the alarms as of the windows that were run, from all that is stored."""
    from monitor.engine.alarms import alarms_since

    if not done:
        return None
    return alarms_since(policy, outside.store, min(item.run.window.start for item in done))


def _calls(alarms: "ModelAlarms | None", done: "Sequence[Ran]") -> bool:
    """Return whether an alarm fires as of one of the windows that were run."""
    if alarms is None:
        return False
    windows = {item.run.window for item in done}
    gathered = (item.firing for window, item in alarms.detections.items() if window in windows)
    found = (alarms.found.get(window, {}).values() for window in windows)
    return any(gathered) or any(alarm.firing for of_window in found for alarm in of_window)


def _worst(item: "Ran") -> Verdict:
    from monitor.reports.summary import worst
    from monitor.reports.wording import all_findings

    return worst(all_findings(item.run))


def _fails(verdicts: Sequence[Verdict], threshold: Verdict) -> bool:
    grave = {
        Verdict.CRITICAL: {Verdict.CRITICAL},
        Verdict.WARNING: {Verdict.CRITICAL, Verdict.WARNING},
        Verdict.UNKNOWN: {Verdict.CRITICAL, Verdict.WARNING, Verdict.UNKNOWN},
    }
    return any(verdict in grave[threshold] for verdict in verdicts)


def _first_of_ours(problems: Sequence[Exception]) -> Exception:
    # An exit code tells one class of error; errors that nobody foresaw keep their traceback.
    return next((item for item in problems if not isinstance(item, ModelmonError)), problems[0])
