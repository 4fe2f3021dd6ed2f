"""``modelmon baseline``: what windows are held against."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from monitor.cli.output import Output, output_option, progress_bar, say, write_tables
from monitor.cli.person import refusals_recorded, somebody
from monitor.cli.selection import INSTANT_HELP, chosen, period
from monitor.domain.settings import DaemonSettings


@click.group()
def baseline() -> None:
    """Register, list and show baselines."""


@baseline.command()
@click.argument("model")
@click.option("--from", "begin", required=True, help=f"Begin of the period: {INSTANT_HELP}.")
@click.option("--to", "end", required=True, help="End of the period, exclusive.")
@click.option("--why", required=True, help="The reason; kept with the baseline.")
@click.option("--by", default=getpass.getuser, show_default="the user", help="Who registers it.")
@click.option("--version", "version", default=None, help="Only this model version.")
@click.option("--path", default=None, help="Another parquet path than the model's log.")
@click.option(
    "--from-run", "run", default="", help="The data that this run in MLflow was trained on."
)
@click.option("--artifact", default="", help="With --from-run: its artifact that is the data.")
@click.pass_obj
def register(  # noqa: PLR0917  # one argument an option
    config_file: Path,
    model: str,
    begin: str,
    end: str,
    why: str,
    by: str,
    version: str | None,
    path: str | None,
    run: str,
    artifact: str,
) -> None:
    """Freeze a period as the baseline of each model version that has rows in it."""
    from monitor import app
    from monitor.engine.register import Registration, register_baselines
    from monitor.governance.authorisation import Action, authorise

    if (path is not None and run) or (artifact and not run):
        raise click.UsageError("name the data by --path, or by --from-run, perhaps with --artifact")
    settings = app.read_settings(config_file)
    (file,) = chosen(app.read_policies(settings), [model])
    outside = app.open_configured(settings)
    policy = app.in_force(file, outside.store).policy
    window = period(policy, begin, end)
    assert window is not None  # noqa: S101  # both options are required
    now = outside.clock.now()
    who = somebody(by, now)
    with refusals_recorded(config_file, who, Action.REGISTER_BASELINE, policy.model, now):
        authorise(who, Action.REGISTER_BASELINE, policy, now)
    with (
        _data(settings, path, run, artifact) as (where, told),
        progress_bar(f"registering {model}") as progress,
    ):
        done = register_baselines(
            policy,
            app.source_of(policy, where),
            window,
            registration=Registration(by, f"{why} ({told})" if told else why),
            outside=outside,
            progress=progress,
            version=version,
        )
    for item in done:
        found = item.baseline
        state = "registered" if item.new else "already registered"
        say(f"{state} {model} version {found.version}: {found.rows:,} rows, {found.digest[:12]}")


@contextmanager
def _data(
    settings: DaemonSettings, path: str | None, run: str, artifact: str
) -> Iterator[tuple[str | None, str]]:
    """Yield where the data are, None for the model's log, and which run's they are in words."""
    if not run:
        yield path, ""
        return
    from monitor.registry.run_data import data_of_run

    with data_of_run(settings.registry, run, artifact) as data:
        yield data.path, data.told


@baseline.command("list")
@click.argument("models", nargs=-1)
@output_option
@click.pass_obj
def list_baselines(config_file: Path, models: tuple[str, ...], output: Output) -> None:
    """List every baseline, newest first; the first one of each version is in force."""
    from monitor import app
    from monitor.reports.baselines import baseline_table

    settings = app.read_settings(config_file)
    store = app.open_store(settings.store_url)
    found = [
        item
        for policy in chosen(app.read_policies(settings), models)
        for item in store.baselines(policy.model)
    ]
    write_tables([baseline_table(found)], output)


@baseline.command()
@click.argument("digest")
@output_option
@click.pass_obj
def show(config_file: Path, digest: str, output: Output) -> None:
    """Show a baseline by its digest, or by the first characters of it."""
    from monitor import app
    from monitor.reports.baselines import describe_baseline

    settings = app.read_settings(config_file)
    found = app.open_store(settings.store_url).baseline(digest)
    write_tables(describe_baseline(found), output)
