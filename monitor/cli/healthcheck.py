"""``modelmon healthcheck``: the daemon's own probe, for containers."""

from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import click

from monitor.cli.output import say

TIMEOUT_SECONDS = 5


@click.command()
@click.option("--ready", is_flag=True, help="Ask for readiness instead of liveness.")
@click.option("--url", default=None, help="Address of the daemon; from the settings by default.")
@click.pass_obj
def healthcheck(config_file: Path, url: str | None, *, ready: bool) -> int:
    """Exit with 0 when the daemon says it is well, with 1 when it does not or is not there."""
    if url is None:
        from monitor import app

        settings = app.read_settings(config_file)
        url = f"http://{_reachable(settings.host)}:{settings.port}"
    asked = f"{url.rstrip('/')}/-/{'ready' if ready else 'healthy'}"
    if not asked.startswith(("http://", "https://")):
        raise click.UsageError(f"--url is no http address: {url}")
    try:
        with urlopen(asked, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # checked above
            say(answer.read().decode().strip())
    except URLError as error:
        say(f"{asked}: {error.reason}")
        return 1
    return 0


def _reachable(host: str) -> str:
    """Return an address to ask at: a server that listens everywhere is asked on this machine."""
    named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # asked, not bound
    return f"[{named}]" if ":" in named else named
