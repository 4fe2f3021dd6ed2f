"""``modelmon serve``: the daemon."""

import os
import sys
from pathlib import Path

import click

from monitor.cli.output import say


@click.command()
@click.option("--host", default=None, help="Address to listen on, instead of the settings'.")
@click.option("--port", type=int, default=None, help="Port to listen on; 0 for any free one.")
@click.pass_obj
def serve(config_file: Path, host: str | None = None, port: int | None = None) -> None:
    """Check every model by its schedule and serve the results to Prometheus.

    Stops on SIGTERM or Ctrl-C, after the window that is being run; a second signal stops at once.
    """
    from dataclasses import replace

    from monitor import app, logs
    from monitor.daemon import Daemon
    from monitor.exposition.vitals import Vitals

    settings = app.read_settings(config_file)
    if host is not None:
        settings = replace(settings, host=host)
    if port is not None:
        settings = replace(settings, port=port)
    policies = app.read_policies(settings)
    vitals = Vitals(policy.model for policy in policies)
    logs.configure(
        settings.log_level,
        sys.stderr,
        vitals.count_message,
        as_json=settings.log_format == "json",
    )
    outside = app.open_configured(settings)
    daemon = Daemon(settings, policies, outside, vitals)
    if not daemon.run(_announce):
        say("modelmon: a check did not end in time; its window will be run again")
        # Its thread would keep the interpreter waiting; nothing is half-written in the store.
        os._exit(0)


def _announce(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    say(f"modelmon: metrics at http://{shown}:{port}/metrics (stop with Ctrl-C)")
