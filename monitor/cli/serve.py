"""``modelmon serve``: the daemon."""

import logging
import os
from pathlib import Path

import click

from monitor.cli.output import say


@click.command()
@click.option("--host", default=None, help="Address to listen on, instead of the settings'.")
@click.option("--port", type=int, default=None, help="Port to listen on; 0 for any free one.")
@click.pass_obj
def serve(config_file: Path, host: str | None = None, port: int | None = None) -> None:
    """Check every model by its schedule and serve the results to Prometheus.

    Of several replicas on one database one leads and checks; the others serve the same results and
    take over when it dies.

    Stops on SIGTERM or Ctrl-C, after the window that is being run; a second signal stops at once.
    Reads its configuration again on SIGHUP; one with a problem is refused, and the old one stays.
    """
    from monitor import app
    from monitor.daemon import Daemon, log_as
    from monitor.exposition.vitals import Vitals

    files = app.configuration(config_file, host, port)
    configured = files.read()
    vitals = Vitals(policy.model for policy in configured.policies)
    log_as(configured.settings, vitals)
    outside, leadership = app.open_replicated(configured.settings)
    daemon = Daemon(files, configured, outside, leadership, vitals)
    # Among lines for machines there is no line for people.
    log = logging.getLogger("modelmon") if configured.settings.log_format == "json" else None
    announce, warn = (log.info, log.warning) if log else (_say, _say)
    if not daemon.run(lambda host, port: announce(_announcement(host, port))):
        warn("a check did not end in time; its window will be run again")
        # Its thread would keep the interpreter waiting; nothing is half-written in the store.
        os._exit(0)


def _say(text: str) -> None:
    say(f"modelmon: {text}")


def _announcement(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"metrics at http://{shown}:{port}/metrics (stop with Ctrl-C)"
