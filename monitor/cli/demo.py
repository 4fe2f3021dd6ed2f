"""``modelmon demo``: the main job on real logs, in one command."""

from pathlib import Path

import click

from monitor.cli.output import progress_bar, say, write_tables

MODEL = "card-late-payment"
BASELINE = ("2005-04-01", "2005-06-01")
WHY = "April and May 2005: the two calm months after the model was trained"


@click.command()
@click.option("--once", is_flag=True, help="Stop after the summary instead of serving /metrics.")
@click.pass_context
def demo(ctx: click.Context, *, once: bool) -> None:
    """Register a baseline, run every month, tell what happened, and serve it to Prometheus.

    The logs are those of a card-late-payment model on public data of 2005; the model and the days
    of the month are ours, the months and the customers are real. Run it from the repository.
    """
    from monitor import app
    from monitor.cli.run import run_model
    from monitor.cli.selection import chosen, period
    from monitor.cli.serve import serve
    from monitor.engine.alarms import alarms_since
    from monitor.engine.register import Registration, register_baselines
    from monitor.reports.summary import summarise

    config_file: Path = ctx.obj
    settings = app.read_settings(config_file)
    (policy,) = chosen(app.read_policies(settings), [MODEL])
    app.upgrade_store(settings)
    outside = app.open_configured(settings)
    window = period(policy, *BASELINE)
    assert window is not None  # noqa: S101  # both bounds are given above
    with progress_bar("registering the baseline") as progress:
        (registered,) = register_baselines(
            policy,
            app.source_of(policy),
            window,
            registration=Registration("modelmon demo", WHY),
            outside=outside,
            progress=progress,
        )
    found = registered.baseline
    say(f"baseline {found.digest[:12]}: {found.rows:,} rows of April and May 2005")
    done, problem = run_model(policy, outside)
    if problem is not None:
        raise problem
    say(f"{len(done)} windows run" if done else "every window had been run before")
    heads = outside.store.heads(policy.model)
    stored = [outside.store.run(policy.model, window) for window in sorted(heads)]
    alarms = alarms_since(policy, outside.store, window.end)
    runs = [run for run in stored if run is not None]
    write_tables(summarise(policy, runs, alarms), "table")
    if not once:
        ctx.invoke(serve)
